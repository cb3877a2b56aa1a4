"""The sealed contents of a join as bytes, and back with every bound checked.

Who sends these knows the code, which makes them a guest and not yet somebody to trust.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import DecodeError

from skilllite_swarm.errors import JoinFailed
from skilllite_swarm.team_record import Member, is_acceptable_name
from skilllite_swarm.wire import join_pb2

BODY_BYTES_MAX: Final = 12 * 1024
"""Sealed and wrapped it fits the 16 KiB of the join port."""


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """What the newcomer asks for."""

    csr_der: bytes
    name: str


@dataclass(frozen=True, slots=True)
class JoinReply:
    """What the newcomer gets."""

    leaf_der: bytes
    ca_der: bytes
    members: tuple[Member, ...]


def encode_request(request: JoinRequest) -> bytes:
    """Return the plain request."""
    body = join_pb2.JoinRequestBody(csr_der=request.csr_der, name=request.name)
    return body.SerializeToString()


def decode_request(data: bytes) -> JoinRequest:
    """Read a plain request; raises `JoinFailed`."""
    body = join_pb2.JoinRequestBody()
    _parse(body, data)
    if not is_acceptable_name(body.name):
        raise JoinFailed(
            "the newcomer's name is empty, too long or not printable",
            hint="start it with another name: `--name`",
        )
    return JoinRequest(body.csr_der, body.name)


def encode_reply(leaf_der: bytes, ca_der: bytes, members: Iterable[Member]) -> bytes:
    """Return the plain reply, with as many of the members as fit: the others follow by Hello."""
    body = join_pb2.JoinReplyBody(leaf_der=leaf_der, ca_der=ca_der)
    for member in members:
        body.members.add(node_id=member.node_id, name=member.name, addresses=list(member.addresses))
        if body.ByteSize() > BODY_BYTES_MAX:
            del body.members[-1]
            break
    return body.SerializeToString()


def decode_reply(data: bytes) -> JoinReply:
    """Read a plain reply; raises `JoinFailed`."""
    body = join_pb2.JoinReplyBody()
    _parse(body, data)
    members = tuple(
        Member(member.node_id, member.name, tuple(member.addresses)) for member in body.members
    )
    if any(member.problem() is not None for member in members):
        raise JoinFailed("the list of members that came back is malformed")
    return JoinReply(body.leaf_der, body.ca_der, members)


def _parse(body: join_pb2.JoinRequestBody | join_pb2.JoinReplyBody, data: bytes) -> None:
    if len(data) > BODY_BYTES_MAX:
        raise JoinFailed(f"a message of the join has more than {BODY_BYTES_MAX} bytes")
    try:
        body.ParseFromString(data)
    except DecodeError as error:
        raise JoinFailed("a message of the join can't be read") from error
