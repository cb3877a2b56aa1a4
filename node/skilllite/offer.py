"""The skills this node offers to its team: found in the catalogue, staged, described.

What is offered is what can be started by one call with one JSON object: a skill with an entry
point whose interpreter is here. Skills for reading, and those with several scripts, stay local.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from skilllite.catalog import NOT_HERE
from skilllite_sandbox.capabilities import is_idempotent
from skilllite_sandbox.errors import SandboxError
from skilllite_sandbox.grants import effective_grants
from skilllite_sandbox.policy import Grants
from skilllite_sandbox.run_request import nothing
from skilllite_sandbox.stage import Stage, StagedSkill
from skilllite_swarm.transport import SkillEntry

if TYPE_CHECKING:
    from skilllite_sandbox.run_request import Granted

OFFERED_MAX = 1000
"""As many as one signed catalogue holds."""

log = logging.getLogger("skilllite.skills")


class FoundSkill(Protocol):
    """A skill as the catalogue of skills found it."""

    @property
    def name(self) -> str: ...

    @property
    def directory(self) -> Path: ...

    @property
    def lacks(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Offer:
    """What was offered at one moment."""

    entries: tuple[SkillEntry, ...] = ()
    directories: tuple[tuple[str, Path], ...] = ()


class OfferedSkills:
    """The present offer. `refresh` may run in any thread; readers see the old one or the new."""

    def __init__(self, stage: Stage, *, granted: Granted = nothing) -> None:
        """Offer nothing yet.

        Args:
            stage: Where copies are kept.
            granted: Gives what a person at this node has granted a content, see `Gate.granted`.
        """
        self._stage = stage
        self._granted = granted
        self._offer = Offer()
        self._directories: dict[str, Path] = {}
        self._reported: dict[str, str] = {}

    @property
    def entries(self) -> tuple[SkillEntry, ...]:
        """What the team is told."""
        return self._offer.entries

    def directory_of(self, skill: str) -> Path | None:
        """Return where an offered skill lives."""
        return self._directories.get(skill)

    def refresh(self, found: Iterable[FoundSkill]) -> bool:
        """Stage and describe what was found; return whether the offer has changed."""
        offered: dict[str, tuple[SkillEntry, Path]] = {}
        for skill in found:
            if len(offered) >= OFFERED_MAX:
                log.warning("only the first %d skills are offered", OFFERED_MAX)
                break
            if any(clause.endswith(NOT_HERE) for clause in skill.lacks):
                continue  # another member may have it: a task should go there
            staged = self._staged(skill)
            if staged is not None and staged.skill.entry is not None:
                offered.setdefault(skill.name, (self._entry(skill, staged), skill.directory))
        offer = Offer(
            tuple(entry for _, (entry, _) in sorted(offered.items())),
            tuple((name, directory) for name, (_, directory) in sorted(offered.items())),
        )
        changed = offer != self._offer
        self._offer, self._directories = offer, dict(offer.directories)
        return changed

    def _staged(self, skill: FoundSkill) -> StagedSkill | None:
        try:
            return self._stage.put(skill.directory)
        except SandboxError as error:
            # Once: a broken skill stays broken at every look.
            if self._reported.get(skill.name) != error.message:
                if len(self._reported) >= OFFERED_MAX:
                    self._reported.clear()
                self._reported[skill.name] = error.message
                log.warning("skill %s is not offered: %s", skill.name, error.message)
            return None

    def _entry(self, found: FoundSkill, staged: StagedSkill) -> SkillEntry:
        skill = staged.skill
        assert skill.entry is not None
        granted = task_grants(staged, found.directory, self._granted)
        return SkillEntry(
            name=found.name,
            description=skill.description,
            digest=staged.digest,
            language=skill.entry.language.value,
            # With a grant a run may do something that a second one would do again.
            idempotent=is_idempotent(skill.requests, granted),
            lacks=found.lacks,
        )


def task_grants(staged: StagedSkill, directory: Path, granted: Granted) -> Grants:
    """Return what a task may do here: what a person at this node has granted, no variables."""
    kept = granted(staged, os.fspath(directory))
    effective, _ = effective_grants(staged.skill.requests, kept)
    return replace(effective, env=())
