"""What a skill agrees on with its caller: one JSON object in, one JSON value out, or a refusal.

Decides how the request is read, how single fields are checked and how the answer is written. What
the fields mean is left to main.py. Skills that need this file each carry the same copy: a skill has
to stand alone wherever it is copied.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Sequence

INPUT_BYTES_MAX = 4 * 1024 * 1024  # bytes: what a sandboxed run accepts on standard input
OUTPUT_BYTES_MAX = 4 * 1024 * 1024  # bytes: what a sandboxed run passes on from standard output
SHOWN_CHARACTERS_MAX = 60  # characters of a rejected value that are repeated in a message

Request = dict[str, object]


class Refusal(Exception):
    """The request cannot be served; the message names the field and says what is allowed."""


def serve(answer: Callable[[Request], object]) -> int:
    """Answer the request on standard input and return the exit status."""
    try:
        encoded, status = _encode(answer(_read_request())), 0
    except Refusal as refusal:
        encoded, status = _encode({"error": str(refusal)}), 1
    except RecursionError:
        encoded, status = _encode({"error": "the request is nested too deeply"}), 1
    except MemoryError:
        encoded, status = _encode({"error": "the request needs more memory than is allowed"}), 1
    except Exception as error:  # the edge of the process: callers get JSON, never a traceback
        message = f"the skill failed on this request: {type(error).__name__}: {error}"
        encoded, status = _encode({"error": message[:500]}), 1
    sys.stdout.buffer.write(encoded)
    sys.stdout.buffer.flush()
    return status


def _read_request() -> Request:
    raw = sys.stdin.buffer.read(INPUT_BYTES_MAX + 1)
    if len(raw) > INPUT_BYTES_MAX:
        raise Refusal(f"the input is larger than {INPUT_BYTES_MAX} bytes")
    try:
        request = parse(raw.decode("utf-8-sig"), "the input")
    except UnicodeDecodeError:
        raise Refusal("the input must be encoded in UTF-8") from None
    if not isinstance(request, dict):
        raise Refusal("the input must be a JSON object")
    # Half of a surrogate pair can only arrive as an escape, and no UTF-8 can carry it back out.
    if b"\\ud" in raw.lower():
        try:
            json.dumps(request, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            raise Refusal("the input has an unpaired surrogate escape (\\ud800-\\udfff)") from None
    return request


def parse(document: str, name: str) -> object:
    """Return the JSON value in a text; strict, so that it can be written as JSON again."""
    try:
        return json.loads(document, parse_float=_finite, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise Refusal(f"{name} is not valid JSON: {error}") from None
    except ValueError:  # the interpreter's own bound on the digits of an integer
        raise Refusal(f"{name} has an integer of more than 4300 digits") from None


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise Refusal(f"the number {shown(text)} is too large: at most about 1.8e308")
    return value


def _no_constant(text: str) -> float:
    raise Refusal(f"{text} is no JSON number")


def _encode(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    encoded = text.encode("utf-8", errors="replace") + b"\n"
    if len(encoded) > OUTPUT_BYTES_MAX:
        raise Refusal(f"the result is larger than {OUTPUT_BYTES_MAX} bytes: ask for less at a time")
    return encoded


def shown(value: object) -> str:
    """Return the value as JSON, short enough for a message."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    if isinstance(value, str):
        value = value[: SHOWN_CHARACTERS_MAX + 1]
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARACTERS_MAX else text[:SHOWN_CHARACTERS_MAX] + "…"


def only_fields(request: Request, allowed: Sequence[str]) -> None:
    """Refuse a field nobody reads: more likely a misspelling than a wish to be ignored."""
    for name in request:
        if name not in allowed:
            raise Refusal(f"field {shown(name)} is not known here; allowed: {', '.join(allowed)}")


def choice(request: Request, name: str, allowed: Sequence[str], default: str | None = None) -> str:
    if name not in request and default is not None:
        return default
    value = _present(request, name, f"one of {', '.join(allowed)}")
    if not isinstance(value, str) or value not in allowed:
        raise Refusal(f"{name} must be one of {', '.join(allowed)}, not {shown(value)}")
    return value


def text(request: Request, name: str, *, characters_max: int, default: str | None = None) -> str:
    if name not in request and default is not None:
        return default
    value = _present(request, name, "a string")
    if not isinstance(value, str):
        raise Refusal(f"{name} must be a string, not {shown(value)}")
    if len(value) > characters_max:
        raise Refusal(f"{name} has {len(value)} characters; at most {characters_max} are allowed")
    return value


def integer(request: Request, name: str, *, low: int, high: int, default: int | None = None) -> int:
    if name not in request and default is not None:
        return default
    wanted = f"an integer from {low} to {high}"
    value = _present(request, name, wanted)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise Refusal(f"{name} must be {wanted}, not {shown(value)}")
    return value


def boolean(request: Request, name: str, *, default: bool) -> bool:
    value = request.get(name, default)
    if not isinstance(value, bool):
        raise Refusal(f"{name} must be true or false, not {shown(value)}")
    return value


def _present(request: Request, name: str, wanted: str) -> object:
    if name not in request:
        raise Refusal(f"{name} is missing: it must be {wanted}")
    return request[name]
