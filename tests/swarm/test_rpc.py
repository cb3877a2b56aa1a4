"""Who is let in over the network, what hostile bytes do, and what is left behind: nothing."""

import gc
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
import trio

from skilllite_swarm import rpc, rpc_stubs
from skilllite_swarm.bridge import Bridge, open_bridge
from skilllite_swarm.bridge_stream import STREAM_WINDOW
from skilllite_swarm.diagnosis import Endpoint, fetch_certificate
from skilllite_swarm.errors import (
    CallInterrupted,
    JoinFailed,
    JoinReason,
    NotAMember,
    PeerRefused,
    PeerUnreachable,
    PortInUse,
    SwarmError,
)
from skilllite_swarm.identity import certificate_facts, to_der
from skilllite_swarm.rpc import GrpcTransport, join_client, serve_join, serve_mesh
from skilllite_swarm.rpc_client import GrpcConnection
from skilllite_swarm.rpc_join import JOIN_BURST, JOIN_SOURCES_MAX, Throttle
from skilllite_swarm.rpc_status import Overloaded
from skilllite_swarm.task import Accepted, Log, Result, RunEvent, RunRequest
from skilllite_swarm.transport import (
    MESSAGE_BYTES_MAX,
    Caller,
    CatalogueHead,
    Load,
    Pong,
)
from skilllite_swarm.wire import node_pb2, task_pb2
from swarm_world import (
    PATIENCE_S,
    EchoNode,
    GrpcWorld,
    Member,
    ScriptedTasks,
    Team,
    request,
)

Send = Callable[[RunEvent], Awaitable[None]]

SUPPORT = Path(__file__).resolve().parents[1] / "support"


@pytest.fixture
async def bridge() -> AsyncIterator[Bridge]:
    with trio.fail_after(3 * PATIENCE_S):
        async with open_bridge() as bridge:
            yield bridge


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path)


@pytest.fixture
def alice(team: Team) -> Member:
    return team.member("alice")


@pytest.fixture
def bob(team: Team) -> Member:
    return team.member("bob")


@pytest.fixture
def nodes(alice: Member) -> EchoNode:
    return EchoNode(alice)


@pytest.fixture
def tasks() -> ScriptedTasks:
    return ScriptedTasks()


@pytest.fixture
async def address(
    bridge: Bridge, alice: Member, nodes: EchoNode, tasks: ScriptedTasks
) -> AsyncIterator[str]:
    """Where Alice serves."""
    async with GrpcWorld(bridge).serve(alice, nodes, tasks) as address:
        yield address


async def dial(bridge: Bridge, member: Member, address: str) -> GrpcConnection:
    return await GrpcTransport(bridge, lambda: member.tls).dial(
        [address], node_id=None, timeout_s=5
    )


async def ping(connection: GrpcConnection) -> Pong:
    return await connection.ping(Load(), CatalogueHead(), timeout_s=3)


async def raw_call(
    bridge: Bridge,
    address: str,
    server: Member,
    client: Member | None,
    path: str,
    data: bytes,
) -> grpc.StatusCode:
    """Call without any of our code on the client's side; return the status."""
    credentials = grpc.ssl_channel_credentials(
        server.tls.ca_pem,
        client.tls.private_key_pem if client else None,
        client.tls.leaf_pem if client else None,
    )
    options = [
        ("grpc.ssl_target_name_override", f"{server.node_id}.node.skilllite"),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.max_send_message_length", -1),
    ]

    async def call() -> grpc.StatusCode:
        async with grpc.aio.secure_channel(address, credentials, options=options) as channel:
            try:
                await channel.unary_unary(path, bytes, bytes)(data, timeout=5)
            except grpc.aio.AioRpcError as error:
                return error.code()
            return grpc.StatusCode.OK

    return await bridge.run_aio(call)


PING = rpc_stubs.NODE["Ping"].path
EMPTY_PING = node_pb2.PingRequest().SerializeToString()


async def test_a_raw_call_of_a_member_succeeds(
    bridge: Bridge, address: str, alice: Member, bob: Member
) -> None:
    status = await raw_call(bridge, address, alice, bob, PING, EMPTY_PING)

    assert status is grpc.StatusCode.OK


async def test_a_client_without_certificate_is_refused_unheard(
    bridge: Bridge, address: str, alice: Member, nodes: EchoNode
) -> None:
    status = await raw_call(bridge, address, alice, None, PING, EMPTY_PING)

    assert status is grpc.StatusCode.UNAVAILABLE
    assert not nodes.callers


async def test_a_client_of_another_ca_is_refused_unheard(
    bridge: Bridge, address: str, alice: Member, nodes: EchoNode, tmp_path: Path
) -> None:
    stranger = Team(tmp_path / "other").member("eve")

    status = await raw_call(bridge, address, alice, stranger, PING, EMPTY_PING)

    assert status is grpc.StatusCode.UNAVAILABLE
    assert not nodes.callers


async def test_a_connection_pinned_to_another_member_never_gets_ready(
    bridge: Bridge, address: str, bob: Member
) -> None:
    host, _, port = address.rpartition(":")
    endpoint = Endpoint(address, socket.AF_INET, host, int(port))
    connection = GrpcConnection(bridge, lambda: bob.tls, endpoint, bob.node_id)

    assert not await connection.wait_ready()
    with pytest.raises(PeerUnreachable):
        await ping(connection)
    await connection.aclose()


async def test_authorisation_is_asked_about_every_call(
    bridge: Bridge, alice: Member, bob: Member, nodes: EchoNode, tasks: ScriptedTasks
) -> None:
    asked: list[tuple[str, str]] = []

    def authorize(caller: Caller, method: str) -> None:
        asked.append((caller.node_id, method))
        if method.endswith("Ping"):
            raise NotAMember("revoked")

    async with serve_mesh(
        bridge, lambda: alice.tls, host="127.0.0.1", nodes=nodes, tasks=tasks, authorize=authorize
    ) as port:
        connection = await dial(bridge, bob, f"127.0.0.1:{port}")
        with pytest.raises(PeerRefused, match="revoked"):
            await ping(connection)
        assert await connection.cancel("t", 1)
        await connection.aclose()

    assert asked == [(bob.node_id, PING), (bob.node_id, rpc_stubs.TASK["Cancel"].path)]
    assert not nodes.callers


async def test_a_certificate_that_expires_on_a_living_connection_is_refused(
    bridge: Bridge, alice: Member, bob: Member, nodes: EchoNode, tasks: ScriptedTasks
) -> None:
    clock = [datetime.now(UTC)]
    async with serve_mesh(
        bridge,
        lambda: alice.tls,
        host="127.0.0.1",
        nodes=nodes,
        tasks=tasks,
        now=lambda: clock[0],
    ) as port:
        connection = await dial(bridge, bob, f"127.0.0.1:{port}")
        await ping(connection)
        clock[0] += timedelta(days=31)

        with pytest.raises(PeerRefused, match="expired on") as caught:
            await ping(connection)
        await connection.aclose()

    assert caught.value.peer_code == "not_a_member"
    assert caught.value.hint is not None and "clock" in caught.value.hint


async def test_a_node_that_left_the_team_refuses_its_old_members(
    bridge: Bridge,
    team: Team,
    alice: Member,
    bob: Member,
    nodes: EchoNode,
    tasks: ScriptedTasks,
    tmp_path: Path,
) -> None:
    async with GrpcWorld(bridge).serve(alice, nodes, tasks) as address:
        connection = await dial(bridge, bob, address)
        await ping(connection)
        alice.tls = Team(tmp_path / "new").material(alice.identity)

        with pytest.raises(PeerRefused, match="not one of this team"):
            await ping(connection)
        await connection.aclose()


@pytest.mark.parametrize(
    ("path", "data", "status"),
    [
        (PING, b"\xff\xff\xff", grpc.StatusCode.INVALID_ARGUMENT),
        (rpc_stubs.TASK["Run"].path, b"\x00", grpc.StatusCode.INVALID_ARGUMENT),
        (
            rpc_stubs.TASK["Status"].path,
            task_pb2.StatusRequest().SerializeToString(),
            grpc.StatusCode.INVALID_ARGUMENT,
        ),
        ("/skilllite.v1.Node/Nothing", b"", grpc.StatusCode.UNIMPLEMENTED),
        ("/skilllite.v1.Join/Start", b"", grpc.StatusCode.UNIMPLEMENTED),
        (PING, b"\x00" * (MESSAGE_BYTES_MAX + 1), grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
)
async def test_a_malformed_call_gets_its_status_and_the_node_stays_up(
    bridge: Bridge,
    address: str,
    alice: Member,
    bob: Member,
    path: str,
    data: bytes,
    status: grpc.StatusCode,
) -> None:
    got = await raw_call(bridge, address, alice, bob, path, data)
    connection = await dial(bridge, bob, address)

    assert got is status
    assert await ping(connection)
    await connection.aclose()


@pytest.mark.parametrize(
    "junk", [b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 40, b"\x16\x03\x01\x02\x00\x01", b""]
)
async def test_junk_on_the_port_leaves_the_node_up(
    bridge: Bridge, address: str, bob: Member, junk: bytes
) -> None:
    host, _, port = address.rpartition(":")
    stream = await trio.open_tcp_stream(host, int(port))
    async with stream:
        await stream.send_all(junk)
    connection = await dial(bridge, bob, address)

    assert await ping(connection)
    await connection.aclose()


async def test_more_calls_than_the_node_takes_are_refused_not_queued(
    bridge: Bridge,
    alice: Member,
    bob: Member,
    nodes: EchoNode,
    tasks: ScriptedTasks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def script(_caller: Caller, _request: RunRequest, send: Send) -> None:
        await send(Accepted())
        await trio.sleep_forever()

    tasks.run_script = script
    monkeypatch.setattr(rpc, "CALLS_MAX", 1)
    started = trio.Event()
    async with GrpcWorld(bridge).serve(alice, nodes, tasks) as address:
        connection = await dial(bridge, bob, address)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connection.run, request(), lambda _: started.set())
            await started.wait()

            with pytest.raises(PeerRefused) as caught:
                await connection.run(request(task_id="two"), lambda _: None)
            nursery.cancel_scope.cancel()
        await connection.aclose()

    assert caught.value.peer_code == Overloaded.code


async def test_a_message_beyond_the_limit_is_not_sent(
    bridge: Bridge, address: str, bob: Member, tasks: ScriptedTasks
) -> None:
    connection = await dial(bridge, bob, address)
    with pytest.raises(PeerRefused, match="larger than max"):
        await connection.cancel("x" * MESSAGE_BYTES_MAX, 1)
    await connection.aclose()

    assert not tasks.cancelled


async def test_the_deadline_reaches_the_handler_with_a_margin(
    bridge: Bridge, address: str, bob: Member, nodes: EchoNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[float] = []

    async def measure(_caller: Caller, load: Load, head: CatalogueHead) -> Pong:
        left.append(trio.current_effective_deadline() - trio.current_time())
        return Pong(load, head)

    monkeypatch.setattr(nodes, "ping", measure)
    connection = await dial(bridge, bob, address)
    await connection.ping(Load(), CatalogueHead(), timeout_s=2)
    await connection.aclose()

    assert 1.0 < left[0] < 1.95


async def test_a_handler_that_outlives_its_deadline_is_cancelled(
    bridge: Bridge, address: str, bob: Member, nodes: EchoNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = trio.Event()

    async def hang(*_: object) -> Pong:
        try:
            await trio.sleep_forever()
        finally:
            left.set()
        raise AssertionError

    monkeypatch.setattr(nodes, "ping", hang)
    connection = await dial(bridge, bob, address)
    with pytest.raises(CallInterrupted, match="in time"):
        await connection.ping(Load(), CatalogueHead(), timeout_s=0.2)
    await left.wait()
    await connection.aclose()


async def test_a_client_that_does_not_read_holds_back_the_handler(
    bridge: Bridge, address: str, alice: Member, bob: Member, tasks: ScriptedTasks
) -> None:
    line = "x" * 20_000
    sent = 0

    async def script(_caller: Caller, _request: RunRequest, send: Send) -> None:
        nonlocal sent
        for _ in range(2_000):
            await send(Log(line))
            sent += 1

    tasks.run_script = script
    credentials = grpc.ssl_channel_credentials(
        alice.tls.ca_pem, bob.tls.private_key_pem, bob.tls.leaf_pem
    )

    async def start() -> tuple[grpc.aio.Channel, object]:
        channel = grpc.aio.secure_channel(
            address,
            credentials,
            options=rpc_stubs.channel_options(f"{alice.node_id}.node.skilllite"),
        )
        data = task_pb2.RunRequest(task_id="t", attempt=1, skill="s").SerializeToString()
        return channel, channel.unary_stream(rpc_stubs.TASK["Run"].path, bytes, bytes)(data)

    channel, call = await bridge.run_aio(start)
    before = -1
    while sent != before or not sent:
        before = sent
        await trio.sleep(0.1)

    # Buffers of sockets and of HTTP/2 take some; what they don't take waits in the window.
    assert STREAM_WINDOW <= sent < 1_000
    assert call is not None
    await bridge.run_aio(channel.close)


async def test_both_ends_follow_a_renewal_without_a_restart(
    bridge: Bridge,
    team: Team,
    alice: Member,
    bob: Member,
    nodes: EchoNode,
    tasks: ScriptedTasks,
) -> None:
    go_on = trio.Event()

    async def script(_caller: Caller, _request: RunRequest, send: Send) -> None:
        await send(Accepted())
        await go_on.wait()
        await send(Result(None, "old channel", 1))

    tasks.run_script = script
    started = trio.Event()
    async with GrpcWorld(bridge).serve(alice, nodes, tasks) as address:
        port = int(address.rpartition(":")[2])
        connection = await dial(bridge, bob, address)
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def run_across_the_renewal() -> None:
                terminal = await connection.run(request(), lambda _: started.set())
                assert terminal == Result(None, "old channel", 1)

            await started.wait()
            old_line = connection._line
            alice.tls = team.material(alice.identity)
            bob.tls = team.material(bob.identity)

            await ping(connection)
            assert connection._line is not old_line
            go_on.set()

        seen = await fetch_certificate("127.0.0.1", port, 3)
        assert to_der(seen) == to_der(alice.tls.leaf_pem)
        await ping(connection)
        await connection.aclose()


async def test_a_connection_does_not_survive_leaving_the_team(
    bridge: Bridge, address: str, bob: Member, tmp_path: Path
) -> None:
    connection = await dial(bridge, bob, address)
    await ping(connection)
    bob.tls = Team(tmp_path / "new").material(bob.identity)

    with pytest.raises((PeerUnreachable, CallInterrupted)):
        await ping(connection)
    await connection.aclose()


async def test_a_taken_port_is_named_with_a_remedy(
    bridge: Bridge, address: str, alice: Member, nodes: EchoNode, tasks: ScriptedTasks
) -> None:
    port = int(address.rpartition(":")[2])

    for host in ("127.0.0.1", ""):
        with pytest.raises(PortInUse, match=str(port)) as caught:
            async with serve_mesh(
                bridge, lambda: alice.tls, host=host, port=port, nodes=nodes, tasks=tasks
            ):
                raise AssertionError
        assert caught.value.hint


async def test_an_address_of_another_machine_can_not_be_listened_on(
    bridge: Bridge, alice: Member, nodes: EchoNode, tasks: ScriptedTasks
) -> None:
    with pytest.raises(PortInUse, match=r"192\.0\.2\.1") as caught:
        async with serve_mesh(
            bridge, lambda: alice.tls, host="192.0.2.1", nodes=nodes, tasks=tasks
        ):
            raise AssertionError

    assert caught.value.hint is not None and "address of this machine" in caught.value.hint


async def test_all_addresses_of_both_families_are_served(
    bridge: Bridge, alice: Member, bob: Member, nodes: EchoNode, tasks: ScriptedTasks
) -> None:
    async with serve_mesh(bridge, lambda: alice.tls, nodes=nodes, tasks=tasks) as port:
        for host in ("127.0.0.1", *(["[::1]"] if has_ipv6() else [])):
            connection = await dial(bridge, bob, f"{host}:{port}")
            await ping(connection)
            assert nodes.callers[-1].address.startswith(f"{host}:")
            await connection.aclose()


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


async def test_an_error_of_the_body_leaves_the_server_as_it_is(
    bridge: Bridge, alice: Member, nodes: EchoNode, tasks: ScriptedTasks
) -> None:
    with pytest.raises(LookupError, match="body") as caught:
        async with GrpcWorld(bridge).serve(alice, nodes, tasks):
            try:
                raise KeyError("first")
            except KeyError as error:
                raise LookupError("body") from error

    assert isinstance(caught.value.__cause__, KeyError)


async def test_a_proxy_of_the_environment_is_not_used(
    bridge: Bridge, address: str, bob: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    connection = await dial(bridge, bob, address)

    assert await ping(connection)
    await connection.aclose()


async def test_keepalive_pings_of_an_idle_connection_are_tolerated(
    bridge: Bridge,
    alice: Member,
    bob: Member,
    nodes: EchoNode,
    tasks: ScriptedTasks,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """By default a server hangs up after the third; spoken by hand, since grpc takes its time."""
    monkeypatch.setattr(rpc_stubs, "PING_INTERVAL_MS_MIN", 1)
    own = tmp_path / "own.pem"
    own.write_bytes(bob.tls.private_key_pem + bob.tls.leaf_pem)
    context = ssl.create_default_context(cadata=alice.tls.ca_pem.decode("ascii"))
    context.load_cert_chain(own)
    context.set_alpn_protocols(["h2"])
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, b"")
    answered = 0

    async with GrpcWorld(bridge).serve(alice, nodes, tasks) as address:
        host, _, port = address.rpartition(":")
        plain = await trio.open_tcp_stream(host, int(port))
        name = f"{alice.node_id}.node.skilllite"
        async with trio.SSLStream(plain, context, server_hostname=name) as stream:
            await stream.send_all(preface)
            received = bytearray()
            while answered < 10:
                await trio.sleep(0.003)
                await stream.send_all(frame(PING_FRAME, bytes(8)))
                received += await stream.receive_some()
                while len(received) >= 9:
                    end = 9 + int.from_bytes(received[:3], "big")
                    kind, received = received[3], received[end:]
                    assert kind != GOAWAY, "the server hung up"
                    answered += kind == PING_FRAME
            await trio.aclose_forcefully(stream)


SETTINGS, PING_FRAME, GOAWAY = 4, 6, 7


def frame(kind: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, 0]) + bytes(4) + payload


# A process that dies


@pytest.fixture
def alices_keys(alice: Member, tmp_path: Path) -> Path:
    keys = tmp_path / "served"
    keys.mkdir()
    (keys / "key.pem").write_bytes(alice.tls.private_key_pem)
    (keys / "leaf.pem").write_bytes(alice.tls.leaf_pem)
    (keys / "ca.pem").write_bytes(alice.tls.ca_pem)
    return keys


@contextmanager
def served_process(keys: Path, port: int = 0) -> Iterator[tuple[subprocess.Popen[str], int]]:
    process = subprocess.Popen(
        [sys.executable, SUPPORT / "rpc_node.py", keys, str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with process:
        try:
            assert process.stdout is not None
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


async def until_unreachable(connection: GrpcConnection) -> None:
    """The first call may still find the old connection: it can't know that nobody hears it."""
    for _ in range(10):
        try:
            await ping(connection)
        except CallInterrupted:
            continue
        except PeerUnreachable:
            return
    raise AssertionError("still reachable")


async def test_a_killed_server_interrupts_then_is_unreachable_then_comes_back(
    bridge: Bridge, alices_keys: Path, bob: Member
) -> None:
    with served_process(alices_keys) as (process, port):
        connection = await dial(bridge, bob, f"127.0.0.1:{port}")

        with pytest.raises(CallInterrupted):
            await connection.run(request(), lambda _: process.kill())
    await until_unreachable(connection)

    with served_process(alices_keys, port):
        # The wait before the next attempt to connect is 2 s at most.
        for _ in range(50):
            with suppress(PeerUnreachable):
                assert await ping(connection)
                break
            await trio.sleep(0.1)
        else:
            raise AssertionError("did not come back")
        await connection.aclose()


async def test_stopping_with_calls_under_way_is_quick_and_quiet(
    bridge: Bridge, alices_keys: Path, bob: Member
) -> None:
    inside = 0
    all_inside = trio.Event()

    def enter(_event: RunEvent) -> None:
        nonlocal inside
        inside += 1
        if inside == 3:
            all_inside.set()

    async def call(task_id: str) -> None:
        with pytest.raises(CallInterrupted):
            await connection.run(request(task_id=task_id), enter)

    with served_process(alices_keys) as (process, port):
        connection = await dial(bridge, bob, f"127.0.0.1:{port}")
        async with trio.open_nursery() as callers:
            for number in range(3):
                callers.start_soon(call, f"task-{number}")
            await all_inside.wait()
            assert process.stdin is not None
            process.stdin.close()
        await connection.aclose()

        assert process.wait(PATIENCE_S) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


# Newcomers


class EchoDesk:
    """Answers a newcomer with what it said."""

    def __init__(self) -> None:
        self.fail: SwarmError | None = None
        self.sources: list[str] = []

    async def start(
        self, address: str, window: int, spake_message: bytes, public_key: bytes
    ) -> tuple[bytes, bytes, bytes]:
        self.sources.append(address)
        if self.fail is not None:
            raise self.fail
        return b"%d" % window, spake_message[::-1], public_key[::-1]

    async def confirm(self, session: bytes, confirmation: bytes, sealed: bytes) -> bytes:
        return session + confirmation + sealed


@pytest.fixture
def desk() -> EchoDesk:
    return EchoDesk()


@pytest.fixture
async def join_port(bridge: Bridge, alice: Member, desk: EchoDesk) -> AsyncIterator[int]:
    async with serve_join(bridge, lambda: alice.tls, host="127.0.0.1", desk=desk) as port:
        yield port


async def test_a_newcomer_pins_what_it_sees_and_is_heard(
    bridge: Bridge, alice: Member, join_port: int, desk: EchoDesk
) -> None:
    certificate = await fetch_certificate("127.0.0.1", join_port, 3)
    async with join_client(bridge, f"127.0.0.1:{join_port}", certificate) as client:
        started = await client.start(7, b"abc", b"key")
        confirmed = await client.confirm(b"1", b"2", b"3")

    assert certificate_facts(certificate).node_id == alice.node_id
    assert started == (b"7", b"cba", b"yek")
    assert confirmed == b"123"
    assert desk.sources[0].startswith("127.0.0.1:")


async def test_another_certificate_than_the_pinned_one_is_refused(
    bridge: Bridge, bob: Member, join_port: int, desk: EchoDesk
) -> None:
    async with join_client(bridge, f"127.0.0.1:{join_port}", bob.tls.leaf_pem) as client:
        with pytest.raises(PeerUnreachable):
            await client.start(7, b"abc", b"key")

    assert not desk.sources


async def test_a_failed_join_arrives_with_its_reason(
    bridge: Bridge, alice: Member, join_port: int, desk: EchoDesk
) -> None:
    desk.fail = JoinFailed("used up", reason=JoinReason.USED, hint="ask for another code")
    async with join_client(bridge, f"127.0.0.1:{join_port}", alice.tls.leaf_pem) as client:
        with pytest.raises(JoinFailed) as caught:
            await client.start(7, b"abc", b"key")

    assert caught.value.reason is JoinReason.USED
    assert (caught.value.message, caught.value.hint) == ("used up", "ask for another code")


async def test_the_port_for_newcomers_offers_nothing_else(
    bridge: Bridge, alice: Member, join_port: int
) -> None:
    address = f"127.0.0.1:{join_port}"

    mesh = await raw_call(bridge, address, alice, None, PING, EMPTY_PING)
    large = await raw_call(
        bridge, address, alice, None, rpc_stubs.JOIN["Start"].path, b"\x00" * 20_000
    )

    assert mesh is grpc.StatusCode.UNIMPLEMENTED
    assert large is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_stranger_cannot_hold_a_connection(
    bridge: Bridge, alice: Member, desk: EchoDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpc_stubs, "JOIN_CONNECTION_MS", 200)
    credentials = grpc.ssl_channel_credentials(alice.tls.leaf_pem)
    options = [("grpc.ssl_target_name_override", f"{alice.node_id}.node.skilllite")]

    async def hold(port: int) -> None:
        address = f"127.0.0.1:{port}"
        async with grpc.aio.secure_channel(address, credentials, options=options) as channel:
            await channel.channel_ready()
            await channel.wait_for_state_change(grpc.ChannelConnectivity.READY)

    async with serve_join(bridge, lambda: alice.tls, host="127.0.0.1", desk=desk) as port:
        with trio.fail_after(PATIENCE_S):
            await bridge.run_aio(hold, port)


async def test_a_source_that_tries_too_often_is_slowed_down(
    bridge: Bridge, alice: Member, join_port: int, desk: EchoDesk
) -> None:
    async with join_client(bridge, f"127.0.0.1:{join_port}", alice.tls.leaf_pem) as client:
        with pytest.raises(PeerRefused, match="too many attempts") as caught:
            for _ in range(int(JOIN_BURST) + 1):
                await client.start(7, b"abc", b"key")

    assert caught.value.peer_code == Overloaded.code
    assert len(desk.sources) == JOIN_BURST


def test_a_throttled_source_may_try_again_later_and_memory_is_bounded() -> None:
    clock = [0.0]
    throttle = Throttle(now=lambda: clock[0])
    for _ in range(int(JOIN_BURST)):
        throttle.take("a")
    with pytest.raises(Overloaded):
        throttle.take("a")
    clock[0] += 2.0

    throttle.take("a")

    for number in range(2 * JOIN_SOURCES_MAX):
        throttle.take(f"host-{number}")
    assert len(throttle._buckets) == JOIN_SOURCES_MAX


# Nothing stays


def descriptors_and_threads() -> tuple[int, int]:
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir())), len(list(Path("/proc/self/task").iterdir()))


async def test_nothing_is_left_after_closing(alice: Member, bob: Member) -> None:
    async def once() -> None:
        nodes, tasks = EchoNode(alice), ScriptedTasks()
        async with (
            open_bridge() as bridge,
            GrpcWorld(bridge).serve(alice, nodes, tasks) as address,
        ):
            connection = await dial(bridge, bob, address)
            await connection.run(request(), lambda _: None)
            await connection.aclose()

    with trio.fail_after(PATIENCE_S):
        await once()
        before = descriptors_and_threads()
        for _ in range(5):
            await once()
        for _ in range(100):
            if descriptors_and_threads() <= before:
                return
            await trio.sleep(0.05)
    raise AssertionError(f"{descriptors_and_threads()} descriptors and threads, not {before}")


def test_only_the_rpc_files_load_grpc() -> None:
    code = (
        "import sys, skilllite_swarm.bridge, skilllite_swarm.memory, skilllite_swarm.diagnosis;"
        "sys.exit('grpc' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=30)
