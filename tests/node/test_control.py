"""The control socket: requests, events, cancellation, and what nonsense costs."""

from __future__ import annotations

import json
import os
import random
import stat
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from skilllite.control import server as server_module
from skilllite.control.client import ControlClient
from skilllite.control.framing import REQUEST_BYTES_MAX, BadLine, decode, encode
from skilllite.control.messages import Nothing, Submit, TaskRef
from skilllite.control.server import Exchange, Operation, serve_control
from skilllite.control.sockets import listen
from skilllite.errors import ControlFailed, NodeNotRunning, NotFound, Reported, UsageError
from skilllite.home import Home

TIMEOUT_S = 20.0
SUN_PATH_BYTES = 108


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path / "home")
    home.prepare()
    return home


class Node:
    """Operations that a test can look into."""

    def __init__(self) -> None:
        self.release = trio.Event()
        self.entered = trio.Event()
        self.left = trio.Event()
        self.started = 0
        self.cancelled: list[bool] = []

    async def echo(self, args: Submit, exchange: Exchange) -> object:
        for number in range(3):
            await exchange.emit({"event": "step", "number": number})
        return {"skill": args.skill, "input": json.loads(args.input_json)}

    async def hang(self, args: Nothing, exchange: Exchange) -> object:
        self.started += 1
        self.entered.set()
        try:
            await self.release.wait()
        except trio.Cancelled:
            self.cancelled.append(exchange.client_left)
            self.left.set()
            raise
        return "released"

    async def flood(self, args: Nothing, exchange: Exchange) -> object:
        try:
            while True:
                await exchange.emit({"event": "noise", "text": "x" * 60_000})
        finally:
            self.cancelled.append(exchange.client_left)
            self.left.set()

    async def missing(self, args: TaskRef, exchange: Exchange) -> object:
        raise NotFound(f"there is no task {args.task_id}", hint="list them", cause="never made")

    async def bug(self, args: Nothing, exchange: Exchange) -> object:
        raise ExceptionGroup("wrapped", [KeyError("secret value")])

    async def abyss(self, args: Nothing, exchange: Exchange) -> object:
        deep: list[object] = []
        for _ in range(200_000):
            deep = [deep]
        return deep

    def operations(self) -> dict[str, Operation]:
        return {
            "abyss": Operation(Nothing, self.abyss),
            "echo": Operation(Submit, self.echo),
            "hang": Operation(Nothing, self.hang),
            "flood": Operation(Nothing, self.flood),
            "missing": Operation(TaskRef, self.missing),
            "bug": Operation(Nothing, self.bug),
        }


@asynccontextmanager
async def running(home: Home) -> AsyncIterator[Node]:
    node = Node()
    with trio.fail_after(TIMEOUT_S):
        async with serve_control(home, node.operations()):
            yield node


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def in_thread(action: Callable[[], Any]) -> Any:
    return await trio.to_thread.run_sync(action)


def call(home: Home, op: str, **args: object) -> Any:
    with ControlClient(home, silence_s=TIMEOUT_S) as client:
        return client.call(op, args)


async def raw(home: Home) -> trio.SocketStream:
    connection = trio.socket.socket(trio.socket.AF_UNIX)
    await connection.connect(str(home.control_socket))
    return trio.SocketStream(connection)


async def read_line(stream: trio.SocketStream) -> dict[str, Any]:
    data = b""
    while not data.endswith(b"\n"):
        more = await stream.receive_some(65536)
        assert more, f"closed after {data!r}"
        data += more
    line: dict[str, Any] = json.loads(data.splitlines()[0])
    return line


async def test_events_come_before_the_one_result(home: Home) -> None:
    events: list[object] = []

    def ask() -> object:
        with ControlClient(home) as client:
            args = {"skill": "diff", "input_json": '{"ü": 1}'}
            return client.call("echo", args, on_event=events.append)

    async with running(home):
        result = await in_thread(ask)

    assert result == {"skill": "diff", "input": {"ü": 1}}
    assert events == [{"event": "step", "number": n} for n in range(3)]


async def test_one_connection_carries_several_requests(home: Home) -> None:
    def ask() -> list[str]:
        with ControlClient(home) as client:
            return [
                client.call("echo", {"skill": name, "input_json": "1"})["skill"] for name in "abc"
            ]

    async with running(home):
        assert await in_thread(ask) == ["a", "b", "c"]


async def test_error_arrives_with_code_hint_and_cause(home: Home) -> None:
    async with running(home):
        with pytest.raises(Reported) as caught:
            await in_thread(lambda: call(home, "missing", task_id="t1"))

    assert (caught.value.code, caught.value.message) == ("not_found", "there is no task t1")
    assert (caught.value.hint, caught.value.cause) == ("list them", "never made")


async def test_bug_in_an_operation_tells_the_client_nothing_and_the_log_everything(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(home):
        with pytest.raises(Reported) as caught:
            await in_thread(lambda: call(home, "bug"))
        again = await in_thread(lambda: call(home, "echo", skill="a", input_json="1"))

    assert caught.value.code == "internal"
    assert "secret" not in caught.value.message
    assert "secret value" in caplog.text
    assert again["skill"] == "a"


async def test_an_answer_that_cannot_be_written_ends_its_request_only(home: Home) -> None:
    async with running(home):
        with pytest.raises(Reported) as caught:
            await in_thread(lambda: call(home, "abyss"))
        again = await in_thread(lambda: call(home, "echo", skill="a", input_json="1"))

    assert caught.value.code == "internal"
    assert again["skill"] == "a"


@pytest.mark.parametrize(
    ("op", "args", "says"),
    [
        ("echo", {"skill": "a"}, "input_json: field required"),
        ("echo", {"skill": "a", "input_json": "1", "level": 1}, "level: extra inputs"),
        ("echo", {"skill": "", "input_json": "1"}, "skill: string should have at least 1"),
        ("echo", {"skill": "a", "input_json": "1", "deadline_s": -1}, "deadline_s:"),
        ("echo", {"skill": "a", "input_json": "1", "no_wait": "yes"}, "no_wait:"),
        ("dance", {}, "knows no operation `dance`"),
    ],
)
async def test_wrong_arguments_are_answered_by_name(
    home: Home, op: str, args: dict[str, object], says: str
) -> None:
    async with running(home):
        with pytest.raises(Reported) as caught:
            await in_thread(lambda: call(home, op, **args))

    assert says in caught.value.message


async def test_client_that_leaves_cancels_its_request(home: Home) -> None:
    async with running(home) as node:
        async with await raw(home) as stream:
            await stream.send_all(encode({"v": 1, "id": 1, "op": "hang"}))
            await node.entered.wait()
        await node.left.wait()

    assert node.cancelled == [True]


async def test_node_that_stops_says_so_and_its_operations_can_tell(home: Home) -> None:
    errors: list[BaseException] = []

    async def ask() -> None:
        with pytest.raises(Reported) as caught:
            await in_thread(lambda: call(home, "hang"))
        errors.append(caught.value)

    async with trio.open_nursery() as nursery, running(home) as node:
        nursery.start_soon(ask)
        await node.entered.wait()

    assert node.cancelled == [False]
    assert getattr(errors[0], "code", "") == "node_stopping"


async def test_client_that_reads_nothing_is_dropped(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "SEND_S_MAX", 0.1)

    async with running(home) as node, await raw(home) as stream:
        await stream.send_all(encode({"v": 1, "id": 1, "op": "flood"}))
        await node.left.wait()
        answer = await in_thread(lambda: call(home, "echo", skill="a", input_json="1"))

    assert node.cancelled == [True]
    assert answer["skill"] == "a"


async def test_request_in_flight_is_kept_alive(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "KEEPALIVE_S", 0.01)

    async with running(home) as node, await raw(home) as stream:
        await stream.send_all(encode({"v": 1, "id": 7, "op": "hang"}))
        assert await read_line(stream) == {"id": 7, "event": {"event": "alive"}}
        node.release.set()


async def test_idle_connection_is_closed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "IDLE_S_MAX", 0.05)

    async with running(home), await raw(home) as stream:
        await stream.send_all(b'{"v": 1, "id"')
        assert await stream.receive_some(100) == b""


@pytest.mark.parametrize(
    "line",
    [b"hello\n", b"[1]\n", b"\xff\xfe\n", b"{\n", b"[" * 100_000 + b"\n", b'{"id":1}\n'],
    ids=["words", "array", "not-utf8", "cut", "deep", "no-version"],
)
async def test_malformed_line_is_answered_and_the_connection_kept(home: Home, line: bytes) -> None:
    async with running(home), await raw(home) as stream:
        await stream.send_all(line)
        answer = await read_line(stream)
        await stream.send_all(encode({"v": 1, "id": 2, "op": "missing", "args": {"task_id": "t"}}))
        after = await read_line(stream)

    assert answer["error"]["code"] == "usage"
    assert after["id"] == 2


async def test_other_protocol_version_is_named(home: Home) -> None:
    async with running(home), await raw(home) as stream:
        await stream.send_all(encode({"v": 9, "id": 1, "op": "hang"}))
        answer = await read_line(stream)

    assert "control protocol 9" in answer["error"]["message"]
    assert "restart" in answer["error"]["hint"]


async def test_endless_nonsense_closes_the_connection(home: Home) -> None:
    async with running(home), await raw(home) as stream:
        with pytest.raises((AssertionError, trio.BrokenResourceError)):
            for _ in range(1000):
                await stream.send_all(b"?\n")
                await read_line(stream)


async def test_line_without_end_is_refused_at_its_bound(home: Home) -> None:
    async with running(home), await raw(home) as stream:
        with pytest.raises(trio.BrokenResourceError):
            while True:
                await stream.send_all(b"x" * 65536)
        answer = await in_thread(lambda: call(home, "echo", skill="a", input_json="1"))

    assert answer["skill"] == "a"


async def test_too_many_requests_in_flight_are_refused(home: Home) -> None:
    async with running(home) as node, await raw(home) as stream:
        for number in range(server_module.REQUESTS_MAX + 1):
            await stream.send_all(encode({"v": 1, "id": number, "op": "hang"}))
        answer = await read_line(stream)
        assert answer["id"] == server_module.REQUESTS_MAX
        assert "in flight" in answer["error"]["message"]
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert node.started == server_module.REQUESTS_MAX


async def test_too_many_clients_are_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "CLIENTS_MAX", 2)

    async with running(home), await raw(home), await raw(home):
        await trio.testing.wait_all_tasks_blocked(0.05)
        async with await raw(home) as third:
            answer = await read_line(third)

    assert answer["error"]["code"] == "refused"


async def test_random_bytes_leave_the_node_answering(home: Home) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    fragments = [b"\n", b"{", b'"id":', b'{"v":1,"id":1,"op":"hang"}', b"\x00", b"\xff", b"[" * 99]

    async with running(home):
        for _ in range(60):
            async with await raw(home) as stream:
                data = b"".join(
                    rng.choice(fragments) if rng.random() < 0.7 else rng.randbytes(20)
                    for _ in range(rng.randrange(1, 60))
                )
                try:
                    await stream.send_all(data)
                except trio.BrokenResourceError:
                    continue
        answer = await in_thread(lambda: call(home, "echo", skill="a", input_json="1"))

    assert answer["skill"] == "a"


async def test_largest_input_fits_and_a_larger_one_is_refused_before_it_is_sent(
    home: Home,
) -> None:
    async with running(home):
        fits = json.dumps("é" * (1024 * 1024), ensure_ascii=False)
        answer = await in_thread(lambda: call(home, "echo", skill="a", input_json=fits))
        assert len(answer["input"]) == 1024 * 1024
        with pytest.raises(UsageError, match="the request has"):
            await in_thread(lambda: call(home, "echo", skill="a", input_json="x" * 5_000_000))


def test_no_node_is_a_clear_error(home: Home) -> None:
    with pytest.raises(NodeNotRunning) as caught:
        ControlClient(home)

    assert home.label in caught.value.message
    assert "node start" in (caught.value.hint or "")


def test_socket_of_a_dead_node_reads_as_no_node(home: Home) -> None:
    listen(home.control_socket).close()

    with pytest.raises(NodeNotRunning):
        ControlClient(home)


async def test_socket_of_a_dead_node_is_replaced(home: Home) -> None:
    listen(home.control_socket).close()

    async with running(home):
        answer = await in_thread(lambda: call(home, "echo", skill="a", input_json="1"))

    assert answer["skill"] == "a"
    assert not home.control_socket.exists()


async def test_only_this_user_can_open_the_socket(home: Home) -> None:
    async with running(home):
        assert stat.S_IMODE(home.control_socket.stat().st_mode) == 0o600
        assert stat.S_IMODE(home.run.stat().st_mode) == 0o700


async def test_other_user_is_turned_away(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    me = os.geteuid()
    monkeypatch.setattr("skilllite.control.sockets.os.geteuid", lambda: me + 1)
    monkeypatch.setattr("skilllite.control.sockets.ROOT", me + 2)

    async with running(home):
        with pytest.raises((Reported, ControlFailed)) as caught:
            await in_thread(lambda: call(home, "hang"))

    assert "another user" in str(caught.value)


def test_file_in_the_place_of_the_socket_is_not_deleted(home: Home) -> None:
    home.control_socket.write_text("precious", encoding="utf-8")

    with pytest.raises(FileExistsError):
        listen(home.control_socket)

    assert home.control_socket.read_text(encoding="utf-8") == "precious"


async def test_home_longer_than_a_socket_address_works(tmp_path: Path) -> None:
    base = tmp_path
    while len(str(base)) < 200:
        base /= "d" * min(50, 200 - len(str(base)))
    home = Home.at(base)
    home.prepare()
    assert len(os.fsencode(home.control_socket)) > SUN_PATH_BYTES

    before = open_descriptors()
    async with running(home):
        answer = await in_thread(lambda: call(home, "echo", skill="a", input_json="1"))
    after = open_descriptors()

    assert answer["skill"] == "a"
    assert after <= before


def test_silent_node_is_given_up_on(home: Home) -> None:
    listener = listen(home.control_socket)
    with listener, ControlClient(home, silence_s=0.05) as client:
        before = time.monotonic()
        with pytest.raises(ControlFailed, match="said nothing"):
            client.call("status")

    assert time.monotonic() - before < TIMEOUT_S


@given(
    st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text(), max_size=5)
)
def test_whatever_was_encoded_is_decoded(message: dict[str, object]) -> None:
    line = encode(message)

    assert line.count(b"\n") == 1
    assert decode(line) == message


def test_lone_surrogate_survives() -> None:
    assert decode(encode({"text": "\ud800"})) == {"text": "\ud800"}


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_bad_line(line: bytes) -> None:
    with suppress(BadLine):
        assert isinstance(decode(line), dict)


def test_bounds_leave_room_for_an_input_and_its_envelope() -> None:
    assert REQUEST_BYTES_MAX > 4 * 1024 * 1024
