"""What the commands that talk to a node print, and how they end, against a scripted node."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from skilllite import errors
from skilllite.cli import main as cli
from skilllite.control import messages
from skilllite.control.server import Exchange, Operation, serve_control
from skilllite.home import Home
from skilllite.lock import hold_node_lock

TIMEOUT_S = 20.0
ROOT = Path(__file__).parents[2]
WINGS = [str(ROOT / wing) for wing in ("node", "swarm", "evolution", "sandbox")]
PROGRAM = (
    sys.executable,
    "-c",
    "import sys; from skilllite.cli.main import main; sys.exit(main())",
)

STATUS = {
    "name": "kitchen",
    "node_id": "abcdefgh" * 6,
    "team_id": "tttttttt" * 6,
    "members": 2,
    "pid": 1,
    "address": "192.0.2.1:7610",
    "port": 7610,
    "join_port": 7611,
    "home": "/h",
    "uptime_s": 12.5,
    "draining": False,
    "peers": 2,
    "peers_alive": 1,
    "skills": 12,
    "load": {"running": 1, "queued": 0, "capacity": 2},
    "tasks": {"succeeded": 3},
}
PEERS = {
    "self": {
        "name": "kitchen",
        "node_id": "abcdefgh" * 6,
        "addresses": ["192.0.2.1:7610"],
        "state": "alive",
        "skills": [{"name": "diff"}, {"name": "hashing"}],
        "load": {"running": 0, "queued": 0, "capacity": 2},
        "latency_ms": 0.0,
    },
    "peers": [
        {
            "name": "attic\x1b[31m",
            "node_id": "zzzzzzzz" * 6,
            "addresses": [],
            "state": "unreachable",
            "why": "tcp: nobody answers",
            "skills": [],
            "load": None,
            "latency_ms": None,
            "draining": True,
        }
    ],
}
RECORD: dict[str, Any] = {
    "task_id": "00ff" * 8,
    "state": "succeeded",
    "node": "n",
    "node_name": "attic",
    "skill": "diff",
    "output": {"same": True},
    "text": "",
    "error": None,
    "attempts": 1,
    "duration_ms": 12,
    "created_ms": 0,
}


def failed(code: str) -> dict[str, Any]:
    error = {"code": code, "message": "it went wrong", "hint": "look"}
    return {**RECORD, "state": "failed", "output": None, "error": error}


class Script:
    """The answers of a node: operation -> (events, result or error)."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, messages.Arguments]] = []
        self.hang: set[str] = set()

    def operations(self) -> dict[str, Operation]:
        models: dict[str, type[messages.Arguments]] = {
            "status": messages.Nothing,
            "peers": messages.Peers,
            "submit": messages.Submit,
            "tasks.list": messages.TasksList,
            "tasks.show": messages.TaskRef,
            "tasks.cancel": messages.TaskRef,
            "tasks.logs": messages.TaskLogs,
            "invite": messages.Invite,
            "join": messages.Join,
            "leave": messages.Nothing,
            "drain": messages.Nothing,
            "stop": messages.Nothing,
        }
        return {op: Operation(model, self._answer(op)) for op, model in models.items()}

    def _answer(self, op: str) -> Callable[[Any, Exchange], Awaitable[object]]:
        async def answer(args: messages.Arguments, exchange: Exchange) -> object:
            self.asked.append((op, args))
            events, result = self.answers[op.replace(".", "_")]
            for event in events:
                await exchange.emit(event)
            if op in self.hang:
                await trio.sleep_forever()
            if isinstance(result, Exception):
                raise result
            return result

        return answer


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    home = Home.at(tmp_path / "home")
    home.prepare()
    monkeypatch.setenv("SKILLLITE_HOME", str(home.root))
    return home


@contextmanager
def node(home: Home, script: Script) -> Iterator[None]:
    """Serve the script on a thread, with the lock held as a node holds it."""
    ready, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        async with serve_control(home, script.operations()):
            ready.set()
            await trio.to_thread.run_sync(stop.wait)

    def run() -> None:
        with hold_node_lock(home):
            trio.run(serve)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(TIMEOUT_S)
        yield
    finally:
        stop.set()
        thread.join(TIMEOUT_S)


def test_status_of_a_running_node(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    with node(home, Script(status=((), STATUS))):
        assert cli.main(["node", "status"]) == errors.OK
        table = capsys.readouterr().out
        assert cli.main(["node", "status", "--json"]) == errors.OK

    facts = json.loads(capsys.readouterr().out)
    assert "kitchen (abcdefgh), pid 1" in table
    assert facts["running"] is True
    assert facts["port"] == 7610


def test_status_without_a_node_exits_1(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["node", "status", "--json"]) == errors.FAILED

    assert json.loads(capsys.readouterr().out) == {
        "schema": 1,
        "running": False,
        "home": home.label,
    }


def test_peers_as_table_and_as_json(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    with node(home, Script(peers=((), PEERS))):
        assert cli.main(["peers"]) == errors.OK
        shown = capsys.readouterr()
        assert cli.main(["peers", "--json"]) == errors.OK

    facts = json.loads(capsys.readouterr().out)
    assert "kitchen (here)" in shown.out
    assert "2: diff, hashing" in shown.out
    assert "unreachable, draining" in shown.out
    assert "\x1b" not in shown.out + shown.err
    assert "tcp: nobody answers" in shown.err
    assert facts["peers"][0]["state"] == "unreachable"


def test_watching_peers_prints_one_object_a_change(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    script = Script(peers=(({"event": "peers", **PEERS}, {"event": "peers", **PEERS}), PEERS))

    with node(home, script):
        assert cli.main(["peers", "--watch", "--json"]) == errors.OK

    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["self"]["name"] for line in lines] == ["kitchen"] * 3


def test_submit_prints_the_result_alone(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    events = (
        {"event": "accepted", "task_id": RECORD["task_id"]},
        {"event": "log", "task_id": RECORD["task_id"], "node_name": "attic", "message": "hi\x07"},
    )
    script = Script(submit=(events, RECORD))

    with node(home, script):
        words = ["--skill", "diff", '{"a": 1}', "--on", "attic", "--deadline", "5", "--wait"]
        assert cli.main(["submit", *words]) == errors.OK

    captured = capsys.readouterr()
    assert captured.out == '{"same": true}\n'
    assert "attic: hi\\x07" in captured.err
    ((_, asked),) = script.asked
    assert isinstance(asked, messages.Submit)
    assert (asked.skill, asked.input_json, asked.on) == ("diff", '{"a": 1}', "attic")
    assert (asked.deadline_s, asked.wait, asked.no_wait) == (5.0, True, False)


def test_submit_json_prints_one_record(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    with node(home, Script(submit=((), RECORD))):
        assert cli.main(["submit", "--skill", "diff", "{}", "--json"]) == errors.OK

    assert json.loads(capsys.readouterr().out) == RECORD


def test_output_that_is_not_json_is_printed_as_it_came(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    with node(home, Script(submit=((), {**RECORD, "output": None, "text": "plain"}))):
        assert cli.main(["submit", "--skill", "diff", "{}"]) == errors.OK

    captured = capsys.readouterr()
    assert captured.out == "plain\n"
    assert "not JSON" in captured.err


HOSTILE = "\x1b]0;owned\x07 \x9b2J \u202egnp.exe\ttab\n"


def test_text_of_a_skill_cannot_steer_the_terminal_and_goes_whole_into_a_pipe(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with node(home, Script(submit=((), {**RECORD, "output": None, "text": HOSTILE}))):
        assert cli.main(["submit", "--skill", "diff", "{}"]) == errors.OK
        assert capsys.readouterr().out == HOSTILE
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        assert cli.main(["submit", "--skill", "diff", "{}"]) == errors.OK

    shown = capsys.readouterr().out
    assert not set(shown) & set("\x1b\x07\x9b\u202e")
    assert shown.endswith("\ttab\n")


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_output_of_a_skill_cannot_steer_the_terminal(
    home: Home, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...]
) -> None:
    with node(home, Script(submit=((), {**RECORD, "output": HOSTILE}))):
        assert cli.main(["submit", "--skill", "diff", "{}", *flags]) == errors.OK

    shown = capsys.readouterr().out
    assert not set(shown) & set("\x1b\x07\x9b\u202e")
    assert HOSTILE in (json.loads(shown), flags and json.loads(shown)["output"])


def test_no_wait_prints_the_id(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    with node(home, Script(submit=((), {**RECORD, "state": "accepted"}))):
        assert cli.main(["submit", "--skill", "diff", "{}", "--no-wait"]) == errors.OK

    assert capsys.readouterr().out == f"{RECORD['task_id']}\n"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("exit", errors.FAILED),
        ("memory", errors.FAILED),
        ("timeout", errors.TIMED_OUT),
        ("deadline_exceeded", errors.TIMED_OUT),
        ("unknown_skill", errors.NOT_FOUND),
        ("unknown_node", errors.NOT_FOUND),
        ("no_capable_peer", errors.FAILED),
        ("peer_refused", errors.REFUSED),
        ("unavailable", errors.REFUSED),
        ("cancelled", errors.FAILED),
        ("something_new", errors.FAILED),
    ],
)
def test_exit_status_follows_the_error_of_the_task(
    code: str, status: int, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    with node(home, Script(submit=((), failed(code)))):
        assert cli.main(["submit", "--skill", "diff", "{}"]) == status

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("error:") == 1
    assert "hint: look" in captured.err


def test_unknown_outcome_is_a_failure(home: Home) -> None:
    record = {**RECORD, "state": "unknown", "output": None, "error": None}

    with node(home, Script(submit=((), record))):
        assert cli.main(["submit", "--skill", "diff", "{}"]) == errors.FAILED


def test_ctrl_c_cancels_the_task_and_exits_130(home: Home) -> None:
    events = ({"event": "accepted", "task_id": "t1"}, {"event": "log", "message": "runs"})
    script = Script(
        submit=(events, RECORD),
        tasks_cancel=((), {**RECORD, "task_id": "t1", "state": "cancelled"}),
    )
    script.hang.add("submit")

    with node(home, script):
        command = subprocess.Popen(
            [*PROGRAM, "submit", "--skill", "diff", "{}", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(WINGS)},
            text=True,
        )
        with command:
            assert command.stderr is not None
            assert "runs" in command.stderr.readline()
            command.send_signal(signal.SIGINT)
            printed, said = command.communicate(timeout=TIMEOUT_S)

    assert command.returncode == errors.INTERRUPTED, said
    assert json.loads(printed)["state"] == "cancelled"
    assert [op for op, _ in script.asked] == ["submit", "tasks.cancel"]


def test_tasks_are_listed_shown_cancelled_and_their_logs_printed(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    log = {"event": "log", "attempt": 1, "message": "line\x1b one"}
    script = Script(
        tasks_list=((), {"tasks": [RECORD, failed("exit")]}),
        tasks_show=((), RECORD),
        tasks_cancel=((), {**RECORD, "state": "cancelled"}),
        tasks_logs=((log,), {}),
    )

    with node(home, script):
        assert cli.main(["tasks"]) == errors.OK
        assert cli.main(["tasks", "list", "--state", "failed", "-n", "7", "--json"]) == errors.OK
        assert cli.main(["tasks", "show", "00ff"]) == errors.OK
        assert cli.main(["tasks", "show", "00ff", "--json"]) == errors.OK
        assert cli.main(["tasks", "cancel", "00ff"]) == errors.OK
        assert cli.main(["tasks", "logs", "00ff", "-f"]) == errors.OK

    printed = capsys.readouterr().out
    assert "it went wrong" in printed
    assert '"schema": 1, "tasks": [' in printed
    assert f"{RECORD['task_id']} cancelled" in printed
    assert "line\\x1b one" in printed
    listed = script.asked[1][1]
    assert isinstance(listed, messages.TasksList)
    assert (listed.limit, listed.state) == (7, "failed")


def test_unknown_task_is_not_found(home: Home) -> None:
    answer = errors.NotFound("no such task")

    with node(home, Script(tasks_show=((), answer))):
        assert cli.main(["tasks", "show", "beef"]) == errors.NOT_FOUND


def test_invite_prints_the_code_alone(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    answer = {"code": "7-fox-owl-bee", "expires_s": 600, "address": "192.0.2.1:7611"}
    script = Script(invite=((), answer))

    with node(home, script):
        assert cli.main(["node", "invite"]) == errors.OK
        captured = capsys.readouterr()
        assert cli.main(["node", "invite", "--json"]) == errors.OK

    assert captured.out == "7-fox-owl-bee\n"
    assert "--peer 192.0.2.1:7611" in captured.err
    assert json.loads(capsys.readouterr().out)["code"] == "7-fox-owl-bee"
    assert all(isinstance(a, messages.Invite) and not a.watch for _, a in script.asked)


def test_join_and_leave_through_a_running_node(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    joined = {"team_id": "t" * 52, "members": 1, "running": True}
    left = {"left_team_id": "t" * 52, "team_id": "u" * 52, "warnings": ["nobody can invite"]}
    progress = {"event": "progress", "message": "asking 192.0.2.1:7611"}

    with node(home, Script(join=((progress,), joined), leave=((), left))):
        assert cli.main(["node", "join", "7-fox-owl-bee", "--peer", "h:1"]) == errors.OK
        assert cli.main(["node", "leave"]) == errors.OK

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "joined team tttttttt with 1 other member\n" in captured.err
    assert "asking 192.0.2.1:7611" in captured.err
    assert "node start" not in captured.err
    assert "note: nobody can invite" in captured.err


def test_refused_join_exits_3(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    answer = errors.Reported("join_failed", "the code is wrong", hint="ask for a new one")

    with node(home, Script(join=((), answer))):
        assert cli.main(["node", "join", "7-fox-owl-bee"]) == errors.REFUSED

    assert capsys.readouterr().err == "error: the code is wrong\nhint: ask for a new one\n"


def test_drain_reports_when_nothing_runs(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    with node(home, Script(drain=((), {"drained": True}))):
        assert cli.main(["node", "drain"]) == errors.OK

    assert "drained" in capsys.readouterr().err


def test_stop_without_a_node_is_done_already(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["node", "stop", "--json"]) == errors.OK

    assert json.loads(capsys.readouterr().out)["stopped"] is False


def test_stop_gives_up_on_a_node_that_does_not_end(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    with node(home, Script(stop=((), {}))):
        assert cli.main(["node", "stop", "--timeout", "0.2"]) == errors.TIMED_OUT

    assert "did not stop within 0.2 s" in capsys.readouterr().err


def test_logs_prints_the_last_lines_and_works_without_a_node(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    home.log_file.write_text("".join(f"line {n}\n" for n in range(100)), encoding="utf-8")

    assert cli.main(["node", "logs", "-n", "2"]) == errors.OK
    assert capsys.readouterr().out == "line 98\nline 99\n"
    assert cli.main(["node", "logs", "-n", "0"]) == errors.OK
    assert capsys.readouterr().out == ""


def test_logs_without_a_log_is_not_found(home: Home) -> None:
    assert cli.main(["node", "logs"]) == errors.NOT_FOUND


def test_followed_log_goes_on_in_the_next_file(home: Home) -> None:
    home.log_file.write_text("old\n", encoding="utf-8")
    command = subprocess.Popen(
        [*PROGRAM, "node", "logs", "-f"],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(WINGS)},
        text=True,
    )
    with command:
        assert command.stdout is not None
        assert command.stdout.readline() == "old\n"
        with home.log_file.open("a", encoding="utf-8") as file:
            file.write("appended\n")
        assert command.stdout.readline() == "appended\n"
        home.log_file.rename(home.log_file.with_suffix(".log.1"))
        home.log_file.write_text("after rotation\n", encoding="utf-8")
        assert command.stdout.readline() == "after rotation\n"
        command.send_signal(signal.SIGINT)
        assert command.wait(TIMEOUT_S) == errors.INTERRUPTED
