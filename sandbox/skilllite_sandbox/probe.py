"""Tries out what this host can enforce, and says for each failure what to do about it.

Functional, never by version or by sysctl alone: a restricted user namespace may be created and be
useless. The main check is a run of a built-in skill through the very path that skills take, which
attacks the sandbox and reports what it could do. Runs don't pay for this: they start, and only a
failure asks.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

from skilllite_sandbox.attackers import SELF_TESTS, attempts_of, question
from skilllite_sandbox.backend.bare import Bare
from skilllite_sandbox.backend.bubblewrap import Bubblewrap, root_prefix
from skilllite_sandbox.backend.zygote import Zygote
from skilllite_sandbox.bare_plan import (
    LANDLOCK_LEAST,
    can_be_bare,
    lacks_of,
    make_bare_plan,
)
from skilllite_sandbox.bare_self_test import try_attackers
from skilllite_sandbox.bounds.tree_check import REMEDY, tree_bounds
from skilllite_sandbox.bubblewrap_plan import make_plan
from skilllite_sandbox.entry import EntryPoint, Language
from skilllite_sandbox.errors import SandboxError, SandboxUnavailable
from skilllite_sandbox.execution import Execution
from skilllite_sandbox.host import Host, find_program, has_landlock, read_host
from skilllite_sandbox.outcome import Outcome, Reason
from skilllite_sandbox.plan import Plan
from skilllite_sandbox.policy import DEFAULT_LIMITS, Level, Policy, Tier
from skilllite_sandbox.seccomp.filters import MACHINES
from skilllite_sandbox.self_test import make_self_test
from skilllite_sandbox.zygote_plan import make_zygote_plan

_DEADLINE_S = 10.0  # a healthy probe takes 0.05; this is for a machine under water


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried."""

    name: str
    ok: bool
    detail: str
    """What was found."""
    remedy: str = ""
    """What to do when it is not ok."""
    required: bool = True
    """Whether levels 2 and 3 depend on it; else something optional is missing."""


@dataclass(frozen=True, slots=True)
class HostReport:
    """What this host can enforce."""

    checks: tuple[Check, ...]
    tier: Tier
    """What levels 2 and 3 get; `none` when they are refused."""
    accepts_landlock: bool = False
    """Whether Python skills could run in tier `landlock`, if a person accepts that."""

    @property
    def ok(self) -> bool:
        """Whether levels 2 and 3 can run."""
        return self.tier is not Tier.NONE


@lru_cache(maxsize=1)
def probe_host() -> HostReport:
    """Return what this host can enforce, tried out at the first call of a process."""
    return probe(read_host())


_PROBED = (Tier.FULL, Tier.BWRAP, Tier.ROOT_CHROOT)


def probe(host: Host, *, tiers: tuple[Tier, ...] = _PROBED) -> HostReport:
    """Try out what this host can enforce.

    A tier that fails while a better one works is no failure of the host, only the lack of a second
    line; a tier that works while a better one failed leaves that as something optional too. Those
    without namespaces are tried only where the others fail.
    """
    base = [_machine(host), _python(host)]
    if not all(check.ok for check in base):
        return HostReport((*base, *_optional(host)), Tier.NONE)
    chains: list[list[Check]] = []
    best = Tier.NONE
    for tier in tiers:
        if tier in _CHAINS:
            chain = _CHAINS[tier](host)
        elif best is Tier.NONE and can_be_bare(tier, host, Language.PYTHON):
            chain = [_bare_check(tier, host)]
        else:
            continue
        chains.append(chain)
        if best is Tier.NONE and all(check.ok for check in chain):
            best = tier
    tried = [
        check if best is Tier.NONE else replace(check, required=check.ok and check.required)
        for chain in chains
        for check in chain
    ]
    lacks = [_lacks(best)] if best in LANDLOCK_LEAST else []
    last = _landlock_check(host) if best is Tier.NONE and not host.is_root else None
    return HostReport(
        (*base, *tried, *lacks, *([last] if last else []), *_optional(host)),
        best,
        accepts_landlock=last is not None and last.ok,
    )


def _bare_check(tier: Tier, host: Host) -> Check:
    """Run the built-in attackers without namespaces, one for each language that the tier takes."""
    held = []
    policy = replace(_probe_policy(), accept_tier=tier)
    for language in (Language.PYTHON, Language.NODE, Language.BASH):
        if not can_be_bare(tier, host, language):
            continue
        try:
            with _probe_skill(language) as (entry, directory):
                plan = make_bare_plan(tier, policy, host, entry, directory)
                stage_root = str(Path(directory).parents[1])
                Bare(host, stage_root, partial(try_attackers, host)).check(plan)
        except SandboxUnavailable as error:
            if language is not Language.PYTHON and not getattr(host, language.value):
                continue  # an interpreter that isn't here, said among the optional things
            detail = f"{error.message}: {error.cause}" if error.cause else error.message
            return Check(tier.value, False, f"{language.value}: {detail}", error.hint or _REPORT_IT)
        held.append(language.value)
    return Check(tier.value, True, f"a hostile skill was held: {', '.join(held)}")


def _lacks(tier: Tier) -> Check:
    """Say what the tier that runs get doesn't hold."""
    return Check("not-held", False, ", ".join(lacks_of(tier)), _namespace_remedy(), required=False)


def _landlock_check(host: Host) -> Check:
    """Try the tier that nobody gets without having accepted it."""
    check = _bare_check(Tier.LANDLOCK, host)
    if not check.ok:
        return replace(check, name="tier-landlock", required=False)
    detail = f"{check.detail}; not held: {', '.join(lacks_of(Tier.LANDLOCK))}"
    return Check("tier-landlock", True, detail, required=False)


def bubblewrap_holds(host: Host) -> bool:
    """Return whether runs by bubblewrap work here."""
    return all(check.ok for check in _bubblewrap_chain(host))


def _zygote_chain(host: Host) -> list[Check]:
    """Start a zygote and run the built-in attacker in it, one for each language."""
    held = []
    for language in (Language.PYTHON, Language.NODE, Language.BASH):
        try:
            with _probe_skill(language) as (entry, directory):
                plan = make_zygote_plan(_probe_policy(), host, entry, directory)
                _start_and_test(plan)
        except SandboxUnavailable as error:
            if language is not Language.PYTHON and not getattr(host, language.value):
                continue  # an interpreter that isn't here, said among the optional things
            detail = f"{error.message}: {error.cause}" if error.cause else error.message
            return [Check("zygote", False, f"{language.value}: {detail}", _namespace_remedy())]
        held.append(language.value)
    return [Check("zygote", True, f"a hostile skill was held: {', '.join(held)}")]


def _start_and_test(plan: Plan) -> None:
    assert plan.zygote is not None
    zygote = Zygote(plan.interpreter, plan.zygote)
    try:
        zygote.wait_ready()
        make_self_test(os.path.realpath(__file__))(zygote, plan)
    finally:
        zygote.close()


def _bubblewrap_chain(host: Host) -> list[Check]:
    chain = [_bubblewrap(host)]
    if chain[0].ok and host.is_root:
        chain.append(_service_user(host))
    return [*chain, *_isolation(host)] if chain[-1].ok else chain


_CHAINS = {Tier.FULL: _zygote_chain, Tier.BWRAP: _bubblewrap_chain}


def _machine(host: Host) -> Check:
    return Check(
        "machine",
        host.machine in MACHINES and host.loader is not None,
        f"{host.machine}, Linux {os.uname().release}",
        f"system call filters exist for {' and '.join(sorted(MACHINES))} with glibc",
    )


def _bubblewrap(host: Host) -> Check:
    if host.bwrap is None:
        return Check("bubblewrap", False, "`bwrap` was not found on the PATH", _INSTALL_BWRAP)
    ok, said = _try([host.bwrap, "--version"])
    version = said.removeprefix("bubblewrap ")
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if ok and numbers < _BWRAP_OLDEST:
        oldest = ".".join(map(str, _BWRAP_OLDEST))
        return Check("bubblewrap", False, f"{version} is older than {oldest}", _INSTALL_BWRAP)
    return Check("bubblewrap", ok, f"{host.bwrap} {version}", _INSTALL_BWRAP)


_INSTALL_BWRAP = "apt install bubblewrap"
_BWRAP_OLDEST = (0, 8)  # --size for the scratch, --disable-userns


def _python(host: Host) -> Check:
    if host.python is None:
        return Check(
            "python",
            False,
            "no Python 3.11 or newer with its whole standard library",
            "apt install python3",
        )
    version = ".".join(map(str, host.python.version))
    return Check("python", True, f"{host.python.path} {version}")


def _service_user(host: Host) -> Check:
    """Try to become the service user, as every run started by root does."""
    remedy = "start as an unprivileged user instead of root"
    try:
        with _probe_plan(host) as plan:
            ok, said = _try([*root_prefix(plan, host), "/usr/bin/id", "-u"])
    except SandboxError as error:
        return Check("service-user", False, error.message, error.hint or remedy)
    ok = ok and said == str(host.service_id)
    detail = f"root becomes uid {host.service_id}" if ok else f"root can't be left: {said}"
    return Check("service-user", ok, detail, remedy)


def _isolation(host: Host) -> list[Check]:
    """Run the built-in attacker; when even that fails, find out which part is missing."""
    # A file that every user of the host can read, so that failing to means something.
    data = question(os.path.realpath(__file__))
    try:
        with _probe_plan(host) as plan:
            outcome = Execution(plan, Bubblewrap(host).launch(plan, b""), data).wait()
    except SandboxError as error:
        return [Check("sandbox", False, error.message, error.hint or "")]
    if outcome.reason is Reason.UNAVAILABLE:
        namespaces = _namespaces(host)
        if not namespaces.ok:
            return [namespaces]
        return [namespaces, Check("sandbox", False, _said(outcome), _REPORT_IT)]
    if not isinstance(outcome.output, dict):
        return [Check("sandbox", False, f"{outcome.message} {_said(outcome)}", _REPORT_IT)]
    wrong = attempts_of(outcome)
    return [
        Check("namespaces", True, "user, mount, pid, network, ipc, uts and cgroup"),
        Check(
            "sandbox",
            not wrong,
            f"a hostile skill could {', '.join(wrong)}" if wrong else "a hostile skill was held",
            _REPORT_IT,
        ),
    ]


_REPORT_IT = "this is unusual: please report it with the output of `skilllite doctor`"


def _namespaces(host: Host) -> Check:
    assert host.bwrap is not None
    ok, said = _try([host.bwrap, "--unshare-all", "--unshare-user", "--ro-bind", "/", "/", "true"])
    return Check("namespaces", ok, said or "can be made", "" if ok else _namespace_remedy())


def _namespace_remedy() -> str:
    """Return what usually stands in the way; the attempt has failed already."""
    if _setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
        return (
            "allow bwrap in AppArmor (Ubuntu: apt install apparmor-profiles and load "
            "bwrap-userns-restrict), or sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
        )
    if _setting("/proc/sys/kernel/unprivileged_userns_clone") == "0":
        return "sysctl -w kernel.unprivileged_userns_clone=1"
    if _setting("/proc/sys/user/max_user_namespaces") == "0":
        return "sysctl -w user.max_user_namespaces=15000"
    return (
        "user namespaces are forbidden here, as in most containers: start the container with "
        "--security-opt seccomp=unconfined --security-opt apparmor=unconfined, or run on the host"
    )


def _optional(host: Host) -> list[Check]:
    landlock = has_landlock()
    jq = find_program("jq", "/usr/bin:/bin")
    checks = [
        ("landlock", landlock, "offered by the kernel", "a kernel of 5.13 or newer with Landlock"),
        ("node", host.node, host.node and host.node.path, "apt install nodejs"),
        ("bash", host.bash, host.bash and host.bash.path, "apt install bash"),
        ("jq", jq, jq, "apt install jq"),
    ]
    by_kernel, how = tree_bounds()
    return [
        *(
            Check(name, bool(found), str(detail) if found else "not here", remedy, required=False)
            for name, found, detail, remedy in checks
        ),
        Check("tree-bounds", by_kernel, how, REMEDY, required=False),
    ]


@contextmanager
def _probe_plan(host: Host) -> Iterator[Plan]:
    """Make the built-in skill and plan a run of it by bubblewrap."""
    with _probe_skill(Language.PYTHON) as (entry, directory):
        yield make_plan(_probe_policy(), host, entry, directory)


@contextmanager
def _probe_skill(language: Language) -> Iterator[tuple[EntryPoint, str]]:
    """Make the built-in skill of a language as the stage would keep it."""
    with tempfile.TemporaryDirectory(prefix="skilllite-probe-") as directory:
        skill = Path(directory, "probe", "skill")
        skill.mkdir(parents=True)
        (skill / "main").write_text(SELF_TESTS[language], encoding="utf-8")
        for path in (Path(directory), skill.parent, skill):
            path.chmod(0o755)
        (skill / "main").chmod(0o644)
        yield EntryPoint("main", language, "probe"), os.path.realpath(skill)


def _probe_policy() -> Policy:
    return Policy(Level.ISOLATED, replace(DEFAULT_LIMITS, wall_s=_DEADLINE_S))


def _said(outcome: Outcome) -> str:
    return " / ".join(outcome.stderr.strip().splitlines()[-3:])


def _setting(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except OSError:
        return None


def _try(command: list[str]) -> tuple[bool, str]:
    """Run a command; return whether it succeeded, and what it said."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_DEADLINE_S,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False, f"no answer within {_DEADLINE_S:g} s"
    except OSError as error:
        return False, error.strerror or str(error)
    return done.returncode == 0, done.stdout.decode("utf-8", "replace").strip()
