"""Tries what a node needs of its own machine: sandbox, home, clock, and the running node itself."""

from __future__ import annotations

import ctypes
import stat
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from skilllite.doctor.checks import Check, Status
from skilllite.errors import HomeUnsafe, SkillLiteError
from skilllite.home import Home, prepare_directory
from skilllite_sandbox.probe import HostReport
from skilllite_swarm.errors import IdentityCorrupt
from skilllite_swarm.identity import certificate_facts
from skilllite_swarm.team_record import TeamRecord, read_record

READABLE_BY_OTHERS = stat.S_IRWXG | stat.S_IRWXO
RENEWAL_WARNING_DAYS = 3  # a leaf is renewed ten days before its end; this late, renewal is stuck


def check_sandbox(report: HostReport) -> list[Check]:
    """Turn what the sandbox tried of itself into checks."""
    checks = []
    for tried in report.checks:
        status = Status.OK if tried.ok else Status.FAILED if tried.required else Status.WARNING
        remedy = "" if tried.ok else tried.remedy
        checks.append(Check("sandbox", tried.name, status, tried.detail, remedy))
    return checks


def check_home(home: Home) -> list[Check]:
    """Look at owners and permissions of what the node trusts; creates nothing."""
    checks = []
    present = [directory for directory in home.directories() if directory.exists()]
    if not present:
        return [Check("home", "directory", Status.OK, f"{home.label}: made by the first start")]
    for directory in present:
        try:
            prepare_directory(directory)
        except HomeUnsafe as error:
            checks.append(_failed("home", str(directory), error))
    checks += [check for path in sorted(home.keys.glob("*.pem")) if (check := _check_key(path))]
    if not checks:
        checks.append(Check("home", "permissions", Status.OK, f"{home.label}: this user's alone"))
    return checks


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
