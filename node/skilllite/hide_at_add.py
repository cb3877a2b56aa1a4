"""Consent to a skill that is about to be added and would hide, or pass for, one that is here.

Without it anybody whose skill is added decides what `calculator` means from then on, for the person
and for the team that sends its tasks by name.
"""

from __future__ import annotations

from pathlib import Path

from skilllite.asking import Ask
from skilllite.catalog import CatalogEntry, SkillCatalog
from skilllite.cli import output
from skilllite.errors import Refused
from skilllite.gating import open_decisions
from skilllite.home import Home
from skilllite.install import Installed
from skilllite.shadowing import hiding_question, let_hide, others_than
from skilllite_sandbox.errors import ConsentRequired
from skilllite_sandbox.scan.report import ScanReport
from skilllite_sandbox.skill import Skill


class HideAtAdd:
    """The question of one `add`, before the skill comes in."""

    def __init__(self, home: Home, catalog: SkillCatalog, root: Path, *, ask: Ask) -> None:
        """Take where the skill goes, and who can be asked."""
        self._home = home
        self._catalog = catalog
        self._root = root
        self._ask = ask
        self._agreed = False
        self.source = ""
        """Where the skill came from, for the question."""

    def review(self, skill: Skill, report: ScanReport) -> None:
        """Return when the skill hides nothing, or a person lets it.

        Raises:
            ConsentRequired: there is nobody to ask.
            Refused: the person said no.
        """
        name = skill.name
        if alike := self._catalog.lookalikes(name):
            self._ask_about(
                name,
                f"its name looks like that of {_places(alike)}",
                [f"Install {output.printable(name)}, whose name passes for another one's?"],
            )
        hidden = self._catalog.protected(name, self._root)
        if not hidden or not others_than(report.digest, hidden):
            return
        if open_decisions(self._home).may_hide(report.digest, name):
            return
        question = hiding_question(name, self.source, report.digest)
        self._ask_about(name, f"it would hide {_places(hidden)}", question)
        self._agreed = True

    def _ask_about(self, name: str, cause: str, question: list[str]) -> None:
        name, cause = output.printable(name), output.printable(cause)
        answer = self._ask([*question, f"  {cause}"])
        if answer is None:
            raise ConsentRequired(
                f"{name} was not installed: a person has to agree to the name",
                cause=cause,
                hint="run the same command in a terminal; or give the skill another name",
            )
        if not answer:
            raise Refused(f"{name} was not installed", cause="you said no")

    def keep(self, installed: Installed) -> None:
        """Write down what was agreed to, now that the skill is there."""
        if self._agreed:
            let_hide(self._home, installed.skill.name, installed.digest)


def _places(entries: list[CatalogEntry]) -> str:
    return ", ".join(f"{each.name}, the {each.origin} one in {each.directory}" for each in entries)
