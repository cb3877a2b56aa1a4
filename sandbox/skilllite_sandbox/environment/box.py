"""What stands around an installation: mounts, limits, environment. Pure: touches nothing.

Installing handles bytes of strangers, and when a person allows building it runs their code. So it
gets a sandbox like a skill's with three differences: it may start programs, it has one writable
directory that is kept, and it reaches the package index through the egress proxy. No network
device but loopback, no host environment, no home, nothing of the user's files.

bubblewrap carries it. Started by root, the same programs as for a skill replace root by the service
user first; they also show what that user could not reach: the directory to fill, and tools below
a private home.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from skilllite_sandbox.backend.bubblewrap import ISOLATION
from skilllite_sandbox.errors import EnvironmentUnavailable
from skilllite_sandbox.host import Host
from skilllite_sandbox.policy import MIB

WORK = "/run/build"
"""The writable directory, as the installer sees it."""
PROXY_PORT = 3128
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
GUEST_FILE = "/run/box"
_PASSWD = f"skill:x:1000:1000:skill:{WORK}/home:/bin/sh\n"

BUILD_S = 900.0  # for one installation: a gigabyte over a slow line
MEMORY_BYTES = 2048 * MIB  # npm resolving a large tree needs half of it
SCRATCH_BYTES = 512 * MIB  # of /tmp, which is memory
DISK_BYTES = 4096 * MIB  # of what is written in WORK: archives, and what comes out of them
DISK_ENTRIES = 200_000  # files and directories in WORK; a large node tree has a quarter of it
FILE_BYTES = 2048 * MIB  # one file; the largest archives of an index are half of it
PROCESSES = 256  # uv uses a thread for each core and download
OPEN_FILES = 4096
SIGNALS_QUEUED = 256

_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")
_BUILD_TREES = ("/usr", "/etc/alternatives")  # compilers and what they need, when building
_EXIT_BEFORE_BWRAP = 125
# $0 is `mount`; then pairs of directories to bind, "--", and the program to become. No word of it
# comes from a skill.
_RELAY_SCRIPT = f"""
while [ "$1" != -- ]; do
  "$0" --bind "$1" "$2" || exit {_EXIT_BEFORE_BWRAP}
  shift 2
done
shift
exec "$@"
"""


@dataclass(frozen=True, slots=True)
class Box:
    """One installation to be run."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    """May hold the password of an index."""
    work: str
    """Host directory shown as WORK."""
    tools: tuple[str, ...] = ()
    """Host files and directories of the installer, shown where they are."""
    hidden: tuple[str, ...] = ()
    """Which of the tools only this user may reach, so that root has to show them."""
    certificates: bytes = field(default=b"", repr=False)
    building: bool = False
    """Whether code of packages may run, which wants compilers."""


def limits() -> dict[str, tuple[int, int]]:
    """Return the limits of the first process, inherited by all; memory last."""
    return {
        "CORE": (1, 1),  # unlike 0 it also keeps the kernel from starting the host's core handler
        "FSIZE": (FILE_BYTES, FILE_BYTES),
        "NOFILE": (OPEN_FILES, OPEN_FILES),
        "MEMLOCK": (0, 0),
        "NPROC": (PROCESSES, PROCESSES),
        "SIGPENDING": (SIGNALS_QUEUED, SIGNALS_QUEUED),
        "DATA": (MEMORY_BYTES, MEMORY_BYTES),
    }


def base_environment(*, certificates: bool) -> dict[str, str]:
    """Return what every installer's environment holds."""
    proxy = f"http://127.0.0.1:{PROXY_PORT}"
    environment = {
        "HOME": f"{WORK}/home",
        "LANG": "C.UTF-8",
        "PATH": "/usr/bin:/bin",
        "TMPDIR": "/tmp",
        "NO_COLOR": "1",
    }
    for name in ("http_proxy", "https_proxy"):
        environment |= {name: proxy, name.upper(): proxy}
    if certificates:
        names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "PIP_CERT")
        environment |= dict.fromkeys(names, CERTIFICATES)
    return environment


def box_command(box: Box, host: Host, descriptors: Mapping[str, int]) -> list[str]:
    """Return the command line that starts a box.

    Args:
        box: What to run.
        host: What this machine has.
        descriptors: `seccomp`, `guest`, `orders`, `passwd`, `info`, and `certificates` when the
            box has some.

    Raises:
        EnvironmentUnavailable: this host can't carry it.
    """
    if host.bwrap is None or host.python is None or (host.is_root and host.root_tools is None):
        raise EnvironmentUnavailable(
            "packages can't be installed without a working sandbox",
            hint="`skilllite doctor` tries out what this host can do",
        )
    shown = _shown(box, host)
    relays = _relays(box, host, shown) if host.is_root else {}
    arguments = [host.bwrap, *ISOLATION, "--info-fd", str(descriptors["info"])]
    for target, name in host.links:
        arguments += ("--symlink", target, name)
    arguments += ("--size", str(SCRATCH_BYTES), "--tmpfs", "/tmp")
    for path in shown:
        arguments += ("--ro-bind", _via(path, relays), path)
    for path in _DEVICES:
        arguments += ("--dev-bind", path, path)
    arguments += ("--symlink", "urandom", "/dev/random")
    files = {"/etc/passwd": "passwd", GUEST_FILE: "guest"}
    if box.certificates:
        files[CERTIFICATES] = "certificates"
    for path, name in files.items():
        arguments += ("--file", str(descriptors[name]), path)
    return [
        *_root_prefix(host, relays),
        *arguments,
        *("--bind", _via(box.work, relays), WORK, "--remount-ro", "/", "--chdir", WORK),
        *("--seccomp", str(descriptors["seccomp"]), "--"),
        *(host.python.path, "-I", "-S", "-B", "-X", "utf8", GUEST_FILE),
        str(descriptors["orders"]),
    ]


def passwd() -> bytes:
    """Return the only entry of the box's user database."""
    return _PASSWD.encode()


def _shown(box: Box, host: Host) -> list[str]:
    assert host.python is not None
    trees = [*host.libraries, *host.python.trees, *host.shared]
    if box.building:
        trees = [*_BUILD_TREES, *(tree for tree in trees if not _is_below(tree, "/usr"))]
    unique = dict.fromkeys((*trees, *box.tools))
    # What lies in a tree that is shown anyway would only be mounted over itself.
    return [
        path
        for path in unique
        if not any(path != other and _is_below(path, other) for other in unique)
    ]


def _relays(box: Box, host: Host, shown: Iterable[str]) -> dict[str, str]:
    """Return which trees root has to show to the service user, and where."""
    paths = list(shown)
    hidden = {
        root
        for root in (*host.unreachable, *box.hidden)
        if any(_is_below(path, root) for path in paths)
    }
    sources = [box.work, *sorted(hidden)]
    points = [
        point
        for point in host.relay_points
        if not any(_is_below(source, point) for source in (*sources, *paths))
    ]
    if len(points) < len(sources):
        raise EnvironmentUnavailable(
            "no directory is free to show the installer to the service user",
            cause=f"{len(sources)} of /mnt, /media, /srv and /opt are needed",
            hint="create them, or start as an unprivileged user",
        )
    return dict(zip(sources, points, strict=False))


def _root_prefix(host: Host, relays: Mapping[str, str]) -> list[str]:
    tools = host.root_tools
    if not host.is_root or tools is None:
        return []
    pairs = [path for pair in relays.items() for path in pair]
    identity = str(host.service_id)
    return [
        *(tools.unshare, "--mount", "--propagation", "private", "--"),
        *(tools.shell, "-c", _RELAY_SCRIPT, tools.mount, *pairs, "--"),
        *(tools.setpriv, "--reuid", identity, "--regid", identity),
        *("--clear-groups", "--bounding-set", "-all", "--inh-caps", "-all", "--"),
    ]


def _via(path: str, relays: Mapping[str, str]) -> str:
    for source, point in relays.items():
        if _is_below(path, source):
            return point + path[len(source) :]
    return path


def _is_below(path: str, directory: str) -> bool:
    return path == directory or path.startswith(f"{directory}/")
