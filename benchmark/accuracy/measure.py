"""Scans every sample, and every rewrite of it, and counts the verdicts."""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.accuracy import other_rewrites as other
from benchmark.accuracy import python_rewrites as python
from benchmark.accuracy.corpus import BENIGN, MALICIOUS, Sample
from skilllite_sandbox.scan.finding import Verdict
from skilllite_sandbox.scan.scanner import scan_skill

AS_IT_IS = "as it is"


@dataclass(frozen=True, slots=True)
class Scanned:
    """What became of one sample."""

    sample: Sample
    rewrite: str
    verdict: Verdict
    capability_only: bool
    codes: tuple[str, ...]
    """Of what made it more than PASS."""
    milliseconds: float

    @property
    def alarms(self) -> bool:
        """Whether a person is asked for more than a missing declaration."""
        return self.verdict is not Verdict.PASS and not self.capability_only


_SUFFIXES = {"python": ".py", "bash": ".sh", "javascript": ".js"}
_CODE: dict[str, dict[str, python.Rewrite]] = {
    "python": {
        "rename": python.rename,
        "alias imports": python.alias_imports,
        "encode": python.encode_strings,
        "move": python.move,
        "split": python.split,
    },
    "bash": {
        "rename": other.rename_shell,
        "encode": other.quote_commands,
        "move": other.move_shell,
    },
    "javascript": {
        "rename": other.rename_javascript,
        "encode": other.encode_javascript,
        "move": other.move_javascript,
    },
}
REWRITES = ("rename", "alias imports", "encode", "move", "split", "move text", "rewrap text")


def rewritten(sample: Sample, name: str, seed: int) -> Sample | None:
    """Return a rewrite of a sample; None where it has nothing to change."""
    chance = random.Random(f"{seed} {sample.name} {name}")
    if name == "move text" and "SKILL.md" in sample.files and sample.language == "markdown":
        moved = other.move_text(sample.files["SKILL.md"], chance)
        if moved is None:
            return None
        here, path, body = moved
        return sample.with_files({**sample.files, "SKILL.md": here, path: body})
    if name == "rewrap text" and "SKILL.md" in sample.files and sample.language == "markdown":
        text = other.rewrap_text(sample.files["SKILL.md"], chance)
        return None if text is None else sample.with_files({**sample.files, "SKILL.md": text})
    rewrite = _CODE.get(sample.language, {}).get(name)
    if rewrite is None:
        return None
    suffix = _SUFFIXES[sample.language]
    sources = {}
    for path, content in sample.files.items():
        if path.endswith(suffix):
            try:
                sources[path] = content.decode("utf-8")
            except UnicodeDecodeError:
                continue
    changed = rewrite(sources, chance)
    if changed is None:
        return None
    files = {**sample.files, **{path: text.encode("utf-8") for path, text in changed.items()}}
    return sample.with_files(files)


def scan_all(samples: Sequence[Sample], *, rewrites: Iterable[str], seed: int) -> Iterator[Scanned]:
    """Scan the samples as they are, then each rewrite of each."""
    with tempfile.TemporaryDirectory(prefix="skilllite-accuracy-") as directory:
        root = Path(directory)
        _warm_up(root / "warm")
        for number, sample in enumerate(samples):
            yield _scan(sample, AS_IT_IS, root / f"{number}" / sample.name)
            for name in rewrites:
                if (other_form := rewritten(sample, name, seed)) is not None:
                    place = root / f"{number}-{name.replace(' ', '-')}" / sample.name
                    yield _scan(other_form, name, place)


def _warm_up(place: Path) -> None:
    """Scan a skill that has a file for every engine: the first scan of a process loads them."""
    place.mkdir()
    for name, text in _WARM.items():
        (place / name).write_text(text, encoding="utf-8")
    scan_skill(place)


_WARM = {
    "SKILL.md": "---\nname: warm\ndescription: Says hello.\n---\n\n```bash\ncurl a.example\n```\n",
    "a.py": "import os\nprint(os.path.join('a', input()))\n",
    "a.sh": "echo hello | tr a-z A-Z\n",
    "a.js": "console.log(require('path').join('a', 'b'));\n",
    "a.ts": "const a: string = 'a';\n",
    "requirements.txt": "requests==2.32.3\n",
}


def _scan(sample: Sample, rewrite: str, place: Path) -> Scanned:
    place.mkdir(parents=True)
    sample.write(place)
    began = time.perf_counter()
    report = scan_skill(place)
    took = (time.perf_counter() - began) * 1000
    heavy = tuple(sorted({each.code for each in report.findings if each.severity.value >= 3}))
    return Scanned(sample, rewrite, report.verdict, report.capability_only, heavy, took)


@dataclass(frozen=True, slots=True)
class Rates:
    """How often what was said, of one kind of sample in one form."""

    samples: int
    block: float
    alarm: float
    """BLOCK, or REVIEW for more than an undeclared capability."""
    anything: float
    """BLOCK or REVIEW."""


def rates(scanned: Iterable[Scanned]) -> Rates:
    """Return the shares among these."""
    rows = list(scanned)
    count = max(len(rows), 1)
    return Rates(
        len(rows),
        sum(row.verdict is Verdict.BLOCK for row in rows) / count,
        sum(row.alarms for row in rows) / count,
        sum(row.verdict is not Verdict.PASS for row in rows) / count,
    )


def drop(scanned: Sequence[Scanned], rewrite: str, caught: Callable[[Scanned], bool]) -> float:
    """Return by how many points fewer of the malicious are caught once they are rewritten.

    Only samples that have this rewrite count, before and after.
    """
    there = {row.sample.name for row in scanned if row.rewrite == rewrite}
    mine = [row for row in scanned if row.sample.label == MALICIOUS and row.sample.name in there]
    counts = Counter(row.rewrite for row in mine if caught(row))
    total = max(sum(row.rewrite == rewrite for row in mine), 1)
    return 100 * (counts[AS_IT_IS] - counts[rewrite]) / total


def of(scanned: Iterable[Scanned], label: str, rewrite: str = AS_IT_IS) -> list[Scanned]:
    """Return the rows of one label in one form."""
    return [row for row in scanned if row.sample.label == label and row.rewrite == rewrite]


__all__ = ["AS_IT_IS", "BENIGN", "MALICIOUS", "REWRITES", "Rates", "Scanned"]
__all__ += ["drop", "of", "rates", "rewritten", "scan_all"]
