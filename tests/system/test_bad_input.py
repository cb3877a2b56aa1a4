"""Whatever people, skills and networks do wrong: one clear error, the right exit code, and on."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from node_process import SKILLLITE, NodeProcess, eventually, skilllite
from team import loopback_node, open_team_of_two, wait_until_alive, write_skill

FAILED, USAGE, REFUSED, NOT_FOUND, TIMED_OUT = 1, 2, 3, 5, 124

MISBEHAVING = {
    "prints-garbage": ('print("this is not JSON")\nprint("\\x00\\xff")', 0),
    "never-ends": ("import time\nwhile True:\n    time.sleep(0.1)", TIMED_OUT),
    "floods-stdout": ('import sys\nwhile True: sys.stdout.write("x" * 65536)', FAILED),
    "floods-stderr": (
        'import sys\nfor _ in range(64): sys.stderr.write("x" * 65536)\nprint("{}")',
        0,
    ),
    "forks": ("import os\nos.fork()", FAILED),
    "exits-three": ("raise SystemExit(3)", FAILED),
    "kills-itself": ("import os\nos.kill(os.getpid(), 9)", FAILED),
    "eats-memory": ('x = bytearray(2 << 30)\nprint("{}")', FAILED),
    "raises": ('raise ValueError("no")', FAILED),
}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NodeProcess, NodeProcess]]:
    with open_team_of_two(tmp_path_factory.mktemp("pair")) as nodes:
        for name, (code, _) in MISBEHAVING.items():
            # Peers run it only while the scanner has nothing to ask.
            declares = "Signals processes of the process list"
            write_skill(nodes[1].home / "skills", name, code, declares=declares)
        assert nodes[1].cli("reindex").returncode == 0
        yield nodes


def one_error(stderr: str, *words: str) -> None:
    """Assert that stderr has exactly one `error:` and a `hint:`, no traceback, and the words."""
    assert stderr.count("error:") == 1, stderr
    assert "hint:" in stderr, stderr
    assert "Traceback" not in stderr
    for word in words:
        assert word in stderr, stderr


@pytest.mark.parametrize("name", MISBEHAVING)
def test_a_misbehaving_skill_ends_clearly_on_another_node(
    pair: tuple[NodeProcess, NodeProcess], name: str
) -> None:
    one, _ = pair
    expected = MISBEHAVING[name][1]

    done = eventually(
        lambda: _unless_unknown(
            one.cli("submit", "--skill", name, "{}", "--deadline", "4", "--json")
        ),
        within_s=20.0,
    )

    assert done is not None
    assert done.returncode == expected, done.stdout + done.stderr
    record = json.loads(done.stdout)
    assert record["state"] == ("succeeded" if expected == 0 else "failed")
    if expected:
        assert record["error"]["code"] and record["error"]["message"]
    wait_until_alive(one, "two")


def _unless_unknown(
    done: subprocess.CompletedProcess[str],
) -> subprocess.CompletedProcess[str] | None:
    # The new skills reach the other node's catalogue a moment after `reindex`.
    return None if "no_capable_peer" in done.stdout or "unknown_skill" in done.stdout else done


@pytest.mark.parametrize("text", ["{", "[]", "3", '"x"', "", "{'a': 1}", "NaN"])
def test_input_that_is_no_json_object_is_a_usage_error(
    pair: tuple[NodeProcess, NodeProcess], text: str
) -> None:
    one, _ = pair

    for command in (
        ("run", "calculator", text),
        ("submit", "--skill", "calculator", text),
    ):
        done = one.cli(*command)
        assert done.returncode == USAGE, (command, done.stderr)
        one_error(done.stderr, "JSON")


def test_an_unknown_skill_or_node_is_not_found(pair: tuple[NodeProcess, NodeProcess]) -> None:
    one, _ = pair

    for command in (
        ("run", "calculatro", "{}"),
        ("submit", "--skill", "calculatro", "{}"),
        ("submit", "--skill", "calculator", "{}", "--on", "nowhere"),
        ("tasks", "show", "0" * 32),
        ("show", "calculatro"),
    ):
        done = one.cli(*command)
        assert done.returncode == NOT_FOUND, (command, done.stderr)
        one_error(done.stderr)


def test_a_skill_without_a_valid_manifest_is_refused_with_a_reason(tmp_path: Path) -> None:
    for number, text in enumerate(("", "no front matter", "---\nname: [\n---\n")):
        directory = tmp_path / f"s{number}"
        (directory / "scripts").mkdir(parents=True)
        (directory / "scripts/main.py").write_text("print('{}')", encoding="utf-8")
        (directory / "SKILL.md").write_text(text, encoding="utf-8")
        done = skilllite("run", str(directory), "{}", home=tmp_path / "home")
        assert done.returncode == FAILED, done.stderr
        one_error(done.stderr, "SKILL.md")

    done = skilllite("run", str(tmp_path / "s0" / "scripts"), "{}", home=tmp_path / "home")
    assert done.returncode in (FAILED, NOT_FOUND)
    one_error(done.stderr, "SKILL.md")


def test_an_input_over_the_limit_is_refused_before_it_is_sent(
    pair: tuple[NodeProcess, NodeProcess], tmp_path: Path
) -> None:
    one, _ = pair
    huge = json.dumps({"text": "x" * (5 * 1024 * 1024)})

    for command in (
        ("run", "text-statistics", "-"),
        ("submit", "--skill", "text-statistics", "-"),
    ):
        done = one.cli(*command, stdin=huge)
        assert done.returncode == USAGE, (command, done.returncode, done.stderr)
        one_error(done.stderr, "MiB")
    wait_until_alive(one, "two")


def test_wrong_expired_and_reused_codes_are_refused(
    pair: tuple[NodeProcess, NodeProcess], tmp_path: Path
) -> None:
    one, _ = pair
    peer = f"127.0.0.1:{one.json('node', 'status', '--json')['join_port']}"
    code = one.cli("node", "invite").stdout.strip()
    number, *words = code.split("-")
    wrong = "-".join([number, *reversed(words)])

    malformed = skilllite("node", "join", "hello", "--peer", peer, home=tmp_path / "a")
    assert malformed.returncode == USAGE
    one_error(malformed.stderr, "code")
    refused = skilllite("node", "join", wrong, "--peer", peer, home=tmp_path / "b")
    assert refused.returncode == REFUSED
    one_error(refused.stderr)
    joined = skilllite("node", "join", code, "--peer", peer, home=tmp_path / "c")
    assert joined.returncode == 0, joined.stderr
    reused = skilllite("node", "join", code, "--peer", peer, home=tmp_path / "d")
    assert reused.returncode == REFUSED
    one_error(reused.stderr)


def test_three_wrong_codes_close_the_window(
    pair: tuple[NodeProcess, NodeProcess], tmp_path: Path
) -> None:
    one, _ = pair
    peer = f"127.0.0.1:{one.json('node', 'status', '--json')['join_port']}"
    code = one.cli("node", "invite").stdout.strip()
    number, first, second, third = code.split("-")

    for wrong in ((second, first, third), (third, second, first), (first, third, second)):
        attempt = "-".join([number, *wrong])
        assert attempt != code
        done = skilllite("node", "join", attempt, "--peer", peer, home=tmp_path / "x")
        assert done.returncode == REFUSED, done.stderr
    late = skilllite("node", "join", code, "--peer", peer, home=tmp_path / "y")

    assert late.returncode == REFUSED
    one_error(late.stderr)


def test_a_member_of_a_larger_team_must_leave_before_it_joins_another(
    pair: tuple[NodeProcess, NodeProcess], tmp_path: Path
) -> None:
    _, two = pair
    other = loopback_node(tmp_path / "other", "other")
    with other:
        code = other.cli("node", "invite").stdout.strip()
        peer = f"127.0.0.1:{other.json('node', 'status', '--json')['join_port']}"

        refused = two.cli("node", "join", code, "--peer", peer)

    assert refused.returncode == REFUSED
    one_error(refused.stderr, "leave")
    wait_until_alive(two, "one")


def test_a_second_node_in_the_same_home_is_refused(pair: tuple[NodeProcess, NodeProcess]) -> None:
    one, _ = pair

    second = one.cli("node", "start")

    assert second.returncode == FAILED
    one_error(second.stderr, str(one.pid))
    assert one.cli("node", "status").returncode == 0


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = skilllite(
            *("node", "start", "--host", "127.0.0.1", "--no-mdns", "--port", port),
            home=tmp_path / "home",
        )

    assert done.returncode == FAILED
    one_error(done.stderr, port)


@pytest.mark.parametrize(
    ("arguments", "status", "word"),
    [
        (("--host", "nowhere.invalid"), FAILED, "nowhere.invalid"),
        (("--project", "/nonexistent"), NOT_FOUND, "/nonexistent"),
        (("--name", "two words"), USAGE, "two words"),
        (("--peer", "nonsense"), USAGE, "nonsense"),
    ],
)
def test_a_start_with_a_wrong_argument_names_it(
    tmp_path: Path, arguments: tuple[str, ...], status: int, word: str
) -> None:
    done = skilllite("node", "start", "--no-mdns", *arguments, home=tmp_path / "home")

    assert done.returncode == status
    one_error(done.stderr, word)
    assert "another one is used" not in done.stderr


def test_a_node_that_drains_is_named_when_it_was_asked_for(tmp_path: Path) -> None:
    with loopback_node(tmp_path / "home", "solo") as node:
        assert node.cli("node", "drain").returncode == 0
        done = node.cli("submit", "--skill", "calculator", "{}", "--on", "solo")

    assert done.returncode == REFUSED
    one_error(done.stderr, "solo is draining")


def test_a_corrupt_ledger_is_set_aside_and_the_node_starts(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with loopback_node(home, "solo") as node:
        assert node.cli("submit", "--skill", "hashing", '{"text": "x"}').returncode in (0, 1)
    for path in home.glob("ledger.sqlite3*"):
        path.write_bytes(os.urandom(4096))

    with loopback_node(home, "solo") as node:
        assert node.json("tasks", "list", "--json")["tasks"] == []
        assert "corrupt" in node.log

    assert list(home.glob("ledger.sqlite3.corrupt-*"))


def test_a_corrupt_config_file_is_reported_with_its_line(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text("node = [\n", encoding="utf-8")

    done = skilllite("node", "start", home=home)

    assert done.returncode == FAILED
    one_error(done.stderr, "config.toml")
    assert (home / "config.toml").read_text(encoding="utf-8") == "node = [\n"


def test_a_corrupt_key_refuses_to_start_and_is_not_replaced(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with loopback_node(home, "solo"):
        pass
    key = home / "keys" / "device.pem"
    key.write_text("damaged", encoding="utf-8")

    done = skilllite("node", "start", home=home)

    assert done.returncode == FAILED
    one_error(done.stderr, "device.pem")
    assert key.read_text(encoding="utf-8") == "damaged"


def test_a_home_path_of_200_characters_works(tmp_path: Path) -> None:
    home = tmp_path / ("h" * 100) / ("o" * 100)
    with loopback_node(home, "deep") as node:
        done = node.json(
            *("submit", "--skill", "calculator", '{"operation":"add","a":1,"b":2}', "--json")
        )

    assert done["output"]["result"] == 3


def test_two_nodes_with_one_name_are_told_apart(tmp_path: Path) -> None:
    one = loopback_node(tmp_path / "one", "twin")
    two = loopback_node(tmp_path / "two", "twin")
    try:
        one.start()
        code = one.cli("node", "invite").stdout.strip()
        port = one.json("node", "status", "--json")["join_port"]
        peer = f"127.0.0.1:{port}"
        assert skilllite("node", "join", code, "--peer", peer, home=two.home).returncode == 0
        two.start()

        def names() -> set[str]:
            listed = one.json("peers", "--json")
            return {listed["self"]["name"], *(peer["name"] for peer in listed["peers"])}

        eventually(lambda: len(names()) == 2, within_s=10.0)
        assert any(name.startswith("twin-") for name in names())
        ambiguous = one.cli("submit", "--skill", "calculator", "{}", "--on", "")
        assert ambiguous.returncode in (USAGE, NOT_FOUND)
        one_error(ambiguous.stderr)
    finally:
        two.stop()
        one.stop()


def test_junk_on_every_port_leaves_the_node_up(pair: tuple[NodeProcess, NodeProcess]) -> None:
    one, _ = pair
    status = one.json("node", "status", "--json")

    for port in (status["port"], status["join_port"]):
        for junk in (b"", b"\x00" * 100, b"GET / HTTP/1.1\r\n\r\n", os.urandom(4096)):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(junk)

    assert one.cli("node", "status").returncode == 0
    wait_until_alive(one, "two")


def test_ctrl_c_cancels_the_task_everywhere(pair: tuple[NodeProcess, NodeProcess]) -> None:
    one, two = pair
    done = eventually(
        lambda: one.json("submit", "--skill", "never-ends", "{}", "--no-wait", "--json"),
        within_s=10.0,
    )
    task_id = done["task_id"]
    eventually(
        lambda: one.json("tasks", "show", task_id, "--json")["state"] == "running", within_s=10.0
    )

    waiting = subprocess.Popen(
        [SKILLLITE, "submit", "--skill", "never-ends", "{}"],
        env={**os.environ, "SKILLLITE_HOME": str(one.home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    time.sleep(1.0)
    waiting.send_signal(signal.SIGINT)
    waiting.communicate(timeout=10)
    cancelled = one.cli("tasks", "cancel", task_id)

    assert waiting.returncode == 130
    assert cancelled.returncode == 0, cancelled.stderr
    eventually(lambda: two.json("node", "status", "--json")["load"]["running"] == 0, within_s=5.0)
    states = {task["state"] for task in one.json("tasks", "list", "--json")["tasks"]}
    assert "running" not in states
