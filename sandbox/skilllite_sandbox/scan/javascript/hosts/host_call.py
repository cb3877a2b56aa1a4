"""One call of something that the host offers."""

from __future__ import annotations

from collections.abc import Callable

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.javascript.syntax import Node
from skilllite_sandbox.scan.javascript.values import (
    NULL,
    UNDEFINED,
    Value,
    all_taints,
    as_text,
    text,
    unknown,
)
from skilllite_sandbox.scan.taint import Taint, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.javascript.interpreter import Interpreter


PASSES = "what passes through"
"""Begins the detail of what other code hands to a function that was replaced."""


class HostCall:
    """A call with its arguments."""

    __slots__ = ("args", "name", "node", "receiver", "run")

    def __init__(
        self, run: Interpreter, name: str, receiver: Value, args: list[Value], node: Node
    ) -> None:
        self.run = run
        self.name = name
        self.receiver = receiver
        self.args = args
        self.node = node

    def arg(self, position: int) -> Value:
        """Return an argument; undefined when it isn't given."""
        return self.args[position] if position < len(self.args) else UNDEFINED

    def text(self, position: int) -> Text:
        """Return an argument as text."""
        return as_text(self.arg(position))

    def option(self, name: str) -> Value:
        """Return a property of whichever argument is an object that has it."""
        for arg in self.args:
            if arg.kind == "object" and isinstance(arg.data, dict) and name in arg.data:
                found: Value = arg.data[name]
                return found
        return UNDEFINED

    @property
    def taints(self) -> frozenset[Taint]:
        """Where its arguments come from."""
        return all_taints(*self.args)

    @property
    def origins(self) -> frozenset[Taint]:
        """Where its arguments and what it is a method of come from."""
        return all_taints(self.receiver, *self.args)

    def do(self, act: Act, detail: str = "") -> None:
        """Write down an act of this call."""
        self.run.do(act, self.node, detail)

    def flow(self, taints: frozenset[Taint], sink: Sink, detail: str = "") -> None:
        """Write down that what has these origins ends up in this call."""
        self.run.flow(taints, sink, self.node, detail or self.name)

    def taint(self, datum: Datum, detail: str = "") -> frozenset[Taint]:
        """Return an origin at this call."""
        return self.run.taint(datum, self.node, detail.replace(UNKNOWN, "…"))

    def made(self, datum: Datum, detail: str = "") -> Value:
        """Return a value of this origin that isn't known."""
        return unknown(self.taint(datum, detail))

    def call_back(self, result: Value) -> Value:
        """Hand a result to the callback that is the last argument, if there is one."""
        last = self.args[-1] if self.args else UNDEFINED
        if last.kind in ("function", "native"):
            self.run.call_back(last, self.node, NULL, result, result)
        return result

    def call_back_all(self) -> None:
        """Follow every function among the arguments."""
        for arg in self.args:
            if arg.kind in ("function", "native"):
                self.run.call_back(arg, self.node, unknown(self.receiver.taints))

    def unseen(self) -> Value:
        """Return what comes of a call that nothing is known about."""
        for arg in self.args:
            if arg.kind in ("function", "native"):
                origins = self.receiver.taints
                self.run.call_back(arg, self.node, unknown(origins), unknown(origins))
        return unknown(self.origins)


Handler = Callable[[HostCall], Value]
"""Writes down what one call does, and returns what it gives."""


def known_text(value: Value) -> str | None:
    """Return a text of which everything is known; None for anything else."""
    made = as_text(value)
    if value.kind not in ("text", "number", "list") or not made.known:
        return None
    return made.text


def same_text(value: Text) -> Value:
    """Return a text of the other engines as a value."""
    return text(value.text, value.taints)
