"""macOS as data: the Seatbelt profile of one run and the command that would start it. Pure.

UNTESTED ON HARDWARE. No machine with macOS took part in writing this: it says what we would ask of
`sandbox-exec`, it is compared with golden texts, and nothing starts it. Runs on macOS are refused.

Decides what the profile allows; everything else is denied. Finding the interpreter, making the
scratch directory, killing the process group at the deadline and a proxy for granted hosts are left
to whoever makes a carrier of it. What Seatbelt can't give is in `not_enforced`: it has no private
processes, no memory bound, no quota, and no "execute once", so an interpreter may start itself
again, under the same profile.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from skilllite_sandbox.entry import EntryPoint, Language
from skilllite_sandbox.errors import InvalidInput, PolicyDenied
from skilllite_sandbox.policy import MIB, Level, Limits, Origin, Policy

SEATBELT_LABEL = "untested on hardware"
SANDBOX_EXEC = "/usr/bin/sandbox-exec"  # absolute: a search path is for others to arrange

_PATH_BYTES_MAX = 1023  # PATH_MAX of macOS is 1024 with the final null
_PORT_LARGEST = 65_535
_SCRATCH_DEPTH_LEAST = 3  # /Users/name and /private/tmp are two deep and belong to everything else
_FILE_BLOCK_BYTES = 512  # the unit of `ulimit -f` in POSIX
_CPU_GRACE_S = 1
_NODE_HEAP_SHARE = 5 / 8  # as in plan.py; here it is all there is of a memory bound

# Trees that hold other people's files, or all files: showing one is a mistake of the caller.
_TOO_WIDE = frozenset(
    [
        *("/", "/Applications", "/Library", "/System", "/Users", "/Volumes", "/dev", "/home"),
        *("/opt", "/private", "/private/etc", "/private/tmp", "/private/var"),
        *("/private/var/folders", "/usr", "/usr/local"),
    ]
)
# Seatbelt compares resolved paths: a rule with one of these in it would never match.
_LINKS = ("/tmp", "/var", "/etc", "/home")

_SYSTEM_CODE = (
    "/System/Cryptexes",
    "/System/Library/Frameworks",
    "/System/Library/PrivateFrameworks",
    "/System/Library/dyld",
    "/System/Volumes/Preboot/Cryptexes",  # the shared cache of libraries since macOS 13
    "/usr/lib",
)
_SYSTEM_DATA = (
    "/private/var/db/timezone",
    "/usr/share/icu",
    "/usr/share/locale",
    "/usr/share/zoneinfo",
    "/usr/share/zoneinfo.default",
)
_SYSTEM_TREES = (*_SYSTEM_CODE, *_SYSTEM_DATA)
_SYSTEM_FILES = ("/System/Library/CoreServices/SystemVersion.plist",)
_CERTIFICATES = ("/private/etc/ssl/cert.pem", "/private/etc/ssl/openssl.cnf")
_SYSTEM_LINKS = ("/etc", "/var")  # to be followed, not listed
_DEVICES_READ = ("/dev/null", "/dev/random", "/dev/urandom")
_DEVICES_WRITTEN = ("/dev/null",)
# What libc and the interpreters ask at their start. Not kern.hostname, whose name is information
# about the host, although os.uname() fails without it; not kern.proc*, the list of processes.
_SYSCTL_NAMES = (
    "hw.activecpu",
    "hw.cachelinesize",
    "hw.logicalcpu",
    "hw.machine",
    "hw.memsize",
    "hw.ncpu",
    "hw.pagesize",
    "hw.pagesize_compat",
    "kern.argmax",
    "kern.maxfilesperproc",
    "kern.osproductversion",
    "kern.osrelease",
    "kern.ostype",
    "kern.osversion",
    "kern.usrstack64",
    "kern.version",
)

# Set before the profile stands and before any byte of the skill is read; no word of it comes from
# a skill. $0 names it in messages.
_LIMITED = """
ulimit -c 0 && ulimit -S -t {soft} && ulimit -H -t {hard} && ulimit -f {blocks} &&
ulimit -n {files} && exec "$@"
"""

_ENFORCED = (
    *("deny-default", "clean-environment", "read-only-skill", "writes-to-scratch-only"),
    *("no-mach-services", "cpu", "open-files", "file-size", "deadline", "output"),
)
_NOT_ENFORCED = (
    *("namespaces", "seccomp", "memory", "processes", "scratch-size", "scratch-inodes"),
    "exec-once",
)


@dataclass(frozen=True, slots=True)
class MacPaths:
    """Where things are on the Mac: absolute, and resolved, since Seatbelt compares real paths."""

    interpreter: str
    trees: tuple[str, ...]
    """What the interpreter reads and maps, without the system's own libraries."""
    skill: str
    scratch: str
    stubs: tuple[str, ...] = ()
    """Executables the interpreter becomes at its start, as a framework Python does."""
    programs: tuple[str, ...] = ()
    """What a skill may execute besides; only bash skills have any without a grant."""


@dataclass(frozen=True, slots=True)
class SeatbeltRun:
    """One run as `sandbox-exec` would be told it."""

    profile: str
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    """All of it."""
    directory: str
    enforced: tuple[str, ...]
    not_enforced: tuple[str, ...]


def seatbelt_run(
    policy: Policy, entry: EntryPoint, paths: MacPaths, *, proxy_port: int | None = None
) -> SeatbeltRun:
    """Return the profile and the command of one run.

    Args:
        policy: Level, limits and origin.
        entry: What to run.
        paths: Where it and its interpreter are.
        proxy_port: Where the proxy for granted hosts listens on localhost; None is no network.

    Raises:
        InvalidInput: a path can't be written into a profile, or shows too much.
        PolicyDenied: nobody may have this combination.
    """
    if policy.origin is Origin.REMOTE and policy.level is not Level.FULL:
        raise PolicyDenied("a task from a peer runs at level 3 or not at all")
    if policy.level is Level.DIRECT:
        raise InvalidInput("level 1 has no profile: nothing is isolated")
    language = entry.language
    profile = seatbelt_profile(language, paths, proxy_port=proxy_port)
    script = _script_path(paths.skill, entry.path)
    listed = bool(paths.programs)
    return SeatbeltRun(
        profile=profile,
        arguments=(
            *limited_command(policy.limits),
            *(SANDBOX_EXEC, "-p", profile),
            *_interpreter_command(language, paths.interpreter, script, policy.limits),
        ),
        environment=_environment(paths, proxy_port),
        directory=paths.scratch,
        enforced=(
            *_ENFORCED,
            "no-network" if proxy_port is None else "proxy-only-network",
            "listed-exec" if listed else "no-exec-of-others",
            *(() if _forks(language, paths) else ("no-fork",)),
        ),
        not_enforced=(
            *_NOT_ENFORCED,
            # Without a namespace the port is the host's, and a child may leave the group.
            *(() if proxy_port is None else ("private-proxy",)),
            *(("deadline-of-the-tree",) if _forks(language, paths) else ()),
            *(("scan", "consent") if policy.level is Level.FULL else ()),
        ),
    )


def limited_command(limits: Limits) -> tuple[str, ...]:
    """Return the start of a command line that bounds what follows, as far as a shell can."""
    script = _LIMITED.format(
        soft=limits.cpu_s,
        hard=limits.cpu_s + _CPU_GRACE_S,
        blocks=limits.file_bytes // _FILE_BLOCK_BYTES,
        files=limits.open_files,
    )
    return ("/bin/sh", "-c", " ".join(script.split()), "limits")


def seatbelt_profile(language: Language, paths: MacPaths, *, proxy_port: int | None = None) -> str:
    """Return the profile, in the order in which later rules win.

    Raises:
        InvalidInput: a path can't be written into a profile, or shows too much.
    """
    _check_paths(paths)
    executables = (paths.interpreter, *paths.stubs, *paths.programs)
    readable = (*paths.trees, paths.skill)
    ancestors = _ancestors((*readable, *executables, paths.scratch, *_SYSTEM_TREES))
    certificates = _CERTIFICATES if proxy_port is not None else ()
    return "\n".join(
        [
            "(version 1)",
            "(deny default)",
            # Some releases leave these out of the default.
            "(deny file-map-executable iokit-get-properties nvram* process-info*)",
            _rule("allow process-exec", _literals(executables)),
            *(["(allow process-fork)"] if _forks(language, paths) else []),
            f"(allow signal (target {'same-sandbox' if _forks(language, paths) else 'self'}))",
            "(allow process-info* (target self))",
            _rule("allow sysctl-read", [f"(sysctl-name {quoted(n)})" for n in _SYSCTL_NAMES]),
            # The loader opens the root itself, and dies without a word when it can't (macOS 26).
            '(allow file-read-data (literal "/"))',
            _rule("allow file-read-metadata", _literals((*ancestors, *_SYSTEM_LINKS))),
            _rule(
                "allow file-read*",
                [
                    *_subpaths((*_SYSTEM_TREES, *readable, paths.scratch)),
                    *_literals((*_SYSTEM_FILES, *_DEVICES_READ, *certificates, *executables)),
                ],
            ),
            # Not the skill and not scratch: what a skill brings or writes is never machine code.
            _rule(
                "allow file-map-executable",
                [*_subpaths((*_SYSTEM_CODE, *paths.trees)), *_literals(executables)],
            ),
            _rule(
                "allow file-write*",
                [*_subpaths((paths.scratch,)), *_literals(_DEVICES_WRITTEN)],
            ),
            "(deny file-write-setugid)",
            *_network_rules(proxy_port),
            "",
        ]
    )


def quoted(text: str) -> str:
    """Return a string of the profile language, which can't end before its end.

    What would need an escape is refused: no rule of ours for it could be tried out.

    Raises:
        InvalidInput: it holds a quote, a backslash, or what can't be printed.
    """
    if not text or '"' in text or "\\" in text or not text.isprintable():
        raise InvalidInput(
            f"{text!a} can't be written into a profile",
            cause="quotes, backslashes, line ends and control characters are refused",
            hint="rename it",
        )
    return f'"{text}"'


def _rule(head: str, filters: Iterable[str]) -> str:
    lines = "".join(f"\n  {line}" for line in dict.fromkeys(filters))
    return f"({head}{lines})"


def _literals(paths: Iterable[str]) -> list[str]:
    return [f"(literal {quoted(path)})" for path in paths]


def _subpaths(paths: Iterable[str]) -> list[str]:
    return [f"(subpath {quoted(path)})" for path in paths]


def _network_rules(proxy_port: int | None) -> list[str]:
    if proxy_port is None:
        return ["(deny network*)"]
    if not 0 < proxy_port <= _PORT_LARGEST:
        raise InvalidInput(f"{proxy_port} is no port of a proxy")
    # The language knows two hosts, `*` and `localhost`.
    return ["(deny network*)", f'(allow network-outbound (remote tcp "localhost:{proxy_port}"))']


def _forks(language: Language, paths: MacPaths) -> bool:
    return language is Language.BASH or bool(paths.programs)


def _ancestors(paths: Iterable[str]) -> list[str]:
    """Return every directory above these, so that a path to them can be resolved."""
    found = {"/"}
    for path in paths:
        parts = path.split("/")[1:-1]
        found.update("/" + "/".join(parts[: length + 1]) for length in range(len(parts)))
    return sorted(found)


def _check_paths(paths: MacPaths) -> None:
    shown = (*paths.trees, paths.skill)
    files = (paths.interpreter, *paths.stubs, *paths.programs)
    for path in (*shown, paths.scratch, *files):
        _check_path(path)
    for path in (*shown, paths.scratch):
        if path in _TOO_WIDE or (path.startswith("/Users/") and path.count("/") == 2):
            raise InvalidInput(f"{path} would show more than one skill needs")
    if paths.scratch.count("/") < _SCRATCH_DEPTH_LEAST:
        raise InvalidInput(
            f"{paths.scratch} can't be scratch",
            cause="all below it would be writable",
            hint="use a directory of its own, below the user's temporary directory",
        )
    for path in (*shown, *files):
        if _is_below(path, paths.scratch) or _is_below(paths.scratch, path):
            raise InvalidInput(
                f"{path} and the scratch directory lie in each other",
                cause="what is writable must not be code",
            )


def _check_path(path: str) -> None:
    quoted(path)
    parts = path.split("/")
    if parts[0] or (path != "/" and not all(parts[1:])) or {".", ".."} & set(parts):
        raise InvalidInput(
            f"{path} is no resolved path",
            cause="it has to start with / and to hold no empty, . or .. part",
        )
    if len(path.encode("utf-8")) > _PATH_BYTES_MAX:
        raise InvalidInput(f"a path of {len(path)} characters is too long for macOS")
    for link in _LINKS:
        if _is_below(path, link):
            raise InvalidInput(
                f"{path} leads through a link",
                cause=f"{link} is a link on macOS, and a profile compares real paths",
                hint="resolve it first: /private/tmp, /private/var",
            )


def _script_path(skill: str, relative: str) -> str:
    script = f"{skill}/{relative}"
    _check_path(script)
    return script


def _is_below(path: str, directory: str) -> bool:
    return path == directory or path.startswith(f"{directory}/")


def _environment(paths: MacPaths, proxy_port: int | None) -> tuple[tuple[str, str], ...]:
    proxy = f"http://127.0.0.1:{proxy_port}"
    return (
        ("HOME", paths.scratch),
        ("LANG", "C.UTF-8"),
        ("PATH", "/usr/bin:/bin"),
        ("TMPDIR", paths.scratch),
        *(() if proxy_port is None else (("http_proxy", proxy), ("https_proxy", proxy))),
    )


def _interpreter_command(
    language: Language, interpreter: str, script: str, limits: Limits
) -> tuple[str, ...]:
    if language is Language.PYTHON:
        return (interpreter, "-s", "-B", "-X", "utf8", script)
    if language is Language.BASH:
        return (interpreter, "--noprofile", "--norc", script)
    if language is Language.NODE:
        heap = int(limits.memory_bytes / MIB * _NODE_HEAP_SHARE)
        return (interpreter, f"--max-old-space-size={heap}", script)
    raise InvalidInput("TypeScript can't be run yet", hint="compile the skill to JavaScript")
