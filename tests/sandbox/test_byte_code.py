"""Byte code that a skill brings doesn't run in place of the source that was looked at."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from gates import lets_all_pass
from skill_files import make_skill
from skilllite_sandbox.digest import compute_digest
from skilllite_sandbox.host import find_program, has_landlock, read_host
from skilllite_sandbox.policy import TIERS, Level, Tier
from skilllite_sandbox.probe import probe_host
from skilllite_sandbox.sandbox import Sandbox

# Unchecked: the import system takes it whatever the source says, and whenever that was changed.
COMPILE = """
import importlib.util, pathlib, py_compile, sys
for folder in map(pathlib.Path, sys.argv[1:]):
    other = folder / "other.txt"
    other.write_text("says = 'byte code'")
    for name in ("module", "package/__init__", "package/part"):
        py_compile.compile(
            str(other),
            importlib.util.cache_from_source(str(folder / f"{name}.py")),
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
    py_compile.compile(
        str(other),
        str(folder / "sourceless.pyc"),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    other.unlink()
"""
SCRIPT = """
import importlib, importlib.util, json, os, sys
from importlib.machinery import SourceFileLoader

here = os.path.dirname(os.path.abspath(__file__))

def by_path():
    spec = importlib.util.spec_from_file_location("found", here + "/module.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

def by_place(place):
    for name in [name for name in sys.modules if name in ("module", "package", "package.part")]:
        del sys.modules[name]
    sys.path[:] = [place, *before]
    try:
        return importlib.import_module("module")
    finally:
        sys.path[:] = before

def sourceless():
    try:
        return importlib.import_module("sourceless")
    except ImportError:
        return None

before = list(sys.path)
library = os.path.dirname(os.__file__)
up = "/.." * library.count("/")
ways = {
    "its name": lambda: importlib.import_module("module"),
    "its package": lambda: importlib.import_module("package"),
    "its place in a package": lambda: importlib.import_module("package.part"),
    "its path": by_path,
    "a loader": lambda: SourceFileLoader("loaded", here + "/module.py").load_module(),
    "the real path": lambda: by_place(os.path.realpath(here)),
    "a way around": lambda: by_place(library + up + here),
    "its name without source": sourceless,
}
print(json.dumps({name: getattr(way(), "says", None) for name, way in ways.items()}))
"""
SOURCES = {
    "scripts/main.py": SCRIPT,
    "scripts/module.py": "says = 'source'\n",
    "scripts/package/__init__.py": "says = 'source'\n",
    "scripts/package/part.py": "says = 'source'\n",
}
PLACES = [(Level.DIRECT, None), *((Level.ISOLATED, tier) for tier in TIERS)]

LACKING = {
    Tier.FULL: lambda: probe_host().tier is not Tier.FULL,
    Tier.BWRAP: lambda: find_program("bwrap") is None,
    Tier.ROOT_CHROOT: lambda: os.geteuid() != 0,
    Tier.LANDLOCK: lambda: os.geteuid() == 0 or not has_landlock(),
}


@pytest.fixture
def skill(tmp_path: Path) -> Path:
    """A skill whose byte code says something else than its source."""
    made = make_skill(tmp_path, files=SOURCES)
    python = read_host().python
    assert python is not None
    subprocess.run([python.path, "-I", "-c", COMPILE, made / "scripts"], check=True, timeout=60)
    return made


def test_a_bare_interpreter_takes_the_byte_code(skill: Path) -> None:
    python = read_host().python
    assert python is not None

    done = subprocess.run(
        [python.path, "-B", skill / "scripts" / "main.py"],
        check=True,
        capture_output=True,
        timeout=60,
    )

    said = json.loads(done.stdout)
    assert said == dict.fromkeys(said, "byte code")


@pytest.mark.parametrize(("level", "tier"), PLACES)
def test_a_skill_runs_from_its_source_alone(skill: Path, level: Level, tier: Tier | None) -> None:
    if tier in LACKING and LACKING[tier]():
        pytest.skip(f"nothing here can give tier {tier}")
    with Sandbox(level, tier=tier, accept_tier=Tier.LANDLOCK, gate=lets_all_pass()) as sandbox:
        for _ in range(2):
            outcome = sandbox.run(skill, {})

            assert isinstance(outcome.output, dict), outcome.stderr
            without_source = outcome.output.pop("its name without source")
            assert without_source is None
            assert outcome.output == dict.fromkeys(outcome.output, "source")


def test_the_interpreter_still_uses_its_own_byte_code(tmp_path: Path) -> None:
    script = """
import importlib, json, sys
from importlib.machinery import SourceFileLoader
compiled = []
compile_source = SourceFileLoader.source_to_code
def counted(self, data, path, **options):
    compiled.append(path)
    return compile_source(self, data, path, **options)
SourceFileLoader.source_to_code = counted
import wave, colorsys, tarfile, xml.dom.minidom
print(json.dumps(compiled))
"""
    with Sandbox(Level.ISOLATED, pool=False) as sandbox:
        outcome = sandbox.run(make_skill(tmp_path, files={"scripts/main.py": script}), {})

    assert outcome.output == [], outcome.stderr


def test_byte_code_counts_for_the_digest(skill: Path) -> None:
    before = compute_digest(skill)
    (kept,) = (skill / "scripts" / "__pycache__").iterdir()

    os.truncate(kept, kept.stat().st_size - 1)

    assert compute_digest(skill) != before
