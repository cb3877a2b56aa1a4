"""The node as a process: start, serve, be asked, change team, stop, die and come back."""

from __future__ import annotations

import json
import os
import pty
import random
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from io import FileIO
from pathlib import Path

import pytest

from node_process import SKILLLITE, NodeProcess, eventually, skilllite
from skilllite.cli.detach import start_detached
from skilllite.control.sockets import connect
from skilllite.errors import SkillLiteError
from skilllite.home import Home
from skilllite.lock import lock_is_held
from skilllite_sandbox.policy import Tier
from skilllite_sandbox.probe import probe_host
from team import LOOPBACK, loopback_node, write_skill

pytestmark = pytest.mark.skipif(
    probe_host().tier is Tier.NONE, reason="this host has no working sandbox: bubblewrap"
)

ADD = ("submit", "--skill", "calculator", '{"operation": "add", "a": 1, "b": 2}')
SLEEPS = "import sys, time\nprint('started', file=sys.stderr, flush=True)\ntime.sleep(25)"
SECRET = "do-not-log-1f6d"
WAIT_S = 20.0


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """One node for the tests that leave it as it was."""
    base = tmp_path_factory.mktemp("solo")
    write_skill(base / "home/skills", "sleeps", SLEEPS)
    (base / "home").chmod(0o700)
    with loopback_node(base / "home", "solo") as solo:
        yield solo


def log_of(node: NodeProcess) -> str:
    return Home.at(node.home).log_file.read_text(encoding="utf-8")


def test_ready_line_names_node_address_and_home(node: NodeProcess) -> None:
    status = node.json("node", "status", "--json")

    words = node.ready_line.split()
    assert words[:3] == ["node", "solo", "ready"]
    assert status["node_id"].startswith(words[3])
    assert words[4] == status["address"] == f"127.0.0.1:{status['port']}"
    assert node.ready_line.endswith(f"(home {node.home})")


def test_status_says_what_a_person_and_a_program_want_to_know(node: NodeProcess) -> None:
    status = node.json("node", "status", "--json")

    assert status["running"] is True
    assert status["pid"] == node.pid
    assert status["skills"] >= 12
    assert status["load"] == {"running": 0, "queued": 0, "capacity": os.cpu_count()}
    assert status["can_invite"] is True
    assert node.cli("node", "status").stdout.startswith("node     solo (")


def test_task_runs_and_is_in_the_ledger(node: NodeProcess) -> None:
    done = node.json(*ADD, "--json")

    assert done["output"]["result"] == 3
    assert done["node_name"] == "solo"
    shown = node.json("tasks", "show", done["task_id"][:10], "--json")
    assert shown["state"] == "succeeded"
    assert shown["history"][0]["node_name"] == "solo"
    listed = node.json("tasks", "list", "--json")["tasks"]
    assert listed[0]["task_id"] == done["task_id"]


def test_inputs_and_codes_stay_out_of_the_log(node: NodeProcess) -> None:
    request = json.dumps({"text": SECRET})

    done = node.cli("submit", "--skill", "text-statistics", request)
    code = node.cli("node", "invite").stdout.strip()

    assert done.returncode == 0, done.stderr
    assert "accepted: text-statistics" in log_of(node)
    assert SECRET not in log_of(node)
    assert code.partition("-")[2] not in log_of(node)


def test_second_node_in_the_home_is_refused_and_the_first_goes_on(node: NodeProcess) -> None:
    second = node.cli("node", "start", *LOOPBACK)

    assert second.returncode == 1
    assert f"pid {node.pid}" in second.stderr
    assert node.cli(*ADD).returncode == 0


def test_random_bytes_on_the_control_socket_harm_nobody(node: NodeProcess) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)

    for _ in range(50):
        with closing(connect(Home.at(node.home).control_socket, timeout_s=5.0)) as connection:
            try:
                connection.sendall(rng.randbytes(rng.randrange(1, 5000)) + b"\n")
            except BrokenPipeError:
                continue

    assert node.cli(*ADD).returncode == 0
    assert "Traceback" not in node.log


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "killed"])
def test_task_ends_with_the_command_that_waits_for_it(
    node: NodeProcess, number: signal.Signals
) -> None:
    waiting = subprocess.Popen(
        [SKILLLITE, "submit", "--skill", "sleeps", "{}"],
        env={**os.environ, "SKILLLITE_HOME": str(node.home)},
        stderr=subprocess.PIPE,
        text=True,
    )
    with waiting:
        assert waiting.stderr is not None
        assert "started" in waiting.stderr.readline()
        waiting.send_signal(number)
        waiting.wait(WAIT_S)

    assert waiting.returncode == (130 if number is signal.SIGINT else -signal.SIGKILL)
    newest = eventually(
        lambda: [
            task
            for task in node.json("tasks", "list", "--json")["tasks"][:1]
            if task["state"] == "cancelled"
        ],
        within_s=WAIT_S,
    )
    assert newest[0]["skill"] == "sleeps"
    eventually(
        lambda: node.json("node", "status", "--json")["load"]["running"] == 0, within_s=WAIT_S
    )
    assert node.json("node", "status", "--json")["tasks"]["active"] == 0


def test_skill_that_is_copied_in_is_offered_after_a_reload(node: NodeProcess) -> None:
    before = node.json("node", "status", "--json")["skills"]
    write_skill(node.home / "skills", "latecomer", "print('{\"late\": true}')")

    assert node.cli("reindex").returncode == 0

    after = eventually(
        lambda: node.json("node", "status", "--json")["skills"] > before, within_s=WAIT_S
    )
    assert after
    assert node.json("submit", "--skill", "latecomer", "{}") == {"late": True}


def test_a_skill_that_is_changed_while_the_node_runs_is_refused(
    node: NodeProcess, tmp_path: Path
) -> None:
    source = write_skill(tmp_path, "fragile", "print('{\"ran\": true}')")
    assert node.cli("add", str(source)).returncode == 0
    assert node.json("submit", "--skill", "fragile", "{}") == {"ran": True}
    assert node.json("run", "fragile", "{}") == {"ran": True}
    (node.home / "skills/fragile/more").touch()

    submitted = node.cli("submit", "--skill", "fragile", "{}")
    ran = node.cli("run", "fragile", "{}")

    assert (submitted.returncode, submitted.stdout) == (3, "")
    assert (ran.returncode, ran.stdout) == (3, "")
    for each in (submitted, ran):
        assert "fragile is not what was installed" in each.stderr


def test_logs_of_a_task_can_be_followed(node: NodeProcess) -> None:
    write_skill(
        node.home / "skills",
        "counts",
        "import sys, time\nfor n in range(3):\n"
        "    print('line', n, file=sys.stderr, flush=True)\n    time.sleep(0.2)\nprint('{}')",
    )
    node.cli("reindex")
    task_id = node.cli("submit", "--skill", "counts", "{}", "--no-wait").stdout.strip()

    followed = node.cli("tasks", "logs", task_id, "--follow")

    assert followed.stdout.splitlines() == ["line 0", "line 1", "line 2"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_ends_the_node_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    node = loopback_node(tmp_path / "home", "brief").start()

    os.kill(node.pid, number)

    assert node.wait() == 0
    home = Home.at(node.home)
    assert not home.control_socket.exists()
    assert not lock_is_held(home)
    assert log_of(node).rstrip().endswith("stopped")


def test_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    write_skill(tmp_path / "home/skills", "sleeps", SLEEPS)
    (tmp_path / "home").chmod(0o700)
    node = loopback_node(tmp_path / "home", "busy").start()
    task_id = node.cli("submit", "--skill", "sleeps", "{}", "--no-wait").stdout.strip()
    eventually(lambda: "started" in node.cli("tasks", "logs", task_id).stdout, within_s=WAIT_S)

    os.kill(node.pid, signal.SIGTERM)
    eventually(lambda: "SIGTERM: stopping" in log_of(node), within_s=WAIT_S)
    os.kill(node.pid, signal.SIGTERM)
    before = time.monotonic()

    assert node.wait() == 1
    assert time.monotonic() - before < 3.0


def test_killed_node_starts_again_and_finishes_what_it_accepted(tmp_path: Path) -> None:
    write_skill(tmp_path / "home/skills", "slow", "import time\ntime.sleep(2)\nprint('{}')")
    (tmp_path / "home").chmod(0o700)
    node = loopback_node(tmp_path / "home", "phoenix").start()
    task_id = node.cli("submit", "--skill", "slow", "{}", "--no-wait").stdout.strip()
    node.kill()
    assert Home.at(node.home).control_socket.exists()

    with loopback_node(tmp_path / "home", "phoenix") as again:
        ended = eventually(
            lambda: [
                task
                for task in again.json("tasks", "list", "--json")["tasks"]
                if task["state"] not in ("accepted", "running")
            ],
            within_s=WAIT_S,
        )

    assert [task["task_id"] for task in ended] == [task_id]
    assert ended[0]["state"] in ("succeeded", "failed")


def test_stop_lets_running_skills_end(tmp_path: Path) -> None:
    write_skill(
        tmp_path / "home/skills",
        "short",
        "import sys, time\nprint('started', file=sys.stderr, flush=True)\n"
        "time.sleep(1.5)\nprint('{}')",
    )
    (tmp_path / "home").chmod(0o700)
    node = loopback_node(tmp_path / "home", "polite").start()
    task_id = node.cli("submit", "--skill", "short", "{}", "--no-wait").stdout.strip()
    eventually(lambda: "started" in node.cli("tasks", "logs", task_id).stdout, within_s=WAIT_S)

    assert node.cli("node", "stop").returncode == 0

    assert node.wait() == 0
    with loopback_node(tmp_path / "home", "polite") as again:
        assert again.json("tasks", "show", task_id, "--json")["state"] == "succeeded"


def test_draining_node_takes_no_new_task(tmp_path: Path) -> None:
    with loopback_node(tmp_path / "home", "full") as node:
        drained = node.cli("node", "drain")
        refused = node.cli(*ADD)
        status = node.json("node", "status", "--json")

    assert drained.returncode == 0
    assert refused.returncode != 0
    assert refused.stderr.count("error:") == 1
    assert status["draining"] is True


def test_detached_node_prints_its_ready_line_and_outlives_the_command(tmp_path: Path) -> None:
    home = tmp_path / "home"

    started = skilllite("node", "start", "-d", "--name", "back", *LOOPBACK, home=home)
    again = skilllite("node", "start", "-d", *LOOPBACK, home=home)
    status = skilllite("node", "status", "--json", home=home)
    stopped = skilllite("node", "stop", home=home)

    assert started.returncode == 0, started.stderr
    assert started.stdout.split()[:3] == ["node", "back", "ready"]
    assert again.returncode == 1
    assert "already running" in again.stderr
    assert json.loads(status.stdout)["name"] == "back"
    assert stopped.returncode == 0, stopped.stderr
    assert not lock_is_held(Home.at(home))


def test_detached_node_that_ends_without_a_word_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    # As on a full disk: what it has to say finds no room either.
    with pytest.raises(SkillLiteError, match="without a word") as caught:
        start_detached(Home.at(tmp_path / "home"), ["version"])

    assert caught.value.hint is not None and "in the foreground" in caught.value.hint


def test_detached_node_does_not_import_from_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "trio.py").write_text("raise SystemExit('taken over')", encoding="utf-8")
    home = tmp_path / "home"

    started = skilllite("node", "start", "-d", *LOOPBACK, home=home, cwd=tmp_path)

    skilllite("node", "stop", home=home)
    assert started.returncode == 0, started.stderr


def test_skills_of_the_project_folder_are_offered(tmp_path: Path) -> None:
    write_skill(tmp_path / "project/.skills", "from-project", "print('{\"here\": true}')")
    (tmp_path / "project/.env").write_text("SKILLLITE_SANDBOX_LEVEL=1\n", encoding="utf-8")

    with loopback_node(
        tmp_path / "home", "host", args=["--project", str(tmp_path / "project")]
    ) as node:
        assert node.json("submit", "--skill", "from-project", "{}") == {"here": True}
        assert "SKILLLITE_SANDBOX_LEVEL is ignored" in node.log


def test_default_port_that_is_taken_gives_way_and_a_chosen_one_does_not(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        home = tmp_path / "home"
        home.mkdir(mode=0o700)
        chosen = skilllite(
            "node", "start", "--host", "127.0.0.1", "--no-mdns", "--port", port, home=home
        )

    assert chosen.returncode == 1
    assert port in chosen.stderr
    assert chosen.stderr.count("error:") == 1
    # Whoever has 7610 on this machine, two nodes without a chosen port get along.
    plain = ("--host", "127.0.0.1", "--no-mdns")
    with (
        NodeProcess(tmp_path / "one", name="one", args=plain) as one,
        NodeProcess(tmp_path / "two", name="two", args=plain) as two,
    ):
        ports = {node.json("node", "status", "--json")["port"] for node in (one, two)}
    assert len(ports) == 2


def test_running_node_joins_and_leaves_without_losing_its_tasks(tmp_path: Path) -> None:
    write_skill(tmp_path / "two/skills", "slow", "import time\ntime.sleep(3)\nprint('{}')")
    (tmp_path / "two").chmod(0o700)
    with (
        loopback_node(tmp_path / "one", "one") as one,
        loopback_node(tmp_path / "two", "two") as two,
    ):
        before = two.json("node", "status", "--json")
        task_id = two.cli("submit", "--skill", "slow", "{}", "--no-wait").stdout.strip()
        code = one.cli("node", "invite").stdout.strip()
        peer = f"127.0.0.1:{one.json('node', 'status', '--json')['join_port']}"

        joined = two.cli("node", "join", code, "--peer", peer)
        assert joined.returncode == 0, joined.stderr
        eventually(lambda: _alive(one) == ["two"] and _alive(two) == ["one"], within_s=WAIT_S)
        member = two.json("node", "status", "--json")
        cannot = two.cli("node", "invite")
        elsewhere = two.json(*ADD, "--on", "one", "--json")
        left = two.json("node", "leave", "--json")
        eventually(lambda: not _alive(one) and not _alive(two), within_s=WAIT_S)
        done = eventually(
            lambda: two.json("tasks", "show", task_id, "--json")["state"] == "succeeded",
            within_s=WAIT_S,
        )
        after = two.json("node", "status", "--json")

    assert done
    assert member["port"] == before["port"] == after["port"]
    assert member["team_id"] == left["left_team_id"] != before["team_id"]
    assert member["can_invite"] is False
    assert member["join_port"] is None
    assert cannot.returncode == 3
    assert "node invite` on one" in cannot.stderr
    assert elsewhere["node_name"] == "one"
    assert after["team_id"] == left["team_id"] != member["team_id"]


def _alive(node: NodeProcess) -> list[str]:
    peers = node.json("peers", "--json")["peers"]
    return [peer["name"] for peer in peers if peer["state"] == "alive"]


def test_stopped_node_joins_and_leaves(tmp_path: Path) -> None:
    two = tmp_path / "two"
    with loopback_node(tmp_path / "one", "one") as one:
        code = one.cli("node", "invite").stdout.strip()
        peer = f"127.0.0.1:{one.json('node', 'status', '--json')['join_port']}"
        early = skilllite("node", "leave", home=two)
        joined = skilllite("node", "join", code.upper(), "--peer", peer, "--json", home=two)
        left = skilllite("node", "leave", "--json", home=two)

    assert early.returncode == 5
    assert joined.returncode == 0, joined.stderr
    assert json.loads(joined.stdout)["running"] is False
    assert json.loads(left.stdout)["left_team_id"] == json.loads(joined.stdout)["team_id"]


def test_person_at_a_terminal_sees_what_becomes_of_an_invitation(
    node: NodeProcess, tmp_path: Path
) -> None:
    ours, theirs = pty.openpty()
    inviting = subprocess.Popen(
        [SKILLLITE, "node", "invite"],
        env={**os.environ, "SKILLLITE_HOME": str(node.home), "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    with inviting, os.fdopen(ours, "rb", buffering=0) as terminal:
        shown = Terminal(terminal)
        code = shown.until("\n").strip()
        shown.until("--peer 127.0.0.1:")
        peer = f"127.0.0.1:{node.json('node', 'status', '--json')['join_port']}"
        number, *words = code.split("-")
        wrong = "-".join([number, *reversed(words)])
        assert skilllite("node", "join", wrong, "--peer", peer, home=tmp_path / "a").returncode == 3
        shown.until("an attempt to join failed: wrong code")
        assert skilllite("node", "join", code, "--peer", peer, home=tmp_path / "b").returncode == 0
        shown.until("joined")
        assert inviting.wait(WAIT_S) == 0


class Terminal:
    """What a command shows a person, read as it comes."""

    def __init__(self, stream: FileIO) -> None:
        self._stream = stream
        self._text = ""

    def until(self, text: str) -> str:
        """Read on until `text` was shown; return everything before it."""
        deadline = time.monotonic() + WAIT_S
        while text not in self._text:
            left_s = deadline - time.monotonic()
            assert left_s > 0, f"not shown: {text!r}; only {self._text!r}"
            if select.select([self._stream], [], [], left_s)[0]:
                self._text += self._stream.read(4096).decode()
        before, _, self._text = self._text.partition(text)
        return before


def test_watching_peers_shows_who_comes(tmp_path: Path) -> None:
    with loopback_node(tmp_path / "one", "one") as one:
        watching = subprocess.Popen(
            [sys.executable, "-m", "skilllite", "peers", "--watch", "--json"],
            env={**os.environ, "SKILLLITE_HOME": str(one.home)},
            stdout=subprocess.PIPE,
            text=True,
        )
        with watching:
            assert watching.stdout is not None
            assert json.loads(watching.stdout.readline())["peers"] == []
            code = one.cli("node", "invite").stdout.strip()
            peer = f"127.0.0.1:{one.json('node', 'status', '--json')['join_port']}"
            skilllite("node", "join", code, "--peer", peer, home=tmp_path / "two")
            with loopback_node(tmp_path / "two", "two"):
                for line in watching.stdout:
                    peers = json.loads(line)["peers"]
                    if peers and peers[0]["state"] == "alive":
                        break
            watching.send_signal(signal.SIGINT)
            assert watching.wait(WAIT_S) == 130


def test_home_that_others_can_write_starts_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o777)

    done = skilllite("node", "start", *LOOPBACK, home=home)

    assert done.returncode == 1
    assert f"chmod go-w {home}" in done.stderr
