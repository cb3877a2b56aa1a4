"""Whatever an engine stumbles over, there is a verdict, and it isn't PASS."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import random
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from skill_folders import REVIEW, heavy, write_skill
from skilllite_sandbox.scan import scanner
from skilllite_sandbox.scan.acts import Analysis
from skilllite_sandbox.scan.archives import look_into_archives
from skilllite_sandbox.scan.finding import Finding
from skilllite_sandbox.scan.pickles import inspect_pickles
from skilllite_sandbox.scan.source import SourceFile, make_source

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
}
MUTANTS = 400  # of each kind; a second or two


@pytest.mark.parametrize("error", [ValueError("x"), RecursionError(), KeyError("x"), OSError()])
def test_reader_that_stumbles_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def engine(sources: Sequence[SourceFile]) -> Analysis:
        raise error

    def inspector(sources: Sequence[SourceFile]) -> tuple[Finding, ...]:
        raise error

    monkeypatch.setattr(scanner, "_engines", lambda: (engine,))
    monkeypatch.setattr(scanner, "_inspectors", lambda: (inspector,))

    report = scanner.scan_skill(write_skill(tmp_path / "s"))

    assert report.verdict is REVIEW
    assert heavy(report) == {"SL701", "SL705"}


def mutated(data: bytes, source: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(source.randint(1, 6)):
        at = source.randrange(len(changed))
        changed[at : at + source.randint(0, 3)] = source.randbytes(source.randint(0, 4))
    return bytes(changed)


@pytest.mark.parametrize("kind", ["zip", "tar", "gz", "bz2", "xz"])
def test_damaged_archives_are_looked_into_without_an_error(kind: str) -> None:
    stream = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a/b.txt", b"words " * 50)
            archive.writestr("c.py", b"x = 1\n")
        data = stream.getvalue()
    else:
        with tarfile.open(fileobj=stream, mode="w") as tar:
            info = tarfile.TarInfo("a/b.txt")
            info.size = 300
            tar.addfile(info, io.BytesIO(b"words " * 50))
        plain = stream.getvalue()
        data = PACKERS[kind](plain)
    source = random.Random(7)

    for _ in range(MUTANTS):
        look_into_archives([make_source("a.bin", mutated(data, source))])


def test_damaged_pickles_are_read_without_an_error() -> None:
    data = pickle.dumps({"a": [1, "x", b"y", 2.5, None], "b": (Path("x"), {1, 2})}, 4)
    source = random.Random(7)

    for _ in range(MUTANTS):
        inspect_pickles([make_source("a.pkl", mutated(data, source))])
