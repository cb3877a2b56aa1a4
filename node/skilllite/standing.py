"""Who this node is and whose: its name, its keys, its team, as the home has them."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import UTC, datetime

from skilllite.config import FLAG_ORIGIN, Config
from skilllite.errors import ConfigInvalid, UsageError
from skilllite.home import Home
from skilllite_swarm.identity import DeviceIdentity, load_or_create_identity
from skilllite_swarm.team import Team, open_team
from skilllite_swarm.team_record import NAME_LENGTH_MAX, is_acceptable_name

NAME_OTHERWISE = "node"
"""For a host without a name, as some containers are; its id tells it from others."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What makes this node itself, from one start to the next."""

    name: str
    identity: DeviceIdentity
    team: Team


def utc_now() -> datetime:
    """Return the wall clock: certificates know no other time."""
    return datetime.now(UTC)


def open_standing(home: Home, config: Config) -> Standing:
    """Read keys and team, or make them at the first start. The caller holds the node's lock.

    Raises:
        IdentityCorrupt: a key or certificate is damaged; nothing was replaced.
        ConfigInvalid: the node can't be called that.
    """
    name = node_name(config)
    identity = load_or_create_identity(home.keys)
    return Standing(name, identity, open_team(home.team, home.keys, identity, utc_now()))


def node_name(config: Config) -> str:
    """Return the configured name, else the host's."""
    name = config.text("node.name")
    if not name:
        host = socket.gethostname().partition(".")[0][:NAME_LENGTH_MAX]
        return host if is_acceptable_name(host) else NAME_OTHERWISE
    if not is_acceptable_name(name) or " " in name:
        typed = config.origin("node.name").startswith(FLAG_ORIGIN)
        raise (UsageError if typed else ConfigInvalid)(
            f"a node can't be called {name!r}",
            cause=f"set by {config.origin('node.name')}",
            hint=f"use at most {NAME_LENGTH_MAX} printable characters without blanks",
        )
    return name
