"""A place where skills attack the machine: canaries on the host, and runs by this user and another.

Everything lives in a directory that every user can enter, because the other user has to import the
package too and a checkout may lie below a private home.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import skilllite_sandbox
from skill_files import make_skill

OTHER_USER = 12_345  # no account: what a plain user is to the kernel
SECRET = "canary-7f3a9c"
RUN_DEADLINE_S = 60.0

ENTRIES = {"python": "scripts/main.py", "node": "scripts/main.js", "bash": "scripts/main.sh"}
PROGRAMS = {"python": "python3", "node": "node", "bash": "bash"}
_MODES = (0o755, 0o644)


@dataclass(frozen=True, slots=True)
class Result:
    """What one attack said, and what became of the host meanwhile."""

    outcome: dict[str, Any]
    victim_alive: bool

    @property
    def said(self) -> dict[str, Any]:
        """The JSON object that the attack printed."""
        assert self.outcome["ok"], self.outcome
        assert isinstance(self.outcome["output"], dict)
        return self.outcome["output"]


class Lab:
    """A host with things worth stealing, and a way to run skills on it."""

    def __init__(self, root: Path, *, as_user: int | None) -> None:
        self.root = root
        self.as_user = as_user
        self.secret_file = root / "secret.txt"
        self.secret_file.write_text(SECRET, encoding="utf-8")
        self.home = root / "home"
        (self.home / ".ssh").mkdir(parents=True)
        self.key_file = self.home / ".ssh" / "id_ed25519"
        self.key_file.write_text(SECRET, encoding="utf-8")
        self.drop = root / "drop"  # where anybody on the host could write
        self.drop.mkdir()
        self.drop.chmod(0o777)
        self._number = 0

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
        request = {"skill": str(skill), "levels": levels, "input": arguments}
        command = [sys.executable if self.as_user is None else _other_python()]
        if self.as_user is not None:
            user = str(self.as_user)
            command[:0] = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--"]
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PYTHONPATH": str(self.root / "packages"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "SKILLLITE_CANARY": SECRET,
        }
        done = subprocess.run(
            [*command, str(self.root / "runner.py")],
            input=json.dumps(request).encode(),
            capture_output=True,
            env=environment,
            cwd=self.root,
            timeout=RUN_DEADLINE_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        answers = json.loads(done.stdout)
        return {int(level): Result(**answer) for level, answer in answers.items()}

    def attack(self, language: str, script: str, **arguments: Any) -> dict[int, dict[str, Any]]:
        """Return what an attack achieved without isolation (1) and at levels 2 and 3.

        The first is the control: an attack that fails anywhere proves nothing.
        """
        require(language)
        facts = {
            "secret": str(self.secret_file),
            "key": str(self.key_file),
            "drop": str(self.drop),
            **arguments,
        }
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
def open_lab(*, as_user: int | None) -> Iterator[Lab]:
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
        for path in (root, *root.rglob("*")):
            path.chmod(_MODES[path.is_file()])
        yield Lab(root, as_user=as_user)
    finally:
        shutil.rmtree(root, ignore_errors=True)


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
        self.path = str(directory / "server.sock")
        self.abstract = f"skilllite-lab-{os.getpid()}"
        Path(self.path).unlink(missing_ok=True)
        tcp = socket.create_server(("127.0.0.1", 0))
        self.port: int = tcp.getsockname()[1]
        self._servers = [tcp, _unix_server(self.path), _unix_server("\0" + self.abstract)]
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

    def close(self) -> None:
        """Stop listening."""
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
