"""What a skill may ask to have installed, and the key of the set."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skilllite_sandbox.capabilities import Package
from skilllite_sandbox.environment.requirements import (
    DependencySet,
    Ecosystem,
    Target,
    normal_requirements,
)
from skilllite_sandbox.errors import InvalidSkill

TARGET = Target(Ecosystem.PYTHON, "3.11", "x86_64")


def python(*requirements: str, source: str = "requirements.txt") -> tuple[str, ...]:
    packages = [Package("python", each, source) for each in requirements]
    return normal_requirements(packages, Ecosystem.PYTHON)


def node(*requirements: str, source: str = "package.json") -> tuple[str, ...]:
    packages = [Package("node", each, source) for each in requirements]
    return normal_requirements(packages, Ecosystem.NODE)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("requests", "requests"),
        ("Requests >= 2.31, <3", "requests<3,>=2.31"),
        ("ruamel.yaml", "ruamel-yaml"),
        ("uvicorn[standard]", "uvicorn[standard]"),
        ("scikit_learn==1.2", "scikit-learn==1.2"),
        ("x (>=1)", "x>=1"),
        ("foo==1.2.*", "foo==1.2.*"),
        ("torch==2.0+cpu", "torch==2.0+cpu"),
        ("a; python_version < '3.9'", "a ; python_version < '3.9'"),
    ],
)
def test_python_requirements_have_one_normal_form(written: str, normal: str) -> None:
    assert python(written) == (normal,)
    assert python(normal) == (normal,)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("lodash", "lodash@*"),
        ("@scope/thing@^1.2", "@scope/thing@^1.2"),
        ("x@>=1  <2 || 3.x", "x@>=1 <2 || 3.x"),
        ("JSONStream@1", "JSONStream@1"),
    ],
)
def test_node_requirements_have_one_normal_form(written: str, normal: str) -> None:
    assert node(written) == (normal,)
    assert node(normal) == (normal,)


ELSEWHERE = [
    "thing @ https://x.example/thing.whl",
    "git+https://x.example/thing",
    "https://x.example/thing.whl",
    "file:///etc",
    "../thing",
    "./thing",
    "~/thing",
    "/etc/thing",
    "c:\\thing",
]


@pytest.mark.parametrize("requirement", ELSEWHERE)
def test_python_code_from_elsewhere_is_refused(requirement: str) -> None:
    with pytest.raises(InvalidSkill) as refused:
        python(requirement)

    assert refused.value.hint


@pytest.mark.parametrize(
    "range_",
    [
        "git+ssh://git@x.example/a.git",
        "https://x.example/a.tgz",
        "file:../a",
        "link:../a",
        "npm:other@1",
        "owner/repository",
        "github:owner/repository",
        "workspace:*",
    ],
)
def test_node_code_from_elsewhere_is_refused(range_: str) -> None:
    with pytest.raises(InvalidSkill):
        node(f"thing@{range_}")


@pytest.mark.parametrize(
    "option", ["-r more.txt", "--index-url https://x.example", "-e .", "--pre", "--find-links=/x"]
)
def test_an_option_of_the_installer_is_refused(option: str) -> None:
    with pytest.raises(InvalidSkill) as refused:
        python("requests", option)

    assert "option" in refused.value.message


@pytest.mark.parametrize("requirement", ["a=1", "a@1", "a b", "a>=", "a\nb", "a\u202e", "a" * 999])
def test_what_can_be_read_in_two_ways_is_refused(requirement: str) -> None:
    with pytest.raises(InvalidSkill):
        python(requirement)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_whatever_is_asked_for_is_a_line_for_the_installer_or_refused(text: str) -> None:
    for ask in (python, node):
        try:
            lines = ask(text)
        except InvalidSkill:
            continue
        for line in lines:
            assert line.isascii() and line.isprintable()
            assert not line.startswith(("-", ".", "/")) and "://" not in line


def test_a_module_of_the_standard_library_in_prose_is_not_installed_from_a_stranger() -> None:
    assert python("json", "sqlite3", "requests", source="compatibility") == ("requests",)
    assert node("fs", "lodash", source="compatibility") == ("lodash@*",)
    assert python("json") == ("json",), "who writes it into a file means the package"


def test_the_key_is_of_the_set_and_of_what_it_runs_on() -> None:
    one = DependencySet(TARGET, python("b", "a>=1"))
    keys = {
        one.key,
        DependencySet(TARGET, python("a>=1", "b", "B")).key,
        DependencySet(TARGET, python("a>=2", "b")).key,
        replace(one, target=replace(TARGET, interpreter="3.12")).key,
        replace(one, target=replace(TARGET, machine="aarch64")).key,
        replace(one, shipped_lock="a==1").key,
    }

    assert len(keys) == 5
