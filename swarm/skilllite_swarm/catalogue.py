"""What a node offers, in a form that can be signed and checked.

The canonical bytes are length-prefixed, so that no two catalogues share them whatever their texts
contain. The signature covers the node id and the head; the head's root covers every entry. Heads of
one node are ordered by (epoch, sequence) within the epoch that its Hello named: a clock set back
between two starts can't make a new catalogue look old.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from hashlib import sha256

from skilllite_swarm.errors import CatalogueRejected
from skilllite_swarm.transport import Catalogue, CatalogueHead, SkillEntry

SKILLS_MAX = 1_000
"""Entries in one catalogue: a flat hash over all of them stays cheap up to about here."""

DESCRIPTION_LENGTH_MAX = 1_024
"""Characters, the bound of the Agent Skills format."""

LANGUAGE_LENGTH_MAX = 32
"""Characters; the longest today has six."""

LACKS_MAX = 16
"""Clauses about what a skill does not get."""

LACK_LENGTH_MAX = 200
"""Characters of one such clause."""

CATALOGUE_BYTES_MAX = 3 * 1024 * 1024
"""Canonical bytes of all entries: fits one 4 MiB message with its envelope."""

UINT64_MAX = 2**64 - 1

_ENTRIES_LABEL = b"skilllite catalogue entries 1"
_HEAD_LABEL = b"skilllite catalogue head 1"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Escape sequences for the reader's terminal, and what UTF-8 can't encode."""
_NAME = re.compile(r"\S{1,64}\Z")


def _prefixed(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _text(text: str) -> bytes:
    return _prefixed(text.encode("utf-8"))


def entry_bytes(entry: SkillEntry) -> bytes:
    """Return the canonical bytes of one entry."""
    return b"".join(
        (
            _text(entry.name),
            _text(entry.description),
            _text(entry.digest),
            _text(entry.language),
            b"\x01" if entry.idempotent else b"\x00",
            struct.pack(">I", len(entry.lacks)),
            *map(_text, entry.lacks),
        )
    )


def root_of(entries: Sequence[SkillEntry]) -> bytes:
    """Return the SHA-256 over the entries in the order given."""
    digest = sha256(_text(_ENTRIES_LABEL.decode()) + struct.pack(">I", len(entries)))
    for entry in entries:
        digest.update(_prefixed(entry_bytes(entry)))
    return digest.digest()


def signed_bytes(node_id: str, head: CatalogueHead) -> bytes:
    """Return what the node's Ed25519 key signs."""
    return b"".join(
        (
            _prefixed(_HEAD_LABEL),
            _text(node_id),
            struct.pack(">QQ", head.epoch, head.sequence),
            _prefixed(head.root),
        )
    )


def fit_entries(entries: Iterable[SkillEntry]) -> tuple[tuple[SkillEntry, ...], tuple[str, ...]]:
    """Return the entries that a catalogue can carry, sorted by name, and the names left out.

    Texts are cut to their bounds and cleaned of control characters; of two entries with one name
    the first wins. A node with more skills than fit goes on with those first in the alphabet, and
    says which it can't offer.
    """
    kept: dict[str, SkillEntry] = {}
    left_out: list[str] = []
    for entry in entries:
        fitted = replace(
            entry,
            description=_clean(entry.description, DESCRIPTION_LENGTH_MAX),
            lacks=tuple(_clean(clause, LACK_LENGTH_MAX) for clause in entry.lacks[:LACKS_MAX]),
        )
        if entry.name in kept or _problem_with(fitted) is not None:
            left_out.append(entry.name)
        else:
            kept[entry.name] = fitted
    size = 0
    fitting: list[SkillEntry] = []
    for name in sorted(kept):
        size += len(entry_bytes(kept[name])) + 4
        if len(fitting) < SKILLS_MAX and size <= CATALOGUE_BYTES_MAX:
            fitting.append(kept[name])
        else:
            left_out.append(name)
    return tuple(fitting), tuple(left_out)


def make_catalogue(
    node_id: str,
    entries: Sequence[SkillEntry],
    *,
    epoch: int,
    sequence: int,
    sign: Callable[[bytes], bytes],
) -> Catalogue:
    """Sign entries that `fit_entries` returned."""
    head = CatalogueHead(epoch, sequence, root_of(entries))
    return Catalogue(head, sign(signed_bytes(node_id, head)), tuple(entries))


def check_catalogue(
    catalogue: Catalogue,
    *,
    node_id: str,
    epoch: int,
    held: CatalogueHead,
    is_signed: Callable[[bytes, bytes], bool],
) -> None:
    """Return only if the node signed exactly these entries and they are not older than `held`.

    Args:
        catalogue: what the node sent.
        node_id: the node as its certificate proved it.
        epoch: the node's present start, from its Hello.
        held: the head of what is known of that node.
        is_signed: whether (data, signature) verify under the node's signing key.

    Raises:
        CatalogueRejected: says which check failed.
    """
    head = catalogue.head
    if not (0 <= head.epoch <= UINT64_MAX and 0 <= head.sequence <= UINT64_MAX):
        raise CatalogueRejected("the catalogue's epoch or sequence is out of range")
    if not is_signed(signed_bytes(node_id, head), catalogue.signature):
        raise CatalogueRejected("the catalogue is not signed by the node that sent it")
    if head.epoch != epoch:
        raise CatalogueRejected("the catalogue is from another start of the node")
    if held.epoch == head.epoch and head.sequence < held.sequence:
        raise CatalogueRejected(
            f"catalogue {head.sequence} is older than {held.sequence}, which is known"
        )
    if held.epoch == head.epoch and held.sequence == head.sequence and held.root != head.root:
        raise CatalogueRejected(f"there are two different catalogues {head.sequence}")
    _check_entries(catalogue.skills)
    if root_of(catalogue.skills) != head.root:
        raise CatalogueRejected("the skills are not those that were signed")


def _clean(text: str, length_max: int) -> str:
    return _CONTROL.sub(" ", text[:length_max])


def _check_entries(entries: Sequence[SkillEntry]) -> None:
    if len(entries) > SKILLS_MAX:
        raise CatalogueRejected(f"more than {SKILLS_MAX} skills in one catalogue")
    size = 0
    previous = ""
    for entry in entries:
        problem = _problem_with(entry)
        if problem is not None:
            raise CatalogueRejected(f"a skill in the catalogue has {problem}")
        # Strictly ascending: one order per set, and no name twice.
        if entry.name <= previous:
            raise CatalogueRejected(f"the catalogue is out of order at {entry.name}")
        previous = entry.name
        size += len(entry_bytes(entry)) + 4
    if size > CATALOGUE_BYTES_MAX:
        raise CatalogueRejected(f"the catalogue is larger than {CATALOGUE_BYTES_MAX} bytes")


def _problem_with(entry: SkillEntry) -> str | None:
    if any(map(_CONTROL.search, (entry.name, entry.description, entry.language, *entry.lacks))):
        return "control characters in its texts"
    if not _NAME.match(entry.name):
        return "a name that is empty, too long or has spaces"
    if len(entry.description) > DESCRIPTION_LENGTH_MAX:
        return f"a description of more than {DESCRIPTION_LENGTH_MAX} characters"
    if not _DIGEST.match(entry.digest):
        return "a malformed digest"
    if len(entry.language) > LANGUAGE_LENGTH_MAX:
        return f"a language of more than {LANGUAGE_LENGTH_MAX} characters"
    if len(entry.lacks) > LACKS_MAX or any(len(text) > LACK_LENGTH_MAX for text in entry.lacks):
        return "too much to say about what it lacks"
    return None
