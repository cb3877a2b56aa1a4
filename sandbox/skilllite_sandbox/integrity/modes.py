"""All permission bits of a directory in one hash: what a digest leaves out of an installed skill.

The digest knows one bit, whether a file is executable, so that a copy has it too. Where a skill is
installed every bit is ours and none changes by itself. Computed from the stamp that a run takes
anyway: no system call of its own.
"""

from __future__ import annotations

import struct

from skilllite_sandbox.digest import sha256

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from collections.abc import Iterable

    from skilllite_sandbox.integrity.entries import Entry
    from skilllite_sandbox.stamps import Stamp

MODE_BITS = 0o7777
_HEADER = b"skilllite skill modes 1\n"


def modes_of_stamp(stamp: Stamp, directory: str) -> str:
    """Return the hash of the modes in a stamp of `directory`, given as when it was stamped."""
    prefix = len(directory.rstrip("/")) + 1
    top, *rest = stamp
    pairs = [("", _number(top[3]))]
    pairs += [(str(facts[0])[prefix:], _number(facts[2])) for facts in rest]
    return _hash(pairs)


def modes_of_entries(entries: Iterable[Entry]) -> str:
    """Return the same hash of a list of entries."""
    return _hash([(each.path, each.mode) for each in entries])


def _hash(pairs: list[tuple[str, int]]) -> str:
    total = sha256(_HEADER)
    named = sorted((path.encode("utf-8", "surrogateescape"), mode) for path, mode in pairs)
    for path, mode in named:
        total.update(struct.pack(">IH", len(path), mode & MODE_BITS) + path)
    return str(total.hexdigest())


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value
