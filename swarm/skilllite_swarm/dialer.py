"""One dial, from addresses to a peer that has proven itself, said Hello and speaks our protocol.

What can go wrong on the way ends as `PeerUnreachable` that says how far it got.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import trio

from skilllite_swarm.errors import (
    DialStep,
    PeerUnreachable,
    ProtocolMismatch,
    SwarmError,
)
from skilllite_swarm.identity import node_id_of_public_key, verify_signing_key
from skilllite_swarm.peer_events import Dial
from skilllite_swarm.transport import Connection, NodeInfo, PeerHint, Transport, check_hello

DIAL_TIMEOUT_S = 3.0
"""TCP and TLS on a LAN take milliseconds, on a machine that swaps a second or two."""

HELLO_TIMEOUT_S = 3.0
"""A node that takes connections and does not answer hangs."""

CLOSE_TIMEOUT_S = 1.0
"""Closing tells nobody but ourselves."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """A connection that is ready for use."""

    connection: Connection
    info: NodeInfo | None
    """None when the address led back to this node."""
    hints: tuple[PeerHint, ...] = ()


async def greet(transport: Transport, dial: Dial, me: Callable[[], NodeInfo]) -> Greeting:
    """Dial, prove and say Hello; the caller closes the connection that comes back.

    Raises:
        PeerUnreachable: no address led to a member that this node can talk to.
    """
    connection = await transport.dial(
        dial.addresses, node_id=dial.node_id, timeout_s=DIAL_TIMEOUT_S
    )
    greeting = None
    try:
        greeting = await _hello(connection, me())
    finally:
        if greeting is None:
            await close(connection)
    return greeting


async def close(connection: Connection) -> None:
    """Close, also while being cancelled, but not for ever."""
    with trio.move_on_after(CLOSE_TIMEOUT_S, shield=True):
        await connection.aclose()


async def _hello(connection: Connection, me: NodeInfo) -> Greeting:
    address = connection.address
    if connection.node_id == me.node_id:
        return Greeting(connection, None)
    try:
        info, hints = await _call_hello(connection, me)
        check_hello(info, proven=connection.node_id)
    except trio.TooSlowError as error:
        raise _failed(
            address, DialStep.HELLO, "it takes connections and does not answer"
        ) from error
    except ProtocolMismatch as error:
        raise _failed(address, DialStep.VERSION, error.message, error.hint) from error
    except PeerUnreachable:
        raise
    except SwarmError as error:
        raise _failed(address, DialStep.HELLO, error.message, error.hint) from error
    if not vouches_for_signing_key(info):
        # The channel proves who speaks; this proves that its signatures will be its own, too.
        why = f"{info.name} has not proven that its signing key is its own"
        raise _failed(address, DialStep.HELLO, why)
    return Greeting(connection, info, hints)


async def _call_hello(
    connection: Connection, me: NodeInfo
) -> tuple[NodeInfo, tuple[PeerHint, ...]]:
    with trio.fail_after(HELLO_TIMEOUT_S):
        try:
            return await connection.hello(me)
        except ProtocolMismatch as error:
            # Its words, in which "this node" is the other one.
            raise ProtocolMismatch(
                f"it answers: {error.message}", hint="update SkillLite on the older of the two"
            ) from error


def vouches_for_signing_key(info: NodeInfo) -> bool:
    """Return whether the device key, of which the node id is the hash, signed the signing key."""
    return node_id_of_public_key(info.device_key) == info.node_id and verify_signing_key(
        info.device_key, info.signing_key, info.signing_key_proof
    )


def _failed(address: str, step: DialStep, message: str, hint: str | None = None) -> PeerUnreachable:
    return PeerUnreachable(message, address=address, step=step, hint=hint)


def explain(error: PeerUnreachable) -> str:
    """Return one line for the list of peers: what is wrong, where, and why."""
    named = not error.address or error.address in error.message
    text = error.message if named else f"{error.address}: {error.message}"
    return f"{text} ({error.cause})" if error.cause else text
