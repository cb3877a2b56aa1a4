"""The signed manifest of one installed skill: its entries and the facts of its installation.

What is signed is a binary form in which nothing can be read in two ways; what is stored is JSON
that a person can read. Integers big-endian: the header, which keeps the signature from being good
for anything else; u32 number of facts, then for each, in the order of `Facts`, u32 length and UTF-8
of its name and of its value as text; u32 number of entries, then for each, in the order of its
UTF-8 path, u32 length of the path, the path, one byte type (`d` or `f`), u32 mode, u64 size,
32 bytes SHA-256 (zeros for a folder).
"""

from __future__ import annotations

import json
import re
import struct

from skilllite_sandbox.digest import is_digest
from skilllite_sandbox.integrity.entries import FILE, FOLDER, Entry, digest_of
from skilllite_sandbox.integrity.modes import MODE_BITS, modes_of_entries
from skilllite_sandbox.policy import MIB
from skilllite_sandbox.values import asdict, dataclass

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from typing import Any

    from skilllite_sandbox.signing import Signer, Verifier

MANIFEST_BYTES_MAX = 16 * MIB  # 10,000 entries with paths of 1 KiB
SCHEMA = 1
_HEADER = b"skilllite skill manifest 1\n"
_HEX_64 = re.compile(r"[0-9a-f]{64}")
_HEX_128 = re.compile(r"[0-9a-f]{128}")


class InvalidManifest(ValueError):
    """The bytes are no manifest, or its signature is not that of the key it names."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about one installation. All of it is signed."""

    place: str
    """`home/FOLDER` for a skill of the home, else the directory."""
    name: str
    digest: str
    version: int
    """Counts the manifests of this place, from 1."""
    installed_at: int
    """Seconds since 1970."""
    tier: str
    """`team`, `local` or `community`; see trust.py."""
    source: str
    """Where it came from, as a person would write it."""
    source_kind: str = "folder"
    """`folder`, `archive`, `download`, `git`, or `accepted` for a change that a person accepted."""
    ref: str = ""
    """The branch or tag that was asked for."""
    commit: str = ""
    """What the reference was then."""
    subfolder: str = ""
    archive_sha256: str = ""
    """Of the file that was unpacked."""
    author: str = ""
    """The public key, in hex, of the team member whose signature was checked."""
    evidence: str = ""
    """`oms:` and the fingerprint of the key whose bundle over these files was checked."""
    verdict: str = ""
    scanner_version: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest with its signature; `open_manifest` returns none whose signature is wrong."""

    facts: Facts
    entries: tuple[Entry, ...]
    public_key: bytes
    signature: bytes

    @property
    def modes(self) -> str:
        """The hash of all permission bits."""
        return modes_of_entries(self.entries)


def sign_manifest(facts: Facts, entries: tuple[Entry, ...], signer: Signer) -> Manifest:
    """Return the signed manifest."""
    assert facts.digest == digest_of(entries)
    signature = signer.sign(canonical_bytes(facts, entries))
    return Manifest(facts, entries, signer.public_key, signature)


def canonical_bytes(facts: Facts, entries: tuple[Entry, ...]) -> bytes:
    """Return what is signed."""
    pairs = asdict(facts).items()
    parts = [_HEADER, struct.pack(">I", len(pairs))]
    for name, value in pairs:
        parts += (_prefixed(name), _prefixed(str(value)))
    parts.append(struct.pack(">I", len(entries)))
    for entry in sorted(entries, key=lambda entry: entry.path.encode("utf-8")):
        kind = b"d" if entry.kind == FOLDER else b"f"
        content = bytes.fromhex(entry.sha256) if entry.kind == FILE else bytes(32)
        parts += (_prefixed(entry.path), kind, struct.pack(">IQ", entry.mode, entry.size_bytes))
        parts.append(content)
    return b"".join(parts)


def encode_manifest(manifest: Manifest) -> bytes:
    """Return the manifest as it is stored."""
    record = {
        "schema": SCHEMA,
        "facts": asdict(manifest.facts),
        "entries": [
            {
                "path": each.path,
                "type": each.kind,
                "mode": f"{each.mode:04o}",
                "size": each.size_bytes,
                "sha256": each.sha256,
            }
            for each in manifest.entries
        ],
        "public_key": manifest.public_key.hex(),
        "signature": manifest.signature.hex(),
    }
    return json.dumps(record, ensure_ascii=False, indent=1).encode("utf-8") + b"\n"


def decode_manifest(data: bytes) -> Manifest:
    """Return a stored manifest without asking whether its signature is right.

    Raises:
        InvalidManifest: it has not exactly the shape that `encode_manifest` gives.
    """
    try:
        record = json.loads(data)
        if record.keys() != {"schema", "facts", "entries", "public_key", "signature"}:
            raise InvalidManifest("it has other fields than a manifest")
        if record["schema"] != SCHEMA:
            raise InvalidManifest(f"it has schema {record['schema']!r}, known is {SCHEMA}")
        facts = Facts(**record["facts"])
        entries = tuple(_decode_entry(each) for each in record["entries"])
        key, signature = record["public_key"], record["signature"]
        if not _HEX_64.fullmatch(key) or not _HEX_128.fullmatch(signature):
            raise InvalidManifest("its key or signature is malformed")
        _check_facts(facts, entries)
    except InvalidManifest:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidManifest(f"it is not a manifest: {error}") from None
    return Manifest(facts, entries, bytes.fromhex(key), bytes.fromhex(signature))


def open_manifest(data: bytes, verifier: Verifier) -> Manifest:
    """Return a stored manifest whose signature is right; by which key, the caller looks at.

    Raises:
        InvalidManifest: it is none, or the signature is wrong.
    """
    manifest = decode_manifest(data)
    signed = canonical_bytes(manifest.facts, manifest.entries)
    if not verifier.verify(manifest.public_key, signed, manifest.signature):
        raise InvalidManifest("its signature doesn't fit its content")
    return manifest


def _check_facts(facts: Facts, entries: tuple[Entry, ...]) -> None:
    numbers = {"version", "installed_at", "scanner_version"}
    for name, value in asdict(facts).items():
        if type(value) is not (int if name in numbers else str):
            raise InvalidManifest(f"its fact {name} has the wrong type")
    if not is_digest(facts.digest) or digest_of(entries) != facts.digest:
        raise InvalidManifest("its digest is not that of its entries")
    paths = [each.path for each in entries]
    if len(set(paths)) != len(paths) or "" not in paths:
        raise InvalidManifest("it names a path twice, or not the skill's own folder")


def _decode_entry(record: dict[str, Any]) -> Entry:
    if record.keys() != {"path", "type", "mode", "size", "sha256"}:
        raise InvalidManifest("an entry has other fields")
    path, kind, size, content = record["path"], record["type"], record["size"], record["sha256"]
    mode = int(record["mode"], 8)
    right = isinstance(path, str) and type(size) is int and 0 <= size < 1 << 63
    right = right and kind in (FILE, FOLDER) and 0 <= mode <= MODE_BITS
    right = right and bool(_HEX_64.fullmatch(content) if kind == FILE else content == "")
    if not right:
        raise InvalidManifest("an entry is malformed")
    return Entry(path, kind, mode, size, content)


def _prefixed(text: str) -> bytes:
    data = text.encode("utf-8")
    return struct.pack(">I", len(data)) + data
