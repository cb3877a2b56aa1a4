"""JSON texts as values."""

from __future__ import annotations

import json

from skilllite_sandbox.scan.javascript.values import (
    NULL,
    Value,
    boolean,
    items,
    number,
    record,
    text,
    unknown,
)
from skilllite_sandbox.scan.taint import Taint

JSON_CHARS_MAX = 65_536  # of a text that is read; data that hides code in it is smaller


def json_value(source: str, taints: frozenset[Taint]) -> Value:
    """Return what a JSON text holds; unknown when it is none, or too large."""
    if len(source) > JSON_CHARS_MAX:
        return unknown(taints)
    try:
        return _value(json.loads(source), taints)
    except (ValueError, RecursionError):
        return unknown(taints)


def _value(data: object, taints: frozenset[Taint]) -> Value:
    if data is None:
        return NULL
    if isinstance(data, bool):
        return boolean(data)
    if isinstance(data, (int, float)):
        return number(data)
    if isinstance(data, str):
        return text(data, taints)
    if isinstance(data, list):
        return items([_value(each, taints) for each in data], taints)
    assert isinstance(data, dict)
    # `__proto__` stays an ordinary key: JSON.parse makes it one, what merges it is what matters.
    return record({key: _value(each, taints) for key, each in data.items()})
