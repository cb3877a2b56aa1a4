"""What the table of peers is told, and what it asks for. Values only.

`dial` numbers one dial and, when it succeeds, the connection that came of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from skilllite_swarm.errors import DialStep
from skilllite_swarm.transport import CatalogueHead, Load, NodeInfo, SkillEntry


class Source(StrEnum):
    """How this node came to know an address; the most trustworthy first."""

    CALLED = "called"
    """It called from there, proven by its certificate."""
    TOLD = "told"
    """It said so in a Hello over a proven connection."""
    MDNS = "mdns"
    STATIC = "static"
    REMEMBERED = "remembered"
    HINT = "hint"
    """Another member said so."""


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody may be reachable there."""

    node_id: str
    addresses: tuple[str, ...]
    source: Source
    name: str = ""
    generation: str = ""
    """New at every start of the node, as far as the source knows."""


@dataclass(frozen=True, slots=True)
class StaticPeer:
    """A person named an address; who is there is not known."""

    address: str


@dataclass(frozen=True, slots=True)
class Called:
    """A member said Hello to this node: it is up."""

    node_id: str
    name: str
    epoch: int
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pinged:
    """A member pinged this node."""

    node_id: str
    load: Load
    head: CatalogueHead


@dataclass(frozen=True, slots=True)
class Connected:
    """A dial succeeded: the identity is proven, and Hello was answered in a shared version."""

    dial: int
    node_id: str
    address: str
    info: NodeInfo


@dataclass(frozen=True, slots=True)
class ReachedSelf:
    """The address led back to this node."""

    dial: int


@dataclass(frozen=True, slots=True)
class DialFailed:
    """A dial gave no usable connection."""

    dial: int
    step: DialStep
    why: str


@dataclass(frozen=True, slots=True)
class Pong:
    """A ping over our own connection was answered."""

    dial: int
    latency_ms: float
    load: Load
    head: CatalogueHead
    draining: bool


@dataclass(frozen=True, slots=True)
class PingMissed:
    """A ping over our own connection was not answered in time, or broke."""

    dial: int
    why: str


@dataclass(frozen=True, slots=True)
class CatalogueFetched:
    """A catalogue arrived and was checked; `skills` is None when what is held is current."""

    dial: int
    head: CatalogueHead
    skills: tuple[SkillEntry, ...] | None


@dataclass(frozen=True, slots=True)
class CatalogueFailed:
    """No catalogue came, or one that is not believed."""

    dial: int
    why: str
    rejected: CatalogueHead | None
    """The head that is not worth another try."""


@dataclass(frozen=True, slots=True)
class NetworkChanged:
    """This host has other addresses than before: old failures say nothing any more."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


Event = (
    Found
    | StaticPeer
    | Called
    | Pinged
    | Connected
    | ReachedSelf
    | DialFailed
    | Pong
    | PingMissed
    | CatalogueFetched
    | CatalogueFailed
    | NetworkChanged
    | Tick
)


@dataclass(frozen=True, slots=True)
class Dial:
    """Dial all the addresses at the same time; report Connected, ReachedSelf or DialFailed."""

    dial: int
    node_id: str | None
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StartPings:
    """The connection is this node's way to the peer from now on: ping over it."""

    dial: int
    node_id: str


@dataclass(frozen=True, slots=True)
class Close:
    """The connection of that dial is not wanted (any more)."""

    dial: int


@dataclass(frozen=True, slots=True)
class FetchCatalogue:
    """Fetch and check what the peer offers; report CatalogueFetched or CatalogueFailed."""

    dial: int
    info: NodeInfo
    have: CatalogueHead
    wanted: CatalogueHead


@dataclass(frozen=True, slots=True)
class Changed:
    """What `views` returns is different now."""


Effect = Dial | StartPings | Close | FetchCatalogue | Changed
