"""Conditions that ask where or when a script runs before it does something."""

from __future__ import annotations

import re

from skilllite_sandbox.scan.acts import Act, Datum
from skilllite_sandbox.scan.javascript.syntax import Node
from skilllite_sandbox.scan.javascript.values import Value, all_taints

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.javascript.interpreter import Interpreter

_MOMENT = re.compile(r"\b1[5-9]\d{8}(?:\d{3})?\b|\b20[2-9]\d\b|1\.[5-9]\d*e12")
_MARKS = ("$CI", "$GITHUB_ACTIONS", "$TRAVIS", "$JENKINS_URL", "$GITLAB_CI", "$CODESPACES")


def weight(run: Interpreter) -> int:
    """Return how much was written down so far that a trigger could guard."""
    return run.changes + len(run.record.flows)


def judge(run: Interpreter, condition: Node, value: Value, before: int, node: Node) -> None:
    """Write down a trigger: the condition asks where or when, the branch does something."""
    if weight(run) <= before:
        return
    taints = all_taints(value)
    facts = [taint.detail for taint in taints if taint.datum is Datum.SYSTEM]
    dated = any(taint.detail == "date" for taint in taints)
    compares = any(kind in condition.text or _has(condition, kind) for kind in ("string", "regex"))
    if compares and any(fact in ("host name", "user name", "a network address") for fact in facts):
        run.do(Act.DETECT, node, f"depends on the {facts[0]}")
    elif any(fact in _MARKS for fact in facts) and run.record.flows:
        run.do(Act.DETECT, node, f"depends on {facts[0]}")
    elif dated and _constants(condition):
        run.do(Act.DETECT, node, "depends on the date")


def _has(node: Node, kind: str) -> bool:
    return node.kind == kind or any(_has(kid, kind) for kid in node.kids)


def _constants(node: Node) -> bool:
    """Tell whether a moment is written in a condition."""
    todo = [node]
    while todo:
        each = todo.pop()
        if each.kind in ("number", "string", "string_fragment") and _MOMENT.search(each.text):
            return True
        todo.extend(each.kids)
    return False
