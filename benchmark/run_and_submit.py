"""Times `run` with and without a node and `submit` here and to another node against bare Python.

    .venv/bin/python -m benchmark.run_and_submit [--rounds N] [--out FILE]

Everything is timed as a whole process, interleaved in shuffled rounds, at the same priority. The
baseline is `python3 main.py` of the same skill with the very interpreter that the sandbox uses.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

import skilllite
from benchmark.machine import describe_machine
from benchmark.timing import Case, Summary, time_interleaved
from skilllite_sandbox.host import read_host

ROUNDS = 40
WARMUP = 3
PAUSE_S = 0.02  # lets what one run left behind settle before the next
READY_TIMEOUT_S = 60
SKILLLITE = str(Path(sys.executable).parent / "skilllite")
SKILL = Path(skilllite.__file__).parent / "starter_skills" / "calculator"
REQUEST = json.dumps({"operation": "add", "a": 15, "b": 27})
ANSWER = "42"


@contextmanager
def running_node(home: Path, name: str) -> Iterator[int]:
    """Start a node on loopback in `home`, yield its process id, and stop it at the end."""
    process = subprocess.Popen(
        [
            SKILLLITE,
            "node",
            "start",
            "--name",
            name,
            "--host",
            "127.0.0.1",
            "--no-mdns",
            "--port",
            "0",
            "--join-port",
            "0",
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "SKILLLITE_HOME": str(home)},
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if "ready" not in line.split():
            raise SystemExit(f"node {name} did not start: {line!r}")
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(READY_TIMEOUT_S)
        process.stdout.close()


def command(home: Path, *args: str) -> str:
    """Run one skilllite command that must succeed and return its stdout."""
    done = subprocess.run(
        [SKILLLITE, *args],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=READY_TIMEOUT_S,
        env={**os.environ, "SKILLLITE_HOME": str(home)},
    )
    if done.returncode:
        raise SystemExit(f"skilllite {' '.join(args)}: {done.stderr}")
    return done.stdout


def system_interpreter() -> str:
    """Return the interpreter that the sandbox runs Python skills with."""
    python = read_host().python
    if python is None:
        raise SystemExit("no Python for skills on this machine: see `skilllite doctor`")
    return python.path


def bubblewrap_argv(interpreter: str) -> list[str]:
    """Return the tightest plain bubblewrap command line for the same script."""
    binds = [part for path in ("/usr", "/lib", "/lib64") for part in ("--ro-bind", path, path)]
    return [
        *("bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"),
        *binds,
        *("--tmpfs", "/tmp", "--ro-bind", str(SKILL / "scripts"), "/skill", "--chdir", "/tmp"),
        *("--cap-drop", "ALL", interpreter, "/skill/main.py"),
    ]


def cases(interpreter: str, home: Path, home_without_node: Path) -> list[Case]:
    """Return the commands to time, the baseline first."""
    environment = {"SKILLLITE_HOME": str(home)}
    run = (SKILLLITE, "run", str(SKILL), REQUEST, "--sandbox-level", "2")
    submit = (SKILLLITE, "submit", "--skill", "calculator", REQUEST)
    script = str(SKILL / "scripts" / "main.py")
    return [
        Case("python3 main.py", [interpreter, script], REQUEST, ANSWER),
        Case("bubblewrap + python3 main.py", bubblewrap_argv(interpreter), REQUEST, ANSWER),
        Case("python3 -c pass", [interpreter, "-c", "pass"]),
        Case("environment's python -c pass", [sys.executable, "-c", "pass"]),
        Case("skilllite list", [SKILLLITE, "list", "--json"], "", "calculator", environment),
        Case(
            "skilllite run, level 2, no node",
            run,
            "",
            ANSWER,
            {"SKILLLITE_HOME": str(home_without_node)},
        ),
        Case("skilllite run, level 2, its node", run, "", ANSWER, environment),
        Case("skilllite submit, local", [*submit, "--on", "one"], "", ANSWER, environment),
        Case("skilllite submit, other node", [*submit, "--on", "two"], "", ANSWER, environment),
    ]


def measure(rounds: int) -> list[Summary]:
    """Start a team of two nodes and time everything against it."""
    with tempfile.TemporaryDirectory(prefix="skilllite-bench-") as directory, ExitStack() as stack:
        one, two = Path(directory, "one"), Path(directory, "two")
        stack.enter_context(running_node(one, "one"))
        status = json.loads(command(one, "node", "status", "--json"))
        code = command(one, "node", "invite").strip()
        command(two, "node", "join", code, "--peer", f"127.0.0.1:{status['join_port']}")
        stack.enter_context(running_node(two, "two"))
        command(one, "submit", "--skill", "calculator", REQUEST, "--on", "two", "--wait")
        return time_interleaved(
            cases(system_interpreter(), one, Path(directory, "three")),
            rounds=rounds,
            warmup=WARMUP,
            pause_s=PAUSE_S,
            seed=1,
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print a table on stderr and the figures as JSON on stdout or into a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--out", type=Path, help="write the JSON here instead of to stdout")
    args = parser.parse_args(argv)
    # An installation is compiled once; in a development environment the first rounds do that.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    summaries = measure(args.rounds)
    print(f"{'':32} {'min':>8} {'p50':>8} {'p95':>8}  p50/bare  failed", file=sys.stderr)
    for row in summaries:
        print(
            f"{row.name:32} {row.minimum_ms:8.1f} {row.p50_ms:8.1f} {row.p95_ms:8.1f}"
            f"  {row.ratio:8.2f}  {row.failures}",
            file=sys.stderr,
        )
    report = json.dumps(
        {
            "schema": 1,
            "machine": describe_machine(),
            "baseline": summaries[0].name,
            "rounds": args.rounds,
            "cases": [asdict(row) for row in summaries],
        },
        indent=2,
    )
    if args.out:
        args.out.write_text(report + "\n", encoding="utf-8")
    else:
        print(report)
    return 1 if any(row.failures for row in summaries) else 0


if __name__ == "__main__":
    raise SystemExit(main())
