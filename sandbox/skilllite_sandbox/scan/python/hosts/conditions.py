"""What stands behind a condition that asks who is watching, or what day it is."""

from __future__ import annotations

import ast
import re

from skilllite_sandbox.scan.acts import Act, Datum
from skilllite_sandbox.scan.python.interpreter import Interpreter
from skilllite_sandbox.scan.python.values import MISSING, Value, all_taints, unknown

EPOCH_LEAST = 1_000_000_000  # a number this large that is compared with a clock is a date
YEAR_LEAST = 2000
HUGE_BYTES = 1 << 27  # kept at each turn of any loop: no machine has room for many
GROWTH_BYTES = 1 << 20  # what is added at each turn of an endless loop, to be more than a list

_TELLING = frozenset(
    {
        *(Act.SEND, Act.FETCH, Act.CONNECT, Act.RUN_PROGRAM, Act.RUN_SHELL, Act.RUN_CODE),
        *(Act.DESTROY, Act.PERSIST, Act.CHANGE_AGENT, Act.EXHAUST, Act.LOAD_NATIVE, Act.KILL),
        *(Act.READ_SECRET, Act.WRITE_HOST_FILE),
    }
)


def marks(run: Interpreter) -> int:
    """Return how much was seen so far."""
    return len(run.record.doings)


def behind(run: Interpreter, node: ast.AST, test: Value, before: int) -> None:
    """Take note of what is done only when nobody watches, or from some day on."""
    if test.kind not in ("watched", "dated"):
        return
    new = list(run.record.doings)[before:]
    telling = next((each for each in new if each.act in _TELLING), None)
    if telling is not None:
        why = "a date" if test.kind == "dated" else "the machine, or who watches"
        run.do(Act.DETECT, node, f"{telling.detail or telling.act.value} depends on {why}")


def compare(run: Interpreter, node: ast.Compare, values: list[Value]) -> Value:
    """Return what a comparison gives."""
    kinds = {value.kind for value in values}
    if "clock" in kinds and any(map(_is_date, values)):
        return Value(kind="dated")
    if ("day" in kinds or "month" in kinds) and any(value.is_const for value in values):
        return Value(kind=f"{'day' if 'day' in kinds else 'month'} test")
    seek(run, values, values)
    if "watched" in kinds:
        return Value(kind="watched")
    about = frozenset[Datum]().union(
        *({taint.datum for taint in all_taints(value)} for value in values)
    )
    known = any(value.is_const and value.const not in (None, "", True, False) for value in values)
    known |= any(value.items for value in values)
    if Datum.SYSTEM in about and known:
        return Value(kind="watched")
    if any(value.ref == "sys.modules" for value in values) and known:
        return Value(kind="watched")
    if len(values) == 2 and all(value.is_const for value in values):
        try:
            return Value(_compared(node.ops[0], values[0].const, values[1].const))
        except TypeError:
            return Value()
    return Value(taints=unknown(*values).taints)


_SECRET_NAMES = re.compile(
    r"^id_|^\.(?:kdbx|p12|pfx|jks|keychain-db|netrc|pgpass|git-credentials)$|wallet\.dat|key4\.db"
    r"|logins\.json|^Login Data$|^Cookies$|cookies\.sqlite|^credentials$"
)


def seek(run: Interpreter, found: list[Value], names: list[Value]) -> None:
    """Take note of names of secrets that names of found files are compared with."""
    if not any(each.has(Datum.FOUND_NAMES) for each in found):
        return
    for each in names:
        for item in each.items or [each]:
            if isinstance(item.const, str) and _SECRET_NAMES.search(item.const):
                run.sought = item.const


def _compared(operation: ast.cmpop, left: object, right: object) -> object:
    if isinstance(operation, ast.Eq):
        return left == right
    if isinstance(operation, ast.NotEq):
        return left != right
    if isinstance(operation, ast.Lt):
        return left < right  # type: ignore[operator]
    if isinstance(operation, ast.LtE):
        return left <= right  # type: ignore[operator]
    if isinstance(operation, ast.Gt):
        return left > right  # type: ignore[operator]
    if isinstance(operation, ast.GtE):
        return left >= right  # type: ignore[operator]
    return MISSING


def _is_date(value: Value) -> bool:
    if value.kind == "date":
        return True
    if isinstance(value.const, (int, float)) and not isinstance(value.const, bool):
        return value.const >= EPOCH_LEAST or YEAR_LEAST <= value.const <= YEAR_LEAST + 100
    return isinstance(value.const, str) and value.const[:2] == "20" and len(value.const) >= 7


def is_endless(value: Value) -> bool:
    """Tell whether a loop over this never ends by itself."""
    return value.ref in ("itertools.count()", "itertools.cycle()", "itertools.repeat()", "iter()")


def grows(run: Interpreter, node: ast.AST, left: Value, right: Value) -> None:
    """Take note of something that grows in an endless loop."""
    itself = isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add)
    itself = itself and isinstance(left.const, (str, bytes)) and len(left.const) > 0
    target = ast.unparse(node.target) if isinstance(node, ast.AugAssign) else ""
    itself = itself and any(
        isinstance(each, ast.Name) and each.id == target for each in ast.walk(_value_of(node))
    )
    if run.endless and (itself or size_of(right) >= GROWTH_BYTES):
        run.do(Act.EXHAUST, node, "memory, in a loop without an end")


def _value_of(node: ast.AST) -> ast.AST:
    return node.value if isinstance(node, ast.AugAssign) else node


def size_of(value: Value) -> int:
    """Return about how many bytes a known value takes."""
    if value.kind.startswith("sized "):
        return int(value.kind.split()[1])
    if isinstance(value.const, (str, bytes)):
        return len(value.const)
    return len(value.items) * 8 if value.items is not None else 0
