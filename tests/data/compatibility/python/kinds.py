"""The language itself: data classes, enumerations, generics, matching, decorators, descriptors."""
import abc
import collections
import contextlib
import copy
import enum
import functools
import heapq
import itertools
import json
import operator
import typing
from dataclasses import asdict, dataclass, field, replace

T = typing.TypeVar("T")


class Colour(enum.Flag):
    RED = enum.auto()
    BLUE = enum.auto()


class Kind(enum.StrEnum):
    A = "a"


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Point(typing.Generic[T]):
    x: T
    y: T
    tags: list = field(default_factory=list, compare=False)


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...


class Named(typing.NamedTuple):
    a: int
    b: str = "x"


@typing.runtime_checkable
class Closable(typing.Protocol):
    def close(self): ...


def describe(value):
    match value:
        case {"type": "point", "at": [x, y]}:
            return f"{x}/{y}"
        case Point(x=0):
            return "on the axis"
        case [first, *rest] if rest:
            return f"{first} and {len(rest)}"
        case _:
            return "other"


@functools.lru_cache(maxsize=None)
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


@contextlib.contextmanager
def traced(log):
    log.append("in")
    try:
        yield
    finally:
        log.append("out")


log = []
with contextlib.suppress(KeyError), traced(log):
    {}["missing"]
p = Point(x=0, y=2)
facts = {
    "point": asdict(replace(p, x=5)),
    "order": p < Point(x=1, y=0),
    "flags": [str(Colour.RED | Colour.BLUE), Kind.A + "b"],
    "matched": [describe({"type": "point", "at": [1, 2]}), describe(p), describe([1, 2, 3]), describe(None)],
    "fibonacci": fibonacci(80),
    "log": log,
    "named": Named(1)._asdict(),
    "protocol": isinstance(open("x", "w"), Closable),
    "hints": sorted(typing.get_type_hints(Named)),
    "counter": collections.Counter("mississippi").most_common(2),
    "chain": list(itertools.islice(itertools.accumulate(itertools.count(1), operator.mul), 6)),
    "heap": heapq.nsmallest(3, [5, 1, 4, 2]),
    "deep": copy.deepcopy([[1], [2]]),
    "groups": [(k, len(list(g))) for k, g in itertools.groupby("aabc")],
}
try:
    Shape()
except TypeError as error:
    facts["abstract"] = str(error)
try:
    p.x = 1
except AttributeError as error:
    facts["frozen"] = type(error).__name__
print(json.dumps(facts))
