"""The plan of a run at level 1, or by a bubblewrap of its own. Pure, like `plan.py`."""

from __future__ import annotations

from skilllite_sandbox.entry import EntryPoint, Language
from skilllite_sandbox.errors import SandboxUnavailable
from skilllite_sandbox.exec_grants import Program
from skilllite_sandbox.grants import PROXY_ENVIRONMENT
from skilllite_sandbox.guest.code import guest_path
from skilllite_sandbox.host import Host, Interpreter
from skilllite_sandbox.plan import (
    BASH_PROGRAMS,
    BY_THE_HOST,
    COMMANDS_FILE,
    DEVICES,
    ENVIRONMENT,
    EXECUTES,
    EXECUTION,
    GUEST_FILE,
    NODE_MODULES,
    NOT_WITH_PROGRAMS,
    PROFILES,
    SCRATCH,
    SITE_PACKAGES,
    SKILL_MOUNT,
    STDIN_BY_NAME,
    Landlock,
    Mount,
    Plan,
    Relay,
    check_policy,
    command_for,
    executables,
    interpreter_for,
    is_below,
    program_mounts,
    require_python,
    resource_limits,
    tree_bound,
)
from skilllite_sandbox.policy import (
    SUPERVISED,
    Level,
    Policy,
    Tier,
    checks_of,
)
from skilllite_sandbox.seccomp.filters import MACHINES, Executes, Profile
from skilllite_sandbox.values import replace


def make_plan(
    policy: Policy,
    host: Host,
    entry: EntryPoint,
    skill_directory: str,
    *,
    landlock: bool = False,
    writable_code: bool = False,
    packages: str = "",
    programs: tuple[Program, ...] = (),
    runs_commands: bool = False,
) -> Plan:
    """Return the plan of one run at level 1, or by bubblewrap.

    Args:
        policy: Level, limits and origin.
        host: What this machine has.
        entry: What to run.
        skill_directory: Absolute host path of the staged copy.
        landlock: Whether the kernel has Landlock; only bash and granted programs depend on it.
        writable_code: Whether memory may become executable after it was writable.
        packages: Absolute host path of what is installed for the skill; empty for nothing.
        programs: What it may execute beside what its language allows.
        runs_commands: Run the input's commands instead of a script of the skill.

    Raises:
        SandboxUnavailable: this host can't give what the level asks.
        PolicyDenied: nobody may have this combination.
        InvalidInput: a limit is below what an interpreter needs.
    """
    check_policy(policy)
    if policy.level is Level.DIRECT:
        plan = _with_own_packages(_direct_plan(policy, host, entry, skill_directory), packages)
        return replace(plan, script=guest_path("run_commands")) if runs_commands else plan
    plan = _isolated_plan(policy, host, entry, skill_directory, landlock=landlock)
    plan = _with_programs(plan, host, programs, landlock=landlock)
    if runs_commands:
        shown = Mount("file", "run-commands", COMMANDS_FILE)
        plan = replace(plan, script=COMMANDS_FILE, mounts=(*plan.mounts, shown))
    plan = _with_shown_packages(plan, packages)
    if writable_code and plan.profile is Profile.PYTHON:
        plan = replace(plan, profile=Profile.PYTHON_JIT)
    if not host.is_root:
        return plan
    return _relayed(plan, host, (skill_directory, *([packages] if packages else [])))


def _with_programs(
    plan: Plan, host: Host, programs: tuple[Program, ...], *, landlock: bool
) -> Plan:
    """Return the plan with granted programs shown and executable."""
    if not programs:
        return plan
    if not landlock:
        raise SandboxUnavailable(
            "programs can't be granted on this host",
            cause="without Landlock the sandbox can't tell which files may be executed",
            hint="use a kernel of 5.13 or newer with Landlock, or run the skill without them",
        )
    mounts = plan.mounts
    if plan.language is Language.BASH:
        # Nothing can be added to the one directory, so that its programs are shown one by one.
        one_by_one = _bash_mounts(host, all_programs=False)
        whole = _bash_mounts(host, all_programs=True)
        mounts = tuple(mount for mount in mounts if mount not in whole) + tuple(one_by_one)
    return replace(
        plan,
        mounts=(*mounts, *program_mounts(programs, mounts)),
        executables=executables(host, plan.language, programs),
        programs=tuple(program.name for program in programs),
        landlock=Landlock.REQUIRED,
        executes=Executes.LISTED,
        enforced=tuple(each for each in plan.enforced if each not in NOT_WITH_PROGRAMS),
        not_enforced=tuple(dict.fromkeys((*plan.not_enforced, *_MISSING_WITH_PROGRAMS))),
        tree=SUPERVISED,
    )


def _with_own_packages(plan: Plan, packages: str) -> Plan:
    """Return the plan of level 1 with packages where they are on the host."""
    if not packages:
        return plan
    if plan.language is Language.PYTHON:
        return replace(plan, import_paths=(packages,))
    # For `require` alone: `import` looks above the script only.
    return replace(plan, environment=(*plan.environment, ("NODE_PATH", packages)))


def _with_shown_packages(plan: Plan, packages: str) -> Plan:
    """Return the plan with packages shown where its language looks for them."""
    if not packages:
        return plan
    is_python = plan.language is Language.PYTHON
    target = SITE_PACKAGES if is_python else NODE_MODULES
    mounts = (*plan.mounts, Mount("ro-bind", packages, target))
    return replace(plan, mounts=mounts, import_paths=(target,) if is_python else ())


def _direct_plan(policy: Policy, host: Host, entry: EntryPoint, skill_directory: str) -> Plan:
    python = require_python(host)
    script = f"{skill_directory}/{entry.path}"
    return Plan(
        tier=Tier.NONE,
        level=policy.level,
        language=entry.language,
        limits=policy.limits,
        machine=host.machine,
        interpreter=python.path,
        script=script,
        command=command_for(host, entry.language, script, policy.limits),
        environment=ENVIRONMENT,  # HOME and TMPDIR become a scratch directory of the run
        resource_limits=resource_limits(policy.limits, counted_here=False),
        enforced=("clean-environment", "memory", "cpu", "open-files", "file-size", *BY_THE_HOST),
        not_enforced=("isolation", "processes", "scratch-size", "scratch-inodes"),
    )


def _isolated_plan(
    policy: Policy, host: Host, entry: EntryPoint, skill_directory: str, *, landlock: bool
) -> Plan:
    _require_carrier(host)
    python = require_python(host)
    language = entry.language
    script = f"{SKILL_MOUNT}/{entry.path}"
    restriction = _restriction(language, landlock=landlock)
    network = policy.grants.network
    reach = "granted-hosts-only" if network else "no-network"
    return Plan(
        tier=Tier.BWRAP,
        level=policy.level,
        language=language,
        limits=policy.limits,
        machine=host.machine,
        interpreter=python.path,
        script=script,
        command=command_for(host, language, script, policy.limits),
        environment=(*ENVIRONMENT, *(PROXY_ENVIRONMENT if network else ())),
        network=network,
        resource_limits=resource_limits(policy.limits, counted_here=True),
        profile=PROFILES[language],
        mounts=_mounts(host, python, language, skill_directory, landlock=landlock),
        executables=executables(host, language),
        landlock=restriction,
        executes=EXECUTES[language],
        enforced=(
            *_BY_THE_CARRIER,
            reach,
            *EXECUTION[language],
            *BY_THE_HOST,
            *checks_of(policy.level),
        ),
        not_enforced=_missing(language),
        tree=tree_bound(PROFILES[language], EXECUTES[language]),
    )


def _mounts(
    host: Host, python: Interpreter, language: Language, skill_directory: str, *, landlock: bool
) -> tuple[Mount, ...]:
    runs = interpreter_for(host, language)
    trees = dict.fromkeys((*host.libraries, *python.trees, *runs.trees, *host.shared))
    programs = _bash_mounts(host, all_programs=landlock) if language is Language.BASH else []
    return (
        *(Mount("symlink", target, name) for target, name in host.links),
        Mount("tmpfs", "", SCRATCH),  # before an interpreter that lies below it on the host
        *(Mount("ro-bind", path, path) for path in trees),
        *programs,
        *(Mount("dev-bind", path, path) for path in DEVICES),
        Mount("symlink", "urandom", "/dev/random"),
        Mount("symlink", SCRATCH, "/dev/shm"),
        *([Mount("file", "input", "/dev/stdin")] if language in STDIN_BY_NAME else []),
        Mount("file", "passwd", "/etc/passwd"),
        Mount("file", "guest", GUEST_FILE),
        Mount("ro-bind", skill_directory, SKILL_MOUNT),
    )


def _restriction(language: Language, *, landlock: bool) -> Landlock:
    if language is Language.BASH:
        # Its programs are shown by the directory only if Landlock is there to pick from it.
        return Landlock.REQUIRED if landlock else Landlock.OFF
    return Landlock.WANTED if language is Language.NODE else Landlock.OFF


_BY_THE_CARRIER = (
    *("namespaces", "private-root", "no-capabilities", "no-new-privileges"),
    *("seccomp", "clean-environment", "memory", "cpu", "processes", "open-files", "file-size"),
    "scratch-size",
)


_MISSING_WITH_PROGRAMS = ("own-executables",)  # see `_missing`


def _missing(language: Language) -> tuple[str, ...]:
    # bubblewrap's tmpfs takes a size, no number of files, and no option against execution: what is
    # written there can't be executed by name, but it can be mapped as code.
    missing = ["scratch-inodes", "scratch-noexec"]
    if language is Language.BASH:
        # Every program needs the loader to be executable, and the loader started by itself runs
        # any file that can be read, without asking Landlock.
        missing.append("own-executables")
    return tuple(missing)


def _bash_mounts(host: Host, *, all_programs: bool) -> list[Mount]:
    """Return the programs of a bash skill.

    With Landlock the directory is shown and the list is enforced there: a hundred single mounts
    cost 28 ms. Without it the list is what is mounted.
    """
    if all_programs:
        awk = [Mount("symlink", host.awk, "/etc/alternatives/awk")] if host.awk else []
        return [Mount("ro-bind", "/usr/bin", "/usr/bin"), *awk]
    awk = [Mount("symlink", host.awk, "/usr/bin/awk")] if host.awk else []
    programs = (f"/usr/bin/{name}" for name in BASH_PROGRAMS)
    return [*(Mount("ro-bind-try", path, path) for path in programs), *awk]


def _require_carrier(host: Host) -> None:
    if host.machine not in MACHINES:
        raise SandboxUnavailable(
            f"there is no system call filter for {host.machine}",
            hint=f"use one of {', '.join(sorted(MACHINES))}; level 1 runs without isolation",
        )
    if host.bwrap is None:
        raise SandboxUnavailable(
            "bubblewrap is not installed",
            cause="`bwrap` was not found on the PATH",
            hint="apt install bubblewrap",
        )
    if not host.libraries or host.loader is None:
        raise SandboxUnavailable(
            "this system's shared libraries were not found",
            cause="no glibc where Debian, Fedora or Arch keep it",
            hint="use a distribution with glibc",
        )
    if host.is_root and host.root_tools is None:
        raise SandboxUnavailable(
            "root can't give up its privileges here",
            cause="unshare, mount or setpriv is missing",
            hint="apt install util-linux mount, or start as an unprivileged user",
        )


def _relayed(plan: Plan, host: Host, directories: tuple[str, ...]) -> Plan:
    """Return the plan for a start by root, who becomes the service user before it starts."""
    shown = [mount.source for mount in plan.mounts if mount.kind == "ro-bind"]
    unreachable = {
        root for root in host.unreachable if any(is_below(source, root) for source in shown)
    }
    sources = [*directories, *sorted(unreachable)]
    points = [
        point
        for point in host.relay_points
        if not any(is_below(source, point) for source in (*sources, *shown))
    ]
    if len(points) < len(sources):
        raise SandboxUnavailable(
            "no directory is free to show the skill to the service user",
            cause=f"{len(sources)} of /mnt, /media, /srv and /opt are needed",
            hint="create them, or start as an unprivileged user",
        )
    relays = tuple(Relay(source, via) for source, via in zip(sources, points, strict=False))
    mounts = tuple(
        replace(mount, source=_via(mount.source, relays)) if mount.kind == "ro-bind" else mount
        for mount in plan.mounts
    )
    return replace(
        plan,
        relays=relays,
        mounts=mounts,
        service_id=host.service_id,
        enforced=(*plan.enforced, "service-user"),
    )


def _via(source: str, relays: tuple[Relay, ...]) -> str:
    for relay in relays:
        if is_below(source, relay.source):
            return relay.via + source[len(relay.source) :]
    return source
