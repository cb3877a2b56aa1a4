"""The path language: what a path may look like, read into steps.

    path     = ["$" | "@"] step* ("|" function-step*)*
    step     = "." name | "." function "()" | ".*" | ".." name
             | "[" integer "]" | "[" [from] ":" [to] [":" by] "]" | "[*]"
             | "[" string "]" | "[?" condition "]"
    condition = comparisons joined by "&&" and "||", with "!" and parentheses
    comparison = operand [("==" | "!=" | "<" | "<=" | ">" | ">=" | "contains") operand]
    operand  = field path | string | number | true | false | null
               (on the right a field path starts with "@")

Decides only what is well-formed; what the steps do is left to `evaluation`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import contract

PATH_CHARACTERS_MAX = 1_000
NESTING_MAX = 20  # parentheses and negations inside each other
FUNCTIONS = (
    *("length", "keys", "values", "type", "first", "last", "reverse", "sort"),
    *("unique", "flatten", "sum", "min", "max", "mean"),
)
COMPARISONS = ("==", "!=", "<=", ">=", "<", ">", "contains")


@dataclass(frozen=True)
class Key:
    name: str


@dataclass(frozen=True)
class Index:
    number: int


@dataclass(frozen=True)
class Slice:
    start: int | None
    stop: int | None
    step: int | None


@dataclass(frozen=True)
class Every:
    """[*] and .*: each element of a list, each value of an object."""


@dataclass(frozen=True)
class Descend:
    """..name: every value of that key, at any depth."""

    name: str


@dataclass(frozen=True)
class Call:
    function: str


@dataclass(frozen=True)
class Collect:
    """|: what was many values so far becomes one list."""


@dataclass(frozen=True)
class Literal:
    value: object


@dataclass(frozen=True)
class Comparison:
    left: object
    operator: str
    right: object


@dataclass(frozen=True)
class Exists:
    path: tuple[object, ...]


@dataclass(frozen=True)
class Not:
    condition: object


@dataclass(frozen=True)
class Both:
    conditions: tuple[object, ...]


@dataclass(frozen=True)
class Either:
    conditions: tuple[object, ...]


@dataclass(frozen=True)
class Filter:
    condition: object


_NAME = re.compile(r"[^\W\d][\w-]*")
_INTEGER = re.compile(r"-?\d{1,9}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,300}(?:\.\d{1,300})?(?:[eE][+-]?\d{1,2})?", re.ASCII)
_STRING = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_SPACES = re.compile(r"\s*")
_CONSTANTS = {"true": True, "false": False, "null": None}


class Reader:
    """Reads one path from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.depth = 0

    def steps(self) -> tuple[object, ...]:
        """Return the steps of the whole text."""
        found = self.path(inside_filter=False)
        if self.position < len(self.text):
            raise self.error("expected '.', '[' or '|'")
        return found

    def path(self, *, inside_filter: bool) -> tuple[object, ...]:
        found: list[object] = []
        self.spaces()
        rooted = self.take("@") if inside_filter else self.take("$") or self.take("@")
        if not rooted and (name := self.match(_NAME)):
            found.append(self.key_or_call(name))
        while True:
            if not inside_filter:
                self.spaces()
            if self.take(".."):
                found.append(Descend(self.name("after '..'")))
            elif self.take("."):
                named = Every() if self.take("*") else self.key_or_call(self.name("after '.'"))
                found.append(named)
            elif self.take("["):
                found.append(self.bracket())
            elif not inside_filter and self.take("|"):
                found += [Collect(), *self.piped()]
            else:
                return tuple(found)

    def piped(self) -> list[object]:
        """Return what stands right behind a pipe: a function, or nothing before a bracket."""
        self.spaces()
        name = self.match(_NAME)
        if name is None and not self.text.startswith(("[", "."), self.position):
            raise self.error("expected a function, '.' or '[' after '|'")
        return [] if name is None else [self.key_or_call(name)]

    def key_or_call(self, name: str) -> object:
        if not self.take("("):
            return Key(name)
        if name not in FUNCTIONS:
            self.position -= 1 + len(name)
            raise self.error(f"no function {name}; there are {', '.join(FUNCTIONS)}")
        self.expect(")")
        return Call(name)

    def bracket(self) -> object:
        self.spaces()
        if self.take("?"):
            step: object = Filter(self.condition())
        elif self.take("*"):
            step = Every()
        elif (text := self.match(_STRING)) is not None:
            step = Key(self.unquoted(text))
        else:
            step = self.index_or_slice()
        self.spaces()
        self.expect("]")
        return step

    def index_or_slice(self) -> object:
        parts: list[int | None] = [self.integer()]
        while len(parts) < 3 and self.take(":"):
            parts.append(self.integer())
        if len(parts) == 1:
            if parts[0] is None:
                raise self.error("expected an index, a slice, '*', '?' or a quoted key after '['")
            return Index(parts[0])
        start, stop, step = (*parts, None)[:3]
        if step == 0:
            raise self.error("the step of a slice must not be 0")
        return Slice(start, stop, step)

    def condition(self) -> object:
        found = [self.conjunction()]
        while self.take_spaced("||"):
            found.append(self.conjunction())
        return found[0] if len(found) == 1 else Either(tuple(found))

    def conjunction(self) -> object:
        found = [self.negation()]
        while self.take_spaced("&&"):
            found.append(self.negation())
        return found[0] if len(found) == 1 else Both(tuple(found))

    def negation(self) -> object:
        self.depth += 1
        if self.depth > NESTING_MAX:
            raise self.error(f"the condition is nested more than {NESTING_MAX} levels deep")
        if self.take_spaced("!"):
            found: object = Not(self.negation())
        elif self.take_spaced("("):
            found = self.condition()
            self.spaces()
            self.expect(")")
        else:
            found = self.comparison()
        self.depth -= 1
        return found

    def comparison(self) -> object:
        left = self.operand()
        for operator in COMPARISONS:
            if self.take_spaced(operator):
                return Comparison(left, operator, self.right_operand())
        if isinstance(left, Literal):
            raise self.error(f"expected one of {' '.join(COMPARISONS)}")
        return Exists(left)

    def operand(self) -> Literal | tuple[object, ...]:
        self.spaces()
        if (text := self.match(_STRING)) is not None:
            return Literal(self.unquoted(text))
        if (text := self.match(_NUMBER)) is not None:
            return Literal(
                json.loads(text) if not text.lstrip("-").startswith("0") else float(text)
            )
        start = self.position
        name = self.match(_NAME)
        if name in _CONSTANTS:
            return Literal(_CONSTANTS[name])
        self.position = start
        if name is None and not self.text.startswith("@", start):
            raise self.error("expected a field, '@', a string, a number, true, false or null")
        return self.path(inside_filter=True)

    def right_operand(self) -> Literal | tuple[object, ...]:
        # A bare word here is far more often a string without quotes than a field, and as a field
        # it would silently select nothing.
        self.spaces()
        name = _NAME.match(self.text, self.position)
        if name and name.group() not in _CONSTANTS:
            word = name.group()
            raise self.error(f"quote a string as in '{word}', or write @.{word} for a field")
        return self.operand()

    def unquoted(self, text: str) -> str:
        return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)

    def integer(self) -> int | None:
        self.spaces()
        text = self.match(_INTEGER)
        self.spaces()
        return None if text is None else int(text)

    def name(self, where: str) -> str:
        found = self.match(_NAME)
        if found is None:
            raise self.error(f"expected a name {where}; quote unusual keys as in ['my key']")
        return found

    def spaces(self) -> None:
        self.match(_SPACES)

    def match(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self.text, self.position)
        if found is None:
            return None
        self.position = found.end()
        return found.group()

    def take(self, token: str) -> bool:
        if not self.text.startswith(token, self.position):
            return False
        self.position += len(token)
        return True

    def take_spaced(self, token: str) -> bool:
        self.spaces()
        return self.take(token)

    def expect(self, token: str) -> None:
        if not self.take(token):
            raise self.error(f"expected '{token}'")

    def error(self, message: str) -> contract.Refusal:
        found = self.text[self.position : self.position + 10] or "the end of the path"
        return contract.Refusal(
            f"path is not well-formed at position {self.position}: {message}, found {found}"
        )
