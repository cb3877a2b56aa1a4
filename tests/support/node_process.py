"""Real nodes as processes, driven through the command line as a person would."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

SKILLLITE = str(Path(sys.executable).parent / "skilllite")
READY_TIMEOUT_S = 30.0
COMMAND_TIMEOUT_S = 60.0

T = TypeVar("T")


def skilllite(
    *args: str,
    home: Path,
    cwd: Path | None = None,
    timeout_s: float = COMMAND_TIMEOUT_S,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run one command against the node of `home` and return what it printed."""
    return subprocess.run(
        [SKILLLITE, *args],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        cwd=cwd or home.parent,
        env={**os.environ, **(env or {}), "SKILLLITE_HOME": str(home)},
        **({"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}),
    )


class NodeProcess:
    """One `skilllite node start` in the foreground."""

    def __init__(
        self,
        home: Path,
        *,
        name: str,
        args: Sequence[str] = (),
        command: Callable[[Sequence[str]], list[str]] = list,
        program: Sequence[str] = (SKILLLITE, "node", "start"),
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.home = home
        self.name = name
        self._argv = command([*program, "--name", name, *args])
        self._env = dict(env or {})
        self._process: subprocess.Popen[str] | None = None
        self.ready_line = ""
        self.ready_at = 0.0

    @property
    def pid(self) -> int:
        """Pid of the running node."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """Everything the node wrote to stderr so far."""
        path = self._log_path
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    @property
    def _log_path(self) -> Path:
        return self.home.parent / f"{self.home.name}.stderr"

    def start(self, timeout_s: float = READY_TIMEOUT_S) -> NodeProcess:
        """Start and wait for the line with the word `ready`."""
        self.home.parent.mkdir(parents=True, exist_ok=True)
        with self._log_path.open("a", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=self.home.parent,
                env={**os.environ, **self._env, "SKILLLITE_HOME": str(self.home)},
            )
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._pump, args=(lines,), daemon=True).start()
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                line = lines.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                self.kill()
                raise AssertionError(
                    f"{self.name} was not ready in {timeout_s} s\n{self.log}"
                ) from None
            if not line:
                raise AssertionError(f"{self.name} ended before it was ready\n{self.log}")
            if "ready" in line.split():
                self.ready_line, self.ready_at = line.strip(), time.monotonic()
                return self

    def _pump(self, lines: queue.Queue[str]) -> None:
        assert self._process is not None
        stdout = self._process.stdout
        assert stdout is not None
        with stdout:
            for line in stdout:
                lines.put(line)
        lines.put("")

    def cli(self, *args: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command against this node."""
        return skilllite(*args, home=self.home, **options)

    def json(self, *args: str, **options: Any) -> Any:
        """Run a command that must succeed and return its JSON."""
        done = self.cli(*args, **options)
        assert done.returncode == 0, f"{args}: {done.returncode}\n{done.stderr}\n{self.log}"
        return json.loads(done.stdout)

    def kill(self) -> None:
        """SIGKILL: no goodbye, no cleanup."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
        self.wait()

    def stop(self, timeout_s: float = 15.0) -> int:
        """SIGTERM, and SIGKILL when that isn't enough; return the exit status."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
        return self.wait()

    def wait(self, timeout_s: float = 15.0) -> int:
        """Wait for the end of the process; return its exit status."""
        return self._process.wait(timeout_s) if self._process is not None else 0

    def __enter__(self) -> NodeProcess:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()


def eventually(probe: Callable[[], T], *, within_s: float, every_s: float = 0.1) -> T:
    """Call `probe` until it returns something true; fail with its last value at the deadline."""
    deadline = time.monotonic() + within_s
    while True:
        value = probe()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {within_s} s; last: {value!r}"
        time.sleep(every_s)
