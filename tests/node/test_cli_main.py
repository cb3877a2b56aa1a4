"""The command line as a whole: help, unknown words, errors, exit codes, start-up."""

from __future__ import annotations

import argparse
import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import skilllite.errors as errors
from skilllite.cli import main as cli
from skilllite.cli import output
from skilllite.version import VERSION
from skilllite_sandbox.errors import ConsentRequired, PolicyDenied, SandboxUnavailable
from skilllite_swarm.errors import JoinFailed, JoinReason, PeerRefused, UnknownNode

ROOT = Path(__file__).parents[2]
WINGS = [str(ROOT / wing) for wing in ("node", "swarm", "evolution", "sandbox")]
TIMEOUT_S = 30
PROGRAM = (
    sys.executable,
    "-c",
    "import sys; from skilllite.cli.main import main; sys.exit(main())",
)
MINE = ("node", "peers", "submit", "tasks", "version")


class Fake(cli.LazyCommand):
    """A command made for a test."""

    def __init__(self, action: Callable[[], int]) -> None:
        super().__init__("nowhere", "is made for a test", "skilllite fake")
        self._module = ModuleType("fake")
        self._module.__dict__["add_arguments"] = lambda parser: None
        self._module.__dict__["run"] = lambda args: action()

    def load(self) -> ModuleType:
        return self._module


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], int]], int]:
    def run_action(action: Callable[[], int]) -> int:
        monkeypatch.setitem(cli.COMMANDS, "fake", Fake(action))
        return cli.main(["fake"])

    return run_action


def raising(error: BaseException) -> Callable[[], int]:
    def action() -> int:
        raise error

    return action


def skilllite(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *words],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(WINGS), **environ},
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"]])
def test_help_lists_every_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == errors.OK

    printed = capsys.readouterr().out
    for name, command in cli.COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(command.help)}$", printed, re.M)


@pytest.mark.parametrize("name", MINE)
def test_every_command_has_help_with_an_example(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in ([name, "--help"], ["help", name]):
        assert cli.main(words) == errors.OK
        printed = capsys.readouterr().out
        assert f"usage: skilllite {name}" in printed
        assert f"skilllite {name}" in printed.partition("example:")[2]


@pytest.mark.parametrize("words", [["version"], ["--version"], ["-V"]])
def test_version_is_the_one_of_the_distribution(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == errors.OK

    assert capsys.readouterr().out == f"skilllite {VERSION}\n"
    assert f'version = "{VERSION}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_version_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["version", "--json"]) == errors.OK

    assert json.loads(capsys.readouterr().out)["version"] == VERSION


def test_misspelt_command_is_answered_with_the_right_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["submti"]) == errors.USAGE

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "error: there is no command `submti`\nhint: did you mean `skilllite submit`?\n"
    )


def test_unlike_anything_points_to_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["xyzzy"]) == errors.USAGE

    assert "--help" in capsys.readouterr().err


def test_planned_command_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["chat", "--message", "hi"]) == errors.USAGE

    assert "planned but not part of this version" in capsys.readouterr().err
    assert not cli.PLANNED & set(cli.COMMANDS)


def test_wrong_argument_is_a_usage_error_in_the_same_form(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["peers", "--wacth"]) == errors.USAGE

    captured = capsys.readouterr()
    assert captured.err.startswith("error: unrecognized arguments: --wacth\nhint: see `skilllite")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.UsageError("u"), 2),
        (errors.NotFound("n"), 5),
        (errors.NodeNotRunning("n"), 1),
        (errors.TimedOut("t"), 124),
        (errors.Reported("unknown_skill", "s"), 5),
        (errors.Reported("no_capable_peer", "s"), 1),
        (PolicyDenied("p"), 3),
        (SandboxUnavailable("s"), 3),
        (ConsentRequired("c"), 4),
        (PeerRefused("p"), 3),
        (UnknownNode("n"), 5),
        (JoinFailed("j", reason=JoinReason.BAD_CODE), 2),
        (JoinFailed("j", reason=JoinReason.WRONG_CODE), 3),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__,
)
def test_exit_status_of_every_kind_of_error(
    error: BaseException, status: int, run: Callable[[Callable[[], int]], int]
) -> None:
    assert run(raising(error)) == status


def test_error_is_printed_with_cause_and_hint(
    run: Callable[[Callable[[], int]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    run(raising(errors.Refused("no", cause="the rules", hint="ask")))

    captured = capsys.readouterr()
    assert captured.err == "error: no\ncause: the rules\nhint: ask\n"
    assert captured.out == ""


def test_error_without_a_hint_points_to_the_help_of_the_command(
    run: Callable[[Callable[[], int]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    run(raising(errors.Refused("no")))

    assert capsys.readouterr().err == "error: no\nhint: see `skilllite fake --help`\n"


def test_full_disk_is_answered_with_what_helps_against_it(
    run: Callable[[Callable[[], int]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(raising(OSError(errno.ENOSPC, "No space left on device"))) == errors.FAILED
    assert "make room" in capsys.readouterr().err
    assert run(raising(OSError(errno.EROFS, "Read-only file system", "/x"))) == errors.FAILED
    assert "mounted read-only" in capsys.readouterr().err


def test_vanished_working_directory_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.setenv("SKILLLITE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(gone)
    gone.rmdir()

    status = cli.main(["list"])
    monkeypatch.chdir(tmp_path)

    assert status == errors.FAILED
    said = capsys.readouterr().err
    assert said == (
        "error: the current directory does not exist any more\nhint: cd to one that does\n"
    )


@pytest.mark.parametrize("closed", ["<&-", "<&- >&-", "<&- 2>&-"])
def test_closed_streams_are_no_bug(closed: str, tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"$@" submit --skill diff - {closed}', "sh", *PROGRAM],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(WINGS),
            "SKILLLITE_HOME": str(tmp_path / "home"),
        },
    )

    assert done.returncode == errors.USAGE
    if "2>" not in closed:
        assert "the input is not valid JSON" in done.stderr


@pytest.mark.parametrize(
    "words", [("help", "node", "start"), ("node", "start", "--help"), ("tasks", "show", "-h")]
)
def test_actions_have_help_with_an_example(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(list(words)) == errors.OK

    printed = capsys.readouterr().out
    action = " ".join(word for word in words if word not in ("help", "--help", "-h"))
    assert f"example:\n  skilllite {action}" in printed


def test_help_for_nothing_there_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["help", "nonsense"]) == errors.USAGE

    assert "there is no command `nonsense`" in capsys.readouterr().err


def test_unknown_argument_of_an_action_points_to_the_help_of_that_action(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["node", "start", "--nonsense"]) == errors.USAGE

    assert capsys.readouterr().err == (
        "error: unrecognized arguments: --nonsense\nhint: see `skilllite node start --help`\n"
    )


def test_json_may_stand_before_the_action_or_without_one(tmp_path: Path) -> None:
    for words in (("tasks", "--json"), ("tasks", "--json", "list")):
        done = skilllite(*words, SKILLLITE_HOME=str(tmp_path / "home"))
        assert done.returncode == errors.FAILED
        assert "no node is running" in done.stderr


def test_operating_system_error_names_the_file(
    run: Callable[[Callable[[], int]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(lambda: len(Path("/does/not/exist").read_text(encoding="utf-8"))) == errors.FAILED

    assert "cause: /does/not/exist" in capsys.readouterr().err


def test_bug_is_called_a_bug_and_hides_the_traceback_unless_asked(
    run: Callable[[Callable[[], int]], int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert run(raising(KeyError("x"))) == errors.FAILED
    plain = capsys.readouterr().err
    monkeypatch.setenv(cli.DEBUG_VARIABLE, "1")
    run(raising(KeyError("x")))

    assert "this is a bug" in plain
    assert "Traceback" not in plain
    assert "Traceback" in capsys.readouterr().err


def test_error_text_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_error("bad \x1b]0;owned\x07 name \u202egnp.exe")

    printed = capsys.readouterr().err
    assert "\x1b" not in printed
    assert "\u202e" not in printed
    assert "\\x1b]0;owned\\x07" in printed


def test_lone_surrogate_can_be_printed(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    output.print_json({"text": "\ud800", "word": "naïve"})

    assert json.loads(capsysbinary.readouterr().out) == {"text": "\ud800", "word": "naïve"}


def test_table_is_aligned_and_stays_one_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_table(("A", "LONG"), [("wide one", "x\ny"), ("1", "")])

    assert capsys.readouterr().out == "A         LONG\nwide one  x\\x0ay\n1\n"


def test_table_is_cut_at_the_edge_of_a_terminal_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = ("name", "word " * 30)
    output.print_table(("A", "B"), [row])
    assert "word " * 29 in capsys.readouterr().out

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    output.print_table(("A", "B"), [row])

    cut = capsys.readouterr().out.splitlines()[1]
    assert len(cut) <= output.COLUMNS_OTHERWISE
    assert cut.endswith("…")


def test_reader_that_leaves_early_is_no_error() -> None:
    script = (
        "import sys; from skilllite.cli import main as m, output\n"
        "from skilllite.cli.main import LazyCommand\n"
        "import types\n"
        "mod = types.ModuleType('f'); mod.add_arguments = lambda p: None\n"
        "mod.run = lambda a: [output.write_result('x' * 9999 + '\\n') for _ in range(999)] and 0\n"
        "c = LazyCommand('f', 'h', 'e'); m.COMMANDS['fake'] = c\n"
        "LazyCommand.load = lambda self: mod\n"
        "sys.exit(m.main(['fake']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(WINGS)},
    )
    with process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(TIMEOUT_S) == 0

    assert said == b""


def test_starting_the_command_line_imports_nothing_expensive() -> None:
    script = (
        "import sys, skilllite.cli.main, skilllite.home, skilllite.config,"
        " skilllite.control.client, skilllite.cli.submit, skilllite.cli.node, skilllite.cli.peers,"
        " skilllite.cli.tasks; print('\\n'.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", script],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env={"PYTHONPATH": os.pathsep.join(WINGS)},
        check=True,
    )

    loaded = set(done.stdout.split())
    costly = "pydantic trio grpc yaml cryptography subprocess logging asyncio dataclasses typing"
    assert not loaded & set(costly.split())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["submit", "tidy my desk"], "needs a language model"),
        (["submit", "--skill", "diff"], "the input is missing"),
        (["submit", "--skill", "diff", "{"], "not valid JSON"),
        (["submit", "--skill", "diff", "[1]"], "is a JSON array"),
        (["submit", "--skill", "diff", "true"], "is a JSON boolean"),
        (["submit", "--skill", "diff", '{"a": NaN}'], "not valid JSON"),
        (["submit", "--skill", "diff", "[" * 9999], "not valid JSON"),
        (["submit", "--skill", "diff", "{}", "--deadline", "0"], "must be a number of seconds"),
        (["submit", "--skill", "diff", "{}", "--deadline", "nan"], "must be a number of seconds"),
        (["submit", "--skill", "diff", "{}", "--deadline", "soon"], "must be a number of seconds"),
        (["submit", "--skill", "diff", "{}", "--deadline", "1e9"], "at most 86400"),
        (["submit", "--skill", "diff", "{}", "--on", ""], "--on: must not be empty"),
        (["submit", "--skill", "", "{}"], "--skill: must not be empty"),
        (["tasks", "show", ""], "must not be empty"),
        (["tasks", "list", "-n", "0"], "must be between"),
        (["tasks", "list", "-n", "many"], "must be between"),
        (["node", "stop", "--timeout", "x"], "must be a number of seconds"),
        (["node", "join", ""], "must not be empty"),
        (["node"], "required"),
    ],
)
def test_wrong_call_is_a_usage_error_before_any_node_is_asked(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == errors.USAGE

    captured = capsys.readouterr()
    assert says in captured.err
    assert captured.err.count("error:") == 1
    assert "hint:" in captured.err


def test_input_from_stdin_is_bounded() -> None:
    done = subprocess.run(
        [*PROGRAM, "submit", "--skill", "diff", "-"],
        input=b'{"a": "' + b"x" * 3_000_000 + b'"}',
        capture_output=True,
        timeout=TIMEOUT_S,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(WINGS)},
    )

    assert done.returncode == errors.USAGE
    assert b"exceeds 2 MiB" in done.stderr


@pytest.mark.parametrize("words", [("peers",), ("tasks",), ("submit", "--skill", "x", "{}")])
def test_without_a_node_every_command_says_how_to_start_one(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    done = skilllite(*words, SKILLLITE_HOME=str(tmp_path / "home"))

    assert done.returncode == errors.FAILED
    assert done.stdout == ""
    assert "no node is running" in done.stderr
    assert "skilllite node start" in done.stderr


def test_module_that_serves_several_words_learns_which_was_typed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str] = []

    def add_arguments(parser: argparse.ArgumentParser) -> None:
        seen.append(parser.get_default("command"))

    def run(args: argparse.Namespace) -> int:
        seen.append(args.command)
        return 0

    fake = Fake(lambda: 0)
    fake.load().__dict__.update(add_arguments=add_arguments, run=run)
    monkeypatch.setitem(cli.COMMANDS, "fake", fake)

    assert cli.main(["fake"]) == 0
    assert seen == ["fake", "fake"]
