"""What the proxy needs: the standard library, a small part of it, and only when it is used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import skilllite_sandbox

SOURCE_ROOT = Path(skilllite_sandbox.__file__ or "").parent.parent
HEAVY = ("asyncio", "trio", "http", "email", "urllib", "ssl", "logging", "queue", "unittest")


def loaded_by(code: str) -> set[str]:
    """Return the modules that a bare interpreter without third-party packages has afterwards."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        env={"PYTHONPATH": str(SOURCE_ROOT), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_the_proxy_imports_little() -> None:
    loaded = loaded_by("import skilllite_sandbox.egress.proxy")

    assert not loaded & set(HEAVY)
    assert "encodings.idna" not in loaded


def test_a_run_without_network_does_not_import_it() -> None:
    loaded = loaded_by("import skilllite_sandbox.sandbox, skilllite_sandbox.execution")

    assert not [name for name in loaded if name.startswith("skilllite_sandbox.egress")]
