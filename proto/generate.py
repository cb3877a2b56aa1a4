"""Write the message classes in swarm/skilllite_swarm/wire from proto/skilllite/v1/*.proto.

The generator lives in an environment of its own, because it holds protobuf below 7:

    python3 -m venv .venv-proto
    .venv-proto/bin/pip install 'grpcio-tools==1.76.*'
    .venv-proto/bin/python proto/generate.py [FOLDER]

FOLDER is where skilllite_swarm/wire goes (default: swarm). There are no `_pb2_grpc` modules: stubs
and handlers are made from the service descriptors at run time.
"""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "proto" / "skilllite" / "v1"
PACKAGE = "skilllite_swarm/wire"

GENERATOR = "1.76."
"""grpcio-tools that may generate: its output runs on every protobuf from 6.31 on, 7 included."""


def generate(destination: Path) -> None:
    """Write `*_pb2.py` and `*_pb2.pyi` below `destination`/skilllite_swarm/wire."""
    from grpc_tools import protoc

    (destination / PACKAGE).mkdir(parents=True, exist_ok=True)
    # The virtual path alone decides what generated modules import from each other, so their text
    # is never rewritten afterwards.
    arguments = [
        "protoc",
        f"-I{PACKAGE}={SOURCE}",
        f"--python_out={destination}",
        f"--pyi_out={destination}",
        *(f"{PACKAGE}/{path.name}" for path in sorted(SOURCE.glob("*.proto"))),
    ]
    if status := protoc.main(arguments):
        raise SystemExit(status)


def main() -> None:
    try:
        found = version("grpcio-tools")
    except PackageNotFoundError:
        found = "none"
    if not found.startswith(GENERATOR):
        raise SystemExit(f"error: needs grpcio-tools {GENERATOR}*, found {found}\n{__doc__}")
    generate(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "swarm")


if __name__ == "__main__":
    main()
