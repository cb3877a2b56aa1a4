"""The content address of a skill: one SHA-256 over everything that is in its directory.

Decides what counts as a change. Path, type, executable bit, size and content of every file and
folder count; nothing is left out, because an ignored folder is where changed code would hide. The
name of the directory itself, owners and times do not count: a copy has the same digest.

Canonical form, all integers big-endian: the header, the number of entries as u32, then for each
entry in the order of its UTF-8 path: u32 length of the path, the path, one byte type (`d` or
`f`), one byte executable (0 or 1), u64 size, 32 bytes SHA-256 of the content (zeros for a
directory).
"""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass
from pathlib import Path

from skilllite_sandbox.tree import ByteBudget, TreeDirectory, walk_tree

_HEADER = b"skilllite skill tree 1\n"  # bump when the form changes: old digests must not match
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """What the digest knows of one path."""

    path: str
    kind: bytes
    executable: bool
    size_bytes: int
    content_sha256: bytes


def compute_digest(directory: Path) -> str:
    """Return `sha256:<64 hex>` over the whole directory.

    Raises:
        NotFound: there is no such directory.
        InvalidSkill: it holds a link or a special file, or exceeds a bound.
    """
    budget = ByteBudget()
    entries: list[TreeEntry] = []
    for found in walk_tree(directory):
        if isinstance(found, TreeDirectory):
            entries.append(directory_entry(found.path))
            continue
        content = hashlib.sha256()
        size = 0
        for chunk in found.chunks(budget):
            content.update(chunk)
            size += len(chunk)
        entries.append(file_entry(found.path, found.executable, size, content.digest()))
    return digest_of_entries(entries)


def directory_entry(path: str) -> TreeEntry:
    """Return the entry of a folder."""
    return TreeEntry(path, b"d", executable=False, size_bytes=0, content_sha256=bytes(32))


def file_entry(path: str, executable: bool, size_bytes: int, content_sha256: bytes) -> TreeEntry:
    """Return the entry of a regular file."""
    return TreeEntry(path, b"f", executable, size_bytes, content_sha256)


def digest_of_entries(entries: list[TreeEntry]) -> str:
    """Return the digest of a tree whose files were hashed by the caller, in any order."""
    total = hashlib.sha256(_HEADER)
    total.update(struct.pack(">I", len(entries)))
    for entry in sorted(entries, key=lambda entry: entry.path.encode("utf-8")):
        path = entry.path.encode("utf-8")
        total.update(struct.pack(">I", len(path)))
        total.update(path)
        total.update(entry.kind)
        total.update(struct.pack(">BQ", entry.executable, entry.size_bytes))
        total.update(entry.content_sha256)
    return "sha256:" + total.hexdigest()


def is_digest(text: str) -> bool:
    """Whether `text` has the form of a digest; only then may it become part of a path."""
    return _DIGEST.fullmatch(text) is not None
