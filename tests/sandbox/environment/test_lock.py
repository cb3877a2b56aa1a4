"""Locks: one normal form, complete, and of the index alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from skill_files import make_skill
from skilllite_sandbox.environment.lock import (
    BadLock,
    environment_digest,
    read_lock,
    read_shipped_lock,
)
from skilllite_sandbox.environment.requirements import DependencySet, Ecosystem, Target
from skilllite_sandbox.errors import InvalidSkill

PYTHON = Target(Ecosystem.PYTHON, "3.11", "x86_64")
NODE = Target(Ecosystem.NODE, "20", "x86_64")
A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
INTEGRITY = "sha512-" + "A" * 86 + "=="


def python_lock(text: str) -> str:
    return read_lock(text, DependencySet(PYTHON, ("x",))).text


def node_lock(packages: dict[str, Any], *requirements: str) -> Any:
    text = json.dumps({"lockfileVersion": 3, "packages": packages})
    return json.loads(read_lock(text, DependencySet(NODE, requirements or ("x@*",))).text)


def test_python_locks_that_say_the_same_are_the_same() -> None:
    one = f"Some_Thing==1.0 --hash={B} --hash={A}\nother==2 ; os_name == 'posix' --hash={A}\n"
    other = f"# by a tool\nother==2 ;  os_name == 'posix' \\\n    --hash={A}\n    # via x\n"
    other += f"some-thing==1.0 \\\n    --hash={A} \\\n    --hash={B}\n"

    assert python_lock(one) == python_lock(other)
    assert python_lock(python_lock(one)) == python_lock(one)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "thing==1.0\n",
        f"thing>=1.0 --hash={A}\n",
        f"thing==1.* --hash={A}\n",
        "thing==1.0 --hash=md5:" + "a" * 32 + "\n",
        f"thing==1.0 --hash={A}\nThing==2.0 --hash={B}\n",
        f"--index-url https://x.example\nthing==1.0 --hash={A}\n",
        f"thing==1.0 --hash={A} --config-settings x=y\n",
        f"thing @ https://x.example/thing.whl --hash={A}\n",
        f"./thing --hash={A}\n",
    ],
)
def test_a_python_lock_that_leaves_something_open_is_refused(text: str) -> None:
    with pytest.raises(BadLock):
        python_lock(text)


def entry(**more: Any) -> dict[str, Any]:
    return {"version": "1.0.0", "integrity": INTEGRITY, **more}


def test_a_node_lock_keeps_hashes_and_forgets_addresses() -> None:
    lock = node_lock(
        {
            "": {"dependencies": {"evil": "*"}, "scripts": {"postinstall": "x"}},
            "node_modules/x": entry(resolved="https://somewhere.example/x.tgz", license="MIT"),
            "node_modules/x/node_modules/@s/y": entry(),
            "node_modules/tool": entry(dev=True),
        }
    )

    assert lock["packages"] == {
        "": {"name": "environment", "dependencies": {"x": "*"}},
        "node_modules/x": entry(),
        "node_modules/x/node_modules/@s/y": entry(),
    }


@pytest.mark.parametrize(
    "packages",
    [
        {},
        {"node_modules/x": {"version": "1.0.0"}},
        {"node_modules/x": entry(integrity="sha1-" + "A" * 27 + "=")},
        {"node_modules/x": entry(resolved="git+ssh://git@x.example/x.git")},
        {"node_modules/x": entry(resolved="file:../x")},
        {"node_modules/x": entry(link=True)},
        {"node_modules/x": entry(name="y")},
        {"node_modules/x": entry(version="latest")},
        {"node_modules/..": entry()},
        {"node_modules/x/../../y": entry()},
        {"packages/x": entry()},
        {"node_modules/x": []},
    ],
)
def test_a_node_lock_that_leads_elsewhere_is_refused(packages: dict[str, Any]) -> None:
    with pytest.raises(BadLock):
        node_lock(packages)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"packages": []}', "[" * 100_000])
def test_what_is_no_node_lock_is_refused(text: str) -> None:
    with pytest.raises(BadLock):
        read_lock(text, DependencySet(NODE, ("x@*",)))


def test_a_lock_of_the_skill_is_used_and_must_name_all_it_asks_for(tmp_path: Path) -> None:
    skill = make_skill(tmp_path, files={"requirements.txt": f"thing==1.0 --hash={A}\n"})

    assert "thing==1.0" in read_shipped_lock(skill, PYTHON, ("thing",))
    with pytest.raises(InvalidSkill) as refused:
        read_shipped_lock(skill, PYTHON, ("other", "thing"))
    assert "other" in (refused.value.cause or "")


def test_a_list_without_hashes_is_no_lock(tmp_path: Path) -> None:
    skill = make_skill(tmp_path, files={"requirements.txt": "thing==1.0\n"})

    assert read_shipped_lock(skill, PYTHON, ("thing",)) == ""


def test_half_a_lock_is_refused_not_left_aside(tmp_path: Path) -> None:
    text = f"thing==1.0 --hash={A}\nother==1.0\n"
    skill = make_skill(tmp_path, files={"requirements.txt": text})

    with pytest.raises(InvalidSkill):
        read_shipped_lock(skill, PYTHON, ("other", "thing"))


def test_the_digest_is_of_the_lock_and_of_what_it_runs_on() -> None:
    lock = read_lock(f"thing==1.0 --hash={A}\n", DependencySet(PYTHON, ("thing",)))
    other = read_lock(f"thing==1.0 --hash={B}\n", DependencySet(PYTHON, ("thing",)))
    later = Target(Ecosystem.PYTHON, "3.12", "x86_64")

    digests = {
        environment_digest(PYTHON, lock),
        environment_digest(PYTHON, other),
        environment_digest(later, lock),
    }
    assert len(digests) == 3
