"""How a newcomer becomes a member by a code that is short enough to be read aloud.

    joiner                                          inviter's desk
      peek the TLS certificate, pin it
      Start(window, SPAKE2, own public key)  ───►   one guess of the code is spent
                                             ◄───   session, SPAKE2, confirmation
      is that the code I was told?
      Confirm(confirmation, sealed request)  ───►   is that the code I gave out?
                                             ◄───   sealed leaf, CA, members
      does this CA sign the pinned certificate?

SPAKE2 makes the 30 bits of the code enough: each side can be asked to prove itself, never to be
guessed offline, and the inviter answers three times. The certificate and both keys are part of the
agreement, so somebody who relays the messages under a certificate of their own fails on both sides.
Sans I/O: `rpc` carries the messages, `team` keeps the result.
"""

from __future__ import annotations

from skilllite_swarm.pairing.code import JoinCode
from skilllite_swarm.pairing.desk import InviteDesk, InviteView
from skilllite_swarm.pairing.joiner import JoinedTeam, Joiner, join_through
from skilllite_swarm.pairing.service import RESPONDERS_MAX, JoinClient, JoinService
from skilllite_swarm.pairing.window import (
    PROOFS_MAX,
    SESSION_S,
    WINDOW_S,
    JoinEvent,
    JoinEventKind,
)

__all__ = [
    "PROOFS_MAX",
    "RESPONDERS_MAX",
    "SESSION_S",
    "WINDOW_S",
    "InviteDesk",
    "InviteView",
    "JoinClient",
    "JoinCode",
    "JoinEvent",
    "JoinEventKind",
    "JoinService",
    "JoinedTeam",
    "Joiner",
    "join_through",
]
