"""The newcomer's side of a join: what to send, and what to believe of the answers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from skilllite_swarm.errors import InvalidCertificate, JoinFailed, JoinReason, SwarmError
from skilllite_swarm.identity import (
    CertificateFacts,
    DeviceIdentity,
    certificate_facts,
    check_leaf,
    public_key_der_of_certificate,
    to_der,
)
from skilllite_swarm.pairing.agreement import AgreedKeys, Binding, KeyAgreement, Side
from skilllite_swarm.pairing.body import JoinRequest, decode_reply, encode_request
from skilllite_swarm.pairing.code import JoinCode
from skilllite_swarm.pairing.service import JoinClient
from skilllite_swarm.pairing.window import wrong_code
from skilllite_swarm.team_record import Member


@dataclass(frozen=True, slots=True)
class JoinStart:
    """First message to the inviter."""

    window: int
    spake_message: bytes
    public_key: bytes


@dataclass(frozen=True, slots=True)
class JoinConfirm:
    """Second message to the inviter."""

    session: bytes
    confirmation: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class JoinedTeam:
    """A membership that was granted and checked; `Team.join` makes it this node's."""

    team_id: str
    leaf_der: bytes
    ca_der: bytes
    members: tuple[Member, ...]
    """The inviter first."""

    @property
    def inviter(self) -> Member:
        """Who let this node in."""
        return self.members[0]


class Joiner:
    """One attempt to join by one code at one inviter. Call the steps in order, each once."""

    def __init__(
        self, identity: DeviceIdentity, code: JoinCode, certificate: bytes, *, name: str
    ) -> None:
        """`certificate` (PEM or DER) is the one that the connection to the inviter is pinned to.

        Raises:
            JoinFailed: What answers there is not another SkillLite node.
        """
        try:
            self._certificate = to_der(certificate)
            self._responder = certificate_facts(certificate)
            responder_key = public_key_der_of_certificate(certificate)
        except InvalidCertificate as error:
            raise _not_a_node(error.message) from error
        if not self._responder.team_id or self._responder.is_ca:
            raise _not_a_node("its certificate names no team")
        if self._responder.node_id == identity.node_id:
            raise JoinFailed(
                "this node can't join itself",
                reason=JoinReason.ALREADY_MEMBER,
                hint="run `skilllite node join` on the other machine",
            )
        self._identity = identity
        self._name = name
        self._code = code
        binding = Binding(
            code.number, sha256(self._certificate).digest(), identity.device_key, responder_key
        )
        self._agreement = KeyAgreement(Side.JOINER, code, binding)
        self._session = b""
        self._keys: AgreedKeys | None = None

    @property
    def responder(self) -> CertificateFacts:
        """What the inviter's certificate claims; proven only when the join has succeeded."""
        return self._responder

    def start(self) -> JoinStart:
        """Return the first message. It reveals nothing about the code."""
        return JoinStart(self._code.number, self._agreement.message, self._identity.device_key)

    def receive_start(
        self, session: bytes, spake_message: bytes, confirmation: bytes
    ) -> JoinConfirm:
        """Check that the inviter knows the code; only then return this node's own proof.

        Raises:
            JoinFailed: It doesn't, or a relay sits in between. Nothing was revealed to it.
        """
        self._session = session
        keys = self._agreement.finish(session, spake_message)
        if not keys.confirms(confirmation):
            raise wrong_code()
        self._keys = keys
        request = encode_request(JoinRequest(self._identity.csr_der(), self._name))
        return JoinConfirm(session, keys.confirmation(), keys.seal(request))

    def abort(self) -> JoinConfirm:
        """Return a Confirm that proves nothing, so that the inviter hears of the failure at once.

        Without it the inviter finds out after the session's time; it counts as failed either way.
        """
        return JoinConfirm(self._session, b"", b"")

    def receive_confirm(self, sealed: bytes, now: datetime) -> JoinedTeam:
        """Return the membership, checked against everything this node knows.

        Raises:
            JoinFailed: The reply is not from the inviter, or grants something else than a
                membership in the inviter's own team.
        """
        plain = self._keys.open(sealed) if self._keys else None
        if plain is None:
            raise JoinFailed("the inviter's reply is not sealed as agreed")
        reply = decode_reply(plain)
        try:
            facts = check_leaf(reply.leaf_der, reply.ca_der, now=now)
            # The certificate that this connection is pinned to: a CA that did not sign it belongs
            # to somebody else than the node that proved to know the code.
            responder = check_leaf(self._certificate, reply.ca_der, now=now)
        except InvalidCertificate as error:
            raise JoinFailed(
                f"what the inviter sent does not hold: {error.message}",
                reason=JoinReason.WRONG_TEAM,
                hint=error.hint or "ask for a new code and try again",
                cause=error.cause,
            ) from error
        if facts.node_id != self._identity.node_id:
            raise JoinFailed(
                "the inviter sent a certificate for another key", reason=JoinReason.WRONG_TEAM
            )
        known = {member.node_id: member for member in reply.members}
        inviter = known.pop(responder.node_id, None) or Member(responder.node_id, "inviter")
        known.pop(self._identity.node_id, None)
        # Only the node that holds the CA can have issued this.
        members = (replace(inviter, holds_ca=True), *known.values())
        return JoinedTeam(facts.team_id, reply.leaf_der, reply.ca_der, members)


async def join_through(
    client: JoinClient, joiner: Joiner, now: Callable[[], datetime]
) -> JoinedTeam:
    """Run the whole exchange over a client that is pinned to the joiner's certificate.

    Raises:
        JoinFailed: The join did not happen; `reason` says whether another try can help.
        SwarmError: The connection failed.
    """
    first = joiner.start()
    answer = await client.start(first.window, first.spake_message, first.public_key)
    try:
        second = joiner.receive_start(*answer)
    except JoinFailed:
        goodbye = joiner.abort()
        with contextlib.suppress(SwarmError):
            await client.confirm(goodbye.session, goodbye.confirmation, goodbye.sealed)
        raise
    sealed = await client.confirm(second.session, second.confirmation, second.sealed)
    return joiner.receive_confirm(sealed, now())


def _not_a_node(cause: str) -> JoinFailed:
    return JoinFailed(
        "what answers there is not a SkillLite node",
        reason=JoinReason.WRONG_TEAM,
        hint="check the address: it needs the port for joins, which `skilllite node status` shows",
        cause=cause,
    )
