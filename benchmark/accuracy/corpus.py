"""A corpus of labelled skills: a folder with labels.json, and the files of each skill in memory.

`labels.json` is a list of objects with `name`, `label` (malicious or benign), `technique` (dotted,
the family first), `language` and `path`. `links.json` maps paths to the targets of symbolic links,
which are part of some attacks and are made in the copy that is scanned.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

MALICIOUS = "malicious"
BENIGN = "benign"


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled skill."""

    name: str
    label: str
    technique: str
    language: str
    files: dict[str, bytes]
    """By path relative to the skill."""
    links: dict[str, str]

    @property
    def family(self) -> str:
        """The part of the technique that similar ones share."""
        return self.technique.partition(".")[0]

    def with_files(self, files: dict[str, bytes]) -> Sample:
        """Return the same skill with other files."""
        return replace(self, files=files)

    def write(self, directory: Path) -> None:
        """Make the skill in an empty directory."""
        for path, content in self.files.items():
            place = directory / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        for path, target in self.links.items():
            place = directory / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(target)


def load_corpus(root: Path) -> tuple[Sample, ...]:
    """Read all skills of a corpus."""
    links_file = root / "links.json"
    links: dict[str, str] = json.loads(links_file.read_text()) if links_file.is_file() else {}
    return tuple(
        _load(root, label, links) for label in json.loads((root / "labels.json").read_text())
    )


def _load(root: Path, label: dict[str, str], links: dict[str, str]) -> Sample:
    directory = root / label["path"]
    files = {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }
    prefix = label["path"] + "/"
    own = {path.removeprefix(prefix): to for path, to in links.items() if path.startswith(prefix)}
    return Sample(label["name"], label["label"], label["technique"], label["language"], files, own)
