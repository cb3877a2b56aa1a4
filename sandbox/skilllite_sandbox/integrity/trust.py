"""How far a skill is trusted, by where it comes from. Values; what follows is the gate's to do."""

from __future__ import annotations

from enum import StrEnum

from skilllite_sandbox.values import dataclass


class TrustTier(StrEnum):
    """Who answers for a skill. Its values are part of the JSON contract."""

    BUNDLED = "bundled"
    """It ships with the package and is as the package's own list of digests has it."""
    TEAM = "team"
    """A member of the team signed it, and the team certifies that member's key."""
    LOCAL = "local"
    """This user made it: a directory that was never installed, or was added from a folder."""
    COMMUNITY = "community"
    """It was added from elsewhere."""
    UNKNOWN = "unknown"
    """It lies among the installed skills, and nobody knows how it came there."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What is known of a skill's origin; of an installed one from its sealed record."""

    tier: TrustTier
    place: str = ""
    """Its key in the register; empty when it was never installed."""
    source: str = ""
    author: str = ""
    """The key of the member who signed it, in hex."""
    verdict: str = ""
    """What the scanner said when it was installed."""
    scanner_version: int = 0

    @property
    def installed(self) -> bool:
        """Whether there is a manifest that it was compared with."""
        return bool(self.place)

    @property
    def peers_need_pass(self) -> bool:
        """Whether tasks of peers run it only while the scanner has nothing to ask.

        Of the others a person at this node can have agreed to a REVIEW beforehand. Drift and the
        denylist stop everybody.
        """
        return self.tier in (TrustTier.LOCAL, TrustTier.UNKNOWN)


LOCAL = Trust(TrustTier.LOCAL)
BUNDLED = Trust(TrustTier.BUNDLED)
UNKNOWN = Trust(TrustTier.UNKNOWN)
