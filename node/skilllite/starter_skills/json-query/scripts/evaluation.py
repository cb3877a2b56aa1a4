"""What the steps of a path do to a JSON value.

A path yields one value until a step that selects (`[*]`, a slice, a filter, `..`): from there on it
carries a list of selected values and every further step works on each of them, until `|` makes that
list one value again. A missing key is an error on a single value; among many it is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from contract import Refusal, shown
from functions import FUNCTIONS, equal, is_number, type_name
from syntax import (
    Both,
    Call,
    Collect,
    Comparison,
    Descend,
    Either,
    Every,
    Exists,
    Filter,
    Index,
    Key,
    Literal,
    Not,
    Slice,
)

VALUES_MAX = 100_000  # values a path may carry at a time
MISSING = object()


def select(value: object, steps: Sequence[object]) -> tuple[object, bool]:
    """Return what the path leads to, and whether that is a list of selected values."""
    values, many = [value], False
    for step in steps:
        if isinstance(step, Collect):
            values, many = [list(values) if many else values[0]], False
        elif isinstance(step, Slice | Every | Filter | Descend):
            values = _bounded(found for item in values for found in _selected(item, step, many))
            many = True
        else:
            reached = [_reached(item, step, strict=not many) for item in values]
            values = [item for item in reached if item is not MISSING]
    return (values if many else values[0]), many


def _bounded(found: Iterator[object]) -> list[object]:
    values = []
    for value in found:
        if len(values) == VALUES_MAX:
            raise Refusal(f"path selects more than {VALUES_MAX} values: make it more specific")
        values.append(value)
    return values


def _selected(value: object, step: object, many: bool) -> Iterator[object]:
    if isinstance(step, Descend):
        yield from _descendants(value, step.name)
    elif isinstance(step, Every) and isinstance(value, dict):
        yield from value.values()
    elif not isinstance(value, list):
        if not many:
            raise Refusal(f"path selects elements, but the value there is {type_name(value)}")
    elif isinstance(step, Slice):
        yield from value[step.start : step.stop : step.step]
    elif isinstance(step, Filter):
        yield from (item for item in value if holds(step.condition, item))
    else:
        yield from value


def _descendants(value: object, name: str) -> Iterator[object]:
    # A stack of our own: the data may be nested deeper than Python recurses.
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, dict):
            if name in current:
                yield current[name]
            pending.extend(reversed(current.values()))
        elif isinstance(current, list):
            pending.extend(reversed(current))


def _reached(value: object, step: object, *, strict: bool) -> object:
    if isinstance(step, Call):
        return FUNCTIONS[step.function](value)
    if isinstance(step, Key) and isinstance(value, dict) and step.name in value:
        return value[step.name]
    if isinstance(step, Index) and isinstance(value, list):
        if -len(value) <= step.number < len(value):
            return value[step.number]
        problem = f"index {step.number} is outside a list of {len(value)}"
    elif isinstance(step, Key) and isinstance(value, dict):
        problem = f"there is no key {shown(step.name)}; keys: {_some_keys(value)}"
    else:
        wanted = "an object" if isinstance(step, Key) else "a list"
        what = shown(step.name) if isinstance(step, Key) else f"[{step.number}]"
        problem = f"{what} needs {wanted}, but the value there is {type_name(value)}"
    if strict:
        raise Refusal(f"path leads nowhere: {problem}")
    return MISSING


def _some_keys(value: dict[str, object]) -> str:
    names = [shown(name) for name in list(value)[:10]]
    return ", ".join(names) + (", …" if len(value) > 10 else "") if names else "none"


def holds(condition: object, item: object) -> bool:
    """Return whether the condition of a filter is true for this element."""
    if isinstance(condition, Both):
        return all(holds(part, item) for part in condition.conditions)
    if isinstance(condition, Either):
        return any(holds(part, item) for part in condition.conditions)
    if isinstance(condition, Not):
        return not holds(condition.condition, item)
    if isinstance(condition, Exists):
        return _operand(condition.path, item) is not MISSING
    assert isinstance(condition, Comparison)
    left, right = _operand(condition.left, item), _operand(condition.right, item)
    if left is MISSING or right is MISSING:
        return condition.operator == "!=" and left is not right
    return compare(left, condition.operator, right)


def _operand(operand: object, item: object) -> object:
    if isinstance(operand, Literal):
        return operand.value
    assert isinstance(operand, tuple)
    for step in operand:
        if isinstance(step, Key | Index | Call):
            item = _reached(item, step, strict=False)
        else:
            raise Refusal("path: inside a filter only .key, [index] and functions are allowed")
        if item is MISSING:
            return MISSING
    return item


def compare(left: object, operator: str, right: object) -> bool:
    """Return the comparison of two JSON values; only numbers and strings have an order."""
    if operator in ("==", "!="):
        return equal(left, right) is (operator == "==")
    if operator == "contains":
        if isinstance(left, list):
            return any(equal(part, right) for part in left)
        return isinstance(right, str) and isinstance(left, str | dict) and right in left
    comparable = (is_number(left) and is_number(right)) or (
        isinstance(left, str) and isinstance(right, str)
    )
    if not comparable:
        return False
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[
        operator
    ]
