"""JSON as others will have to read it: without what only Python's parser lets through.

NaN, infinities (also as 1e999), lone surrogates and broken UTF-8 are refused, because what is
accepted here is stored and sent on as JSON by programs that would stumble over it. So is what is
nested beyond a fixed depth: where Python itself stops depends on its version and on how much of the
stack is in use, so that a value could be read at one place and kill the program at the next.
"""

from __future__ import annotations

import json
import math
import re
from itertools import accumulate

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from typing import Any

DEPTH_MAX = 256  # Python 3.11 gives up below 1000, less the frames of whoever reads or writes

# Possessive, and content without a closing quote: else a string that doesn't end would be tried
# anew at every quote in it.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NOT_BRACKETS = bytes(code for code in range(256) if code not in _STEPS)


def parse_json(data: bytes) -> Any:
    """Return the one value that these bytes hold.

    Raises:
        ValueError: they don't hold exactly one JSON value.
    """
    text = data.decode("utf-8")
    if _depth(data) > DEPTH_MAX:
        raise ValueError(f"nested more than {DEPTH_MAX} deep")
    try:
        value = _decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if "\\u" in text:
        # Only an escape can have made a lone surrogate; encoding finds it.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def _depth(data: bytes) -> int:
    """Return how deep the value is nested; for what is no JSON some number."""
    if data.count(b"[") + data.count(b"{") <= DEPTH_MAX:
        return 0  # nearly always: not worth a closer look
    brackets = _STRING.sub(b"", data).translate(None, _NOT_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(literal: str) -> float:
    value = float(literal)
    if math.isinf(value):
        raise ValueError(f"{literal} is out of range")
    return value


_decode = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite).decode
