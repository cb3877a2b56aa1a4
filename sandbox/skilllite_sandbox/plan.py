"""Policy and host facts in, a complete description of one run out. Pure: touches nothing.

A plan says what the sandbox shows, allows and bounds, in the carrier's terms but without its file
descriptors, so that it can be printed, compared and tested without starting anything. What a plan
lists as enforced holds once the guest has reported ready.
"""

from __future__ import annotations

from enum import StrEnum

from skilllite_sandbox.entry import EntryPoint, Language
from skilllite_sandbox.errors import InvalidInput, PolicyDenied, SandboxUnavailable
from skilllite_sandbox.grants import PROXY_ENVIRONMENT
from skilllite_sandbox.host import Host, Interpreter
from skilllite_sandbox.policy import KIB, MIB, Level, Limits, Origin, Policy, Tier
from skilllite_sandbox.seccomp.filters import (
    MACHINES,
    Executes,
    Profile,
    closing_rules,
    summary,
    worker_rules,
)
from skilllite_sandbox.values import asdict, dataclass, replace

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from typing import Any

SKILL_MOUNT = "/skill"
SITE_PACKAGES = "/env/site-packages"
# node looks beside the script and in every folder above it, `import` and `require` alike.
NODE_MODULES = "/node_modules"
SCRATCH = "/tmp"
GUEST_FILE = "/run/guest"
GUEST_ID = 1000  # what the skill sees as its own uid, whoever runs it
MEMORY_LEAST = 32 * MIB  # below it the interpreter itself doesn't start reliably
STACK_BYTES = 8 * MIB  # what Linux gives by default; threads get it too
# An entry of 8 bytes for a page of 4 KiB. No limit counts page tables, so that looking at 400 GiB
# of nothing took 800 MiB; with this bound on addresses they take no more than the memory limit.
ADDRESSES_PER_PAGE_TABLE_BYTE = 512
SIGNALS_QUEUED_MAX = 256  # timers included; a program that makes any makes a few
PASSWD = f"skill:x:{GUEST_ID}:{GUEST_ID}:skill:{SCRATCH}:/bin/sh\n".encode()

ENVIRONMENT = (
    ("HOME", SCRATCH),
    ("LANG", "C.UTF-8"),
    ("PATH", "/usr/bin:/bin"),
    ("TMPDIR", SCRATCH),
)
"""All a skill's environment holds at levels 2 and 3; the back end adds nothing."""

# The private /dev. Not /dev/zero: mapping it is memory that RLIMIT_DATA doesn't count.
DEVICES = ("/dev/null", "/dev/urandom")
# Without /proc no link can lead to a program's own stdin. Scripts of these languages like to open
# it by name, so they find a file with the input there. Nothing can stand in for stdout and stderr.
STDIN_BY_NAME = frozenset({Language.NODE, Language.BASH})

_COREUTILS = """
[ arch b2sum base32 base64 basename basenc cat chmod cksum comm cp csplit cut date dd dir dircolors
dirname du echo env expand expr factor false fmt fold head id install join link ln ls md5sum mkdir
mkfifo mktemp mv nl nproc numfmt od paste pathchk pr printenv printf ptx pwd readlink realpath rm
rmdir seq sha1sum sha224sum sha256sum sha384sum sha512sum shred shuf sleep sort split stat stdbuf
sum sync tac tail tee test timeout touch tr true truncate tsort uname unexpand uniq unlink wc whoami
yes
"""
BASH_PROGRAMS = tuple(sorted({*_COREUTILS.split(), "sed", "grep", "gawk", "mawk", "jq"}))
"""What a bash skill may execute by name, where the host has it; besides bash itself."""

_CPU_GRACE_S = 1  # between SIGXCPU, which a program may handle, and SIGKILL
_NODE_HEAP_SHARE = 5 / 8  # of the memory limit; the rest is for code, stacks and buffers


class Landlock(StrEnum):
    """Whether the guest restricts execution by Landlock."""

    OFF = "off"
    WANTED = "wanted"
    """A second line: the run goes on without it."""
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Mount:
    """One thing that the sandbox's file system shows, in the order of mounting."""

    kind: str
    """A bubblewrap option without dashes: ro-bind, dev-bind, tmpfs, symlink, file."""
    source: str
    """Host path; link target; for a file the name of its content."""
    target: str


@dataclass(frozen=True, slots=True)
class Relay:
    """A tree behind a private directory, shown to the service user by a bind mount of root."""

    source: str
    via: str


@dataclass(frozen=True, slots=True)
class ZygotePart:
    """What a zygote is told, as JSON; equal layouts share a zygote, equal workers a warm pool."""

    base: str
    """The directory, as an absolute path, from which the layout names what belongs to this user. A
    zygote gets it as a descriptor: what it knows every skill could read in its own memory."""
    layout: str
    worker: str
    job: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is going to stand around one run."""

    tier: Tier
    level: Level
    language: Language
    limits: Limits
    machine: str
    interpreter: str
    """The Python that runs the guest."""
    script: str
    """The entry point, as the guest sees it."""
    command: tuple[str, ...]
    """What the guest becomes; empty when it runs the script itself."""
    environment: tuple[tuple[str, str], ...]
    resource_limits: tuple[tuple[str, int, int], ...]
    """(name, soft, hard), set inside the user namespace: processes are counted per namespace."""
    enforced: tuple[str, ...]
    not_enforced: tuple[str, ...]
    profile: Profile | None = None
    mounts: tuple[Mount, ...] = ()
    relays: tuple[Relay, ...] = ()
    service_id: int | None = None
    executables: tuple[str, ...] = ()
    landlock: Landlock = Landlock.OFF
    executes: Executes = Executes.NONE
    stdin_file: bool = False
    """Whether the input is also shown as the file /dev/stdin."""
    network: tuple[str, ...] = ()
    """Hosts with ports that the proxy lets through; empty for no network at all."""
    import_paths: tuple[str, ...] = ()
    """Where Python finds the packages of this run, after its standard library."""
    zygote: ZygotePart | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the plan for machines; only what a person could read in `describe`."""
        return {
            "schema": 1,
            "tier": self.tier.value,
            "level": int(self.level),
            "language": self.language.value,
            "command": list(self.command) or [self.interpreter, self.script],
            "seccomp": self.profile.value if self.profile else None,
            "landlock": self.landlock.value,
            "executes": self.executes.value,
            "syscalls": dict(self._syscalls()),
            "executables": list(self.executables),
            "environment": dict(self.environment),
            "network": list(self.network),
            "import_paths": list(self.import_paths),
            "mounts": [[mount.kind, mount.source, mount.target] for mount in self.mounts],
            "resource_limits": {name: [soft, hard] for name, soft, hard in self.resource_limits},
            "limits": asdict(self.limits),
            "service_id": self.service_id,
            "enforced": list(self.enforced),
            "not_enforced": list(self.not_enforced),
        }

    def _syscalls(self) -> list[tuple[str, list[str]]]:
        """Return the names by verdict, before the last filter closes what set-up needed."""
        if self.profile is None:
            return []
        network = bool(self.network)
        rules = worker_rules(self.profile, self.machine, executes=self.executes, network=network)
        return list(summary(rules | closing_rules(network=network)).items())

    def describe(self) -> str:
        """Return the plan as lines to read."""
        lines = [
            f"tier {self.tier.value}, level {int(self.level)}, {self.language.value}",
            f"run {' '.join(self.command) or f'{self.interpreter} {self.script}'}",
            f"seccomp {self.profile.value if self.profile else 'none'}, "
            f"landlock {self.landlock.value}, execute {self.executes.value}",
            *(f"env {name}={value}" for name, value in self.environment),
            *(
                f"mount {mount.kind} {mount.source} {mount.target}".rstrip()
                for mount in self.mounts
            ),
            *(f"network {target}" for target in self.network),
            *(f"import from {path}" for path in self.import_paths),
            *(f"relay {relay.source} via {relay.via}" for relay in self.relays),
            *(f"executable {path}" for path in self.executables),
            *(f"rlimit {name} {soft} {hard}" for name, soft, hard in self.resource_limits),
            *(f"syscalls {verdict} {' '.join(names)}" for verdict, names in self._syscalls()),
            f"scratch {self.limits.scratch_bytes / MIB:g} MiB, {self.limits.scratch_inodes} files",
            f"deadline {self.limits.wall_s:g} s, stdout {self.limits.stdout_bytes / MIB:g} MiB, "
            f"stderr {self.limits.stderr_bytes / KIB:g} KiB",
            f"enforced {', '.join(self.enforced)}",
            f"not enforced {', '.join(self.not_enforced)}",
        ]
        return "\n".join(lines)


def make_plan(
    policy: Policy,
    host: Host,
    entry: EntryPoint,
    skill_directory: str,
    *,
    landlock: bool = False,
    writable_code: bool = False,
    packages: str = "",
) -> Plan:
    """Return the plan of one run at level 1, or by bubblewrap.

    Args:
        policy: Level, limits and origin.
        host: What this machine has.
        entry: What to run.
        skill_directory: Absolute host path of the staged copy.
        landlock: Whether the kernel has Landlock; only bash depends on it.
        writable_code: Whether memory may become executable after it was writable.
        packages: Absolute host path of what is installed for the skill; empty for nothing.

    Raises:
        SandboxUnavailable: this host can't give what the level asks.
        PolicyDenied: nobody may have this combination.
        InvalidInput: a limit is below what an interpreter needs.
    """
    check_policy(policy)
    if policy.level is Level.DIRECT:
        return _with_own_packages(_direct_plan(policy, host, entry, skill_directory), packages)
    plan = _isolated_plan(policy, host, entry, skill_directory, landlock=landlock)
    plan = _with_shown_packages(plan, packages)
    if writable_code and plan.profile is Profile.PYTHON:
        plan = replace(plan, profile=Profile.PYTHON_JIT)
    if not host.is_root:
        return plan
    return _relayed(plan, host, (skill_directory, *([packages] if packages else [])))


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


def check_policy(policy: Policy) -> None:
    """Refuse what no tier gives; raises like `make_plan`."""
    if policy.origin is Origin.REMOTE and policy.level is not Level.FULL:
        raise PolicyDenied("a task from a peer runs at level 3 or not at all")
    if policy.limits.memory_bytes < MEMORY_LEAST:
        raise InvalidInput(
            f"memory limit {policy.limits.memory_bytes / MIB:g} MiB is below "
            f"{MEMORY_LEAST // MIB} MiB",
            hint="an interpreter doesn't start with less",
        )


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
        executables=_executables(host, language),
        landlock=restriction,
        executes=EXECUTES[language],
        enforced=(*_BY_THE_CARRIER, reach, *EXECUTION[language], *BY_THE_HOST),
        not_enforced=_missing(policy, language),
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


def _executables(host: Host, language: Language) -> tuple[str, ...]:
    """Return what stays executable under Landlock; Python needs none, seccomp denies every exec."""
    if language is Language.PYTHON:
        return ()
    programs = BASH_PROGRAMS if language is Language.BASH else ()
    return (
        interpreter_for(host, language).path,
        *((host.loader,) if host.loader else ()),
        *(f"/usr/bin/{name}" for name in programs),
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
BY_THE_HOST = ("deadline", "output")
EXECUTION: dict[Language, tuple[str, ...]] = {
    Language.PYTHON: ("no-exec", "no-fork"),
    Language.NODE: ("no-fork",),
    Language.BASH: (),  # not the list: see `_missing`
}
EXECUTES = {
    Language.PYTHON: Executes.NONE,
    Language.NODE: Executes.ONCE,
    Language.BASH: Executes.LISTED,
}
PROFILES = {
    Language.PYTHON: Profile.PYTHON,
    Language.NODE: Profile.NODE,
    Language.BASH: Profile.BASH,
}


def _missing(policy: Policy, language: Language) -> tuple[str, ...]:
    # bubblewrap's tmpfs takes a size, no number of files, and no option against execution: what is
    # written there can't be executed by name, but it can be mapped as code.
    missing = ["scratch-inodes", "scratch-noexec"]
    if language is Language.BASH:
        missing.append("memory-of-the-tree")  # each process has the bound for itself
        # Every program needs the loader to be executable, and the loader started by itself runs
        # any file that can be read, without asking Landlock.
        missing.append("own-executables")
    if policy.level is Level.FULL:
        missing += ["scan", "consent"]
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


def command_for(host: Host, language: Language, script: str, limits: Limits) -> tuple[str, ...]:
    if language is Language.PYTHON:
        return ()
    path = interpreter_for(host, language).path
    if language is Language.BASH:
        return (path, "--noprofile", "--norc", script)
    heap = int(limits.memory_bytes / MIB * _NODE_HEAP_SHARE)
    # Without it V8 sizes its heap by the machine's memory and dies at the limit without collecting.
    return (path, f"--max-old-space-size={heap}", script)


def interpreter_for(host: Host, language: Language) -> Interpreter:
    if language is Language.TYPESCRIPT:
        raise SandboxUnavailable(
            "TypeScript can't be run yet", hint="compile the skill to JavaScript"
        )
    found = {
        Language.PYTHON: host.python,
        Language.NODE: host.node,
        Language.BASH: host.bash,
    }[language]
    if found is None:
        package = {"node": "nodejs", "bash": "bash"}.get(language.value, "python3")
        raise SandboxUnavailable(
            f"this skill needs {language.value}, which this host doesn't have",
            hint=f"apt install {package}",
        )
    return found


def require_python(host: Host) -> Interpreter:
    if host.python is None:
        raise SandboxUnavailable(
            "no Python 3.11 or newer for skills was found",
            cause="/usr/bin/python3 is missing, too old, or without its standard library",
            hint="apt install python3",
        )
    return host.python


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


def resource_limits(limits: Limits, *, counted_here: bool) -> tuple[tuple[str, int, int], ...]:
    found = [
        ("CORE", 1, 1),  # unlike 0 it also keeps the kernel from starting the host's core handler
        ("CPU", limits.cpu_s, limits.cpu_s + _CPU_GRACE_S),
        ("FSIZE", limits.file_bytes, limits.file_bytes),
        ("NOFILE", limits.open_files, limits.open_files),
        ("MEMLOCK", 0, 0),
        # What grows as a stack doesn't count for DATA.
        ("STACK", STACK_BYTES, STACK_BYTES),
    ]
    if counted_here:
        # Outside a user namespace of the run it would count all processes of this user.
        found.append(("NPROC", limits.processes, limits.processes))
        # Timers and queued signals count for the user outside too, who would run out of them.
        found.append(("SIGPENDING", SIGNALS_QUEUED_MAX, SIGNALS_QUEUED_MAX))
    # Last: from here on the guest itself can run out.
    space = limits.memory_bytes * ADDRESSES_PER_PAGE_TABLE_BYTE
    return (*found, ("AS", space, space), ("DATA", limits.memory_bytes, limits.memory_bytes))


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


def is_below(path: str, directory: str) -> bool:
    return path == directory or path.startswith(f"{directory}/")
