"""How far a dial gets: name, TCP, TLS, team. Each step that fails says why and what to do.

gRPC tells a caller "Socket closed" for a wrong team, a missing certificate and a wrong clock alike.
So the certificate is looked at first, on a connection of its own, and judged here. That look proves
nothing: the connection that follows is pinned to what was seen.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

import trio

from skilllite_swarm.addresses import format_address, parse_address
from skilllite_swarm.errors import DialStep, InvalidAddress, InvalidCertificate, PeerUnreachable
from skilllite_swarm.identity import CertificateFacts, certificate_facts, check_leaf, to_pem
from skilllite_swarm.transport import TlsMaterial

T = TypeVar("T")

ENDPOINTS_MAX = 8
"""Of one host name; more answers of a resolver are ignored."""

_STEPS = tuple(DialStep)
"""In the order in which a dial takes them."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One socket address of what was dialled."""

    address: str
    """As it was given, for people."""
    family: int
    ip: str
    port: int
    scope: int = 0
    """Index of the interface that a link-local IPv6 address is valid on."""

    @property
    def sockaddr(self) -> tuple[str, int] | tuple[str, int, int, int]:
        if self.family == socket.AF_INET6:
            return (self.ip, self.port, 0, self.scope)
        return (self.ip, self.port)


async def race(attempts: Sequence[Callable[[], Awaitable[T]]]) -> T:
    """Make all attempts at the same time; the first result wins and cancels the others.

    Raises:
        PeerUnreachable: none succeeded; this is the failure that got furthest.
    """
    winners: list[T] = []
    failures: list[PeerUnreachable] = []
    with trio.CancelScope() as rest:
        async with trio.open_nursery() as nursery:

            async def attempt(make: Callable[[], Awaitable[T]]) -> None:
                try:
                    result = await make()
                except PeerUnreachable as error:
                    failures.append(error)
                else:
                    winners.append(result)
                    rest.cancel()

            for make in attempts:
                nursery.start_soon(attempt, make)
    if winners:
        return winners[0]
    raise max(failures, key=lambda failure: _STEPS.index(failure.step))


async def resolve(address: str, *, deadline: float) -> list[Endpoint]:
    """Return where "host:port" leads; `deadline` is on trio's clock."""
    try:
        host, port = parse_address(address)
        with trio.fail_at(deadline):
            found = await trio.socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except InvalidAddress as error:
        raise PeerUnreachable(
            error.message, address=address, step=DialStep.RESOLVE, hint=error.hint
        ) from error
    except (OSError, UnicodeError, trio.TooSlowError) as error:
        raise PeerUnreachable(
            f"{address}: the name does not resolve",
            address=address,
            step=DialStep.RESOLVE,
            cause=str(error) or "the name server did not answer in time",
            hint="check the spelling, or give an IP address",
        ) from error
    endpoints = [
        Endpoint(address, family, str(sockaddr[0]).partition("%")[0], port, *sockaddr[3:])
        for family, _, _, _, sockaddr in found
    ]
    return endpoints[:ENDPOINTS_MAX]


async def peek(endpoint: Endpoint, *, deadline: float) -> bytes:
    """Return the certificate (DER) that whoever listens there presents. Nothing is verified."""
    stream = await _connect(endpoint, deadline=deadline)
    try:
        tls = trio.SSLStream(stream, _context_without_trust())
        with trio.fail_at(deadline):
            await tls.do_handshake()
        certificate = tls.getpeercert(binary_form=True)
    except trio.TooSlowError as error:
        raise _no_tls(endpoint, "it took the connection and says nothing") from error
    except trio.BrokenResourceError as error:
        raise _no_tls(endpoint, str(error.__cause__ or "it hung up")) from error
    finally:
        await trio.aclose_forcefully(stream)
    assert isinstance(certificate, bytes)  # no cipher suite of TLS 1.3 does without
    return certificate


async def fetch_certificate(host: str, port: int, timeout_s: float) -> bytes:
    """Return the certificate (PEM) that a host presents, unverified: something to pin."""
    deadline = trio.current_time() + timeout_s
    endpoints = await resolve(format_address(host, port), deadline=deadline)
    certificate = await race([partial(peek, each, deadline=deadline) for each in endpoints])
    try:
        return to_pem(certificate)
    except InvalidCertificate as error:
        raise _not_ours(endpoints[0]) from error


def judge(
    certificate: bytes,
    endpoint: Endpoint,
    tls: TlsMaterial,
    *,
    node_id: str | None,
    now: datetime,
) -> str:
    """Return the node id in a peeked certificate when a call there can succeed.

    Raises:
        PeerUnreachable: it can't; says which end has the wrong team, identity or clock.
    """
    address = endpoint.address
    try:
        facts = certificate_facts(certificate)
    except InvalidCertificate as error:
        raise _not_ours(endpoint) from error
    if not facts.team_id:
        raise _not_ours(endpoint)
    if facts.team_id != tls.team_id:
        raise PeerUnreachable(
            f"{address} belongs to another team ({facts.team_id[:8]}, not {tls.team_id[:8]})",
            address=address,
            step=DialStep.TEAM,
            hint="to be in one team: `skilllite node invite` on one of the two, `node join` on the "
            "other",
        )
    judge_dates(facts, address, address, now)
    judge_dates(certificate_facts(tls.leaf_pem), "this node", address, now)
    try:
        check_leaf(certificate, tls.ca_pem)
    except InvalidCertificate as error:
        raise PeerUnreachable(
            f"{address} claims to be of this team, but its certificate does not prove it",
            address=address,
            step=DialStep.TEAM,
            cause=error.message,
            hint="if that node is yours, let it leave and join again",
        ) from error
    if node_id is not None and facts.node_id != node_id:
        raise PeerUnreachable(
            f"{address} is another node now ({facts.node_id[:12]}, not {node_id[:12]})",
            address=address,
            step=DialStep.TLS,
            hint="its address was given to another machine, or its keys were made anew",
        )
    return facts.node_id


def refused_handshake(endpoint: Endpoint) -> PeerUnreachable:
    """Return the failure of a peer that looks right and yet ends the mutual handshake."""
    return PeerUnreachable(
        f"{endpoint.address} does not accept this node's certificate: the clock of one of the two "
        "is wrong, or the link between them is too slow",
        address=endpoint.address,
        step=DialStep.TLS,
        hint="compare the clocks of the two nodes (`timedatectl`), then see the log of that node",
    )


def judge_dates(certificate: CertificateFacts, whose: str, address: str, now: datetime) -> None:
    """Raise `PeerUnreachable`, which names the clock, for a certificate that isn't valid now."""
    if problem := certificate.clock_problem(now):
        raise PeerUnreachable(
            f"the certificate of {whose} is {problem}, and this machine's clock says "
            f"{now:%Y-%m-%d %H:%M} UTC",
            address=address,
            step=DialStep.TLS,
            hint="set the clock that is wrong (`timedatectl`); certificates renew themselves while "
            "the node that invited is reachable",
        )


def _context_without_trust() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # In 1.3 the certificate comes although we send none ourselves.
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["h2"])
    return context


async def _connect(endpoint: Endpoint, *, deadline: float) -> trio.SocketStream:
    connection = trio.socket.socket(endpoint.family, socket.SOCK_STREAM)
    try:
        with trio.fail_at(deadline):
            await connection.connect(endpoint.sockaddr)
    except BaseException as error:
        connection.close()
        if isinstance(error, OSError | trio.TooSlowError):
            raise _not_connected(endpoint, error) from error
        raise
    return trio.SocketStream(connection)


_TCP_FAILURES: dict[int | None, tuple[str, str]] = {
    errno.ECONNREFUSED: (
        "nothing listens at {}",
        "is the node running there, and is this its port? `skilllite node status` there tells",
    ),
    errno.EHOSTUNREACH: (
        "no machine answers at {}",
        "is it switched on, and in this network?",
    ),
    errno.ENETUNREACH: (
        "there is no route to {}",
        "is this machine connected to that network? `ip route` tells",
    ),
    errno.EACCES: (
        "this machine may not connect to {}",
        "a firewall rule on this machine forbids it",
    ),
}
"""Message and remedy by what the kernel says; anything else is time running out."""

_TCP_SILENCE = (
    "no answer from {}",
    "the machine is off or out of reach, or a firewall there drops the port",
)


def _not_connected(endpoint: Endpoint, error: OSError | trio.TooSlowError) -> PeerUnreachable:
    code = error.errno if isinstance(error, OSError) else None
    message, hint = _TCP_FAILURES.get(code, _TCP_SILENCE)
    cause = error.strerror if isinstance(error, OSError) else "the time for dialling is over"
    return PeerUnreachable(
        message.format(endpoint.address),
        address=endpoint.address,
        step=DialStep.TCP,
        cause=cause,
        hint=hint,
    )


def _no_tls(endpoint: Endpoint, cause: str) -> PeerUnreachable:
    return PeerUnreachable(
        f"what listens at {endpoint.address} does not speak TLS",
        address=endpoint.address,
        step=DialStep.TLS,
        cause=cause,
        hint="check the port, or the node there hangs: `skilllite node status` there tells",
    )


def _not_ours(endpoint: Endpoint) -> PeerUnreachable:
    return PeerUnreachable(
        f"what listens at {endpoint.address} is no SkillLite node",
        address=endpoint.address,
        step=DialStep.TLS,
        cause="its certificate is not one of a team",
        hint="check the address and the port",
    )
