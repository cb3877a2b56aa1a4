"""What a node remembers about its team, as one file: `team/team.json`.

One file, because a team is CA, leaf and members together: it is replaced whole, so a restart finds
the old team or the new one and never parts of both. This module knows the file's form; what the
changes mean is `team`'s business.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from skilllite_sandbox.errors import KeyUnusable
from skilllite_sandbox.private_file import read_private_file
from skilllite_swarm.errors import IdentityCorrupt
from skilllite_swarm.identity.keys import NODE_ID_PATTERN

RECORD_SCHEMA: Final = 1
MEMBERS_MAX: Final = 1_024
"""Far above what one LAN mesh is built for (about 100); bounds the file and the join reply."""

ADDRESSES_MAX: Final = 16
"""Of one member: a handful of interfaces, both IP versions."""

ADDRESS_LENGTH_MAX: Final = 300
"""Characters: a host name has at most 253, a port five."""

NAME_LENGTH_MAX: Final = 64
"""Characters: what Linux allows for a host name."""


@dataclass(frozen=True, slots=True)
class Member:
    """Another node of the team, as this one knows it."""

    node_id: str
    name: str
    addresses: tuple[str, ...] = ()
    """"host:port" where it was last known to listen; hints, not facts."""
    holds_ca: bool = False
    """Whether it is the one that can invite."""

    def problem(self) -> str | None:
        """Say what keeps these values from being a member, for values that come from outside."""
        if not NODE_ID_PATTERN.match(self.node_id):
            return "not a node id"
        if not is_acceptable_name(self.name):
            return "not an acceptable name"
        if len(self.addresses) > ADDRESSES_MAX:
            return f"more than {ADDRESSES_MAX} addresses"
        if any(not _is_acceptable_address(address) for address in self.addresses):
            return "not an address"
        return None


def is_acceptable_name(name: str) -> bool:
    """Return whether a node may be called that: short, and nothing that steers a terminal."""
    return 0 < len(name) <= NAME_LENGTH_MAX and name.isprintable() and name.strip() == name


def _is_acceptable_address(address: str) -> bool:
    return 0 < len(address) <= ADDRESS_LENGTH_MAX and address.isascii() and address.isprintable()


class Origin(StrEnum):
    """Where a team came from, seen from this node."""

    BORN = "born"
    """Here: this node holds the CA key."""
    JOINED = "joined"


@dataclass(frozen=True, slots=True)
class TeamRecord:
    """The content of the file while this node is in a team."""

    team_id: str
    origin: Origin
    ca_pem: bytes
    leaf_pem: bytes
    members: tuple[Member, ...] = ()
    complete: bool = True
    """False when members may have joined that are not listed: then the node is never "alone"."""
    replaced_team_id: str = ""
    """The team of one that was given up to join this one: its CA key may be removed."""

    @property
    def is_alone(self) -> bool:
        """Whether nobody else can ever have been in this team, as far as the file proves it."""
        return self.origin is Origin.BORN and self.complete and not self.members


@dataclass(frozen=True, slots=True)
class LeftRecord:
    """The content of the file between "this team is over" and its last trace being gone."""

    team_id: str
    """Empty when the file was too damaged to tell."""
    archive_key_as: str
    """File name in the key directory for the CA key of the team; empty: the key is removed."""


def encode_record(record: TeamRecord | LeftRecord) -> bytes:
    """Return the file's content."""
    content: dict[str, object] = {"schema": RECORD_SCHEMA, "team_id": record.team_id}
    if isinstance(record, LeftRecord):
        content |= {"state": "left", "archive_key_as": record.archive_key_as}
    else:
        content |= {
            "state": "member",
            "origin": record.origin.value,
            "complete": record.complete,
            "replaced_team_id": record.replaced_team_id,
            "members": [
                {
                    "node_id": member.node_id,
                    "name": member.name,
                    "addresses": list(member.addresses),
                    "holds_ca": member.holds_ca,
                }
                for member in record.members
            ],
            "ca": record.ca_pem.decode("ascii"),
            "leaf": record.leaf_pem.decode("ascii"),
        }
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def read_record(path: Path) -> TeamRecord | LeftRecord | None:
    """Return what the file says, or None when there is none.

    Raises:
        IdentityCorrupt: The file is damaged or can't be read. It stays where it is.
    """
    try:
        content = read_private_file(path)
    except KeyUnusable as error:
        raise IdentityCorrupt(error.message, hint=error.hint, cause=error.cause) from error
    if content is None:
        return None
    try:
        return _decode(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise IdentityCorrupt(
            f"{path} is damaged",
            cause=f"{type(error).__name__}: {error}",
            hint=f"restore {path} from a backup; or give this team up with `skilllite node leave` "
            "(the damaged file is kept) and join again",
        ) from error


def _decode(value: dict[str, Any]) -> TeamRecord | LeftRecord:
    if value["schema"] != RECORD_SCHEMA:
        raise ValueError(f"schema {value['schema']!r} was written by another version")
    team_id = value["team_id"]
    if value["state"] == "left":
        name = str(value["archive_key_as"])
        if "/" in name or name.startswith("."):
            raise ValueError("not a file name")
        return LeftRecord(str(team_id), name)
    if not NODE_ID_PATTERN.match(team_id):
        raise ValueError("no team id")
    members = tuple(_decode_member(member) for member in value["members"])
    if len(members) > MEMBERS_MAX:
        raise ValueError(f"more than {MEMBERS_MAX} members")
    return TeamRecord(
        team_id=team_id,
        origin=Origin(value["origin"]),
        ca_pem=value["ca"].encode("ascii"),
        leaf_pem=value["leaf"].encode("ascii"),
        members=members,
        complete=value["complete"] is True,
        replaced_team_id=str(value["replaced_team_id"]),
    )


def _decode_member(value: dict[str, Any]) -> Member:
    member = Member(
        node_id=str(value["node_id"]),
        name=str(value["name"]),
        addresses=tuple(str(address) for address in value["addresses"]),
        holds_ca=value["holds_ca"] is True,
    )
    if (problem := member.problem()) is not None:
        raise ValueError(f"member {member.node_id!r}: {problem}")
    return member
