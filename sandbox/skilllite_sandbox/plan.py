"""Policy and host facts in, a complete description of one run out. Pure: touches nothing.

A plan says what the sandbox shows, allows and bounds, in the carrier's terms but without its file
descriptors, so that it can be printed, compared and tested without starting anything. What a plan
lists as enforced holds once the guest has reported ready.
"""

from __future__ import annotations

from enum import StrEnum

from skilllite_sandbox.entry import Language
from skilllite_sandbox.errors import InvalidInput, PolicyDenied, SandboxUnavailable
from skilllite_sandbox.exec_grants import Program, executables_of, shown_for
from skilllite_sandbox.host import Host, Interpreter
from skilllite_sandbox.policy import (
    KIB,
    MIB,
    ONE_PROCESS,
    SUPERVISED,
    UNBOUNDED,
    Level,
    Limits,
    Origin,
    Policy,
    Tier,
    TreeBound,
)
from skilllite_sandbox.program_powers import power_of
from skilllite_sandbox.seccomp.filters import (
    FORKING,
    Executes,
    Profile,
    closing_rules,
    summary,
    worker_rules,
)
from skilllite_sandbox.values import asdict, dataclass

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from typing import Any

SKILL_MOUNT = "/skill"
SITE_PACKAGES = "/env/site-packages"
# node looks beside the script and in every folder above it, `import` and `require` alike.
NODE_MODULES = "/node_modules"
SCRATCH = "/tmp"
GUEST_FILE = "/run/guest"
COMMANDS_FILE = "/etc/run-commands"  # the script that runs the commands of a Bash tool
GUEST_ID = 1000  # what the skill sees as its own uid, whoever runs it
MEMORY_LEAST = 32 * MIB  # below it the interpreter itself doesn't start reliably
STACK_BYTES = 8 * MIB  # what Linux gives by default; threads get it too
# An entry of 8 bytes for a page of 4 KiB. No limit counts page tables, so that looking at 400 GiB
# of nothing took 800 MiB; with this bound on addresses they take no more than the memory limit.
ADDRESSES_PER_PAGE_TABLE_BYTE = 512
SIGNALS_QUEUED_MAX = 256  # timers included; a program that makes any makes a few


def passwd_for(user: int) -> bytes:
    """Return the one line of /etc/passwd that a skill sees."""
    return f"skill:x:{user}:{user}:skill:{SCRATCH}:/bin/sh\n".encode()


PASSWD = passwd_for(GUEST_ID)

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
    """A bubblewrap option without dashes: ro-bind, dev-bind, tmpfs, symlink, file; without
    namespaces copy, copy-program with its libraries, copy-run for each run, device."""
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
    imports_early: bool = False
    """Whether code of packages runs in a warm worker before its job comes."""


@dataclass(frozen=True, slots=True)
class BarePart:
    """What is special about a run without namespaces."""

    scratch: str
    """Where it may write, as it sees it."""
    rules: tuple[tuple[str, str], ...]
    """(path, rights) for Landlock, as it sees them."""


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
    tree: TreeBound = UNBOUNDED
    """Who bounds all processes of the run together."""
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
    programs: tuple[str, ...] = ()
    """What was granted to be executed, by name; `executables` has the files."""
    import_paths: tuple[str, ...] = ()
    """Where Python finds the packages of this run, after its standard library."""
    zygote: ZygotePart | None = None
    bare: BarePart | None = None

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
            "programs": {name: power_of(name) for name in self.programs},
            "environment": dict(self.environment),
            "network": list(self.network),
            "import_paths": list(self.import_paths),
            "mounts": [[mount.kind, mount.source, mount.target] for mount in self.mounts],
            "landlock_rules": [list(rule) for rule in self.bare.rules] if self.bare else [],
            "resource_limits": {name: [soft, hard] for name, soft, hard in self.resource_limits},
            "limits": asdict(self.limits),
            "service_id": self.service_id,
            "enforced": [*self.enforced, *self.tree.enforced],
            "not_enforced": [*self.not_enforced, *self.tree.not_enforced],
        }

    def _syscalls(self) -> list[tuple[str, list[str]]]:
        """Return the names by verdict, before the last filter closes what set-up needed."""
        if self.profile is None:
            return []
        network = bool(self.network)
        rules = worker_rules(self.profile, self.machine, executes=self.executes, network=network)
        closing = closing_rules(network=network)
        if self.bare is not None:
            from skilllite_sandbox.seccomp.bare import bare_rules

            shared = self.tier is Tier.LANDLOCK
            rules = bare_rules(
                self.profile, self.machine, executes=self.executes, shared_user=shared
            )
        return list(summary(rules | closing).items())

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
            *(f"program {name}: {power_of(name) or 'granted'}" for name in self.programs),
            *(
                f"landlock {rights} {path}"
                for path, rights in (self.bare.rules if self.bare else ())
            ),
            *(f"executable {path}" for path in self.executables),
            *(f"rlimit {name} {soft} {hard}" for name, soft, hard in self.resource_limits),
            *(f"syscalls {verdict} {' '.join(names)}" for verdict, names in self._syscalls()),
            f"scratch {self.limits.scratch_bytes / MIB:g} MiB, {self.limits.scratch_inodes} files",
            f"deadline {self.limits.wall_s:g} s, stdout {self.limits.stdout_bytes / MIB:g} MiB, "
            f"stderr {self.limits.stderr_bytes / KIB:g} KiB",
            f"enforced {', '.join((*self.enforced, *self.tree.enforced))}",
            f"not enforced {', '.join((*self.not_enforced, *self.tree.not_enforced))}",
        ]
        return "\n".join(lines)


def program_mounts(programs: tuple[Program, ...], mounts: tuple[Mount, ...]) -> tuple[Mount, ...]:
    """Return what shows granted programs beside these mounts."""
    targets = [mount.target for mount in mounts]
    trees = [mount.target for mount in mounts if mount.kind.startswith("ro-bind")]
    shown = shown_for(programs, trees=trees, targets=targets)
    return tuple(Mount(kind, source, target) for kind, source, target in shown)


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


def executables(
    host: Host, language: Language, programs: tuple[Program, ...] = ()
) -> tuple[str, ...]:
    """Return what stays executable under Landlock.

    The interpreter of a program is executed and so may be again; Python is there already.
    """
    if language is Language.PYTHON and not programs:
        return ()  # seccomp denies every exec
    own = () if language is Language.PYTHON else (interpreter_for(host, language).path,)
    names = BASH_PROGRAMS if language is Language.BASH else ()
    listed = (
        *own,
        *((host.loader,) if host.loader else ()),
        *(f"/usr/bin/{name}" for name in names),
        *executables_of(programs),
    )
    return tuple(dict.fromkeys(listed))


BY_THE_HOST = ("deadline", "output")
EXECUTION: dict[Language, tuple[str, ...]] = {
    Language.PYTHON: ("no-exec", "no-fork"),
    Language.NODE: ("no-fork",),
    Language.BASH: (),  # not the list: see bubblewrap_plan
}
NOT_WITH_PROGRAMS = frozenset({"no-exec", "no-fork", "exec-once"})
"""What no longer holds for a run that may execute programs."""
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


def tree_bound(profile: Profile, executes: Executes) -> TreeBound:
    """Return who bounds a tree where nothing better than /proc is known of."""
    return SUPERVISED if profile in FORKING or executes is Executes.LISTED else ONE_PROCESS


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


def is_below(path: str, directory: str) -> bool:
    return path == directory or path.startswith(f"{directory}/")
