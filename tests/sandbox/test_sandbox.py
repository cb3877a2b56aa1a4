"""The sandbox as a library: what it takes, what it refuses, what it leaves behind."""

from __future__ import annotations

import os
import shutil
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from gates import lets_all_pass
from skill_files import make_skill
from skilllite_sandbox import (
    DEFAULT_LIMITS,
    REMOTE_LIMITS,
    InvalidInput,
    InvalidSkill,
    Job,
    Level,
    NotFound,
    Origin,
    Policy,
    PolicyDenied,
    Reason,
    Sandbox,
    SandboxUnavailable,
    Stage,
    Tier,
)
from skilllite_sandbox.host import Interpreter, read_host
from skilllite_sandbox.sandbox import encode_input, entry_of


@pytest.fixture
def skill(tmp_path: Path) -> Path:
    """A skill that prints its input."""
    return make_skill(tmp_path, "demo")


@pytest.mark.parametrize("level", list(Level))
def test_every_level_runs_a_skill(skill: Path, level: Level) -> None:
    with Sandbox(level) as sandbox:
        outcome = sandbox.run(skill, {"a": 1})

    assert outcome.output == {"a": 1}
    assert outcome.level is level
    assert outcome.tier is (Tier.NONE if level is Level.DIRECT else Tier.FULL)
    assert outcome.to_json()["ok"] is True


def test_input_may_be_a_dict_or_text(skill: Path) -> None:
    with Sandbox(gate=lets_all_pass()) as sandbox:
        assert sandbox.run(str(skill), {"ä": [1.5]}).output == {"ä": [1.5]}
        # Text goes through as it is: a float would have rounded this.
        assert (
            "12345678901234567890.123456789"
            in sandbox.run(
                make_skill(skill.parent, "cat", files={"scripts/main.py": "print(input())"}),
                '{"n": 12345678901234567890.123456789}',
            ).text
        )


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('{"a": ', "not valid JSON"),
        ("[1]", "must be a JSON object, not an array"),
        ("null", "must be a JSON object, not null"),
        ("3", "must be a JSON object, not a number"),
        ('{"a": NaN}', "not valid JSON"),
        ("", "not valid JSON"),
        ('{"a": "\ud800"}', "not UTF-8"),
        ({"a": float("nan")}, "can't be written as JSON"),
        ({"a": {1, 2}}, "can't be written as JSON"),
        ({"a": "\ud800"}, "can't be written as JSON"),
        ("{" + " " * (4 << 20) + "}", "exceeds 4096 KiB"),
        ({"a": "x" * (4 << 20)}, "exceeds 4096 KiB"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_no_json_object_never_reaches_a_skill(
    skill: Path, value: dict[str, object] | str, said: str
) -> None:
    with Sandbox(gate=lets_all_pass()) as sandbox, pytest.raises(InvalidInput, match=said):
        sandbox.run(skill, value)


def test_a_skill_that_is_not_there_or_not_runnable_is_an_error(tmp_path: Path) -> None:
    with Sandbox(gate=lets_all_pass()) as sandbox:
        with pytest.raises(NotFound):
            sandbox.run(tmp_path / "none", {})
        with pytest.raises(InvalidSkill):
            sandbox.run(tmp_path, {})
        prompt_only = make_skill(tmp_path, "prompt", files={})
        with pytest.raises(InvalidSkill, match="has no entry point"):
            sandbox.run(prompt_only, {})


def test_several_scripts_are_run_by_name(tmp_path: Path) -> None:
    several = make_skill(
        tmp_path, "several", files={"scripts/a.py": "print(1)", "scripts/b.py": "print(2)"}
    )
    with Sandbox(gate=lets_all_pass()) as sandbox:
        staged = sandbox.stage.put(several)
        outputs = [
            sandbox.run_job(
                sandbox.clear(Job(staged, entry_of(staged, name), b"{}", Policy()))
            ).output
            for name in ("scripts/a.py", "scripts/b.py")
        ]
        with pytest.raises(NotFound, match=r"no script scripts/c\.py"):
            entry_of(staged, "scripts/c.py")
        with pytest.raises(NotFound, match="no script"):
            entry_of(staged, "../../../etc/passwd")

    assert outputs == [1, 2]


def test_network_that_the_skill_does_not_ask_for_is_not_given(skill: Path) -> None:
    with Sandbox(gate=lets_all_pass()) as sandbox:
        assert "no-network" in sandbox.run(skill, {}, network=["example.com"]).enforced
        with pytest.raises(InvalidInput, match="wildcard"):
            sandbox.run(skill, {}, network=["*.example.com"])


def test_a_timeout_of_one_run_leaves_the_others_alone(tmp_path: Path) -> None:
    sleeper = make_skill(
        tmp_path, "sleeper", files={"scripts/main.py": "import time; time.sleep(60)"}
    )
    with Sandbox(gate=lets_all_pass()) as sandbox:
        outcome = sandbox.run(sleeper, {}, timeout_s=0.3)

        assert outcome.reason is Reason.TIMEOUT
        assert sandbox.run(make_skill(tmp_path, "demo"), {}).limits.wall_s == 30


def test_a_remote_task_gets_the_tighter_limits_at_level_3(skill: Path) -> None:
    with Sandbox(gate=lets_all_pass()) as sandbox:
        staged = sandbox.stage.put(skill)
        policy = Policy(Level.FULL, REMOTE_LIMITS, Origin.REMOTE)
        outcome = sandbox.run_job(sandbox.clear(Job(staged, entry_of(staged), b"{}", policy)))
        with pytest.raises(PolicyDenied):
            sandbox.start(Job(staged, entry_of(staged), b"{}", replace(policy, level=Level.DIRECT)))

    assert outcome.limits == REMOTE_LIMITS


def test_input_above_the_jobs_bound_is_refused_at_the_start(skill: Path) -> None:
    with Sandbox(gate=lets_all_pass()) as sandbox:
        staged = sandbox.stage.put(skill)
        limits = replace(DEFAULT_LIMITS, input_bytes=10)
        with pytest.raises(InvalidInput, match="exceeds"):
            sandbox.start(
                Job(staged, entry_of(staged), b"{}" + b" " * 20, Policy(Level.FULL, limits))
            )


@pytest.mark.parametrize("level", [Level.ISOLATED, Level.FULL])
def test_a_host_without_a_carrier_runs_nothing(skill: Path, level: Level) -> None:
    host = replace(read_host(), bwrap=None, libraries=())

    with Sandbox(level, host=host) as sandbox, pytest.raises(SandboxUnavailable) as caught:
        sandbox.run(skill, {})

    assert caught.value.hint == "apt install bubblewrap"


def test_a_carrier_that_fails_is_an_error_that_says_why(skill: Path, tmp_path: Path) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho no namespaces today >&2\nexit 1\n", encoding="ascii")
    broken.chmod(0o755)
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        parent.chmod(0o755)
    host = replace(read_host(), bwrap=str(broken))

    bwrap = Sandbox(host=host, tier=Tier.BWRAP)
    with bwrap as sandbox, pytest.raises(SandboxUnavailable) as caught:
        sandbox.run(skill, {})

    assert caught.value.cause == "no namespaces today"
    assert caught.value.hint


def test_a_filter_that_cannot_be_loaded_refuses_the_run(
    skill: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = skill.parent / "ran"
    (skill / "scripts/main.py").write_text(f"open({str(ran)!r}, 'w'); print(1)", encoding="utf-8")
    for broken in ("carrier_filter", "guest_filter"):
        with monkeypatch.context() as patch:
            patch.setattr(f"skilllite_sandbox.backend.bubblewrap.{broken}", lambda *_: b"\xff" * 8)
            bwrap = Sandbox(tier=Tier.BWRAP)
            with bwrap as sandbox, pytest.raises(SandboxUnavailable):
                sandbox.run(skill, {})
    for broken in ("worker_filter", "closing_filter"):
        with monkeypatch.context() as patch:
            patch.setattr(f"skilllite_sandbox.zygote_plan.{broken}", lambda *_: b"\xff" * 8)
            with Sandbox(tier=Tier.FULL) as sandbox, pytest.raises(SandboxUnavailable):
                sandbox.run(skill, {})
    assert not ran.exists()


def test_without_a_stage_nothing_is_left_behind(skill: Path) -> None:
    with Sandbox(gate=lets_all_pass()) as sandbox:
        sandbox.run(skill, {})
        root = sandbox.stage.root
        assert stat.S_IMODE(root.stat().st_mode) == 0o700

    assert not root.exists()


def test_a_stage_of_ones_own_is_kept(skill: Path, tmp_path: Path) -> None:
    stage = Stage(tmp_path / "stage")

    with Sandbox(stage=stage) as sandbox:
        outcome = sandbox.run(skill, {})

    assert outcome.ok
    assert (tmp_path / "stage").exists()


def test_level_1_leaves_no_scratch_behind(tmp_path: Path) -> None:
    skill = make_skill(
        tmp_path,
        "demo",
        files={"scripts/main.py": "import os; open('x', 'w'); print('\"' + os.getcwd() + '\"')"},
    )
    with Sandbox(Level.DIRECT) as sandbox:
        outcome = sandbox.run(skill, {})

    assert not Path(outcome.output).exists()


def test_threads_may_run_skills_at_the_same_time(tmp_path: Path) -> None:
    script = "import json, sys, time; time.sleep(0.1); print(json.load(sys.stdin)['n'])"
    skill = make_skill(tmp_path, "demo", files={"scripts/main.py": script})
    outputs: list[object] = []

    with Sandbox(gate=lets_all_pass()) as sandbox:
        threads = [
            threading.Thread(target=lambda n=n: outputs.append(sandbox.run(skill, {"n": n}).output))
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

    assert sorted(outputs, key=str) == list(range(8))


def test_a_path_full_of_oddities_runs(tmp_path: Path) -> None:
    odd = tmp_path / "a b'c\"d$(id)`x`;&|\n ü"
    odd.mkdir()
    skill = make_skill(odd, "demo", files={"scripts/main.py": "print(__file__ and 1)"})

    with Sandbox(gate=lets_all_pass()) as sandbox:
        assert sandbox.run(skill, {}).output == 1


def test_an_interpreter_below_a_private_directory_runs(tmp_path: Path) -> None:
    host = read_host()
    if host.bash is None:
        pytest.skip("bash is not installed")
    programs = tmp_path / "private" / "bin"
    programs.mkdir(parents=True)
    programs.parent.chmod(0o700)
    copy = str(shutil.copy(host.bash.path, programs / "bash"))
    bash = Interpreter(copy, (copy,), str(programs))
    host = replace(host, bash=bash, unreachable=frozenset({str(programs)}))
    skill = make_skill(tmp_path, files={"scripts/main.sh": 'printf \'"%s"\' "$BASH"'})

    with Sandbox(host=host) as sandbox:
        assert sandbox.run(skill, {}).output == copy


def test_open_descriptors_of_the_caller_do_not_reach_the_skill(skill: Path) -> None:
    reading, writing = os.pipe()
    os.set_inheritable(reading, True)  # what a careless library leaves open
    script = """
import json, os
found = []
for number in range(3, 256):
    try:
        os.fstat(number)
        found.append(number)
    except OSError:
        pass
print(json.dumps(len(found)))
"""
    (skill / "scripts/main.py").write_text(script, encoding="utf-8")
    try:
        with Sandbox(gate=lets_all_pass()) as sandbox:
            outcome = sandbox.run(skill, {})
    finally:
        os.close(reading)
        os.close(writing)

    assert outcome.output <= 1, "the pipe to the host, and nothing else"


def test_encoding_is_bounded_before_it_parses() -> None:
    with pytest.raises(InvalidInput, match="exceeds"):
        encode_input("[" * 100, replace(DEFAULT_LIMITS, input_bytes=50))


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("scripts/main.sh", 'LC_ALL=C.UTF-8; x=äö; printf \'{"n": %s}\' "${#x}"'),
        (
            "scripts/main.py",
            "import locale; locale.setlocale(locale.LC_ALL, 'C.UTF-8'); print('{\"n\": 2}')",
        ),
    ],
)
def test_the_locale_of_the_environment_exists(tmp_path: Path, path: str, code: str) -> None:
    with Sandbox(Level.ISOLATED) as sandbox:
        outcome = sandbox.run(make_skill(tmp_path, "letters", files={path: code}), {})

    assert outcome.output == {"n": 2}
    assert outcome.stderr == ""
