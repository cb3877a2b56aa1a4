"""A place where skills attack the machine: canaries on the host, and runs by this user and another.

Everything lives in a directory that every user can enter, because the other user has to import the
package too and a checkout may lie below a private home.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import skilllite_sandbox
from skill_files import make_skill
from skilllite_sandbox.environment.installed import remove_tree
from skilllite_sandbox.policy import DEFAULT_LIMITS, Tier

OTHER_USER = 61_300  # no account: what a plain user is to the kernel
SECRET = "canary-7f3a9c"
SERVER_NAME = "server.sock"
RUN_DEADLINE_S = 60.0
SETTLE_S = 0.02  # a connection on loopback is accepted in microseconds

ENTRIES = {"python": "scripts/main.py", "node": "scripts/main.js", "bash": "scripts/main.sh"}
PROGRAMS = {"python": "python3", "node": "node", "bash": "bash"}
_MODES = (0o755, 0o644)


@dataclass(frozen=True, slots=True)
class Result:
    """What one attack said, and what became of the host meanwhile."""

    outcome: dict[str, Any]
    effects: frozenset[str]
    """What it did or got outside: see `Lab.effects`."""

    @property
    def victim_alive(self) -> bool:
        """Whether the process beside it lived on."""
        return "killed" not in self.effects

    @property
    def said(self) -> dict[str, Any]:
        """The JSON object that the attack printed."""
        assert self.outcome["ok"], self.outcome
        assert isinstance(self.outcome["output"], dict)
        return self.outcome["output"]


class Lab:
    """A host with things worth stealing, and a way to run skills on it."""

    def __init__(
        self, root: Path, *, as_user: int | None, tier: Tier, own_network: bool = False
    ) -> None:
        self.root = root
        self.as_user = as_user
        self.own_network = own_network
        """Whether the host of the runs is a network namespace in which nobody else talks."""
        self.tier = tier
        """What carries the runs of levels 2 and 3."""
        self.secret_file = root / "secret.txt"
        self.secret_file.write_text(SECRET, encoding="utf-8")
        self.home = root / "home"
        (self.home / ".ssh").mkdir(parents=True)
        self.key_file = self.home / ".ssh" / "id_ed25519"
        self.key_file.write_text(SECRET, encoding="utf-8")
        self.drop = root / "drop"  # where anybody on the host could write
        self.drop.mkdir()
        self.drop.chmod(0o777)
        self.runs_as_root = os.geteuid() == 0 and as_user is None
        self._number = 0
        self._runner: subprocess.Popen[bytes] | None = None

    def skill(self, language: str, script: str, **files: str) -> Path:
        """Write a skill of one script."""
        self._number += 1
        return make_skill(
            self.root, f"attack-{self._number}", files={ENTRIES[language]: script, **files}
        )

    def run(
        self, skill: Path, levels: tuple[int, ...], arguments: dict[str, Any]
    ) -> dict[int, Result]:
        """Run a skill at each level, as this lab's user, with a process of that user to hurt."""
        return {level: self.run_once(skill, level, arguments) for level in levels}

    def run_once(
        self,
        skill: Path,
        level: int,
        arguments: dict[str, Any],
        listener: Listener | None = None,
        *,
        wait_s: float = 0.0,
        wall_s: float = DEFAULT_LIMITS.wall_s,
    ) -> Result:
        """Run a skill and look at the host, some time later if that is when something shows."""
        visits = listener.visits if listener else 0
        request = {"skill": str(skill), "level": level, "tier": self.tier, "input": arguments}
        request["wall_s"] = wall_s
        answer = self._ask(request)
        time.sleep(wait_s)
        effects = {*answer["changes"], *self._traces(answer["outcome"])}
        if listener and listener.settled_visits() > visits:
            effects.add("visit")
        if self.own_network and answer["sent"]:
            effects.add("packets")
        return Result(answer["outcome"], frozenset(effects))

    def facts(self, listener: Listener | None = None) -> dict[str, Any]:
        """Return where the things worth attacking are; a victim's are added by the runner."""
        reach = (
            {"port": listener.port, "path": listener.path, "abstract": listener.abstract}
            if listener
            else {}
        )
        return {
            "secret": str(self.secret_file),
            "key": str(self.key_file),
            "drop": str(self.drop),
            "mark": str(self.drop / "mark"),
            **reach,
        }

    def close(self) -> None:
        """End the runner."""
        if self._runner is not None:
            self._runner.communicate(timeout=RUN_DEADLINE_S)
            self._runner = None

    def _traces(self, outcome: dict[str, Any]) -> Iterator[str]:
        """Yield what a run left or took, and put it right again."""
        if SECRET in json.dumps(outcome):
            yield "secret"
        if self.secret_file.read_text(encoding="utf-8") != SECRET:
            self.secret_file.write_text(SECRET, encoding="utf-8")
            yield "secret changed"
        for mark in self.drop.iterdir():
            if mark.name != SERVER_NAME:
                mark.unlink()
                yield "mark"

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._runner is None:
            self._runner = self._start_runner()
        runner = self._runner
        assert runner.stdin is not None and runner.stdout is not None
        runner.stdin.write(json.dumps(request).encode() + b"\n")
        runner.stdin.flush()
        ready, _, _ = select.select([runner.stdout], [], [], RUN_DEADLINE_S)
        line = runner.stdout.readline() if ready else b""
        if not line:
            runner.kill()
            self._runner = None
            errors = (self.root / "errors").read_text(encoding="utf-8", errors="replace")
            runner.communicate()
            raise AssertionError(f"the runner gave no answer: {errors[-3000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _start_runner(self) -> subprocess.Popen[bytes]:
        command = [sys.executable if self.as_user is None else _other_python()]
        if self.as_user is not None:
            user = str(self.as_user)
            command[:0] = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--"]
        if self.own_network:
            inner = 'ip link set lo up && exec "$@"'
            command[:0] = _NO_CAPABILITIES if os.geteuid() != 0 else ()
            command[:0] = [*_unshare_network(), "--", "sh", "-c", inner, "sh"]
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PYTHONPATH": str(self.root / "packages"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "SKILLLITE_CANARY": SECRET,
        }
        with (self.root / "errors").open("wb") as errors:
            return subprocess.Popen(
                [*command, str(self.root / "runner.py"), str(self.secret_file)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                cwd=self.root,
            )

    def attack(self, language: str, script: str, **arguments: Any) -> dict[int, dict[str, Any]]:
        """Return what an attack achieved without isolation (1) and at levels 2 and 3.

        The first is the control: an attack that fails anywhere proves nothing.
        """
        require(language)
        facts = {**self.facts(), **arguments}
        results = self.run(self.skill(language, script), (1, 2, 3), facts)
        return {level: result.said for level, result in results.items()}


def require(language: str) -> None:
    """Skip, naming what is missing."""
    if shutil.which(PROGRAMS[language]) is None:
        pytest.skip(f"{PROGRAMS[language]} is not installed")


def assert_only_unsandboxed(achieved: dict[int, dict[str, Any]]) -> None:
    """Every attack works without isolation and none works with it."""
    assert all(achieved[1].values()), f"a control failed: {achieved[1]}"
    for level in (2, 3):
        assert not any(achieved[level].values()), f"level {level}: {achieved[level]}"


@contextlib.contextmanager
def open_lab(
    *, as_user: int | None, tier: Tier = Tier.FULL, own_network: bool = False
) -> Iterator[Lab]:
    """Open a lab; the other user exists only for root."""
    if as_user is not None and os.geteuid() != 0:
        pytest.skip("only root can become another user")
    root = Path(tempfile.mkdtemp(prefix="skilllite-lab-"))
    try:
        root.chmod(0o755)
        import yaml

        for package in (skilllite_sandbox, yaml):
            assert package.__file__ is not None
            source = Path(package.__file__).parent
            shutil.copytree(source, root / "packages" / source.name, ignore=_no_caches)
        shutil.copy(Path(__file__).with_name("sandbox_runner.py"), root / "runner.py")
        shutil.copy(Path(__file__).with_name("gates.py"), root / "gates.py")
        for path in (root, *root.rglob("*")):
            path.chmod(_MODES[path.is_file()])
        lab = Lab(root, as_user=as_user, tier=tier, own_network=own_network)
        try:
            yield lab
        finally:
            lab.close()
    finally:
        remove_tree(root)  # stages in it are read-only, which stops all but root
    assert not root.exists(), "something is still at work in it"


# For a plain user a network namespace takes a user namespace, with all capabilities in it. What
# runs there gives them back.
_NO_CAPABILITIES = ("setpriv", "--ambient-caps", "-all", "--inh-caps", "-all", "--")


def _unshare_network() -> list[str]:
    if os.geteuid() == 0:
        return ["unshare", "--net"]
    return ["unshare", "--user", "--map-current-user", "--keep-caps", "--net"]


def require_own_network() -> None:
    """Skip where this user can't make a network namespace in which nobody else talks."""
    tried = subprocess.run([*_unshare_network(), "--", "true"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"no network namespace of its own: {tried.stderr.strip()}")


_no_caches = shutil.ignore_patterns("__pycache__", "*.so")


def _other_python() -> str:
    """Return a Python that any user can start: the checkout's may lie in a private home."""
    found = Path("/usr/bin/python3")
    version = subprocess.run(
        [str(found), "-c", "import sys; print(*sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=False,
    )
    if version.returncode or tuple(map(int, version.stdout.split())) < (3, 11):
        pytest.skip("/usr/bin/python3 is older than 3.11")
    return str(found)


class Listener:
    """A server on loopback and on two Unix addresses that counts who comes."""

    def __init__(self, directory: Path) -> None:
        self.visits = 0
        self.path = str(directory / SERVER_NAME)
        self.abstract = f"skilllite-lab-{os.getpid()}"
        Path(self.path).unlink(missing_ok=True)
        tcp = socket.create_server(("127.0.0.1", 0))
        self.port: int = tcp.getsockname()[1]
        self._servers = [tcp, _unix_server(self.path), _unix_server("\0" + self.abstract)]
        self._datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._datagrams.bind(("127.0.0.1", self.port))
        self._datagrams.setblocking(False)
        Path(self.path).chmod(0o777)
        self._threads = [
            threading.Thread(target=self._serve, args=(server,), daemon=True)
            for server in self._servers
        ]
        for thread in self._threads:
            thread.start()

    def _serve(self, server: socket.socket) -> None:
        while True:
            try:
                visitor, _ = server.accept()
            except OSError:
                return
            with visitor, contextlib.suppress(OSError):
                self.visits += 1
                visitor.sendall(b"hello")

    def settled_visits(self) -> int:
        """Return how many came, once those under way are counted."""
        time.sleep(SETTLE_S)
        with contextlib.suppress(BlockingIOError):
            while self._datagrams.recv(64):
                self.visits += 1
        return self.visits

    def close(self) -> None:
        """Stop listening."""
        self._datagrams.close()
        for server in self._servers:
            # close alone doesn't wake a thread that is in accept.
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            server.close()
        for thread in self._threads:
            thread.join(5)


def _unix_server(address: str) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    server.bind(address)
    server.listen()
    return server
