"""Branches: both are followed, and a branch that depends on where or when it runs is noted."""

from __future__ import annotations

import re

from skilllite_sandbox.scan.acts import Act, Datum
from skilllite_sandbox.scan.shell.words import text_of
from skilllite_sandbox.scan.taint import Text, joined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.shell.environment import Variables
    from skilllite_sandbox.scan.shell.machine import Shell
    from skilllite_sandbox.scan.shell.nodes import Node

_DETECTORS = re.compile(
    r"^/(?:\.dockerenv|run/\.containerenv|proc/(?:1|self)/(?:cgroup|sched|status)"
    r"|proc/\d*/?status|sys/class/dmi|proc/scsi|sys/hypervisor|proc/vz)|/proc/self/status"
)
_WATCHED_NAMES = re.compile(
    r"\b(?:hostname|host name|whoami|user name|machine id|\$HOSTNAME|\$HOST|\$USER|\$LOGNAME)"
)
_MARKS = re.compile(r"^\$(?:CI|GITHUB_ACTIONS|JENKINS_URL|GITLAB_CI|TRAVIS|CODESPACES)$")
_MOMENT = re.compile(r"\b(?:1[5-9]\d{8}|20[2-9]\d-?[01]\d(?:-?[0-3]\d)?)\b")
WEIGHTY = frozenset(
    {
        *(Act.SEND, Act.FETCH, Act.CONNECT, Act.LISTEN, Act.RUN_SHELL, Act.RUN_CODE, Act.PERSIST),
        *(Act.DESTROY, Act.EXHAUST, Act.CHANGE_AGENT, Act.DISARM, Act.KILL, Act.WRITE_HOST_FILE),
    }
)


def note_detector(shell: Variables, path: str, node: Node) -> None:
    """Write down a look at a file that only tells where code is running."""
    if _DETECTORS.search(path):
        shell.do(Act.DETECT, node, path)


def note_test(shell: Shell, node: Node) -> None:
    """Follow the words of a test and remember them for the branch that depends on it."""
    todo = [node]
    while todo:
        each = todo.pop()
        if each is node or each.type.endswith("_expression"):
            todo.extend(each.named_children)
        elif each.is_named and each.type != "test_operator":
            value = text_of(shell, each)
            note_detector(shell, value.text, node)
            shell.tested.append(value)


def weight(shell: Shell) -> int:
    """Return how much was written down so far that a trigger could guard."""
    return len(shell.record.flows) + shell.changes


def judge_trigger(shell: Shell, tested: list[Text], before: int, node: Node) -> None:
    """Write down a trigger: the test asks where or when it runs, the branch does something."""
    if weight(shell) <= before:
        return
    details = [
        taint.detail
        for each in tested
        for taint in each.taints
        if taint.datum is Datum.SYSTEM or taint.detail == "date"
    ]
    constant = any(each.known and each.text and not each.taints for each in tested)
    words = joined([Text(each.text) for each in tested], " ").text if tested else ""
    names = constant and any(_WATCHED_NAMES.search(detail) for detail in details)
    if names or (any(_MARKS.match(detail) for detail in details) and _is_intent(shell)):
        shell.do(Act.DETECT, node, f"depends on {details[0]}")
    elif any(detail == "date" for detail in details) and _MOMENT.search(words):
        shell.do(Act.DETECT, node, "depends on the date")


def _is_intent(shell: Shell) -> bool:
    intents = {Act.PERSIST, Act.DESTROY, Act.EXHAUST, Act.CHANGE_AGENT, Act.DISARM}
    return bool(shell.record.flows) or any(doing.act in intents for doing in shell.record.doings)


def follow_if(shell: Shell, node: Node, stdin: Text) -> Text:
    """Follow both branches of an `if`."""
    outer, shell.tested = shell.tested, []
    before = weight(shell)
    outputs = []
    shell.guards += 1
    try:
        for child in node.named_children:
            outputs.append(shell.run(child, stdin))
        judge_trigger(shell, shell.tested, before, node)
    finally:
        shell.guards -= 1
        shell.tested = outer
    return joined(outputs)


def follow_list(shell: Shell, node: Node, stdin: Text) -> Text:
    """Follow `a && b || c`."""
    outer, shell.tested = shell.tested, []
    first, *rest = node.named_children
    before = weight(shell)
    outputs = [shell.run(first, stdin)]
    shell.guards += 1
    try:
        outputs += [shell.run(child, stdin) for child in rest]
        judge_trigger(shell, shell.tested, before, node)
    finally:
        shell.guards -= 1
        shell.tested = [*outer, *shell.tested]
    return joined(outputs)


def follow_case(shell: Shell, node: Node, stdin: Text) -> Text:
    """Follow every branch of a `case`."""
    value = node.child_by_field_name("value")
    outer, shell.tested = shell.tested, [text_of(shell, value)] if value is not None else []
    shell.tested.append(Text("pattern"))
    before = weight(shell)
    outputs = []
    shell.guards += 1
    try:
        for item in node.named_children:
            if item.type != "case_item":
                continue
            for child in item.named_children:
                if child.type not in ("word", "extglob_pattern", "string", "raw_string", "number"):
                    outputs.append(shell.run(child, stdin))
        judge_trigger(shell, shell.tested, before, node)
    finally:
        shell.guards -= 1
        shell.tested = outer
    return joined(outputs) if outputs else Text()
