"""`skilllite quickstart`: from nothing to skills that run, here and through a node.

At a terminal it checks, asks once, and leaves a node running. Without one it is a tour in a
temporary home that touches nothing else: start a node, run and submit samples, stop the node.
Everything it shows is done by the same commands a person would type, as processes of their own.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from skilllite import errors
from skilllite.cli import output

COMMAND_TIMEOUT_S = 60.0
READY_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 15.0

SAMPLES = 4  # half of them run here, half through a node


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `quickstart`."""
    parser.add_argument(
        "--tour", action="store_true", help="take the tour in a temporary home, ask nothing"
    )


def run(args: argparse.Namespace) -> int:
    """Guide a person at a terminal, show the tour to everyone else."""
    if args.tour or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return _tour()
    return _guided()


def _tour() -> int:
    with tempfile.TemporaryDirectory(prefix="skilllite-tour-") as directory:
        environment = {**os.environ, "SKILLLITE_HOME": str(Path(directory, "home"))}
        environment.pop("SKILLLITE_CACHE_DIR", None)
        samples = _show_machine(environment, Path(directory))
        with _TourNode(environment, Path(directory)) as node:
            _label("node", node.ready_line)
            results = [_try(sample, environment, Path(directory)) for sample in samples]
        output.note("node stopped")
    _show_next("skilllite list", samples[0].shown, "skilllite node start")
    ok = all(result["ok"] for result in results)
    output.print_json({"schema": 1, "ok": ok, "results": results})
    return errors.OK if ok else errors.FAILED


def _guided() -> int:
    environment = dict(os.environ)
    here = Path.cwd()
    samples = _show_machine(environment, here)
    running = _skilllite("node", "status", "--json", environment=environment, directory=here)
    if running.returncode == errors.OK:
        _label("node", f"{json.loads(running.stdout)['name']} is running")
    elif not _agreed("start a node in the background now? [Y/n] "):
        _show_next("skilllite list", samples[0].shown, "skilllite node start")
        return errors.OK
    else:
        started = _skilllite("node", "start", "-d", environment=environment, directory=here)
        if started.returncode != errors.OK:
            output.note(started.stderr)
            return started.returncode
        _label("node", started.stdout.strip().removeprefix("node ").strip())
    ok = all(_try(sample, environment, here)["ok"] for sample in samples)
    _show_next("skilllite peers", samples[-1].shown, "skilllite node invite")
    return errors.OK if ok else errors.FAILED


class _Sample:
    """One command to show, taken from the examples of a skill."""

    __slots__ = ("words",)

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words

    @property
    def shown(self) -> str:
        """The command as a person would type it."""
        return shlex.join(["skilllite", *self.words])


def _show_machine(environment: Mapping[str, str], directory: Path) -> list[_Sample]:
    """Show what protects the skills and which there are; return what to try.

    Raises:
        Refused: nothing protects them on this machine.
    """
    doctor = _skilllite(
        "doctor", "--only", "sandbox", "--json", environment=environment, directory=directory
    )
    report = _json_of(doctor)
    if not report["sandbox"]["ok"]:
        raise errors.Refused(
            "the sandbox does not work on this machine",
            cause=report["sandbox"]["detail"],
            hint=report["sandbox"]["remedy"] or "`skilllite doctor` shows every check",
        )
    _label("sandbox", report["sandbox"]["detail"])
    listed = _json_of(_skilllite("list", "--json", environment=environment, directory=directory))
    lacking = [skill for skill in listed["skills"] if skill["lacks"]]
    ready = len(listed["skills"]) - len(lacking)
    _label("skills", f"{ready} ready")
    for skill in lacking:
        _label(" ", f"{skill['name']}: {'; '.join(skill['lacks'])}")
    return _samples(Path(skill["path"]) for skill in listed["skills"] if not skill["lacks"])


def _samples(directories: Iterable[Path]) -> list[_Sample]:
    """Return the shortest examples that come with the skills, each of another skill."""
    from skilllite_sandbox.skill import load_skill

    requests = []
    for directory in directories:
        skill = load_skill(directory)
        for example in skill.examples:
            requests.append((json.dumps(example["arguments"], ensure_ascii=False), skill.name))
    shortest: dict[str, _Sample] = {}
    for request, name in sorted(requests, key=lambda pair: (len(pair[0].encode()), pair)):
        if name not in shortest and len(shortest) < SAMPLES:
            run = len(shortest) < SAMPLES // 2
            words = ("run", name, request) if run else ("submit", "--skill", name, request)
            shortest[name] = _Sample(words)
    if not shortest:
        raise errors.NotFound(
            "no skill with an example can run here", hint="`skilllite list` says what each lacks"
        )
    return list(shortest.values())


class _TourNode:
    """A node of its own in the foreground of the tour."""

    def __init__(self, environment: Mapping[str, str], directory: Path) -> None:
        self._environment = environment
        self._directory = directory
        self.ready_line = ""

    def __enter__(self) -> _TourNode:
        log = Path(self._directory, "node.stderr")
        with log.open("w", encoding="utf-8") as stderr:
            # On loopback and unannounced: a tour must not appear on anybody's network.
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", "skilllite", "node", "start", "--name", "tour"),
                    *("--host", "127.0.0.1", "--no-mdns", "--port", "0", "--join-port", "0"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env=dict(self._environment),
                cwd=self._directory,
            )
        assert self._process.stdout is not None
        with _Alarm(READY_TIMEOUT_S):
            line = self._process.stdout.readline().strip()
        if "ready" not in line.split():
            self._stop()
            raise errors.SkillLiteError(
                "the node did not start",
                cause=log.read_text(encoding="utf-8").strip() or None,
                hint="`skilllite doctor` shows what is missing",
            )
        self.ready_line = line.removeprefix("node ").strip()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


class _Alarm:
    """Ends a blocking read on the main thread with TimedOut."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGALRM, self._ring)
        signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def __exit__(self, *exc: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)

    def _ring(self, *_: object) -> None:
        raise errors.TimedOut(
            f"the node was not ready in {self._seconds:.0f} s",
            hint="`skilllite doctor` shows what is missing",
        )


def _try(sample: _Sample, environment: Mapping[str, str], directory: Path) -> dict[str, Any]:
    """Run one command, show it, then its result."""
    done = _skilllite(*sample.words, environment=environment, directory=directory)
    output.note(f"$ {sample.shown}")
    ok = done.returncode == errors.OK
    said = done.stdout if ok else done.stderr
    output.note("  " + output.printable(said.strip(), keep_layout=True).replace("\n", "\n  "))
    return {"command": sample.shown, "ok": ok, "result": json.loads(done.stdout) if ok else None}


# -P: the folder somebody stands in may hold a `json.py` that is not ours.
def _skilllite(
    *words: str, environment: Mapping[str, str], directory: Path
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "skilllite", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_TIMEOUT_S,
        env=dict(environment),
        cwd=directory,
    )


def _json_of(done: subprocess.CompletedProcess[str]) -> Any:
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise errors.SkillLiteError(
            f"`{' '.join(done.args[3:])}` failed",
            cause=done.stderr.strip() or None,
            hint="run it by itself with SKILLLITE_DEBUG=1",
        ) from None


def _agreed(question: str) -> bool:
    sys.stderr.write(question)
    sys.stderr.flush()
    answer = sys.stdin.readline()
    # The end of input is no answer, and no answer is a no.
    return bool(answer) and answer.strip().lower() in ("", "y", "yes")


def _label(label: str, text: str) -> None:
    output.note(f"{label} {output.printable(text)}")


def _show_next(*commands: str) -> None:
    output.note("next:")
    for command in commands:
        output.note(f"  {command}")
    program = Path(sys.executable).with_name("skilllite")
    if shutil.which("skilllite") is None and program.exists():
        output.note(
            f"where `skilllite` is {program}: put that folder on your PATH, or type it in full"
        )
