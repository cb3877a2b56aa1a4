"""How one message becomes one line, and how long a line may be."""

from __future__ import annotations

import json

PROTOCOL = 1

REQUEST_BYTES_MAX = 4 * 1024 * 1024 + 64 * 1024
"""A skill's input of 4 MiB and its envelope."""

REPLY_BYTES_MAX = 25 * 1024 * 1024
"""What one message of a peer holds, 4 MiB, with every byte escaped as \\u00xx, and its envelope."""

KEEPALIVE_S = 5.0
"""The server says on every request in flight that it is still there; so silence means trouble."""

SILENCE_S_MAX = 30.0
"""A client that hears nothing for this long gives up: the node is stuck or stopped (SIGSTOP)."""

ALIVE = "alive"
"""The event that only says "still there"; the field `event` of every event names its kind."""

Message = dict[str, object]


class BadLine(ValueError):
    """A line is no message."""


def encode(message: Message) -> bytes:
    """Return one line, newline included."""
    text = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
    try:
        return text.encode("utf-8") + b"\n"
    except UnicodeEncodeError:  # a lone surrogate in a skill's output
        return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


def decode(line: bytes | bytearray) -> Message:
    """Return the message in one line.

    Raises:
        BadLine: it is not UTF-8, not JSON, not an object, or nested beyond reason.
    """
    try:
        value = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadLine(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise BadLine(f"a JSON object is expected, not {type(value).__name__}")
    return value
