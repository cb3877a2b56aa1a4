"""Writes the skills of a campaign to disk, each once."""

from __future__ import annotations

from pathlib import Path

from benchmark.security.prelude import SCRIPTS, Language
from benchmark.security.subjects.base import SkillFiles

_EVERYBODY_ENTERS, _EVERYBODY_READS = 0o755, 0o644


class SkillShelf:
    """A directory of skills that every user of the host can read."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._skills: dict[tuple[Language, str], SkillFiles] = {}
        root.mkdir()
        root.chmod(_EVERYBODY_ENTERS)

    def skill(
        self, language: Language, source: str, description: str = "An attack of the benchmark."
    ) -> SkillFiles:
        """Return a skill with this source as its entry point."""
        known = self._skills.get((language, source))
        if known is not None:
            return known
        name = f"skill-{len(self._skills)}"
        files = SkillFiles(self._root / name, language)
        files.script.parent.mkdir(parents=True)
        head = f"---\nname: {name}\ndescription: {description}\n---\n"
        manifest = files.directory / "SKILL.md"
        for path, text in ((manifest, head), (files.directory / SCRIPTS[language], source)):
            path.write_text(text, encoding="utf-8")
            path.chmod(_EVERYBODY_READS)
        for directory in (files.directory, files.script.parent):
            directory.chmod(_EVERYBODY_ENTERS)
        self._skills[language, source] = files
        return files
