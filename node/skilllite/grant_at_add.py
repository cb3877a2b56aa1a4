"""What a person grants a skill for good when adding it: asked before it comes in, kept after.

A flag names what is wanted; only the person at the terminal grants it, for the content they saw.
"""

from __future__ import annotations

import os

from skilllite.asking import Ask
from skilllite.cli import output
from skilllite.errors import Refused
from skilllite.gating import HomeAudit, open_decisions, own_place
from skilllite.home import Home
from skilllite.install import Installed
from skilllite_sandbox.errors import ConsentRequired, InvalidInput
from skilllite_sandbox.gate.decisions import asked_by, encode_grants
from skilllite_sandbox.gate.request import grants_in_words
from skilllite_sandbox.grants import effective_grants
from skilllite_sandbox.policy import NOTHING_GRANTED, Grants
from skilllite_sandbox.scan.report import ScanReport
from skilllite_sandbox.skill import Skill


class GrantAtAdd:
    """The grants of one `add`."""

    def __init__(self, home: Home, given: Grants, *, ask: Ask) -> None:
        """Take what the flags name, and who can be asked."""
        self._home = home
        self._given = given
        self._ask = ask
        self._granted = NOTHING_GRANTED

    def review(self, skill: Skill, report: ScanReport) -> None:
        """Ask for what the flags name; return when there is nothing to ask, or it was granted.

        Raises:
            InvalidInput: the skill doesn't ask for it.
            ConsentRequired: there is nobody to ask.
            Refused: the person said no.
        """
        if self._given == NOTHING_GRANTED:
            return
        effective, unasked = effective_grants(skill.requests, self._given)
        if skill.requests.bash_tools:
            effective = self._given  # which programs a rule lets through is seen at a command
        elif unasked:
            raise InvalidInput(
                f"{skill.name}: {unasked[0]}", hint="add it without, and look at what it asks for"
            )
        name = output.printable(skill.name)
        answer = self._ask(
            [
                f"Grant {name} for good what it asks for?",
                f"  digest {report.digest}",
                *(f"  {output.printable(each)}" for each in grants_in_words(effective)),
                "  in every run of exactly this content, also when a member of your team asks",
            ]
        )
        if answer is None:
            raise ConsentRequired(
                f"{name} was not installed: only a person can grant something for good",
                cause="there is no terminal to ask at",
                hint="type the same command in a terminal, or add it without these flags",
            )
        if not answer:
            raise Refused(f"{name} was not installed", cause="you said no")
        self._granted = effective

    def keep(self, installed: Installed) -> None:
        """Write down what was granted, now that the skill is there."""
        if self._granted == NOTHING_GRANTED:
            return
        skill = installed.skill
        facts = {"skill": skill.name, "digest": installed.digest, "by": "terminal"}
        HomeAudit(self._home).record(
            "grant.given", {**facts, **encode_grants(self._granted)}, durable=True
        )
        open_decisions(self._home).grant(
            installed.digest,
            name=skill.name,
            grants=self._granted,
            asked=asked_by(skill.requests),
            place=own_place(os.fspath(installed.directory), self._home),
        )
        for line in grants_in_words(self._granted):
            output.note(output.printable(f"granted: {line}"))
