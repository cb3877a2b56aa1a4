"""Consent to a skill that is about to be added and would hide a bundled or installed one.

Without it anybody whose skill is added decides what `calculator` means from then on, for the person
and for the team that sends its tasks by name.
"""

from __future__ import annotations

from pathlib import Path

from skilllite.asking import Ask
from skilllite.catalog import SkillCatalog
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
        hidden = self._catalog.protected(skill.name, self._root)
        if not hidden or not others_than(report.digest, hidden):
            return
        if open_decisions(self._home).may_hide(report.digest):
            return
        name = output.printable(skill.name)
        places = ", ".join(f"the {each.origin} one in {each.directory}" for each in hidden)
        cause = output.printable(f"it would hide {places}")
        answer = self._ask([*hiding_question(skill.name, self.source, report.digest), f"  {cause}"])
        if answer is None:
            raise ConsentRequired(
                f"{name} was not installed: a person has to agree to the name",
                cause=cause,
                hint="run the same command in a terminal; or give the skill another name",
            )
        if not answer:
            raise Refused(f"{name} was not installed", cause="you said no")
        self._agreed = True

    def keep(self, installed: Installed) -> None:
        """Write down what was agreed to, now that the skill is there."""
        if self._agreed:
            let_hide(self._home, installed.skill.name, installed.digest)
