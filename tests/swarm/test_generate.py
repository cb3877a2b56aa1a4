"""The committed message classes are what the generator makes of the contract."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GENERATOR = ROOT / ".venv-proto" / "bin" / "python"
COMMITTED = ROOT / "swarm" / "skilllite_swarm" / "wire"


def test_committed_messages_are_what_the_contract_generates(tmp_path: Path) -> None:
    if not GENERATOR.exists():
        pytest.skip(
            "no .venv-proto: python3 -m venv .venv-proto && "
            ".venv-proto/bin/pip install 'grpcio-tools==1.76.*'"
        )

    subprocess.run([GENERATOR, ROOT / "proto" / "generate.py", tmp_path], check=True, timeout=60)

    fresh = {path.name: path.read_bytes() for path in tmp_path.rglob("*_pb2.py*")}
    committed = {path.name: path.read_bytes() for path in COMMITTED.glob("*_pb2*.py*")}
    assert len(fresh) == 6
    assert fresh == committed
