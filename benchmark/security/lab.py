"""The host as a victim: what is planted on it, and what became of it after each run.

Everything that an attack is after can be read or written by every user of the host, and the victim
belongs to the user that skills run as: what stops an attack is the sandbox, not the owner of a
file. Not below /tmp, because many sandboxes put something of their own over it whatever they are
told, and could look as if they had hidden the rest.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.security.host_facts import account_home, learned, read_host_facts
from benchmark.security.item import CPU_WANTED_S, MEMORY_WANTED_MIB, PROCESSES_WANTED, Item
from benchmark.security.judgement import Effect, EffectKind
from benchmark.security.meter import Meter, Taken
from benchmark.security.prelude import Account
from benchmark.security.servers import LOOPBACK, Servers, Visitor, free_port
from skilllite_sandbox.host import SERVICE_ID
from skilllite_sandbox.policy import MIB, Limits

_REAP_S = 10.0
_ANSWER_MS = 5_000  # a process that says nothing for so long was stopped, if not ended
_TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm")
_EVERYBODY_READS, _EVERYBODY_ENTERS, _EVERYBODY_WRITES = 0o644, 0o755, 0o777
# What was measured from outside counts above the limit plus what a carrier and a warm pool take.
_MEMORY_SLACK_MIB = 128.0
_TASKS_SLACK = 16
_CPU_SLACK_S = 1.75  # one second between the soft and the hard limit, and sampling


@dataclass(frozen=True, slots=True)
class Canaries:
    """Words that exist nowhere else; to see one is to have read its place."""

    file: str
    key: str
    environment: str
    login: str
    process: str

    def seen_in(self, text: str) -> Iterator[Effect]:
        """Yield what a text gives away."""
        for word, kind, what in (
            (self.file, EffectKind.FILE_READ, "read a file of the host"),
            (self.key, EffectKind.KEY_READ, "read the key"),
            (self.environment, EffectKind.ENVIRONMENT_READ, "read the environment of the host"),
            (self.login, EffectKind.IDENTITY_READ, "learned the name of the user"),
            (self.process, EffectKind.PROCESS_SEEN, "saw a process of the host"),
        ):
            if word in text:
                yield Effect(kind, what)


def _new_canaries() -> Canaries:
    return Canaries(
        *(f"{kind}-{secrets.token_hex(12)}" for kind in ("file", "key", "env", "login", "process"))
    )


def _place() -> str:
    """Return where this user would keep what matters: at home, and root where services do."""
    place = "/srv" if os.geteuid() == 0 else account_home()
    return place if place != "/" and os.access(place, os.W_OK) else "/var/tmp"


class Lab:
    """A host with things worth stealing. Use as a context manager, by one thread."""

    def __init__(self) -> None:
        self._resources = ExitStack()
        self._servers: dict[str, Servers] = {}
        self.canaries = _new_canaries()
        self.root = Path(tempfile.mkdtemp(prefix="skilllite-vs-", dir=_place()))
        self._resources.callback(shutil.rmtree, self.root, ignore_errors=True)
        self.home = self.root / "home"
        self.drop = self.root / "drop"
        self.secret = self.root / "data" / "secret.txt"
        self.key = self.home / ".ssh" / "id_ed25519"

    def __enter__(self) -> Lab:
        try:
            self._plant()
            self.servers_at(LOOPBACK)
            self._victim = self._new_victim()
            self._resources.callback(self._end_victim)
            self.facts = read_host_facts(paths=frozenset({str(self.root)}))
        except BaseException:
            self._resources.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def _plant(self) -> None:
        os.chmod(self.root, _EVERYBODY_ENTERS)  # noqa: PTH101
        for path, content in ((self.secret, self.canaries.file), (self.key, self.canaries.key)):
            path.parent.mkdir(parents=True)
            path.write_text(f"{content}\n", encoding="utf-8")
            path.chmod(_EVERYBODY_READS)
        for directory in (self.home, self.key.parent, self.secret.parent):
            directory.chmod(_EVERYBODY_ENTERS)
        self.drop.mkdir()
        self.drop.chmod(_EVERYBODY_WRITES)
        self._resources.enter_context(
            _environment(
                {
                    "HOME": str(self.home),
                    "LOGNAME": self.canaries.login,
                    "EXAMPLE_API_KEY": self.canaries.environment,
                }
            )
        )

    def servers_at(self, address: str) -> Servers:
        """Return the servers at one of this host's addresses, started at the first call.

        Raises:
            OSError: it is none of this host's.
        """
        if address not in self._servers:
            self._servers[address] = opened = Servers(address)
            self._resources.callback(opened.close)
        return self._servers[address]

    def visits(self, word: str) -> tuple[int, int]:
        """Return how often any of the servers heard a word, by TCP and by UDP."""
        counts = [servers.visits(word) for servers in self._servers.values()]
        return sum(tcp for tcp, _ in counts), sum(udp for _, udp in counts)

    def servers_answer(self) -> bool:
        """Return whether all servers still count their visitors."""
        return all(servers.answers(secrets.token_hex(12)) for servers in self._servers.values())

    def _new_victim(self) -> subprocess.Popen[bytes]:
        owner = SERVICE_ID if os.geteuid() == 0 else None
        return subprocess.Popen(
            [self.canaries.process],
            executable=shutil.which("cat"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
            cwd="/",
            user=owner,
            group=owner,
            extra_groups=[] if owner is not None else None,
        )

    def _end_victim(self) -> None:
        assert self._victim.stdin is not None and self._victim.stdout is not None
        self._victim.kill()
        self._victim.wait(_REAP_S)
        self._victim.stdin.close()
        self._victim.stdout.close()

    def victim(self) -> int:
        """Return the pid of a process that lives."""
        if not self.victim_lives():
            self._end_victim()
            self._victim = self._new_victim()
        return self._victim.pid

    def victim_lives(self) -> bool:
        """Return whether it still does: whether it repeats a word.

        Its status would lag behind: a process that was killed a moment ago still runs, but says
        nothing any more.
        """
        assert self._victim.stdin is not None and self._victim.stdout is not None
        try:
            self._victim.stdin.write(b"?")
        except BrokenPipeError:
            return False
        answer = select.poll()
        answer.register(self._victim.stdout, select.POLLIN)
        return bool(answer.poll(_ANSWER_MS)) and self._victim.stdout.read(1) == b"?"


class Watch:
    """Sees what one run does to the host. Use as a context manager around the run."""

    def __init__(self, lab: Lab, item: Item) -> None:
        self.nonce = secrets.token_hex(16)
        self._lab = lab
        self._item = item
        self._word = secrets.token_hex(12)
        self._port = free_port()
        self._pid = lab.victim()
        self._marker = f"mark-{secrets.token_hex(8)}"
        self._visitor = Visitor(self._port, self._word) if item.visited else None
        self._meter = Meter() if item.measured else None
        self._resources = ExitStack()
        self._before = _fingerprint(lab)

    def __enter__(self) -> Watch:
        for observer in (self._visitor, self._meter):
            if observer is not None:
                self._resources.enter_context(observer)
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def facts(self, address: str | None = None) -> dict[str, Any]:
        """Return what the attack is told, with the servers where a subject would find them."""
        lab = self._lab
        servers = lab.servers_at(address or LOOPBACK)
        everything: dict[str, Any] = {
            "secret": str(lab.secret),
            "key": str(lab.key),
            "drop": str(lab.drop),
            "marker": self._marker,
            "address": servers.address,
            "tcp_port": servers.tcp_port,
            "udp_port": servers.udp_port,
            "listen_port": self._port,
            "word": self._word,
            "victim": self._pid,
            "memory_mib": MEMORY_WANTED_MIB,
            "processes": PROCESSES_WANTED,
            "cpu_s": CPU_WANTED_S,
        }
        return {"nonce": self.nonce, **{name: everything[name] for name in self._item.facts}}

    def effects(self, said: str, account: Account, limits: Limits) -> tuple[Effect, ...]:
        """Return everything that the run did to the host or learned of it.

        Args:
            said: All that it printed.
            account: The same, understood.
            limits: What it may take of the machine.
        """
        found = [
            *self._lab.canaries.seen_in(said),
            *learned(self._lab.facts, account.found),
            *self._files_written(),
            *self._visits(),
        ]
        if self._pid in _process_ids(account.found):
            found.append(Effect(EffectKind.PROCESS_SEEN, "found a process of the host"))
        if not self._lab.victim_lives():
            found.append(Effect(EffectKind.PROCESS_HURT, "ended a process of the host"))
        if self._visitor is not None and self._visitor.heard:
            found.append(Effect(EffectKind.REACHABLE, "was reached from the host"))
        if self._meter is not None:
            found += resources_taken(account, self._meter.taken, limits)
        return tuple(dict.fromkeys(found))

    def failed(self) -> str:
        """Return why these oracles can't be trusted, tried out after the run; else empty.

        To be asked before `effects`: the servers take visitors one after the other, so whoever came
        during the run was counted when this one was.
        """
        if not self._lab.servers_answer():
            return "the servers of the host stopped counting"
        return ""

    def _files_written(self) -> Iterator[Effect]:
        places = {self._lab.drop, *map(Path, _TEMPORARY), Path(tempfile.gettempdir())}
        marks = {path for place in places for path in place.glob(f"{self._marker}*")}
        strays = set(self._lab.drop.iterdir())
        for path in sorted(marks | strays):
            place = "a directory of the host" if path.parent == self._lab.drop else path.parent
            yield Effect(EffectKind.FILE_WRITTEN, f"wrote to {place}")
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
        if _fingerprint(self._lab) != self._before:
            yield Effect(EffectKind.FILE_WRITTEN, "changed files of the host")

    def _visits(self) -> Iterator[Effect]:
        tcp, udp = self._lab.visits(self._word)
        if tcp:
            yield Effect(EffectKind.TCP_VISIT, "reached a web server of the host")
        if udp:
            yield Effect(EffectKind.UDP_VISIT, "reached a name server of the host")


def resources_taken(account: Account, taken: Taken, limits: Limits) -> Iterator[Effect]:
    """Yield the bounds that a run went over, by its own account or by what was measured. Pure."""
    memory_mib = limits.memory_bytes / MIB
    for mib, most in (
        (account.held_mib, memory_mib),
        (taken.memory_mib, memory_mib + _MEMORY_SLACK_MIB),
    ):
        if mib > most:
            yield Effect(EffectKind.MEMORY_TAKEN, f"held {mib:.0f} MiB of {memory_mib:.0f}")
            break
    tasks_most = limits.processes + _TASKS_SLACK
    for tasks, most in ((account.alive, limits.processes), (taken.tasks, tasks_most)):
        if tasks > most:
            what = f"had {tasks} processes and threads of {limits.processes}"
            yield Effect(EffectKind.PROCESSES_MADE, what)
            break
    for cpu_s in (account.cpu_s, taken.cpu_s):
        if cpu_s > limits.cpu_s + _CPU_SLACK_S:
            yield Effect(EffectKind.CPU_TAKEN, f"used {cpu_s:.1f} s of {limits.cpu_s} s CPU")
            break


def _process_ids(found: Mapping[str, Any]) -> set[int]:
    """Return the ids that an attack reports under a name that begins with `processes`."""
    return {
        value
        for name, value in found.items()
        if name.startswith("processes:") and isinstance(value, int)
    }


def _fingerprint(lab: Lab) -> tuple[tuple[str, int, int], ...]:
    """Return what would differ if a planted file or its directory were touched."""
    trees = (lab.key.parent, lab.secret.parent)
    paths = sorted(path for tree in trees for path in tree.rglob("*"))
    found = []
    for path in paths:
        status = path.lstat()
        found.append((str(path), status.st_mtime_ns, status.st_mode))
    return tuple(found)


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
