"""Names to addresses on the host, in a few threads, and what the kernel says about an address.

`getaddrinfo` blocks for as long as the system's configuration allows and can't be interrupted, so
it runs beside the loop. Only granted names are asked for, so there are never more questions than
grants. An answer is kept for the whole proxy for a while: connections of one run go to the
addresses that were checked, not to whatever the next answer says.
"""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from skilllite_sandbox.egress.addresses import Address, parse_address

Resolver = Callable[[str], Sequence[str]]
"""Takes a lower-case ASCII name, returns addresses, best first. May block, may raise OSError."""

LOOKUP_THREADS_MAX = 4  # a name server that doesn't answer holds up three others at the most
ANSWER_KEPT_S = 60.0  # a common time to live; longer than most runs
_SHOWN_ADDRESSES = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """What a resolver said about a name."""

    addresses: tuple[Address, ...] = ()
    problem: str = ""
    """Why there are none, or that one of them is in no notation we know."""


def default_resolver(host: str) -> list[str]:
    """Ask the system, with all it is configured to use (hosts file, search domains, resolvers)."""
    # As bytes: for a str, getaddrinfo first loads the IDNA tables.
    found = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def is_own_address(address: Address) -> bool:
    """Whether the address belongs to this machine, which no list of networks can know.

    A server on the host that listens on all interfaces is reached by the host's public address as
    well as by loopback. Only an address of our own can be bound. With `ip_nonlocal_bind` set the
    kernel lets every address be bound; then nothing can be decided and the answer is yes.

    Raises:
        OSError: no socket can be made.
    """
    family = family_of(address)
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError as error:
            return error.errno != errno.EADDRNOTAVAIL
    return True


def family_of(address: Address) -> socket.AddressFamily:
    """Return the kind of socket that connects to this address."""
    return socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6


class Lookups:
    """Resolves names beside the loop. All methods but `join` belong to the loop's thread."""

    def __init__(self, resolve: Resolver, wake: Callable[[], None]) -> None:
        self._resolve = resolve
        self._wake = wake
        self._waiting: deque[str] = deque()
        self._running: dict[str, threading.Thread] = {}
        self._done: deque[tuple[str, Answer]] = deque()
        """Filled by the threads, emptied by the loop."""
        self._kept: dict[str, tuple[float, Answer]] = {}

    def ask(self, name: str, now: float) -> Answer | None:
        """Return the answer if there is one already; else `collect` will have it."""
        kept_until, answer = self._kept.get(name, (0.0, None))
        if answer is not None and now < kept_until:
            return answer
        if name not in self._running and name not in self._waiting:
            self._waiting.append(name)
            self._start_waiting()
        return None

    def collect(self, now: float) -> list[tuple[str, Answer]]:
        """Return the answers that came since the last call."""
        found: list[tuple[str, Answer]] = []
        while self._done:
            name, answer = self._done.popleft()
            thread = self._running.pop(name, None)
            if thread is not None:
                thread.join()  # it has only its last line left
            if answer.addresses:
                self._kept[name] = (now + ANSWER_KEPT_S, answer)
            found.append((name, answer))
        self._start_waiting()
        return found

    def join(self, deadline: float) -> None:
        """Wait for the threads, at most until `deadline` on the monotonic clock.

        One whose system call doesn't return stays a moment longer. It holds nothing of the run.
        """
        self._waiting.clear()
        for thread in tuple(self._running.values()):
            thread.join(max(deadline - time.monotonic(), 0))

    def _start_waiting(self) -> None:
        while self._waiting and len(self._running) < LOOKUP_THREADS_MAX:
            name = self._waiting.popleft()
            thread = threading.Thread(
                target=self._look_up, args=(name,), name="egress-lookup", daemon=True
            )
            try:
                thread.start()
            except RuntimeError as error:  # the system has no thread left for us
                self._done.append((name, Answer(problem=str(error))))
                self._wake()
            else:
                self._running[name] = thread

    def _look_up(self, name: str) -> None:
        try:
            answer = _read_answer(self._resolve(name))
        except Exception as error:  # the end of this thread: whatever it is, no address was found
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            answer = Answer(problem=reason)
        self._done.append((name, answer))
        self._wake()


def _read_answer(texts: Sequence[str]) -> Answer:
    unique = list(dict.fromkeys(texts))
    addresses = [parse_address(text) for text in unique]
    known = tuple(dict.fromkeys(address for address in addresses if address is not None))
    if None in addresses:  # with a zone id, for one: it can't be judged, so none of them counts
        return Answer(problem=f"unreadable address in {', '.join(unique[:_SHOWN_ADDRESSES])}")
    return Answer(known, "" if known else "the name has no address")
