"""Keeps this node's own certificate fresh, by asking the member that holds the CA.

A leaf lasts 30 days and is renewed when a third is left, so the CA's node may be away for ten days
without anybody noticing. What comes back is checked like any other certificate before it counts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime

import trio

from skilllite_swarm.errors import SwarmError
from skilllite_swarm.identity import CertificateFacts, DeviceIdentity
from skilllite_swarm.team import Team
from skilllite_swarm.transport import Connection

log = logging.getLogger(__name__)

CHECK_PERIOD_S = 600.0
"""Between two looks at the date."""

RETRY_PERIOD_S = 30.0
"""While a renewal is due: the CA's node may come up at any time."""


async def keep_leaf_fresh(
    team: Team,
    identity: DeviceIdentity,
    *,
    issuers: Callable[[], Iterable[Connection]],
    now: Callable[[], datetime],
) -> None:
    """Renew when it is time, for ever. `issuers` are the connected members that hold the CA."""
    reported = False
    while True:
        if team.needs_renewal(now()):
            renewed = await renew(team, identity, issuers(), now)
            if not renewed and not reported:
                log.warning("%s", _why_it_matters(team.leaf, now()))
            reported = not renewed
        await trio.sleep(CHECK_PERIOD_S if not team.needs_renewal(now()) else RETRY_PERIOD_S)


def _why_it_matters(leaf: CertificateFacts, now: datetime) -> str:
    nobody = "no member that can renew it answers"
    if problem := leaf.clock_problem(now):
        return (
            f"this node's certificate is {problem}, this machine's clock says "
            f"{now:%Y-%m-%d %H:%M} UTC, and {nobody}: set the clock if it is wrong"
        )
    left_h = (leaf.not_after - now).total_seconds() // 3600
    return f"this node's certificate ends in {left_h:.0f} h and {nobody}"


async def renew(
    team: Team,
    identity: DeviceIdentity,
    issuers: Iterable[Connection],
    now: Callable[[], datetime],
) -> bool:
    """Try to renew once; return whether it worked. A failure leaves the old certificate."""
    try:
        if team.holds_ca:
            team.renew_own(now())
            log.info("renewed this node's own certificate")
            return True
    except SwarmError as error:
        log.warning("could not renew this node's own certificate: %s", error.message)
        return False
    for issuer in issuers:
        try:
            leaf, ca = await issuer.renew(identity.csr_der())
            team.install_leaf(leaf, ca, now())
        except SwarmError as error:
            log.warning("%s did not renew the certificate: %s", issuer.address, error.message)
        else:
            log.info("%s renewed this node's certificate", issuer.address)
            return True
    return False
