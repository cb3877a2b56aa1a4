"""What every transport promises to those who call through it: the same tests over each."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import trio

from skilllite_swarm.bridge import open_bridge
from skilllite_swarm.errors import (
    CallInterrupted,
    DialStep,
    NotAMember,
    PeerRefused,
    PeerUnreachable,
    ProtocolMismatch,
)
from skilllite_swarm.memory import MemoryNetwork
from skilllite_swarm.task import (
    Accepted,
    AttemptState,
    AttemptStatus,
    Failed,
    Log,
    Progress,
    Result,
    RunEvent,
    RunRequest,
    Started,
    TaskError,
)
from skilllite_swarm.transport import (
    Caller,
    Catalogue,
    CatalogueHead,
    Connection,
    Load,
    PeerHint,
    Pong,
    SkillEntry,
)
from swarm_world import (
    PATIENCE_S,
    EchoNode,
    GrpcWorld,
    Member,
    MemoryWorld,
    ScriptedTasks,
    Team,
    World,
    request,
)

Send = Callable[[RunEvent], Awaitable[None]]

HEAD = CatalogueHead(1, 2, b"r" * 32)


@pytest.fixture(params=["memory", "grpc"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "memory":
        yield MemoryWorld(MemoryNetwork())
    else:
        async with open_bridge() as bridge:
            yield GrpcWorld(bridge)


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
async def connection(
    world: World, alice: Member, bob: Member, nodes: EchoNode, tasks: ScriptedTasks
) -> AsyncIterator[Connection]:
    """Bob's connection to Alice."""
    with trio.fail_after(PATIENCE_S):
        async with world.serve(alice, nodes, tasks) as address:
            connection = await world.transport(bob).dial(
                [address], node_id=alice.node_id, timeout_s=5
            )
            yield connection
            await connection.aclose()


async def test_every_call_carries_its_values_both_ways(
    connection: Connection, alice: Member, bob: Member, nodes: EchoNode, tasks: ScriptedTasks
) -> None:
    entry = SkillEntry("calc", "adds", "sha256:00", "python", True, ("network",))
    nodes.catalogue = Catalogue(HEAD, b"signed", (entry,))

    hello = await connection.hello(bob.info())
    pong = await connection.ping(Load(1, 2, 3), HEAD, timeout_s=2)
    fetched = await connection.get_catalogue(CatalogueHead())
    current = await connection.get_catalogue(HEAD)
    renewed = await connection.renew(b"csr")
    cancelled = [await connection.cancel("t", 1), await connection.cancel("t", 2)]
    status = await connection.status("t", 1, fence=False)
    fenced = await connection.status("t", 1, fence=True)

    assert hello == (alice.info(), (PeerHint(bob.node_id, bob.info().addresses),))
    assert pong == Pong(Load(1, 2, 3), HEAD, draining=True)
    assert fetched == nodes.catalogue
    assert current is None
    assert renewed == (b"rsc", b"ca")
    assert cancelled == [True, False]
    assert tasks.cancelled == [("t", 1), ("t", 2)]
    assert status == AttemptStatus(AttemptState.ENDED, Result('{"a":1}', "", 7))
    assert fenced == AttemptStatus(AttemptState.UNKNOWN)
    assert {caller.node_id for caller in nodes.callers} == {bob.node_id}


async def test_the_connection_says_who_and_where(connection: Connection, alice: Member) -> None:
    assert connection.node_id == alice.node_id
    assert connection.address.rpartition(":")[2].isdigit()


async def test_an_unknown_peer_is_known_by_what_it_proves(
    world: World, alice: Member, bob: Member, nodes: EchoNode, tasks: ScriptedTasks
) -> None:
    with trio.fail_after(PATIENCE_S):
        async with world.serve(alice, nodes, tasks) as address:
            connection = await world.transport(bob).dial([address], node_id=None, timeout_s=5)

            assert connection.node_id == alice.node_id
            await connection.aclose()


async def test_events_of_a_run_arrive_in_order_and_the_terminal_is_returned(
    connection: Connection, tasks: ScriptedTasks
) -> None:
    events: list[RunEvent] = [
        Accepted(3),
        Started("sha256:00"),
        Progress(50, "half"),
        *(Log(f"line {number}") for number in range(100)),
    ]
    ended = Failed(TaskError("exit", "status 3", "look"), None, "partial", 9)

    async def script(_caller: Caller, _request: RunRequest, send: Send) -> None:
        for event in (*events, ended):
            await send(event)

    tasks.run_script = script
    got: list[RunEvent] = []

    assert await connection.run(request(), got.append) == ended
    assert got == events


async def test_the_run_handler_learns_the_request_and_the_caller(
    connection: Connection, bob: Member, tasks: ScriptedTasks
) -> None:
    seen: list[tuple[str, RunRequest]] = []

    async def script(caller: Caller, request: RunRequest, send: Send) -> None:
        seen.append((caller.node_id, request))
        await send(Result(None, "plain", 1))

    tasks.run_script = script

    assert await connection.run(request(), lambda _: None) == Result(None, "plain", 1)
    assert seen == [(bob.node_id, request())]


async def test_cancelling_the_caller_cancels_the_handler(
    connection: Connection, tasks: ScriptedTasks
) -> None:
    entered, left = trio.Event(), trio.Event()

    async def script(_caller: Caller, _request: RunRequest, send: Send) -> None:
        await send(Accepted())
        entered.set()
        try:
            await trio.sleep_forever()
        finally:
            left.set()

    tasks.run_script = script
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connection.run, request(), lambda _: None)
            await entered.wait()
            scope.cancel()

    await left.wait()


async def test_a_service_error_arrives_with_code_message_and_hint(
    connection: Connection, nodes: EchoNode
) -> None:
    nodes.fail = NotAMember("näh", hint="join first")

    with pytest.raises(PeerRefused) as caught:
        await connection.ping(Load(), HEAD, timeout_s=2)

    assert (caught.value.peer_code, caught.value.message) == ("not_a_member", "näh")
    assert caught.value.hint == "join first"


async def test_a_refused_run_is_refused(connection: Connection, tasks: ScriptedTasks) -> None:
    async def script(_caller: Caller, _request: RunRequest, _send: Send) -> None:
        raise NotAMember("no")

    tasks.run_script = script

    with pytest.raises(PeerRefused, match="no"):
        await connection.run(request(), lambda _: None)


async def test_a_bug_in_a_service_interrupts_the_call_and_spares_the_server(
    connection: Connection, nodes: EchoNode, tasks: ScriptedTasks
) -> None:
    async def script(_caller: Caller, _request: RunRequest, send: Send) -> None:
        await send(Accepted())
        raise LookupError("secret detail")

    tasks.run_script = script
    nodes.fail = LookupError("secret detail")

    with pytest.raises(CallInterrupted) as run:
        await connection.run(request(), lambda _: None)
    with pytest.raises(CallInterrupted) as ping:
        await connection.ping(Load(), HEAD, timeout_s=2)
    nodes.fail = None

    assert "secret" not in f"{run.value} {run.value.cause} {ping.value} {ping.value.cause}"
    assert await connection.ping(Load(), HEAD, timeout_s=2) == Pong(Load(), HEAD, draining=True)


async def test_a_run_that_ends_without_an_outcome_is_interrupted(
    connection: Connection, tasks: ScriptedTasks
) -> None:
    async def script(_caller: Caller, _request: RunRequest, send: Send) -> None:
        await send(Accepted())

    tasks.run_script = script

    with pytest.raises(CallInterrupted, match="without an outcome"):
        await connection.run(request(), lambda _: None)


async def test_a_late_answer_is_an_interrupted_call(
    connection: Connection, nodes: EchoNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def sleep(*_: object) -> Pong:
        await trio.sleep_forever()
        raise AssertionError

    monkeypatch.setattr(nodes, "ping", sleep)

    with pytest.raises(CallInterrupted, match="in time"):
        await connection.ping(Load(), HEAD, timeout_s=0.1)


async def test_a_hello_that_claims_another_id_is_refused(
    connection: Connection, alice: Member, bob: Member
) -> None:
    with pytest.raises(PeerRefused, match="calls itself"):
        await connection.hello(bob.info(node_id=alice.node_id))


async def test_an_answer_to_hello_with_another_id_is_refused(
    connection: Connection, bob: Member, nodes: EchoNode
) -> None:
    nodes.member = bob

    with pytest.raises(NotAMember, match="calls itself"):
        await connection.hello(bob.info())


async def test_another_protocol_is_named_with_both_ranges(
    connection: Connection, bob: Member
) -> None:
    with pytest.raises(ProtocolMismatch, match=r"bob speaks protocol 7-9, this node 1-1"):
        await connection.hello(bob.info(protocol_min=7, protocol_max=9))


async def test_the_wrong_node_at_an_address_is_not_reached(
    world: World, alice: Member, bob: Member, nodes: EchoNode, tasks: ScriptedTasks
) -> None:
    with trio.fail_after(PATIENCE_S):
        async with world.serve(alice, nodes, tasks) as address:
            with pytest.raises(PeerUnreachable) as caught:
                await world.transport(bob).dial([address], node_id=bob.node_id, timeout_s=5)

    assert caught.value.step is DialStep.TLS
    assert caught.value.address == address
    assert not nodes.callers


async def test_a_foreign_team_is_named_as_such(
    world: World, alice: Member, tmp_path: Path, nodes: EchoNode, tasks: ScriptedTasks
) -> None:
    stranger = Team(tmp_path / "other").member("eve")
    with trio.fail_after(PATIENCE_S):
        async with world.serve(alice, nodes, tasks) as address:
            with pytest.raises(PeerUnreachable, match="another team") as caught:
                await world.transport(stranger).dial([address], node_id=None, timeout_s=5)

    assert caught.value.step is DialStep.TEAM
    assert not nodes.callers


async def test_one_good_address_among_bad_ones_is_enough(
    world: World, alice: Member, bob: Member, nodes: EchoNode, tasks: ScriptedTasks
) -> None:
    with trio.fail_after(PATIENCE_S):
        async with world.serve(alice, nodes, tasks) as address:
            connection = await world.transport(bob).dial(
                ["127.0.0.1:1", address, "127.0.0.1:2"], node_id=alice.node_id, timeout_s=5
            )

            assert connection.address == address
            await connection.aclose()


async def test_no_address_and_nobody_there_are_unreachable(world: World, bob: Member) -> None:
    transport = world.transport(bob)
    with trio.fail_after(PATIENCE_S):
        with pytest.raises(PeerUnreachable) as none:
            await transport.dial([], node_id=None, timeout_s=5)
        with pytest.raises(PeerUnreachable) as nobody:
            await transport.dial(["127.0.0.1:1"], node_id=None, timeout_s=5)

    assert none.value.step is DialStep.RESOLVE
    assert nobody.value.step is DialStep.TCP


async def test_a_node_that_stops_interrupts_what_runs_and_can_then_not_be_reached(
    world: World, alice: Member, bob: Member, nodes: EchoNode, tasks: ScriptedTasks
) -> None:
    stop = trio.Event()

    async def script(_caller: Caller, _request: RunRequest, send: Send) -> None:
        await send(Accepted())
        stop.set()
        await trio.sleep_forever()

    tasks.run_script = script
    connections: list[Connection] = []

    async def call(connection: Connection) -> None:
        with pytest.raises(CallInterrupted):
            await connection.run(request(), lambda _: None)

    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as callers, world.serve(alice, nodes, tasks) as address:
            transport = world.transport(bob)
            connections.append(await transport.dial([address], node_id=alice.node_id, timeout_s=5))
            callers.start_soon(call, connections[0])
            await stop.wait()

        await until_unreachable(connections[0])
        await connections[0].aclose()


async def until_unreachable(connection: Connection) -> None:
    """The first call may still find the old connection: it can't know that nobody hears it."""
    for _ in range(10):
        try:
            await connection.ping(Load(), HEAD, timeout_s=3)
        except CallInterrupted:
            continue
        except PeerUnreachable:
            return
    raise AssertionError("still reachable")


async def test_a_closed_connection_ends_its_calls_and_takes_no_more(
    connection: Connection, tasks: ScriptedTasks
) -> None:
    entered = trio.Event()

    async def script(_caller: Caller, _request: RunRequest, _send: Send) -> None:
        entered.set()
        await trio.sleep_forever()

    async def call() -> None:
        with pytest.raises(CallInterrupted):
            await connection.run(request(), lambda _: None)

    tasks.run_script = script
    async with trio.open_nursery() as nursery:
        nursery.start_soon(call)
        await entered.wait()
        await connection.aclose()

    with pytest.raises(PeerUnreachable):
        await connection.ping(Load(), HEAD, timeout_s=1)
    await connection.aclose()


async def test_many_runs_at_the_same_time_do_not_mix(
    connection: Connection, tasks: ScriptedTasks
) -> None:
    inside = 0
    all_inside = trio.Event()

    async def script(_caller: Caller, request: RunRequest, send: Send) -> None:
        nonlocal inside
        inside += 1
        if inside == 200:
            all_inside.set()
        await all_inside.wait()
        await send(Log(request.task_id))
        await send(Result(f'"{request.task_id}"', "", 1))

    tasks.run_script = script
    ended: dict[str, tuple[object, list[RunEvent]]] = {}

    async def call(task_id: str) -> None:
        events: list[RunEvent] = []
        ended[task_id] = await connection.run(request(task_id=task_id), events.append), events

    async with trio.open_nursery() as nursery:
        for number in range(200):
            nursery.start_soon(call, f"task-{number}")

    assert ended == {
        f"task-{number}": (Result(f'"task-{number}"', "", 1), [Log(f"task-{number}")])
        for number in range(200)
    }
