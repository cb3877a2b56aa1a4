"""The seam between pairing and whatever carries its messages."""

from __future__ import annotations

from typing import Final, Protocol

RESPONDERS_MAX: Final = 3
"""Nodes that one `join` asks when several advertise the same window number: each of them gets one
guess of the code, so asking everybody would hand out guesses."""


class JoinService(Protocol):
    """What a node answers to strangers. Refuses with `JoinFailed`."""

    async def start(
        self, address: str, window: int, spake_message: bytes, public_key: bytes
    ) -> tuple[bytes, bytes, bytes]:
        """Return (session, SPAKE2 message, confirmation); `address` is where the call came from."""
        ...

    async def confirm(self, session: bytes, confirmation: bytes, sealed: bytes) -> bytes:
        """Return the sealed reply."""
        ...


class JoinClient(Protocol):
    """The same two calls as a newcomer makes them, to one inviter whose certificate is pinned."""

    async def start(
        self, window: int, spake_message: bytes, public_key: bytes
    ) -> tuple[bytes, bytes, bytes]: ...

    async def confirm(self, session: bytes, confirmation: bytes, sealed: bytes) -> bytes: ...
