"""Rewrites do what the original did; the counts are of what was scanned."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmark.accuracy import other_rewrites, python_rewrites
from benchmark.accuracy.corpus import BENIGN, MALICIOUS, Sample
from benchmark.accuracy.measure import AS_IT_IS, Scanned, drop, of, rates, rewritten, scan_all

from skilllite_sandbox.scan.finding import Verdict

PROGRAM = '''
import json
import os.path
from collections import Counter as Count
from textwrap import shorten

LEAST = 2
WORDS = ["alpha beta", "beta gamma", "gamma beta"]

class Box:
    def __init__(self, value):
        self.value = value

def often(texts, least=LEAST):
    """Not a comment."""
    found = Count(word for text in texts for word in text.split())
    return {word: count for word, count in found.items() if count >= least}

def main():
    total = 0
    def add(number):
        nonlocal total
        total += number
    for count in often(WORDS, least=2).values():
        add(count)
    box = Box(value=os.path.join("folder", "name"))
    print(json.dumps([often(WORDS), total, box.value, shorten("one two three", width=9)]))

if __name__ == "__main__":
    main()
'''
SHELL = """name=world
for part in a bb; do
  printf '%s ' "$part" "${name}"
done
read -r line <<< "given"
cat <<< "$line" | tr a-z A-Z
"""


def _run(command: list[str], directory: Path) -> str:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _write(files: dict[str, str], directory: Path) -> None:
    for path, text in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    "rewrite",
    [
        *(python_rewrites.rename, python_rewrites.alias_imports, python_rewrites.encode_strings),
        *(python_rewrites.move, python_rewrites.split),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_rewritten_python_does_the_same(
    rewrite: python_rewrites.Rewrite, seed: int, tmp_path: Path
) -> None:
    sources = {"scripts/main.py": PROGRAM}
    changed = rewrite(sources, random.Random(seed))
    assert changed is not None
    assert changed["scripts/main.py"] != PROGRAM
    _write(sources, tmp_path / "before")
    _write(changed, tmp_path / "after")

    command = [sys.executable, "scripts/main.py"]
    assert _run(command, tmp_path / "after") == _run(command, tmp_path / "before")


@pytest.mark.parametrize(
    "rewrite",
    [other_rewrites.rename_shell, other_rewrites.quote_commands, other_rewrites.move_shell],
)
def test_rewritten_shell_does_the_same(
    rewrite: Callable[[dict[str, str], random.Random], dict[str, str] | None], tmp_path: Path
) -> None:
    sources = {"scripts/main.sh": SHELL}
    changed = rewrite(sources, random.Random(1))
    assert changed is not None
    assert changed["scripts/main.sh"] != SHELL
    _write(sources, tmp_path / "before")
    _write(changed, tmp_path / "after")

    command = ["bash", "scripts/main.sh"]
    assert _run(command, tmp_path / "after") == _run(command, tmp_path / "before")


def test_text_that_was_moved_or_rewrapped_keeps_every_word() -> None:
    skill = b"---\nname: a\n---\n\n# a\n\n" + b"one two three four five six seven " * 5
    sample = Sample("a", MALICIOUS, "pi.x", "markdown", {"SKILL.md": skill}, {})

    for name in ("move text", "rewrap text"):
        changed = rewritten(sample, name, 1)
        assert changed is not None
        after = b" ".join(changed.files.values()).split()
        assert after.count(b"seven") == 5


def _row(name: str, label: str, rewrite: str, verdict: Verdict, *, only: bool = False) -> Scanned:
    return Scanned(Sample(name, label, "a.b", "python", {}, {}), rewrite, verdict, only, (), 1.0)


def test_reviews_for_a_missing_declaration_are_counted_apart() -> None:
    rows = [
        _row("a", BENIGN, AS_IT_IS, Verdict.REVIEW, only=True),
        _row("b", BENIGN, AS_IT_IS, Verdict.REVIEW),
        _row("c", BENIGN, AS_IT_IS, Verdict.BLOCK),
        _row("d", BENIGN, AS_IT_IS, Verdict.PASS),
    ]

    found = rates(of(rows, BENIGN))

    assert (found.block, found.alarm, found.anything) == (0.25, 0.5, 0.75)


def test_a_drop_compares_the_same_samples() -> None:
    rows = [
        _row("a", MALICIOUS, AS_IT_IS, Verdict.BLOCK),
        _row("a", MALICIOUS, "rename", Verdict.BLOCK),
        _row("b", MALICIOUS, AS_IT_IS, Verdict.BLOCK),
        _row("b", MALICIOUS, "rename", Verdict.PASS),
        _row("not rewritten", MALICIOUS, AS_IT_IS, Verdict.PASS),
    ]

    assert drop(rows, "rename", lambda row: row.verdict is Verdict.BLOCK) == 50


def test_every_form_of_a_sample_is_scanned() -> None:
    skill = b"---\nname: a\ndescription: Counts words.\n---\n\n# a\n"
    files = {"SKILL.md": skill, "scripts/main.py": PROGRAM.encode()}
    sample = Sample("a", BENIGN, "benign", "python", files, {})

    scanned = list(scan_all([sample], rewrites=("rename", "encode", "move text"), seed=1))

    assert [row.rewrite for row in scanned] == [AS_IT_IS, "rename", "encode"]
    assert all(row.sample.name == "a" and row.milliseconds > 0 for row in scanned)
