"""Value classes behave as `dataclasses` would have made them."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skilllite_sandbox.values import asdict, dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Inner:
    """One field."""

    name: str


@dataclass(frozen=True, slots=True)
class Outer:
    """All kinds of fields."""

    number: int
    """A string beneath is no default."""
    inner: Inner
    several: tuple[Inner, ...] = ()
    table: dict[str, Any] = field(default_factory=dict)

    @property
    def doubled(self) -> int:
        """Twice the number."""
        return 2 * self.number


Twin = dataclasses.make_dataclass(
    "Outer",
    [
        ("number", int),
        ("inner", Inner),
        ("several", tuple, ()),
        ("table", dict, dataclasses.field(default_factory=dict)),
    ],
    frozen=True,
)
ONE = Inner("one")


def test_values_come_by_place_by_name_and_by_default() -> None:
    value = Outer(1, inner=ONE, several=(ONE,))

    assert (value.number, value.inner, value.several, value.table) == (1, ONE, (ONE,), {})
    assert value.doubled == 2
    assert Outer(1, ONE).table is not Outer(1, ONE).table


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Outer(),  # type: ignore[call-arg]
        lambda: Outer(1),  # type: ignore[call-arg]
        lambda: Outer(1, ONE, (), {}, 5),  # type: ignore[call-arg]
        lambda: Outer(1, ONE, number=2),  # type: ignore[misc]
        lambda: Outer(1, ONE, colour="red"),  # type: ignore[call-arg]
        lambda: replace(ONE, colour="red"),  # type: ignore[call-arg]
    ],
)
def test_wrong_arguments_are_a_type_error(wrong: Callable[[], object]) -> None:
    with pytest.raises(TypeError):
        wrong()


def test_a_value_cannot_be_changed() -> None:
    changes: list[Callable[[], object]] = [
        lambda: setattr(ONE, "name", "two"),
        lambda: setattr(ONE, "other", "two"),
        lambda: delattr(ONE, "name"),
    ]
    for change in changes:
        with pytest.raises(dataclasses.FrozenInstanceError):
            change()
    assert not hasattr(ONE, "__dict__")
    assert ONE.name == "one"


def test_equal_values_are_equal_and_have_one_hash() -> None:
    assert Inner("one") == ONE != Inner("two")
    assert {Inner("one"): 1}[ONE] == 1
    others: list[object] = ["one", ("one",)]
    assert ONE not in others
    with pytest.raises(TypeError):
        hash(Outer(1, ONE))  # a dict in it, as with dataclasses


def test_they_print_copy_and_pickle_as_dataclasses_do() -> None:
    value = Outer(1, ONE, (Inner("two"),), {"a": [ONE]})

    assert repr(value) == repr(Twin(1, ONE, (Inner("two"),), {"a": [ONE]}))
    for again in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert again == value


def test_dataclasses_can_work_with_them() -> None:
    value = Outer(1, ONE, (Inner("two"),), {"a": 1})

    assert dataclasses.is_dataclass(value)
    assert [each.name for each in dataclasses.fields(value)] == [
        *("number", "inner", "several", "table")
    ]
    assert (
        dataclasses.replace(value, number=2)
        == replace(value, number=2)
        == Outer(2, ONE, (Inner("two"),), {"a": 1})
    )
    assert (
        dataclasses.asdict(value)
        == asdict(value)
        == {
            "number": 1,
            "inner": {"name": "one"},
            "several": ({"name": "two"},),
            "table": {"a": 1},
        }
    )


def test_they_cost_none_of_what_dataclasses_costs() -> None:
    code = (
        "import sys\n"
        "from skilllite_sandbox.values import dataclass, replace, asdict\n"
        "@dataclass(frozen=True, slots=True)\n"
        "class A:\n"
        "    x: int = 1\n"
        "assert replace(A(), x=2) == A(2) and asdict(A()) == {'x': 1}\n"
        "assert not {'dataclasses', 'inspect', 'typing', 're'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(Path(sys.modules["skilllite_sandbox"].__file__ or "").parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
