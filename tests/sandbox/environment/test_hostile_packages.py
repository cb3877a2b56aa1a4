"""Packages whose archives, not whose builds, are hostile: nothing of them lands outside."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from package_index import PackageIndex, open_index, wanting
from sandbox_lab import require
from skilllite_sandbox.environment.requirements import Ecosystem
from skilllite_sandbox.environment.store import Environments
from skilllite_sandbox.errors import SandboxError
from skilllite_sandbox.host import find_program

pytestmark = pytest.mark.skipif(find_program("bwrap") is None, reason="bubblewrap is not installed")

UP = "../" * 12
MARK = "was here"


class Place:
    """A host with a folder that anybody could write into, and a store of environments beside it."""

    def __init__(self, index: PackageIndex, root: Path) -> None:
        self.index = index
        self.root = root / "host"
        self.drop = self.root / "drop"
        self.drop.mkdir(parents=True)
        self.drop.chmod(0o777)
        self.environments: Environments = index.environments(self.root / "env")

    def install(self, name: str, ecosystem: Ecosystem) -> Path | None:
        """Try to install; return where the packages are if that works."""
        with contextlib.suppress(SandboxError):
            return self.environments.ensure(wanting(name, ecosystem=ecosystem)).modules
        return None

    def marks(self) -> set[Path]:
        """Return every file on the way that has the mark in it, but for the packages' own."""
        return {
            path
            for path in self.root.rglob("*")
            if path.is_file() and not path.is_symlink() and MARK in path.read_text("latin-1")
        }


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with open_index() as index:
        yield Place(index, tmp_path)


WHEEL_PATHS = {
    "upwards": UP + "{drop}/mark",
    "out of the packages": "../mark",
    "absolute": "{drop}/mark",
    "by its data": "evil-1.0.data/data/" + UP + "{drop}/mark",
    "by its scripts": "evil-1.0.data/scripts/" + UP + "{drop}/mark",
    "in a folder of the system": "evil-1.0.data/data/etc/mark",
}


@pytest.mark.parametrize("way", WHEEL_PATHS)
def test_a_wheel_writes_nothing_outside_its_environment(place: Place, way: str) -> None:
    path = WHEEL_PATHS[way].format(drop=place.drop)
    place.index.add_wheel("evil", "1.0", {"evil.py": "", path: MARK})

    modules = place.install("evil", Ecosystem.PYTHON)

    inside = set(modules.rglob("*")) if modules else set()
    assert place.marks() <= inside
    assert list(place.drop.iterdir()) == []
    assert not Path("/etc/mark").exists()


NPM_PATHS = ("../mark", "../../mark", "../../../mark", "/mark", "index.js/../../../../../mark")


@pytest.mark.parametrize("path", NPM_PATHS)
def test_an_npm_package_writes_nothing_outside_its_environment(place: Place, path: str) -> None:
    require("node")
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    place.index.add_npm("evil", "1.0.0", {"index.js": "", path: MARK})

    modules = place.install("evil", Ecosystem.NODE)

    inside = set(modules.rglob("*")) if modules else set()
    assert place.marks() <= inside
    assert not Path("/mark").exists()


def test_an_npm_package_puts_no_program_on_the_path_of_the_host(place: Place) -> None:
    require("node")
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    place.index.add_npm("evil", "1.0.0", {"x.js": MARK}, bin={f"{UP}{place.drop}/ls": "x.js"})

    place.install("evil", Ecosystem.NODE)

    assert list(place.drop.iterdir()) == []


START = f"import pathlib; pathlib.Path({{!r}}).write_text({MARK!r})"


def test_a_path_file_of_a_wheel_is_not_executed(place: Place) -> None:
    code = START.format(str(place.drop / "mark"))
    files = {"evil.py": "", "evil.pth": f"{code}\n", "sitecustomize.py": code}
    place.index.add_wheel("evil", "1.0", files)

    assert place.install("evil", Ecosystem.PYTHON) is not None

    assert list(place.drop.iterdir()) == []


def test_a_mark_is_found_where_it_belongs(place: Place) -> None:
    place.index.add_wheel("good", "1.0", {"good/mark": MARK})

    modules = place.install("good", Ecosystem.PYTHON)

    assert modules is not None
    assert place.marks() == {modules / "good" / "mark"}
