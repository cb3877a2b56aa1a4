"""What the built-in attacker tries besides where no namespaces stand: to reach host and user.

Like `attackers.py`; for Python, which can try most. Some of it a tier without a root directory of
its own can't keep from it, and says so.
"""

from __future__ import annotations

from skilllite_sandbox.policy import Tier

BARE_PYTHON = """
import fcntl, json, os, resource, socket, sys

def attempt(action):
    try:
        action()
    except (OSError, ValueError):
        return False
    return True

facts = json.load(sys.stdin)
canary, watcher = facts["canary"], os.getppid()
reading, writing = os.pipe()
print(json.dumps({
    "find a file of the host": os.path.exists(canary),
    "read a file of the host": attempt(lambda: open(canary).close()),
    "cut off a file of the host": attempt(lambda: os.truncate(canary, 0)),
    "change the mode of a file of the host": attempt(lambda: os.chmod(canary, 0o600)),
    "change the times of a file of the host": attempt(lambda: os.utime(canary, (1, 1))),
    "remove a file of the host": attempt(lambda: os.unlink(canary)),
    "link to a file of the host": attempt(lambda: os.link(canary, os.environ["TMPDIR"] + "/l")),
    "list a directory of the host": attempt(lambda: os.listdir(os.path.dirname(canary))),
    "list the root": attempt(lambda: os.listdir("/")),
    "signal who watches it": attempt(lambda: os.kill(watcher, 0)),
    "have the kernel signal it": attempt(lambda: fcntl.fcntl(reading, fcntl.F_SETOWN, watcher)),
    "limit another process": attempt(lambda: resource.prlimit(watcher, resource.RLIMIT_NOFILE)),
    "read the memory of another": attempt(lambda: open(f"/proc/{watcher}/mem", "rb").close()),
    "read another's environment": attempt(lambda: open(f"/proc/{watcher}/environ").read()),
    "address a datagram": attempt(lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)),
    "become root": attempt(lambda: os.setuid(0)),
    "leave its root directory": attempt(lambda: os.stat("../" * 30 + canary.lstrip("/"))),
    "write its scratch": attempt(lambda: open(os.environ["TMPDIR"] + "/y", "w").close()),
}))
"""

NOT_HELD = {
    Tier.ROOT_CHROOT: frozenset[str](),
    Tier.LANDLOCK: frozenset(
        {"see processes", "find a file of the host", "leave its root directory"}
    ),
}
"""What a tier doesn't hold, and lists as such."""
