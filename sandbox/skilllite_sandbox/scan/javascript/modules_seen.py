"""Scripts of the skill that are followed, and the calls that are being followed in them."""

from __future__ import annotations

from posixpath import dirname

from skilllite_sandbox.scan.javascript.syntax import Node
from skilllite_sandbox.scan.javascript.values import Scope, Value, host, record, text


class Module:
    """One script of the skill."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.exports = record()
        self.object = record({"exports": self.exports, "require": host("require")})
        self.object.members = {
            "constructor": host("Module"),
            "_compile": host("module._compile"),
            "filename": text(path),
        }
        self.scope = Scope(is_function=True)
        folder = dirname(path) or "."
        for name, value in (
            ("exports", self.exports),
            ("module", self.object),
            ("__filename", text(path)),
            ("__dirname", text(folder)),
        ):
            self.scope.declare(name, value)

    @property
    def exported(self) -> Value:
        """What another script gets from it."""
        assert isinstance(self.object.data, dict)
        value: Value = self.object.data["exports"]
        return value


class Frame:
    """One call that is being followed."""

    __slots__ = ("node", "returned", "this", "yielded")

    def __init__(self, node: Node, this: Value) -> None:
        self.node = node
        self.this = this
        self.returned: list[Value] = []
        self.yielded: list[Value] = []
