"""The speed benchmark: what counts as a time, what a target needs to be met, and a run for real."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from benchmark import benchmark_runner
from benchmark.security.prelude import Language
from benchmark.security.subjects.commands import CommandLine
from benchmark.speed import own, peers
from benchmark.speed.clock import (
    Latency,
    Tally,
    Throughput,
    measure_throughput,
    percentile,
    summarize,
    time_latencies,
    time_once,
)
from benchmark.speed.contender import BARE, Contender, Kind, RunFailed, run_process
from benchmark.speed.footprint import Memory
from benchmark.speed.measure import Findings, Wish, measure, refuse_real_time
from benchmark.speed.memory import Process, WarmWorker, peak_while, pss_of, read_tree, warm_workers
from benchmark.speed.plot import draw, linear_ticks, log_ticks, short
from benchmark.speed.report import KEPT, MISSED, OPEN, as_text, status_of, tables, to_json, warnings
from benchmark.speed.size import installed_sizes, required_distributions
from benchmark.speed.targets import NUMPY_WARM, Figures, Target, judge_targets
from benchmark.speed.workload import REQUEST, is_right, write_workload

from skilllite_sandbox.host import Host, read_host

ANSWER = '{"result": 42}'
MIB = 1024 * 1024


def contender(
    name: str, run: Callable[[], str] = lambda: ANSWER, kind: Kind = Kind.OURS
) -> Contender:
    return Contender(name, kind, name, run, is_right)


def fail() -> str:
    raise RunFailed("it fell over")


def latency(
    name: str, ratio: float | None, *, failures: int = 0, kind: Kind = Kind.OURS
) -> Latency:
    return Latency(
        name=name,
        kind=kind,
        how="",
        baseline=BARE,
        runs=10,
        failures=failures,
        first_failure="it fell over" if failures else "",
        minimum_ms=1.0,
        p50_ms=2.0,
        p95_ms=30.0,
        p50_ratio=ratio,
        p95_ratio=None if ratio is None else ratio * 2,
        tiers=("full",),
    )


def throughput(name: str, callers: int, ratio: float, failures: int = 0) -> Throughput:
    return Throughput(name, Kind.OURS, callers, ratio * 50, (ratio * 50,), ratio, failures, "")


def findings(figures: Figures, targets: tuple[Target, ...] = ()) -> Findings:
    machine = {
        "processor": "A <fast> & small one",
        "cores": 2,
        "memory_mib": 4096,
        "kernel": "6.1",
        "load_average": (0.1, 0.1, 0.1),
    }
    return Findings(
        machine=machine,
        load_after=(0.2, 0.1, 0.1),
        wish=Wish(iterations=100, callers=(1, 2)),
        figures=figures,
        targets=targets,
        memory=(Memory("bare", "running", 5_000_000, None),),
        sizes=(),
        absent=(peers.Absent("firejail", "firejail is not installed"),),
    )


def target(title: str, targets: list[Target]) -> Target:
    return next(each for each in targets if title in each.name)


def test_a_failed_run_leaves_a_reason_and_no_time() -> None:
    tally = Tally()

    time_once(contender("broken", fail), tally)
    time_once(contender("wrong", lambda: '{"result": 41}'), tally)

    assert tally.taken_ms == []
    assert tally.failures == 2
    assert tally.first_failure == "it fell over"


def test_what_a_run_opened_is_closed_also_after_a_failure() -> None:
    closed = []
    broken = replace(contender("broken", fail), after=lambda: closed.append(True))

    time_once(broken, Tally())

    assert closed == [True]


def test_p50_and_p95_are_compared_with_the_p50_of_the_baseline() -> None:
    tallies = {BARE: Tally([10.0, 20.0, 90.0]), "ours": Tally([1.0, 2.0, 5.0])}

    bare, ours = summarize([contender(BARE), contender("ours")], tallies)

    assert (bare.p50_ratio, bare.p95_ratio) == (1.0, 4.5)
    assert (ours.minimum_ms, ours.p50_ms, ours.p95_ms) == (1.0, 2.0, 5.0)
    assert (ours.p50_ratio, ours.p95_ratio) == (0.1, 0.25)


def test_a_contender_without_one_right_answer_has_no_figures() -> None:
    tallies = {BARE: Tally([10.0]), "ours": Tally(failures=3, first_failure="no")}

    _, ours = summarize([contender(BARE), contender("ours")], tallies)

    assert (ours.runs, ours.failures, ours.p50_ms, ours.p50_ratio) == (0, 3, None, None)


def test_p95_of_a_hundred_leaves_five_above_it() -> None:
    ordered = [float(number) for number in range(1, 101)]

    assert sum(value > percentile(ordered, 0.95) for value in ordered) == 5


def test_every_contender_runs_once_a_round_and_warm_up_is_not_counted() -> None:
    ran: list[str] = []

    def run_as(name: str) -> Callable[[], str]:
        def run() -> str:
            ran.append(name)
            return ANSWER

        return run

    rows = time_latencies(
        [contender(name, run_as(name)) for name in (BARE, "b", "c")],
        rounds=4,
        warmup=2,
        pause_s=0.0,
    )

    assert [row.runs for row in rows] == [4, 4, 4]
    assert [sorted(ran[at : at + 3]) for at in range(0, 18, 3)] == [sorted((BARE, "b", "c"))] * 6
    assert len({tuple(ran[at : at + 3]) for at in range(0, 18, 3)}) > 1, "the order is shuffled"


def test_callers_run_at_once_and_only_right_answers_count() -> None:
    meeting = threading.Barrier(3, timeout=20)

    def meet() -> str:
        meeting.wait()
        return ANSWER

    together, broken = measure_throughput(
        [contender("together", meet), contender("broken", fail)],
        callers=[3],
        slots=1,
        slot_s=0.0,
    )

    assert together.failures == 0
    assert together.per_s is not None and together.per_s > 0
    assert (broken.per_s, broken.failures, broken.ratio) == (None, 3, None)
    assert broken.first_failure == "it fell over"


def test_targets_are_met_at_their_bound_and_missed_beyond_it() -> None:
    figures = Figures(
        latencies=(
            latency(BARE, 1.0, kind=Kind.BARE),
            latency(own.WARM, 0.10),
            latency(own.ON_DEMAND, 0.51),
        ),
        throughputs=(throughput(BARE, 2, 1.0), throughput(own.WARM, 2, 2.5)),
        workers=(WarmWorker(1_000_000, 1_900_000), WarmWorker(1_000_000, 2_100_000)),
    )

    targets = judge_targets(figures, levels=[2])

    assert target("warm pool p50", targets).met is True
    assert target("warm pool p95", targets).met is True
    assert target("on demand", targets).met is False
    assert target("throughput", targets).met is True
    memory = target("warm worker", targets)
    assert (memory.measured, memory.met) == (3.1, False), "the largest counts, with both processes"


def test_a_target_without_a_figure_is_open_with_the_reason() -> None:
    figures = Figures(
        latencies=(latency(BARE, 1.0), latency(own.WARM, 0.01, failures=1)),
        throughputs=(throughput(BARE, 1, 1.0), throughput(own.WARM, 1, 9.0)),
        not_measured={NUMPY_WARM: "no index"},
    )

    targets = judge_targets(figures, levels=[2])

    assert {each.met for each in targets} == {None}
    assert "1 runs of SkillLite level 2, warm pool failed" in target("p50", targets).why_open
    assert target("numpy", targets).why_open == "no index"
    assert "2 callers" in target("throughput", targets).why_open
    assert target("no node", targets).why_open == "not asked for"


def test_a_baseline_that_failed_spoils_what_is_compared_with_it() -> None:
    figures = Figures(latencies=(latency(BARE, 1.0, failures=1), latency(own.WARM, 0.01)))

    assert target("p50", judge_targets(figures, levels=[2])).met is None


def test_whole_commands_are_judged_by_the_rounds_of_cold_starts_when_there_are_any() -> None:
    figures = Figures(
        latencies=(latency(BARE, 1.0), latency(own.RUN_ALONE, 9.0)),
        commands=(latency(BARE, 1.0), latency(own.RUN_ALONE, 3.9)),
    )

    assert target("no node", judge_targets(figures, levels=[2])).measured == 3.9
    figures = replace(figures, commands=())
    assert target("no node", judge_targets(figures, levels=[2])).measured == 9.0


def test_the_exit_status_says_kept_missed_or_not_shown() -> None:
    met = Target("a", "x", 1.0, at_least=False, measured=0.5)
    missed = replace(met, measured=2.0)
    ours, peer = latency("ours", 0.1, failures=1), latency("p", 2.0, failures=1, kind=Kind.PEER)

    assert status_of(findings(Figures(), (met, replace(met, measured=None)))) == KEPT
    assert status_of(findings(Figures(), (met, missed))) == MISSED
    assert status_of(findings(Figures(latencies=(ours,)), (met,))) == OPEN
    assert status_of(findings(Figures(not_measured={NUMPY_WARM: "no index"}), (met,))) == OPEN
    assert status_of(findings(Figures(latencies=(peer,)), (met,))) == KEPT


def test_failures_and_a_busy_machine_are_said() -> None:
    found = findings(Figures(latencies=(latency("p", 2.0, failures=4, kind=Kind.PEER),)))
    few = replace(found, wish=Wish(iterations=5, callers=(1,)))
    busy = replace(found, machine={**found.machine, "load_average": (3.0, 1.0, 1.0)})

    assert warnings(found) == ["p: 4 failed, not counted: it fell over"]
    assert "p95 of 5 runs" in warnings(few)[0]
    assert "the machine was not quiet: load 3.00" in warnings(busy)[0]


def test_tables_and_json_hold_what_was_measured_and_what_is_absent() -> None:
    figures = Figures(
        latencies=(latency(own.WARM, 0.1), latency("never", None)),
        throughputs=(throughput(own.WARM, 1, 2.0), throughput(own.WARM, 2, 3.0)),
        workers=(WarmWorker(1_000_000, 2_000_000),),
    )
    found = findings(figures, tuple(judge_targets(figures, levels=[2])))

    text = "\n".join(map(as_text, tables(found)))
    report = json.loads(json.dumps(to_json(found)))

    assert "firejail is not installed" in text
    assert "private to its processes: 1.00 + 2.00" in text
    assert "not measured: " in text
    assert report["warm_workers"][0]["private_bytes"] == 3_000_000
    assert {each["name"] for each in report["absent"]} == {"firejail"}
    assert {each["met"] for each in report["targets"]} == {True, None, False} - {False}


def test_the_plot_is_well_formed_and_names_everything_that_was_timed() -> None:
    odd = latency("a <b> & c", 0.5, failures=2)
    figures = Figures(
        latencies=(latency(own.WARM, 0.1), odd, replace(odd, name="never", p50_ms=None)),
        throughputs=(throughput(own.WARM, 1, 2.0), throughput(own.WARM, 2, 3.0)),
    )

    picture = draw(findings(figures))

    root = ElementTree.fromstring(picture)
    words = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "a <b> & c" in words
    assert "2 ms (0.5 x), 2 failed" in words
    assert "never" not in words, "what has no time has no mark"
    assert "prefers-color-scheme: dark" in picture


def test_a_plot_of_nothing_is_a_plot() -> None:
    ElementTree.fromstring(draw(findings(Figures())))


@pytest.mark.parametrize(
    ("least", "most", "ticks"),
    [
        (1.0, 10.0, [1, 2, 5, 10]),
        (0.9, 130.0, [0.5, 1, 2, 5, 10, 20, 50, 100, 200]),
        (3.0, 3.0, [2, 5]),
        (5.0, 5.0, [5, 10]),
        (2.0, 4500.0, [1, 10, 100, 1000, 10000]),
    ],
)
def test_ticks_of_a_logarithmic_axis_enclose_the_values(
    least: float, most: float, ticks: list[float]
) -> None:
    assert log_ticks(least, most) == pytest.approx(ticks)


def test_figures_in_the_plot_are_short_and_have_no_exponent() -> None:
    values = [4545.97, 137.4, 28.95, 2.0, 0.0973, 0.2]

    assert list(map(short, values)) == ["4546", "137", "28.9", "2", "0.097", "0.2"]


def test_ticks_of_a_linear_axis_start_at_zero_and_enclose_the_most() -> None:
    assert linear_ticks(101.0) == [0, 50, 100, 150]
    assert linear_ticks(0.5) == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])


def process(namespace: str, depth: int, private: int, *, first: bool = False) -> Process:
    return Process(
        pid=1,
        parent=1,
        name="python3",
        pss_bytes=private,
        private_bytes=private,
        depth=depth,
        is_first=first,
        namespace=namespace,
        shares_memory=False,
    )


def test_a_worker_is_all_that_is_in_one_namespace_inside_that_of_the_zygote() -> None:
    sandbox = [process("host", 0, 100), process("zygote", 1, 100, first=True)]
    one = [process("one", 2, 5, first=True), process("one", 2, 7)]
    two = [process("two", 2, 0, first=True), process("two", 2, 2), process("two", 2, 3)]

    assert warm_workers(sandbox) == []
    assert warm_workers([*sandbox, *one]) == [WarmWorker(5, 7)]
    assert warm_workers([*sandbox, *one, *two]) == [WarmWorker(5, 7), WarmWorker(0, 5)]


def _tree_of(parent: subprocess.Popen[bytes], size: int) -> list[Process]:
    """Return a process and its children when there are so many, the process first."""
    deadline_s = time.monotonic() + 20
    while len(tree := read_tree([parent.pid])) != size:
        assert time.monotonic() < deadline_s, f"the tree is {tree}"
    return sorted(tree, key=lambda each: each.pid != parent.pid)


def test_a_tree_is_read_from_its_root_down() -> None:
    forks = "import os, sys; child = os.fork(); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", forks], stdin=subprocess.PIPE) as parent:
        assert parent.stdin is not None
        top, child = _tree_of(parent, 2)
        below = read_tree([parent.pid], with_roots=False)
        parent.stdin.close()

    assert [each.pid for each in below] == [child.pid]
    assert (child.parent, child.depth, child.is_first) == (parent.pid, 0, False)
    assert not child.shares_memory
    assert pss_of([top, child]) > top.private_bytes > 0


def test_memory_that_a_process_shares_with_its_parent_counts_once() -> None:
    clones = """
import ctypes, os, signal, sys
libc = ctypes.CDLL(None)
stack = ctypes.create_string_buffer(65536)
top = (ctypes.addressof(stack) + 65536) // 16 * 16
CLONE_VM = 0x100
child = libc.clone(libc.pause, ctypes.c_void_p(top), CLONE_VM | signal.SIGCHLD, None)
sys.stdin.read()
os.kill(child, signal.SIGKILL)
"""
    with subprocess.Popen([sys.executable, "-c", clones], stdin=subprocess.PIPE) as parent:
        assert parent.stdin is not None
        top, child = _tree_of(parent, 2)
        parent.stdin.close()

    assert child.shares_memory and not top.shares_memory
    assert (child.pss_bytes, child.private_bytes) == (0, 0)
    assert pss_of([top, child]) == top.pss_bytes > 0


def test_the_peak_is_that_of_the_time_of_the_run() -> None:
    script = f"import time; large = bytearray({32 * MIB}); time.sleep(0.3)"

    def run() -> None:
        subprocess.run([sys.executable, "-c", script], check=True)

    assert peak_while(run, [os.getpid()], with_roots=False) > 32 * MIB


def test_what_fails_while_it_is_looked_at_is_no_peak() -> None:
    with pytest.raises(RunFailed, match="fell over"):
        peak_while(fail, [], with_roots=True)


def test_a_command_that_fails_says_its_last_words() -> None:
    with pytest.raises(RunFailed, match="exit status 3: the end"):
        run_process(
            [
                sys.executable,
                "-c",
                "import sys; print('x\\nthe end', file=sys.stderr); sys.exit(3)",
            ],
            "",
            environment={},
        )
    with pytest.raises(RunFailed, match="No such file"):
        run_process(["/nonexistent"], "", environment={})


def _given(subject: CommandLine, host: Host) -> CommandLine:
    return subject


def test_what_is_installed_and_does_not_work_is_absent_with_the_reason(tmp_path: Path) -> None:
    workload = write_workload(tmp_path / "skills")
    python = peers.interpreter_of(read_host())

    def subject(name: str, *argv: str, lacks: str = "") -> CommandLine:
        return CommandLine(
            name, name, (Language.PYTHON,), lambda skill: list(argv), lacks=lambda: lacks
        )

    subjects = [
        subject("missing", lacks="it is not installed"),
        subject("silent", "/bin/true"),
        subject("broken", "/bin/false"),
        subject("fine", python, str(workload.calculator.python / "scripts" / "main.py")),
    ]

    working, absent = peers.find_peers(
        read_host(), workload, {each.name: partial(_given, each) for each in subjects}
    )

    assert [each.name for each in working] == ["fine"]
    assert [each.name for each in absent] == ["missing", "silent", "broken"]
    assert "not installed" in absent[0].why
    assert "wrong answer" in absent[1].why
    assert "exit status 1" in absent[2].why


def test_the_baseline_is_the_interpreter_of_the_sandbox(tmp_path: Path) -> None:
    workload = write_workload(tmp_path / "skills")
    host = read_host()
    assert host.python is not None

    bare = peers.bare(peers.interpreter_of(host), workload.calculator.python)

    assert bare.how.startswith(f"{host.python.path} ")
    assert is_right(bare.run())


def test_only_the_right_answer_is_right() -> None:
    assert is_right(ANSWER)
    assert not any(map(is_right, ["", "42", "[]", "{}", '{"result": 41}', ANSWER + ANSWER]))
    assert json.loads(REQUEST)["a"] + json.loads(REQUEST)["b"] == 42


def test_sizes_are_those_of_files_and_of_everything_required() -> None:
    sizes = {each.name: each for each in installed_sizes(read_host(), ["no-such-sandbox"])}

    assert {"SkillLite sandbox", "SkillLite node", "python3"} <= set(sizes)
    assert 100_000 < sizes["SkillLite sandbox"].bytes < sizes["SkillLite node"].bytes
    assert "no-such-sandbox" not in sizes
    assert {"trio", "grpcio", "outcome"} <= required_distributions("skilllite")


def test_real_time_scheduling_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getscheduler", lambda pid: os.SCHED_RR)

    with pytest.raises(SystemExit, match="real-time"):
        refuse_real_time()


def test_everything_is_measured_for_real_with_few_runs() -> None:
    wish = Wish(
        iterations=2,
        callers=(2,),
        compare_levels=True,
        compare_ipc=True,
        cold_iterations=1,
        with_peers=False,
        with_numpy=False,
        slots=1,
        slot_s=0.1,
    )

    found = measure(wish, lambda line: None)

    figures = found.figures
    assert [row.first_failure for row in figures.latencies if row.failures] == []
    timed = {row.name for row in figures.latencies}
    levels = {own.warm_name(1), own.WARM, own.warm_name(3), own.ON_DEMAND, own.on_demand_name(3)}
    ways = {own.NODE_SOCKET, own.RUN_WITH_NODE, own.RUN_ALONE}
    assert timed == {BARE, peers.LEAN, own.IN_BUBBLEWRAP} | levels | ways
    tiers = {row.name: row.tiers for row in figures.latencies}
    assert tiers[own.WARM] == tiers[own.ON_DEMAND] == tiers[own.NODE_SOCKET] == ("full",)
    assert own.FIRST_RUN in {row.name for row in figures.commands}
    unknown = {row.why_open for row in found.memory if row.pss_bytes is None}
    unknown |= {why for why in figures.not_measured.values() if why}
    if os.geteuid() == 0:
        assert unknown == set()
        assert len(figures.workers) == 2, "the pool's size for one caller"
    else:
        assert all("can't be read, root could" in why for why in unknown)
    still_open = {each.name for each in found.targets if each.met is None}
    workers = {"private memory of a warm worker, both processes"}
    assert still_open - workers == {"numpy skill, warm pool p50"}


def test_the_command_prints_tables_and_writes_json_with_a_plot_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wishes: list[Wish] = []

    def measured(wish: Wish, progress: Callable[[str], None]) -> Findings:
        wishes.append(wish)
        return findings(Figures(latencies=(latency(own.WARM, 0.2),)), (missed,))

    missed = Target("a promise", "x", 1.0, at_least=False, measured=2.0)
    monkeypatch.setattr(benchmark_runner, "measure", measured)
    out = tmp_path / "speed.json"

    status = benchmark_runner.main(["-n", "7", "-c", "1", "2", "--no-peers", "-o", str(out)])

    assert status == MISSED
    assert wishes == [Wish(iterations=7, callers=(1, 2), with_peers=False)]
    assert json.loads(out.read_text(encoding="utf-8"))["targets"][0]["met"] is False
    ElementTree.fromstring((tmp_path / "speed.svg").read_text(encoding="utf-8"))
    printed = capsys.readouterr().out
    assert "a promise" in printed and "machine: A <fast> & small one" in printed


@pytest.mark.parametrize(
    ("arguments", "cold_iterations"),
    [([], 0), (["--cold-iterations", "9"], 0), (["--cold-start", "--cold-iterations", "9"], 9)],
)
def test_cold_starts_are_measured_when_asked_for(
    arguments: list[str], cold_iterations: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wishes: list[Wish] = []

    def measured(wish: Wish, progress: Callable[[str], None]) -> Findings:
        wishes.append(wish)
        return findings(Figures())

    monkeypatch.setattr(benchmark_runner, "measure", measured)

    benchmark_runner.main(arguments)

    assert wishes[0].cold_iterations == cold_iterations


def test_the_help_of_the_command_stands() -> None:
    root = Path(benchmark_runner.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "benchmark.benchmark_runner", "--help"],
        capture_output=True,
        text=True,
        cwd=root,
        timeout=60,
        check=True,
    )

    for option in ("-n", "-c", "--compare-levels", "--compare-ipc", "--cold-start", "-o"):
        assert option in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["-n", "0"],
        ["-c", "0"],
        ["-c", "1000"],
        ["-n", "x"],
        ["-o", "/none/a.json"],
        ["-o", "a.svg"],
    ],
)
def test_arguments_that_make_no_sense_are_refused_before_anything_runs(
    arguments: list[str],
) -> None:
    with pytest.raises(SystemExit) as refused:
        benchmark_runner.main(arguments)

    assert refused.value.code == 2
