"""Names and functions of the skill while its code is followed."""

from __future__ import annotations

from typing import Any

from skilllite_sandbox.scan.python.values import Value


class Scope:
    """Names of a function or a module."""

    def __init__(self, parent: Scope | None = None) -> None:
        self.names: dict[str, Value] = {}
        self.parent = parent
        self.returned: list[Value] = []
        self.yielded: list[Value] = []
        self.global_names: set[str] = set()

    def find(self, name: str) -> Value | None:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None

    @property
    def module(self) -> Scope:
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope


class Function:
    """A function, lambda or class of the skill."""

    def __init__(self, node: Any, scope: Scope, file: str, base: int, me: Value | None = None):
        self.node = node
        self.scope = scope
        self.file = file
        self.base = base
        self.me = me
        self.calls = 0
        self.known: dict[Any, Value] = {}
        self.cls: Value | None = None
        """The class that a method belongs to; None for a static one."""

    @property
    def of_class(self) -> bool:
        """Whether it is handed its class, not an object."""
        return any(
            getattr(each, "id", "") == "classmethod"
            for each in getattr(self.node, "decorator_list", ())
        )

    def bound_to(self, me: Value) -> Function:
        method = Function(self.node, self.scope, self.file, self.base, me)
        method.known = self.known
        method.cls = self.cls
        return method
