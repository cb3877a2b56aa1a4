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

import re
import struct

from skilllite_sandbox.tree import ByteBudget, TreeDirectory, walk_tree
from skilllite_sandbox.values import dataclass

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from hashlib import _Hash as Hash
    from hashlib import sha256 as sha256
    from pathlib import Path
else:
    # Loading OpenSSL for hashlib takes longer than hashing a skill; CPython has its own as well.
    try:
        from _sha256 import sha256
    except ImportError:  # 3.12 renamed it
        try:
            from _sha2 import sha256
        except ImportError:  # built without
            from hashlib import sha256

_HEADER = b"skilllite skill tree 1\n"  # bump when the form changes: old digests must not match
_SMALL_BYTES = 256 * 1024  # above it OpenSSL makes up for the 3 ms of loading it
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """What the digest knows of one path."""

    path: str
    kind: bytes
    executable: bool
    size_bytes: int
    content_sha256: bytes


def compute_digest(directory: str | Path) -> str:
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
        content = None
        size = 0
        for chunk in found.chunks(budget):
            content = content or _hash_for(len(chunk))
            content.update(chunk)
            size += len(chunk)
        digest = (content or sha256()).digest()
        entries.append(file_entry(found.path, found.executable, size, digest))
    return digest_of_entries(entries)


def _hash_for(size_bytes: int) -> Hash:
    if size_bytes <= _SMALL_BYTES:
        return sha256()
    import hashlib

    return hashlib.sha256()


def directory_entry(path: str) -> TreeEntry:
    """Return the entry of a folder."""
    return TreeEntry(path, b"d", executable=False, size_bytes=0, content_sha256=bytes(32))


def file_entry(path: str, executable: bool, size_bytes: int, content_sha256: bytes) -> TreeEntry:
    """Return the entry of a regular file."""
    return TreeEntry(path, b"f", executable, size_bytes, content_sha256)


def digest_of_entries(entries: list[TreeEntry]) -> str:
    """Return the digest of a tree whose files were hashed by the caller, in any order."""
    total = sha256(_HEADER)
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
