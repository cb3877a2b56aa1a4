"""How the mesh looks to a person: one row a member, a name for each, and names back to nodes.

Two members may have one name. Then the member with the smallest id keeps it and every other gets
`-` and the first characters of its id, four unless more are needed; every node that knows the same
members shows the same names, and a newcomer renames at most itself or one other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from skilllite_swarm.errors import AmbiguousNode, UnknownNode
from skilllite_swarm.transport import Load, SkillEntry

SUFFIX_CHARS = 4
"""Of the id: 20 bits tell two namesakes apart but for one case in a million."""

ID_PREFIX_CHARS_MIN = 4
"""Shorter prefixes would be mistaken for names, and change owner with the next member."""

NAME_CHARS_MAX = 64
"""Shown of a name that a peer claims."""


class PeerState(StrEnum):
    """What this node can say about another member."""

    ALIVE = "alive"
    """It answered the last ping."""
    SUSPECT = "suspect"
    """It missed the last ping or two."""
    DEAD = "dead"
    """It was connected and answers no more."""
    LEFT = "left"
    """It said goodbye."""
    UNREACHABLE = "unreachable"
    """It was found or named, and never could be connected; `why` says how far the dial got."""


@dataclass(frozen=True, slots=True)
class PeerView:
    """One member of the mesh as this node sees it."""

    name: str
    node_id: str
    """Empty for a static peer that never answered."""
    addresses: tuple[str, ...]
    """The one in use first."""
    state: PeerState
    why: str
    """What is wrong; empty when nothing is."""
    skills: tuple[SkillEntry, ...] = ()
    load: Load | None = None
    latency_ms: float | None = None
    draining: bool = False
    version: str = ""
    holds_ca: bool = False


def clean_name(claimed: str) -> str:
    """Return a name as it may be shown: printable, without blanks, of bounded length."""
    return "".join(c for c in claimed if c.isprintable() and not c.isspace())[:NAME_CHARS_MAX]


def shown_names(claimed: Mapping[str, str]) -> dict[str, str]:
    """Return a different name for every node id, from the names the nodes claim.

    A node without a name is shown by the start of its id.
    """
    shown: dict[str, str] = {}
    taken: set[str] = set()
    # Plain names first: a suffixed one must not take what somebody is really called.
    for node_id in sorted(claimed):
        name = clean_name(claimed[node_id])
        if name and name not in taken:
            shown[node_id] = name
            taken.add(name)
    for node_id in sorted(claimed.keys() - shown.keys()):
        name = clean_name(claimed[node_id])
        length = SUFFIX_CHARS if name else 2 * SUFFIX_CHARS
        prefix = f"{name}-" if name else ""
        while (text := prefix + node_id[:length]) in taken and length < len(node_id):
            length += 1
        shown[node_id] = text
        taken.add(text)
    return shown


def resolve_node(members: Iterable[PeerView], text: str) -> str:
    """Return the id of the member called `text`, or whose id starts with it.

    Raises:
        UnknownNode: nobody fits.
        AmbiguousNode: an id prefix fits several.
    """
    known = [member for member in members if member.node_id]
    for member in known:
        if text in (member.name, member.node_id):
            return member.node_id
    named = {m.node_id: m.name for m in known if m.name.casefold() == text.casefold()}
    if not named and len(text) >= ID_PREFIX_CHARS_MIN:
        named = {m.node_id: m.name for m in known if m.node_id.startswith(text.lower())}
    if len(named) == 1:
        return next(iter(named))
    if named:
        fitting = ", ".join(f"{name} ({node_id[:8]})" for node_id, name in sorted(named.items()))
        raise AmbiguousNode(
            f"{text!r} fits {len(named)} nodes",
            cause=fitting,
            hint="give the name as `skilllite peers` shows it, or more of the id",
        )
    raise UnknownNode(
        f"no node is called {text!r}",
        cause="known are " + ", ".join(sorted(member.name for member in known)),
        hint="`skilllite peers` lists the nodes of the team",
    )
