"""One line of the log: canonical JSON, chained to the line before by its hash. Pure.

There is exactly one way to write a line: a changed byte that JSON wouldn't notice, such as a space,
is noticed all the same.
"""

from __future__ import annotations

import json
import time

from skilllite_sandbox.digest import sha256

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

LINE_BYTES_MAX = 64 * 1024  # what bounded facts take at most, by far; longer is no line of ours
SEQUENCE_MAX = 2**53  # what every reader of JSON counts exactly; a line a microsecond for 285 years
GENESIS = "0" * 64  # what the first line of a log has for the hash of the line before

_DOMAIN = b"skilllite audit line v1\n"
_HASH_KEY = b',"hash":"'
_HASH_TAIL = len(_HASH_KEY) + 64 + len(b'"}')
_WORD_CHARS_MAX = 32
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz_")
_DIGITS = frozenset("0123456789abcdef")
_ZEROS = str.maketrans("123456789", "0" * 9)

# One encoder for all: making one anew costs more than what it does.
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False, sort_keys=True).encode


class Head:
    """The last line of a chain: what the next one continues."""

    __slots__ = ("hash", "sequence")

    def __init__(self, sequence: int = 0, hash: str = GENESIS) -> None:
        self.sequence = sequence
        self.hash = hash

    def __repr__(self) -> str:
        return f"Head({self.sequence}, {self.hash[:8]})"


class Line:
    """A line that was read: its parts, and what it claims to be."""

    __slots__ = ("event", "facts", "head", "previous", "time")

    def __init__(
        self, head: Head, time: str, event: str, facts: dict[str, Any], previous: str
    ) -> None:
        self.head = head
        self.time = time
        self.event = event
        self.facts = facts
        self.previous = previous


class Malformed(ValueError):
    """These bytes are no line of a log, and why."""


def event_is_named_well(event: str) -> bool:
    """Return whether this can be the name of an event: `run.ended`."""
    area, dot, what = event.partition(".")
    return bool(dot) and all(
        0 < len(word) <= _WORD_CHARS_MAX and word[0] != "_" and _LETTERS.issuperset(word)
        for word in (area, what)
    )


# Without regular expressions: compiling them would cost each run more than all else here.


def is_hex(text: object, chars: int) -> bool:
    """Return whether it is that many hexadecimal digits."""
    return isinstance(text, str) and len(text) == chars and _DIGITS.issuperset(text)


def is_time(text: object) -> bool:
    """Return whether it is written as a time of the log."""
    return isinstance(text, str) and text.translate(_ZEROS) == "0000-00-00T00:00:00.000Z"


def write_line(
    before: Head, time: str, event: str, facts: Mapping[str, object]
) -> tuple[bytes, Head]:
    """Return the next line, with its end, and the head that it makes.

    Args:
        before: The head so far.
        time: As `time_text` gives it.
        event: A name.
        facts: Bounded values that are JSON already, without secrets.
    """
    sequence = before.sequence + 1
    body = (
        f'{{"seq":{sequence},"time":"{time}","event":"{event}",'
        f'"facts":{_encode(facts)},"prev":"{before.hash}"'
    ).encode("ascii")
    digest = _hash_of(body)
    return body + _HASH_KEY + digest.encode() + b'"}\n', Head(sequence, digest)


def read_line(data: bytes) -> Line:
    """Return the line that these bytes are, without its end; its own hash was checked.

    Raises:
        Malformed: they are none, with what is wrong.
    """
    if len(data) > LINE_BYTES_MAX:
        raise Malformed(f"longer than {LINE_BYTES_MAX} bytes")
    try:
        text = data.decode("ascii")
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed("not a line of JSON") from None
    if not isinstance(value, dict) or list(value) != [
        "seq",
        "time",
        "event",
        "facts",
        "prev",
        "hash",
    ]:
        raise Malformed("not the six parts of a line")
    sequence, facts = value["seq"], value["facts"]
    if type(sequence) is not int or not 0 < sequence <= SEQUENCE_MAX or not isinstance(facts, dict):
        raise Malformed("a part of the wrong kind")
    event = value["event"]
    named_well = isinstance(event, str) and event_is_named_well(event)
    if not named_well or not is_time(value["time"]):
        raise Malformed("its event or its time can't be one")
    if not is_hex(value["prev"], 64) or not is_hex(value["hash"], 64):
        raise Malformed("its hashes can't be ones")
    head = Head(sequence, value["hash"])
    if _hash_of(data[:-_HASH_TAIL]) != head.hash:
        raise Malformed("its content doesn't have its hash")
    try:
        again, _ = write_line(
            Head(sequence - 1, value["prev"]), value["time"], value["event"], facts
        )
    except (ValueError, RecursionError):
        raise Malformed("not written as a line is") from None
    if again[:-1] != data:
        raise Malformed("not written as a line is")
    return Line(head, value["time"], value["event"], facts, value["prev"])


def time_text(now_ns: int) -> str:
    """Return a time of the wall clock as the log writes it: UTC, to the millisecond."""
    seconds, rest = divmod(now_ns, 1_000_000_000)
    year, month, day, hour, minute, second, *_ = time.gmtime(seconds)
    whole = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
    return f"{whole}.{rest // 1_000_000:03}Z"


def _hash_of(body: bytes) -> str:
    return sha256(_DOMAIN + body).hexdigest()
