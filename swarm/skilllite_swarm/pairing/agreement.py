"""Two strangers who know the same code agree on keys; others learn only that they failed.

SPAKE2 over Ed25519 with identities, then explicit confirmation both ways. The only module that
imports `spake2`. Its arithmetic is pure Python and not constant-time: a code lives ten minutes and
is tried three times, which leaves a listener nothing to average over.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Final

from spake2 import SPAKE2_A, SPAKE2_B, SPAKEError
from spake2.ed25519_basic import NotOnCurve

from skilllite_swarm.errors import JoinFailed, JoinReason
from skilllite_swarm.identity import derive_key, open_sealed, seal
from skilllite_swarm.pairing.code import JoinCode

SPAKE_MESSAGE_BYTES: Final = 33
"""One byte for the side, 32 for the point."""

SESSION_BYTES: Final = 16
PUBLIC_KEY_BYTES_MAX: Final = 512
SEALED_BYTES_MAX: Final = 14 * 1024
"""Of one sealed body: fits the 16 KiB that the join port takes from strangers."""


class Side(StrEnum):
    """Who is who: each side has its own SPAKE2 role, confirmation and sealing key."""

    JOINER = "joiner"
    RESPONDER = "responder"

    @property
    def other(self) -> Side:
        """The one at the far end."""
        return Side.RESPONDER if self is Side.JOINER else Side.JOINER


@dataclass(frozen=True, slots=True)
class Binding:
    """What both ends must see alike for the agreement to succeed.

    A relay presents a TLS certificate of its own, so the two ends hash different ones.
    """

    window: int
    certificate_sha256: bytes
    """Of the DER certificate that the responder serves, and that the joiner pinned."""
    joiner_key: bytes
    """SubjectPublicKeyInfo (DER) that the joiner wants certified."""
    responder_key: bytes

    def encode(self) -> bytes:
        """Return an encoding that no other binding shares."""
        return _joined(
            self.window.to_bytes(4, "big"),
            self.certificate_sha256,
            self.joiner_key,
            self.responder_key,
        )


@dataclass(frozen=True, slots=True)
class AgreedKeys:
    """What both sides hold if, and only if, they started from the same code and binding."""

    side: Side
    transcript: bytes
    _secret: bytes = field(repr=False)

    def confirmation(self) -> bytes:
        """Return this side's proof that it reached the same keys."""
        return self._proof_of(self.side)

    def confirms(self, confirmation: bytes) -> bool:
        """Return whether the other side reached the same keys."""
        return hmac.compare_digest(self._proof_of(self.side.other), confirmation)

    def seal(self, plain: bytes) -> bytes:
        """Encrypt for the other side."""
        return seal(self._key(f"seal {self.side}"), plain, bound_to=self.transcript)

    def open(self, sealed: bytes) -> bytes | None:
        """Decrypt what the other side sealed; None for anything else."""
        if len(sealed) > SEALED_BYTES_MAX:
            return None
        return open_sealed(self._key(f"seal {self.side.other}"), sealed, bound_to=self.transcript)

    def _proof_of(self, side: Side) -> bytes:
        return hmac.digest(self._key(f"confirm {side}"), self.transcript, "sha256")

    def _key(self, label: str) -> bytes:
        return derive_key(
            self._secret, context=self.transcript, label=b"skilllite join 1 " + label.encode()
        )


class KeyAgreement:
    """One side of one exchange; `finish` works once."""

    def __init__(self, side: Side, code: JoinCode, binding: Binding) -> None:
        role = SPAKE2_A if side is Side.JOINER else SPAKE2_B
        identity = binding.encode()
        self._side = side
        self._binding = identity
        self._spake = role(
            code.secret, idA=_joined(b"joiner", identity), idB=_joined(b"responder", identity)
        )
        self.message: Final[bytes] = self._spake.start()

    def finish(self, session: bytes, message: bytes) -> AgreedKeys:
        """Return the keys that follow from the other side's message.

        They say nothing yet about the other side: ask `confirms`.

        Raises:
            JoinFailed: The message is no point of the group, or this side's own come back.
        """
        if len(message) != SPAKE_MESSAGE_BYTES or len(session) != SESSION_BYTES:
            raise JoinFailed("a message of the join has the wrong size")
        try:
            secret: bytes = self._spake.finish(message)
        except (SPAKEError, NotOnCurve, ValueError) as error:
            raise JoinFailed(
                "a message of the join is not what the protocol allows",
                reason=JoinReason.MALFORMED,
                cause=type(error).__name__,
            ) from error
        ours_first = self._side is Side.JOINER
        messages = (self.message, message) if ours_first else (message, self.message)
        transcript = sha256(
            _joined(b"skilllite join transcript 1", self._binding, session, *messages)
        ).digest()
        return AgreedKeys(self._side, transcript, secret)


def new_session() -> bytes:
    """Return an unguessable name for one exchange."""
    return secrets.token_bytes(SESSION_BYTES)


def _joined(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
