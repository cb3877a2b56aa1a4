"""Tries what a node needs of its own machine: sandbox, home, clock, and the running node itself."""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from skilllite.doctor.checks import Check, Status
from skilllite.errors import HomeUnsafe, SkillLiteError
from skilllite.home import Home, prepare_directory
from skilllite.trust import open_guard
from skilllite_sandbox.errors import PolicyDenied
from skilllite_sandbox.other_systems import SystemCheck
from skilllite_sandbox.policy import MIB
from skilllite_sandbox.probe import Check as Tried
from skilllite_swarm.errors import IdentityCorrupt
from skilllite_swarm.identity import certificate_facts
from skilllite_swarm.team_record import TeamRecord, read_record

ROOM_MIB_LOW = 256  # a few skills with their stage and ledger
ROOM_MIB_NONE = 4  # one commit of the ledger and one small skill
READABLE_BY_OTHERS = stat.S_IRWXG | stat.S_IRWXO
RENEWAL_WARNING_DAYS = 3  # a leaf is renewed ten days before its end; this late, renewal is stuck


def check_sandbox(found: Iterable[Tried | SystemCheck]) -> list[Check]:
    """Turn what the sandbox tried of itself into checks."""
    checks = []
    for tried in found:
        status = Status.OK if tried.ok else Status.FAILED if tried.required else Status.WARNING
        remedy = "" if tried.ok else tried.remedy
        checks.append(Check("sandbox", tried.name, status, tried.detail, remedy))
    return checks


def check_home(home: Home) -> list[Check]:
    """Look at owners and permissions of what the node trusts; creates nothing."""
    present = [directory for directory in home.directories() if directory.exists()]
    checks = [
        check for place in _places(home) for check in (_check_writable(place), _check_room(place))
    ]
    checks = [check for check in checks if check.status is not Status.OK]
    if not present:
        made = Check("home", "directory", Status.OK, f"{home.label}: made by the first start")
        return checks or [made]
    for directory in present:
        try:
            prepare_directory(directory)
        except HomeUnsafe as error:
            checks.append(_failed("home", str(directory), error))
    checks += [check for path in sorted(home.keys.glob("*.pem")) if (check := _check_key(path))]
    checks += _check_what_is_known(home)
    if not checks:
        checks.append(Check("home", "permissions", Status.OK, f"{home.label}: this user's alone"))
    return checks


def _check_what_is_known(home: Home) -> list[Check]:
    """Look at what every run is compared with: while it can't be read, no skill runs."""
    guard = open_guard(home)
    checks: list[Check] = []
    for name, read in (
        ("installed skills", guard.register.read),
        ("denylist", guard.denylist.current),
    ):
        try:
            read()
        except PolicyDenied as error:
            detail = f"{error.message}: {error.cause}"
            checks.append(Check("home", name, Status.FAILED, detail, error.hint or "restore it"))
    return checks


def _places(home: Home) -> list[Path]:
    """Return what of the home exists, or would hold it, once for each disk."""
    places: dict[int, Path] = {}
    for directory in (home.data_dir, home.state_dir, home.cache_dir):
        while not directory.exists() and directory != directory.parent:
            directory = directory.parent
        places.setdefault(directory.stat().st_dev, directory)
    return list(places.values())


def _check_writable(place: Path) -> Check:
    # For root too: access(2) knows what no permission bit says, a disk mounted read-only.
    if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
        return Check("home", "writable", Status.OK, str(place))
    return Check(
        "home",
        "writable",
        Status.FAILED,
        f"{place} can't be written",
        "make it writable for this user, or set SKILLLITE_HOME to another directory",
    )


def _check_room(place: Path) -> Check:
    disk = os.statvfs(place)
    free_mib = disk.f_bavail * disk.f_frsize // MIB
    detail = f"{free_mib} MiB free at {place}"
    if free_mib >= ROOM_MIB_LOW:
        return Check("home", "room", Status.OK, detail)
    status = Status.FAILED if free_mib < ROOM_MIB_NONE else Status.WARNING
    remedy = "make room on that disk: nothing can be accepted or staged when it is full"
    return Check("home", "room", status, detail, remedy)


def _check_key(path: Path) -> Check | None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & READABLE_BY_OTHERS:
        return None
    return Check(
        "home",
        str(path),
        Status.FAILED,
        f"a private key that others can reach (mode {mode:04o})",
        f"chmod 600 {path}; if others may have read it, found a new team",
    )


def check_clock(home: Home, now: datetime) -> list[Check]:
    """Compare the clock with this node's own certificate, and ask the kernel whether it is set."""
    checks = [_check_synchronised()]
    try:
        record = read_record(home.team / "team.json")
    except IdentityCorrupt as error:
        return [*checks, _failed("clock", "certificate", error)]
    if isinstance(record, TeamRecord):
        checks.append(_check_leaf(record, now))
    return checks


def _check_leaf(record: TeamRecord, now: datetime) -> Check:
    facts = certificate_facts(record.leaf_pem)
    problem = facts.clock_problem(now)
    shown = f"{now:%Y-%m-%d %H:%M} UTC"
    if problem is not None:
        return Check(
            "clock",
            "certificate",
            Status.FAILED,
            f"it is {shown} here and this node's certificate is {problem}",
            "set the clock (timedatectl set-ntp true); if it is right, the member that invites "
            "must be reachable to renew the certificate, or join again",
        )
    left = facts.not_after - now
    if left.days < RENEWAL_WARNING_DAYS:
        return Check(
            "clock",
            "certificate",
            Status.WARNING,
            f"this node's certificate ends in {left.days} day(s) and was not renewed",
            "start the member that invites: it renews certificates",
        )
    return Check("clock", "certificate", Status.OK, f"{shown}, certificate good for {left.days} d")


class _Timex(ctypes.Structure):
    """struct timex, adjtimex(2); only `modes` is written, as 0: a question."""

    _fields_ = (("modes", ctypes.c_uint), ("rest", ctypes.c_byte * 252))


_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised


def _check_synchronised() -> Check:
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(_Timex()))
    if state == _TIME_ERROR:
        return Check(
            "clock",
            "synchronised",
            Status.WARNING,
            "nothing keeps this clock right; certificates bear a day of difference, no more",
            "timedatectl set-ntp true, or install chrony",
        )
    return Check("clock", "synchronised", Status.OK, "kept by the system")


def check_node(ask_status: Callable[[], dict[str, Any] | None]) -> Check:
    """Ask the running node; `ask_status` gives None when none runs."""
    try:
        status = ask_status()
    except SkillLiteError as error:
        return _failed("node", "answers", error)
    if status is None:
        return Check("node", "runs", Status.OK, "not running; `skilllite node start` starts it")
    return Check("node", "runs", Status.OK, f"{status['name']} answers, pid {status['pid']}")


def _failed(area: str, name: str, error: Any) -> Check:
    detail = f"{error.message}: {error.cause}" if error.cause else error.message
    return Check(area, name, Status.FAILED, detail, error.hint or "see `skilllite node logs`")
