"""JSON as others will have to read it: without what only Python's parser lets through.

NaN, infinities (also as 1e999), lone surrogates and broken UTF-8 are refused, because what is
accepted here is stored and sent on as JSON by programs that would stumble over it.
"""

from __future__ import annotations

import json
import math
from typing import Any


def parse_json(data: bytes) -> Any:
    """Return the one value that these bytes hold.

    Raises:
        ValueError: they don't hold exactly one JSON value.
    """
    text = data.decode("utf-8")
    try:
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if "\\u" in text:
        # Only an escape can have made a lone surrogate; encoding finds it.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(literal: str) -> float:
    value = float(literal)
    if math.isinf(value):
        raise ValueError(f"{literal} is out of range")
    return value
