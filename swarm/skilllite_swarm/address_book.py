"""Where members of the team were last seen: `peers.json` in the node's home.

Remembered addresses are hints for the next start, when mDNS may be silent. Losing the file costs
nothing but time, so a damaged one is set aside and reported, and the book starts empty.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from skilllite_swarm.addresses import accept_addresses

REMEMBERED_MAX = 512
"""Members kept; beyond the size a mesh is meant for, so only the long gone are dropped."""

FILE_BYTES_MAX = 1024 * 1024
"""A book of 512 full entries has about 600 KiB; more is not our file."""

NAME_LENGTH_MAX = 64
"""Characters of a node's name."""

_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Remembered:
    """One member that was connected once."""

    node_id: str
    name: str
    addresses: tuple[str, ...]
    last_seen: int
    """Seconds since 1970, by this node's clock; only for ordering and display."""


class AddressBook:
    """The remembered members of one team, in memory until `save`."""

    def __init__(self, path: Path, team_id: str) -> None:
        self._path = path
        self._team_id = team_id
        self._peers: dict[str, Remembered] = {}
        self._epoch = 0
        self._changed = False
        self.problem: str | None = None
        """What was wrong with the file, and where it was set aside."""

    @classmethod
    def open(cls, path: Path, *, team_id: str, now: datetime) -> AddressBook:
        """Read the file if there is one; never fails because of its content.

        Entries of another team are dropped: they can't be dialled any more.
        """
        book = cls(path, team_id)
        try:
            with open(path, "rb") as file:
                raw = file.read(FILE_BYTES_MAX + 1)
        except FileNotFoundError:
            return book
        try:
            book._load(raw)
        except (
            *(ValueError, TypeError, KeyError, AttributeError),
            *(RecursionError, OverflowError),  # an infinite time, which 1e999 is
        ) as error:
            book._peers.clear()
            aside = path.with_name(f"{path.name}.corrupt-{now:%Y%m%dT%H%M%S%f}")
            path.rename(aside)
            book.problem = f"{path} is damaged ({error}); set aside as {aside.name}"
        return book

    def _load(self, raw: bytes) -> None:
        if len(raw) > FILE_BYTES_MAX:
            raise ValueError(f"larger than {FILE_BYTES_MAX} bytes")
        content = json.loads(raw.decode("utf-8"))
        if content["schema"] != _SCHEMA:
            raise ValueError(f"schema {content['schema']!r}, not {_SCHEMA}")
        epoch = content["epoch"]
        if not isinstance(epoch, int) or not 0 <= epoch < 2**63:
            raise ValueError(f"epoch {epoch!r}")
        self._epoch = epoch
        if content["team_id"] != self._team_id:
            return
        for entry in content["peers"]:
            self._put(
                Remembered(
                    node_id=_text(entry["node_id"]),
                    name=_text(entry["name"])[:NAME_LENGTH_MAX],
                    addresses=accept_addresses(map(_text, entry["addresses"]), same_host=True),
                    last_seen=int(entry["last_seen"]),
                )
            )

    def next_epoch(self, now: datetime) -> int:
        """Return a number larger than at every start before, also when the clock was set back."""
        self._epoch = max(int(now.timestamp() * 1000), self._epoch + 1)
        self._changed = True
        return self._epoch

    def peers(self) -> tuple[Remembered, ...]:
        """Return the remembered, most recently seen first."""
        return tuple(sorted(self._peers.values(), key=lambda peer: -peer.last_seen))

    def remember(self, node_id: str, *, name: str, addresses: Iterable[str], now: datetime) -> None:
        """Record that a member was connected just now."""
        fresh = Remembered(
            node_id,
            name[:NAME_LENGTH_MAX],
            accept_addresses(addresses, same_host=True),
            int(now.timestamp()),
        )
        old = self._peers.get(node_id)
        # A newer time alone is not worth a write; it goes along with the next one.
        if old is None or replace(old, last_seen=fresh.last_seen) != fresh:
            self._changed = True
        self._put(fresh)

    def forget(self, node_id: str) -> None:
        if self._peers.pop(node_id, None) is not None:
            self._changed = True

    def _put(self, peer: Remembered) -> None:
        self._peers[peer.node_id] = peer
        if len(self._peers) > REMEMBERED_MAX:
            del self._peers[self.peers()[-1].node_id]

    def take_changes(self) -> bytes | None:
        """Return what `write` should write, or None when nothing changed since the last time."""
        if not self._changed:
            return None
        self._changed = False
        content = {
            "schema": _SCHEMA,
            "team_id": self._team_id,
            "epoch": self._epoch,
            "peers": [
                {
                    "node_id": peer.node_id,
                    "name": peer.name,
                    "addresses": list(peer.addresses),
                    "last_seen": peer.last_seen,
                }
                for peer in self.peers()
            ],
        }
        return json.dumps(content, indent=1).encode("utf-8")

    def write(self, content: bytes) -> None:
        """Replace the file atomically. Blocks on the disk, and may be called in a thread."""
        temporary = self._path.with_name(f"{self._path.name}.new")
        opened = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(opened, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)

    def save(self) -> bool:
        """Write what changed, at once; return whether anything did."""
        content = self.take_changes()
        if content is not None:
            self.write(content)
        return content is not None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} where text belongs")
    return value
