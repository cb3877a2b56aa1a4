"""How runs end, whatever the skill does. Real processes: this is what the sandbox is for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gates import lets_all_pass
from sandbox_runs import Runs
from skill_files import make_skill
from skilllite_sandbox.backend.bubblewrap import Bubblewrap
from skilllite_sandbox.bubblewrap_plan import make_plan
from skilllite_sandbox.host import read_host
from skilllite_sandbox.outcome import Reason
from skilllite_sandbox.policy import KIB, MIB, Level, Policy
from skilllite_sandbox.sandbox import Sandbox, entry_of

GONE_WITHIN_S = 0.2  # after the deadline, with nine busy processes


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One sandbox for all; without a pool, so that every process is one of a run."""
    with Sandbox(pool=False, gate=lets_all_pass()) as opened:
        yield opened


@pytest.fixture
def runs(sandbox: Sandbox, tmp_path: Path) -> Runs:
    """Runs at level 3."""
    return Runs(sandbox, tmp_path, Level.FULL)


@pytest.fixture(params=[Level.DIRECT, Level.FULL], ids=["level 1", "level 3"])
def any_level(sandbox: Sandbox, tmp_path: Path, request: pytest.FixtureRequest) -> Runs:
    """Runs with and without isolation."""
    return Runs(sandbox, tmp_path, request.param)


# What it prints


def test_one_json_value_is_the_output(any_level: Runs) -> None:
    outcome = any_level.run("import sys; print(sys.stdin.read())", data=b' {"a": [1, null]} ')

    assert outcome.ok
    assert outcome.reason is Reason.OK
    assert outcome.output == {"a": [1, None]}
    assert outcome.exit_code == 0
    assert outcome.message == ""


@pytest.mark.parametrize(
    "printed",
    [
        *("hello", "{} {}", "NaN", "[Infinity]", "1e999", '"\\ud800"', "[" * 100_000, "9" * 5000),
        "\N{BYTE ORDER MARK}{}",
    ],
    ids=lambda text: text[:12],
)
def test_what_is_not_json_is_kept_as_text(runs: Runs, printed: str) -> None:
    outcome = runs.run(f"print({printed!r})")

    assert outcome.ok
    assert outcome.reason is Reason.NOT_JSON
    assert outcome.output is None
    assert outcome.text == printed + "\n"


def test_bytes_that_are_not_utf_8_are_replaced_and_not_json(runs: Runs) -> None:
    outcome = runs.run("import os; os.write(1, b'\"\\xff\"')")

    assert outcome.reason is Reason.NOT_JSON
    assert outcome.text == '"\N{REPLACEMENT CHARACTER}"'


def test_no_output_is_said(runs: Runs) -> None:
    outcome = runs.run("")

    assert outcome.reason is Reason.NOT_JSON
    assert outcome.message == "no output"


def test_text_of_every_language_passes_through(any_level: Runs) -> None:
    text = '{"t": "Grüße, 世界 🦉"}'

    outcome = any_level.run("import sys; print(sys.stdin.read())", data=text.encode())

    assert outcome.text == text + "\n"


# How it exits


def test_json_of_a_failed_skill_is_kept(any_level: Runs) -> None:
    outcome = any_level.run("print('{\"error\": 1}'); raise SystemExit(3)")

    assert not outcome.ok
    assert outcome.reason is Reason.EXIT
    assert outcome.exit_code == 3
    assert outcome.output == {"error": 1}
    assert outcome.message == "exit status 3"


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGSEGV", "SIGABRT", "SIGINT"])
def test_death_by_a_signal_is_told(runs: Runs, name: str) -> None:
    outcome = runs.run(
        "import os, signal\n"
        f"signal.signal(signal.{name}, signal.SIG_DFL) if '{name}' == 'SIGINT' else None\n"
        f"os.kill(os.getpid(), signal.{name})\nsignal.pause()"
    )

    assert outcome.reason is Reason.SIGNAL
    assert outcome.signal == signal.Signals[name]
    assert outcome.exit_code is None
    assert outcome.message == f"killed by signal {name}"


def test_a_traceback_shows_the_skill_and_nothing_of_the_guest(any_level: Runs) -> None:
    outcome = any_level.run("def f():\n    raise ValueError('broken')\n\nf()")

    assert outcome.exit_code == 1
    assert "scripts/main.py" in outcome.stderr
    assert "ValueError: broken" in outcome.stderr
    assert "bootstrap" not in outcome.stderr
    assert outcome.stderr.count("File ") == 2


def test_a_syntax_error_is_reported_like_any_other(runs: Runs) -> None:
    outcome = runs.run("def f(:")

    assert outcome.exit_code == 1
    assert "SyntaxError" in outcome.stderr
    assert "bootstrap" not in outcome.stderr


# What Python promises to a script


def test_a_script_finds_the_world_that_python_makes_for_it(any_level: Runs) -> None:
    outcome = any_level.run(
        """
import __main__, atexit, json, os, pickle, sys, threading, time
class Thing:
    pass
facts = {
    "name": __name__,
    "is main": __main__.__dict__ is globals(),
    "argv": [os.path.basename(sys.argv[0])] == ["main.py"] and len(sys.argv) == 1,
    "file": os.path.basename(__file__),
    "path": sys.path[0] == os.path.dirname(__file__),
    "pickle": isinstance(pickle.loads(pickle.dumps(Thing())), Thing),
    "leftovers": sorted(name for name in globals() if not name.startswith("__")
                        and name not in ("atexit json os pickle sys threading time Thing".split())),
    "utf-8": (sys.stdout.encoding, sys.getfilesystemencoding()),
    "exit": callable(exit) and callable(quit),
    "scratch": os.getcwd() == os.environ["TMPDIR"] == os.environ["HOME"],
}
def late():
    time.sleep(0.05)
    atexit.register(print, json.dumps(facts))
threading.Thread(target=late).start()
"""
    )

    assert outcome.output == {
        "name": "__main__",
        "is main": True,
        "argv": True,
        "file": "main.py",
        "path": True,
        "pickle": True,
        "leftovers": [],
        "utf-8": ["utf-8", "utf-8"],
        "exit": True,
        "scratch": True,
    }, outcome


# Bounds


def test_the_deadline_ends_a_run_that_never_ends(any_level: Runs) -> None:
    outcome = any_level.run("print('half'); import time; time.sleep(600)", wall_s=0.5)

    assert outcome.reason is Reason.TIMEOUT
    assert outcome.message == "deadline of 0.5 s exceeded"
    assert outcome.violations == (outcome.message,)
    assert 500 <= outcome.duration_ms < 5000


def test_nine_busy_processes_are_gone_right_after_the_deadline(runs: Runs) -> None:
    execution = runs.start(
        'for n in 1 2 3 4 5 6 7 8; do (trap "" TERM; while :; do :; done) & done\n'
        "while :; do :; done",
        language="bash",
        wall_s=1.5,
    )
    below: set[int] = set()
    watcher = threading.Thread(target=_watch, args=(execution.pid, below, 1.3))
    watcher.start()

    outcome = execution.wait()

    watcher.join()
    assert outcome.reason is Reason.TIMEOUT
    assert len(below) >= 9, "nine processes of the skill"
    assert outcome.duration_ms < (1.5 + GONE_WITHIN_S) * 1000
    assert _all_gone(below, GONE_WITHIN_S)


def test_a_grandchild_that_holds_the_pipes_delays_nothing(runs: Runs) -> None:
    outcome = runs.run("sleep 300 & echo 1", language="bash")

    assert outcome.output == 1
    assert outcome.duration_ms < 5000


def test_a_flood_on_stdout_is_cut_and_ends_the_run(any_level: Runs) -> None:
    outcome = any_level.run("while True: print('x' * 1000)", stdout_bytes=100 * KIB)

    assert outcome.reason is Reason.OUTPUT
    assert len(outcome.text) == 100 * KIB
    assert outcome.message == "output limit of 102400 bytes exceeded"


def test_output_right_at_the_bound_is_fine(runs: Runs) -> None:
    outcome = runs.run("print('1' + ' ' * 1022)", stdout_bytes=1024)

    assert outcome.output == 1


def test_a_flood_on_stderr_is_dropped_and_said(any_level: Runs) -> None:
    lines: list[str] = []

    outcome = any_level.start(
        "import sys\nfor n in range(3000): print('line', n, file=sys.stderr)\nprint(1)",
        stderr_bytes=1000,
    ).wait(lines.append)

    assert outcome.output == 1
    assert outcome.stderr.startswith("line 0\nline 1\n")
    assert outcome.stderr.endswith("more bytes on stderr were dropped]\n")
    assert len(outcome.stderr) < 1100
    assert lines[:2] == ["line 0", "line 1"]
    assert lines[-1].endswith("dropped]")
    assert len(lines) < 150


def test_lines_of_the_log_come_while_it_runs_and_are_bounded(runs: Runs) -> None:
    seen: list[tuple[str, float]] = []
    script = (
        "import sys, time\n"
        "print('first', file=sys.stderr, flush=True)\n"
        "time.sleep(0.5)\n"
        "sys.stderr.buffer.write(b'\\xff' + b'y' * 10000 + b'\\n\\nlast')\n"
    )

    outcome = runs.start(script).wait(lambda line: seen.append((line, time.monotonic())))

    lines = [line for line, _ in seen]
    assert lines[0] == "first"
    assert seen[1][1] - seen[0][1] > 0.3
    assert [len(line) for line in lines[1:4]] == [4096, 4096, 1809]
    assert lines[4:] == ["", "last"]
    assert outcome.reason is Reason.NOT_JSON


@pytest.mark.parametrize("language", ["python", "node"])
def test_memory_is_bounded_and_the_bound_is_named(runs: Runs, language: str) -> None:
    script = {
        "python": "data = []\nwhile True: data.append(bytearray(1 << 20))",
        "node": "const data = []; while (true) data.push(new Array(1e5).fill(Math.random()));",
    }[language]

    outcome = runs.run(script, language=language, memory_bytes=128 * MIB)

    assert outcome.reason is Reason.MEMORY, outcome
    assert outcome.message == "memory limit of 128 MiB exceeded"


def test_memory_outside_the_javascript_heap_is_bounded_too(runs: Runs) -> None:
    script = """
let taken = 0;
try { const data = []; while (taken < 4096) { data.push(Buffer.alloc(1 << 20, 1)); taken++; } }
catch (error) {}
console.log(taken);
"""
    outcome = runs.run(script, language="node", memory_bytes=256 * MIB)

    assert outcome.reason in (Reason.MEMORY, Reason.OK)
    assert outcome.output is None or outcome.output < 256


def test_processor_time_is_bounded(any_level: Runs) -> None:
    outcome = any_level.run("while True: pass", cpu_s=1)

    assert outcome.reason is Reason.CPU
    assert outcome.message == "cpu limit of 1 s exceeded"


def test_a_skill_that_ignores_the_warning_is_killed_for_processor_time(runs: Runs) -> None:
    outcome = runs.run(
        "import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass", cpu_s=1
    )

    assert outcome.reason is Reason.CPU
    assert outcome.signal == signal.SIGKILL


def test_scratch_space_is_bounded(runs: Runs) -> None:
    outcome = runs.run(
        "for n in range(9):\n    open(str(n), 'wb').write(bytes(1 << 20))",
        scratch_bytes=4 * MIB,
    )

    assert outcome.reason is Reason.DISK
    assert "No space left" in outcome.stderr


def test_the_size_of_a_file_is_bounded(any_level: Runs) -> None:
    outcome = any_level.run("open('big', 'wb').write(bytes(3 << 20))", file_bytes=MIB)

    assert outcome.reason is Reason.DISK


def test_threads_are_bounded(runs: Runs) -> None:
    outcome = runs.run(
        "import threading, time\n"
        "while True: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
        processes=8,
    )

    assert outcome.reason is Reason.PROCESSES
    assert outcome.message == "limit of 8 processes and threads exceeded"


def test_threads_up_to_the_bound_are_fine(runs: Runs) -> None:
    outcome = runs.run(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(8) as pool: print(sum(pool.map(lambda n: n, range(100))))",
        processes=16,
    )

    assert outcome.output == 4950


def test_a_fork_bomb_stays_small(runs: Runs) -> None:
    execution = runs.start(
        "bomb() { bomb | bomb & }; bomb 2>err; sleep 5", language="bash", processes=16, wall_s=1.0
    )
    below: set[int] = set()
    watcher = threading.Thread(target=_watch, args=(execution.pid, below, 0.9, True))
    watcher.start()

    outcome = execution.wait()

    watcher.join()
    assert outcome.reason in (Reason.TIMEOUT, Reason.EXIT, Reason.NOT_JSON)
    assert len(below) <= 16 + 2, "at no moment more than the bound and the carrier's two"


def test_open_files_are_bounded(any_level: Runs) -> None:
    outcome = any_level.run(
        "held = []\ntry:\n    while True: held.append(open('/dev/null'))\n"
        "except OSError as error: print([len(held), error.errno])",
        open_files=32,
    )

    assert outcome.output[0] < 32
    assert outcome.output[1] == 24


# Input


def test_input_that_nobody_reads_is_no_failure(any_level: Runs) -> None:
    outcome = any_level.run("print(1)", data=b"x" * (4 * MIB))

    assert outcome.output == 1


def test_a_skill_that_closes_its_input_is_no_failure(runs: Runs) -> None:
    outcome = runs.run(
        "import os, time; os.close(0); time.sleep(0.1); print(1)", data=b"x" * (4 * MIB)
    )

    assert outcome.output == 1


def test_large_input_and_output_pass_at_the_same_time(runs: Runs) -> None:
    data = b'"' + b"x" * (3 * MIB) + b'"'

    outcome = runs.run(
        "import sys\nwhile chunk := sys.stdin.read(10000): sys.stdout.write(chunk)", data=data
    )

    assert outcome.text == data.decode()


@pytest.mark.parametrize(
    ("language", "script"),
    [
        ("node", "console.log(require('fs').readFileSync('/dev/stdin', 'utf8').length)"),
        ("bash", "wc -c < /dev/stdin"),
        ("bash", "wc -c"),
    ],
)
def test_scripts_may_open_their_input_by_name(runs: Runs, language: str, script: str) -> None:
    outcome = runs.run(script, language=language, data=b"x" * MIB)

    assert outcome.output == MIB


# Being stopped


def test_a_skill_does_not_start_when_nobody_is_left_to_stop_it(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """A host that dies before the carrier is bound to it: the guest finds the pipe closed."""
    skill = make_skill(tmp_path, files={"scripts/main.py": "print('started', flush=True)"})
    staged = sandbox.stage.put(skill)
    directory = str(staged.directory.resolve())
    plan = make_plan(Policy(), read_host(), entry_of(staged), directory)
    launched = Bubblewrap(read_host()).launch(plan, b"{}")
    os.close(launched.status)

    ended = launched.finish(30)

    assert os.read(launched.stdout, 100) == b""
    assert ended.wait_status != 0
    for descriptor in (launched.stdin, launched.stdout, launched.stderr):
        os.close(descriptor)


def test_kill_ends_a_run_from_another_thread_and_may_be_repeated(any_level: Runs) -> None:
    execution = any_level.start("import time; time.sleep(600)")
    timer = threading.Timer(0.2, execution.kill)
    timer.start()

    outcome = execution.wait()

    timer.join()
    execution.kill()
    execution.kill(Reason.TIMEOUT)
    assert outcome.reason is Reason.CANCELLED
    assert outcome.message == "cancelled"


@pytest.mark.parametrize("delay_ms", [0, 1, 2, 4, 8, 16])
def test_kill_at_any_moment_of_the_start_leaves_nothing(runs: Runs, delay_ms: int) -> None:
    execution = runs.start("import time; time.sleep(600)")
    time.sleep(delay_ms / 1000)
    below = _descendants(execution.pid)

    execution.kill()
    outcome = execution.wait()

    assert outcome.reason is Reason.CANCELLED
    assert outcome.duration_ms < 5000
    assert _all_gone({execution.pid, *below}, 2.0)


def test_waiting_may_happen_on_another_thread(runs: Runs) -> None:
    execution = runs.start("print(1)")
    outcomes = []
    waiter = threading.Thread(target=lambda: outcomes.append(execution.wait()))
    waiter.start()
    waiter.join(30)

    assert outcomes[0].output == 1


def test_an_error_in_the_log_callback_ends_the_run(runs: Runs) -> None:
    execution = runs.start(
        "import sys, time; print('x', file=sys.stderr, flush=True); time.sleep(600)"
    )

    def fail(line: str) -> None:
        raise RuntimeError(line)

    with pytest.raises(RuntimeError, match="x"):
        execution.wait(fail)

    assert not Path(f"/proc/{execution.pid}").exists()


@pytest.mark.parametrize("level", [Level.DIRECT, Level.FULL], ids=["level 1", "level 3"])
def test_runs_leave_no_descriptor_and_no_process_behind(tmp_path: Path, level: Level) -> None:
    others = _descendants(os.getpid())
    with Sandbox(pool=False, gate=lets_all_pass()) as sandbox:
        runs = Runs(sandbox, tmp_path, level)
        runs.run("print(1)")
        descriptors = len(list(Path("/proc/self/fd").iterdir()))
        zygotes = _descendants(os.getpid())

        for script in ("print(1)", "raise SystemExit(1)", "import os; os.kill(os.getpid(), 9)"):
            runs.run(script)

        assert len(list(Path("/proc/self/fd").iterdir())) == descriptors
        assert _all_gone(_descendants(os.getpid()) - zygotes, GONE_WITHIN_S)
    assert _all_gone(zygotes - others, GONE_WITHIN_S)


def test_a_host_that_is_killed_takes_the_skill_with_it(tmp_path: Path) -> None:
    script = tmp_path / "host.py"
    script.write_text(
        "import sys, pathlib\n"
        "sys.path[:0] = sys.argv[2:]\n"
        "from sandbox_runs import Runs\n"
        "from skilllite_sandbox.sandbox import Sandbox\n"
        "from skilllite_sandbox.policy import Level\n"
        "with Sandbox() as sandbox:\n"
        "    runs = Runs(sandbox, pathlib.Path(sys.argv[1]), Level.FULL)\n"
        "    text = 'import sys, time; print(1, file=sys.stderr, flush=True); time.sleep(600)'\n"
        "    runs.start(text).wait(lambda line: print(line, flush=True))\n",
        encoding="utf-8",
    )
    with subprocess.Popen(
        [sys.executable, str(script), str(tmp_path), *sys.path],
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},  # its stage can't be cleaned up by itself
    ) as host:
        assert host.stdout is not None
        assert host.stdout.readline() == b"1\n"
        below = _descendants(host.pid)
        host.kill()
        host.wait(10)

    assert below
    assert _all_gone(below, 2.0)


def _watch(pid: int, found: set[int], seconds: float, at_once: bool = False) -> None:
    """Collect the processes below `pid`; with `at_once` keep only the largest moment."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        now = _descendants(pid)
        if at_once and len(now) <= len(found):
            continue
        if at_once:
            found.clear()
        found |= now
        time.sleep(0.01)


def _descendants(pid: int) -> set[int]:
    found: set[int] = set()
    front = [pid]
    while front:
        current = front.pop()
        try:
            for task in Path(f"/proc/{current}/task").iterdir():
                children = (task / "children").read_text("ascii")
                front += map(int, children.split())
        except OSError:
            continue
        found |= set(front)
    return found


def _all_gone(pids: set[int], within_s: float) -> bool:
    end = time.monotonic() + within_s
    while any(map(_alive, pids)):
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def _alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"
