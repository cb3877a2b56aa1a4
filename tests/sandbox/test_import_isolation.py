"""What a run costs and needs before it starts: only the standard library, and not much of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import skilllite_sandbox
from skilllite_sandbox.guest.code import guest_code

SOURCE_ROOT = Path(skilllite_sandbox.__file__ or "").parent.parent

TOUCHED = [
    *("skilllite_sandbox", "skilllite_sandbox.sandbox", "skilllite_sandbox.execution"),
    *("skilllite_sandbox.backend.bubblewrap", "skilllite_sandbox.backend.direct"),
    *("skilllite_sandbox.plan", "skilllite_sandbox.host", "skilllite_sandbox.probe"),
    *("skilllite_sandbox.seccomp.filters", "skilllite_sandbox.guest.code"),
    *("skilllite_sandbox.guest.bootstrap", "skilllite_sandbox.verdict"),
    *("skilllite_sandbox.cli", "skilllite_sandbox.skill", "skilllite_sandbox.stage"),
]
HEAVY = [
    *("asyncio", "trio", "grpc", "google", "pydantic", "yaml", "cryptography", "zeroconf"),
    *("unittest", "multiprocessing", "http", "email", "logging", "ctypes", "xml"),
]


def run_python(code: str, *flags: str) -> str:
    """Run code in a bare interpreter without third-party packages and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-S", *flags, "-c", code],
        env={"PYTHONPATH": str(SOURCE_ROOT), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_everything_a_run_touches_imports_without_third_party_packages() -> None:
    for module in TOUCHED:
        run_python(f"import {module}")


def test_a_run_imports_nothing_heavy() -> None:
    loaded = run_python(
        "import sys, skilllite_sandbox.sandbox, skilllite_sandbox.cli\nprint(*sys.modules)"
    ).split()

    assert not {name.partition(".")[0] for name in loaded} & set(HEAVY)
    assert "skilllite_sandbox.probe" not in loaded, "only a failure asks what the host can do"
    assert "skilllite_sandbox.backend.direct" not in loaded


def test_the_package_itself_imports_nothing() -> None:
    loaded = run_python("import sys, skilllite_sandbox\nprint(*sys.modules)").split()

    assert [name for name in loaded if name.startswith("skilllite_sandbox")] == [
        "skilllite_sandbox"
    ]


def test_every_public_name_can_be_had() -> None:
    for name in skilllite_sandbox.__all__:
        assert getattr(skilllite_sandbox, name) is not None
    assert set(skilllite_sandbox.__all__) <= set(dir(skilllite_sandbox))


@pytest.mark.parametrize("program", ["bootstrap", "launcher"])
def test_the_guest_brings_all_it_imports(program: str) -> None:
    source = guest_code(program, "python0.0").decode()

    # It fails for want of arguments, which it reads after every import.
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", source], capture_output=True, text=True, check=False
    )

    assert done.returncode != 0
    assert "Import" not in done.stderr and "ModuleNotFound" not in done.stderr
    assert "in main" in done.stderr
