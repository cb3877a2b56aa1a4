"""A dial that fails says at which address, at which step, and what to do about it."""

import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import trio

from skilllite_swarm.bridge import Bridge, open_bridge
from skilllite_swarm.diagnosis import fetch_certificate, peek, race, resolve
from skilllite_swarm.errors import DialStep, PeerUnreachable
from skilllite_swarm.identity import to_der
from skilllite_swarm.rpc import GrpcTransport
from swarm_world import PATIENCE_S, EchoNode, GrpcWorld, Member, ScriptedTasks, Team

DIAL_S = 1.0
"""Long for loopback, short for a test that uses it up."""


@pytest.fixture
async def bridge() -> AsyncIterator[Bridge]:
    with trio.fail_after(PATIENCE_S):
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


@asynccontextmanager
async def listener(
    handle: Callable[[trio.SocketStream], Awaitable[None]],
) -> AsyncIterator[str]:
    """Some program that is no node."""
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, handle, 0, host="127.0.0.1"))
        yield f"127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


async def failure(
    bridge: Bridge,
    member: Member,
    *addresses: str,
    node_id: str | None = None,
    now: datetime | None = None,
) -> PeerUnreachable:
    transport = GrpcTransport(bridge, lambda: member.tls, now=lambda: now or datetime.now(UTC))
    with pytest.raises(PeerUnreachable) as caught:
        await transport.dial(addresses, node_id=node_id, timeout_s=DIAL_S)
    assert caught.value.hint
    return caught.value


async def test_a_name_that_does_not_resolve(bridge: Bridge, bob: Member) -> None:
    error = await failure(bridge, bob, "nowhere.invalid:7700")

    assert error.step is DialStep.RESOLVE
    assert "nowhere.invalid:7700" in error.message


async def test_text_that_is_no_address(bridge: Bridge, bob: Member) -> None:
    error = await failure(bridge, bob, "no-port")

    assert (error.step, error.address) == (DialStep.RESOLVE, "no-port")


async def test_a_closed_port(bridge: Bridge, bob: Member) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        error = await failure(bridge, bob, address)

    assert (error.step, error.address) == (DialStep.TCP, address)
    assert error.message == f"nothing listens at {address}"


async def test_a_port_that_drops_packets_takes_the_time_of_the_dial_and_no_more(
    bridge: Bridge, bob: Member
) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        # A full backlog drops the next SYN, as a firewall does.
        address = f"127.0.0.1:{full.getsockname()[1]}"
        with socket.socket() as first, socket.socket() as second:
            first.connect(full.getsockname())
            second.setblocking(False)
            second.connect_ex(full.getsockname())
            started = trio.current_time()
            error = await failure(bridge, bob, address)

    assert trio.current_time() - started < DIAL_S + 0.5
    assert (error.step, error.message) == (DialStep.TCP, f"no answer from {address}")


async def test_a_silent_listener_takes_the_time_of_the_dial_and_no_more(
    bridge: Bridge, bob: Member
) -> None:
    async def say_nothing(_stream: trio.SocketStream) -> None:
        await trio.sleep_forever()

    async with listener(say_nothing) as address:
        started = trio.current_time()
        error = await failure(bridge, bob, address)

    assert trio.current_time() - started < DIAL_S + 0.5
    assert error.step is DialStep.TLS
    assert error.cause == "it took the connection and says nothing"


async def test_a_listener_that_speaks_something_else(bridge: Bridge, bob: Member) -> None:
    async def greet(stream: trio.SocketStream) -> None:
        await stream.send_all(b"220 mail.example ESMTP\r\n")
        await stream.receive_some()

    async with listener(greet) as address:
        error = await failure(bridge, bob, address)

    assert (error.step, error.message) == (
        DialStep.TLS,
        f"what listens at {address} does not speak TLS",
    )


async def test_a_listener_that_hangs_up(bridge: Bridge, bob: Member) -> None:
    async def hang_up(_stream: trio.SocketStream) -> None:
        pass

    async with listener(hang_up) as address:
        error = await failure(bridge, bob, address)

    assert error.step is DialStep.TLS


@asynccontextmanager
async def tls_listener(certificate_pem: bytes, tmp_path: Path) -> AsyncIterator[str]:
    """A TLS server that shakes hands and then says nothing."""
    file = tmp_path / "server.pem"
    file.write_bytes(certificate_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    async def shake_hands(stream: trio.SocketStream) -> None:
        tls = trio.SSLStream(stream, context, server_side=True)
        try:
            await tls.do_handshake()
            await stream.receive_some()
        except trio.BrokenResourceError:
            pass

    async with listener(shake_hands) as address:
        yield address


async def test_a_web_server_is_no_node(bridge: Bridge, bob: Member, tmp_path: Path) -> None:
    authority = Team(tmp_path / "web").authority  # any certificate that is no member's
    async with tls_listener(authority.to_pem(), tmp_path) as address:
        error = await failure(bridge, bob, address)

    assert error.step in (DialStep.TLS, DialStep.TEAM)


async def test_another_team_is_told_apart(
    bridge: Bridge, bob: Member, tmp_path: Path, alice: Member
) -> None:
    eve = Team(tmp_path / "other").member("eve")
    async with GrpcWorld(bridge).serve(eve, EchoNode(eve), ScriptedTasks()) as address:
        error = await failure(bridge, bob, address)

    assert error.step is DialStep.TEAM
    assert eve.tls.team_id[:8] in error.message
    assert error.hint is not None and "node invite" in error.hint


async def test_a_team_that_is_only_claimed_is_found_out(
    bridge: Bridge, bob: Member, tmp_path: Path
) -> None:
    """The names of the team, signed by somebody else."""
    forged = forge_leaf(bob, tmp_path)
    async with tls_listener(forged, tmp_path) as address:
        error = await failure(bridge, bob, address)

    assert (error.step, error.address) == (DialStep.TEAM, address)
    assert "does not prove it" in error.message


def forge_leaf(member: Member, tmp_path: Path) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    leaf = x509.load_pem_x509_certificate(member.tls.leaf_pem)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    forged = (
        x509.CertificateBuilder()
        .subject_name(leaf.subject)
        .issuer_name(leaf.issuer)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(leaf.not_valid_before_utc)
        .not_valid_after(leaf.not_valid_after_utc)
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private + forged.public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize(
    ("theirs_days", "ours_days", "expected"),
    [
        (-40, 0, r"the certificate of 127\.0\.0\.1:\d+ is expired on"),
        (+40, 0, r"the certificate of 127\.0\.0\.1:\d+ is not valid before"),
        (0, -40, "the certificate of this node is expired on"),
        (0, +40, "the certificate of this node is not valid before"),
    ],
)
async def test_a_certificate_out_of_time_is_blamed_on_its_owner(
    bridge: Bridge, tmp_path: Path, theirs_days: int, ours_days: int, expected: str
) -> None:
    now = datetime.now(UTC)
    team = Team(tmp_path, now=now - timedelta(days=60))
    alice = team.member("alice", now=now + timedelta(days=theirs_days))
    bob = team.member("bob", now=now + timedelta(days=ours_days))

    async with GrpcWorld(bridge).serve(alice, EchoNode(alice), ScriptedTasks()) as address:
        error = await failure(bridge, bob, address)

    assert error.step is DialStep.TLS
    assert re.match(expected, error.message)
    assert error.hint is not None and "timedatectl" in error.hint


async def test_a_peer_that_refuses_our_certificate(
    bridge: Bridge, team: Team, alice: Member, bob: Member, tmp_path: Path
) -> None:
    """It shakes hands with whoever looks, and never speaks HTTP/2: what a refusal looks like."""
    async with tls_listener(alice.tls.private_key_pem + alice.tls.leaf_pem, tmp_path) as address:
        error = await failure(bridge, bob, address)

    assert error.step is DialStep.TLS
    assert "does not accept this node's certificate" in error.message
    assert "clock" in error.message


async def test_of_several_failures_the_one_that_got_furthest_is_told(
    bridge: Bridge, bob: Member
) -> None:
    async def hang_up(_stream: trio.SocketStream) -> None:
        pass

    async with listener(hang_up) as address:
        error = await failure(bridge, bob, "nowhere.invalid:1", address, "127.0.0.1:1")

    assert (error.step, error.address) == (DialStep.TLS, address)


async def test_the_certificate_of_a_port_can_be_fetched(bridge: Bridge, alice: Member) -> None:
    async with GrpcWorld(bridge).serve(alice, EchoNode(alice), ScriptedTasks()) as address:
        host, _, port = address.rpartition(":")
        pem = await fetch_certificate(host, int(port), 3)
        (endpoint,) = await resolve(address, deadline=trio.current_time() + 3)
        der = await peek(endpoint, deadline=trio.current_time() + 3)

    assert to_der(pem) == der == to_der(alice.tls.leaf_pem)


async def test_a_scope_of_an_address_is_kept() -> None:
    (endpoint,) = await resolve("[fe80::1%1]:7700", deadline=trio.current_time() + 3)

    assert (endpoint.ip, endpoint.scope) == ("fe80::1", 1)
    assert endpoint.sockaddr == ("fe80::1", 7700, 0, 1)


async def test_a_race_returns_the_first_and_cancels_the_rest(autojump_clock: object) -> None:
    cancelled = []

    async def after(seconds: float) -> float:
        try:
            await trio.sleep(seconds)
        except trio.Cancelled:
            cancelled.append(seconds)
            raise
        return seconds

    assert await race([lambda: after(3), lambda: after(1), lambda: after(2)]) == 1
    assert sorted(cancelled) == [2, 3]
