"""Pickles are judged by what they would call; none is loaded."""

from __future__ import annotations

import collections
import datetime
import os
import pickle
import subprocess
from pathlib import Path
from typing import Any

import pytest

from skill_folders import BLOCK, PASS, REVIEW, scan
from skilllite_sandbox.scan.finding import Severity
from skilllite_sandbox.scan.pickles import inspect_pickles, judge_import
from skilllite_sandbox.scan.source import make_source


class Calls:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.what = function, arguments

    def __reduce__(self) -> Any:
        return self.what


DATA = {"a": [1, 2.5, "x"], "b": (None, True), "c": {1, 2}}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "value",
    [
        Calls(os.system, "id"),
        Calls(eval, "1+1"),
        Calls(subprocess.Popen, ["id"]),
        [1, {"a": Calls(exec, "x=1")}],
        Calls(__import__, "os"),
    ],
)
@pytest.mark.parametrize("name", ["model.pkl", "weights.pt", "state.bin", "cache.dat"])
def test_pickle_that_runs_something_blocks(
    tmp_path: Path, value: object, protocol: int, name: str
) -> None:
    report = scan(tmp_path / "s", {f"assets/{name}": pickle.dumps(value, protocol)})

    assert report.verdict is BLOCK


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "value",
    [DATA, datetime.date(2024, 1, 2), collections.OrderedDict(a=1), list(range(5000)), 1 + 2j],
)
def test_pickle_of_plain_values_passes(tmp_path: Path, value: object, protocol: int) -> None:
    data = pickle.dumps(value, protocol)

    assert scan(tmp_path / "s", {"assets/cache.pkl": data}).verdict is PASS


def test_pickle_with_unknown_functions_asks() -> None:
    data = b"\x80\x04\x8c\x06thingy\x8c\x04make\x93)R."

    findings = inspect_pickles([make_source("a.pkl", data)])

    assert [each.code for each in findings] == ["SL132"]


@pytest.mark.parametrize(
    "data", [b"\x80\x04\x95\xff\xff", b"\x80\x04cos\nsystem\n", b"garbage \xff\x00\x01"]
)
def test_damaged_pickle_asks(tmp_path: Path, data: bytes) -> None:
    assert scan(tmp_path / "s", {"a.pkl": data}).verdict in (REVIEW, BLOCK)


def test_what_comes_before_the_damage_counts() -> None:
    data = pickle.dumps(Calls(os.system, "id"), 2)[:-1] + b"\xff"

    assert "SL131" in {each.code for each in inspect_pickles([make_source("a.pkl", data)])}


def test_second_pickle_in_a_file_counts() -> None:
    data = pickle.dumps(1, 2) + pickle.dumps(Calls(os.system, "id"), 2)

    assert "SL131" in {each.code for each in inspect_pickles([make_source("a.pt", data)])}


@pytest.mark.parametrize(
    ("module", "name", "severity"),
    [
        ("posix", "system", Severity.CRITICAL),
        ("builtins", "eval", Severity.CRITICAL),
        ("builtins", "set", Severity.INFO),
        ("numpy.core.multiarray", "_reconstruct", Severity.INFO),
        ("numpy.testing._private.utils", "runstring", Severity.CRITICAL),
        ("torch.hub", "load", Severity.CRITICAL),
        ("torch._utils", "_rebuild_tensor_v2", Severity.INFO),
        ("collections", "OrderedDict", Severity.INFO),
        ("somewhere", "Thing", Severity.HIGH),
        ("sklearn.tree._classes", "DecisionTreeClassifier", Severity.INFO),
        ("collections", "abc.sys.modules", Severity.HIGH),
    ],
)
def test_what_a_pickle_imports_is_weighed(module: str, name: str, severity: Severity) -> None:
    assert judge_import(module, name) is severity
