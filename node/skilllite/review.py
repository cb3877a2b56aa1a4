"""Whether a skill may come in, by what the scanner said: let it, ask a person, or refuse.

No flag answers for the person: a script would set it once and for all.
"""

from __future__ import annotations

from skilllite.asking import Ask
from skilllite.cli import output
from skilllite.errors import Refused
from skilllite_sandbox.errors import ConsentRequired
from skilllite_sandbox.scan.finding import Severity, Verdict
from skilllite_sandbox.scan.report import ScanReport
from skilllite_sandbox.skill import Skill

FINDINGS_SHOWN_MAX = 20
LINE_CHARS_MAX = 400  # five rows of a terminal


class Reviewer:
    """Shows what the scanner said, and asks."""

    def __init__(self, *, ask: Ask, as_json: bool = False) -> None:
        """Take who can be asked.

        Args:
            ask: Asks a person.
            as_json: Print what is refused or needs an answer for programs, too.
        """
        self._ask = ask
        self._as_json = as_json
        self.source = ""
        """Where the skill came from, for the question."""
        self.verdict: Verdict | None = None
        """Of what was reviewed last, for the audit log."""
        self.agreed = False
        """Whether a person let it in."""

    def review(self, skill: Skill, report: ScanReport) -> None:
        """Return when the skill may come in.

        Raises:
            Refused: the scanner blocks it, or the person said no.
            ConsentRequired: a person has to be asked, and there is none.
        """
        verdict = self.verdict = report.verdict
        lines = shown(skill, report)
        for line in lines:
            output.note(line)
        if verdict is Verdict.PASS:
            return
        name = output.printable(skill.name)
        if verdict is Verdict.BLOCK:
            self._print(skill, report)
            raise Refused(
                f"{name} was not installed: the scanner blocks it",
                cause="what it does has no place in an honest skill; nobody can confirm that",
                hint="the findings above say where and why",
            )
        question = f"Install {name} from {output.printable(self.source)} all the same?"
        answer = self._ask([*lines, "", question])
        if answer is not True:
            self._print(skill, report)
        if answer is None:
            raise ConsentRequired(
                f"{name} was not installed: a person has to agree to it",
                cause="there is no terminal to ask at",
                hint="run the same command in a terminal, read what it shows, and answer there",
            )
        if not answer:
            raise Refused(f"{name} was not installed", cause="you said no")
        self.agreed = True

    def _print(self, skill: Skill, report: ScanReport) -> None:
        if self._as_json:
            record = {"installed": False, "name": skill.name, **report.to_json()}
            output.print_json(record)


def shown(skill: Skill, report: ScanReport) -> list[str]:
    """Return what a person gets to see of a scan, harmless to a terminal."""
    first = f"scan: {report.verdict.value} {skill.name} ({report.digest[:19]}…)"
    lines = [f"  {line}" for line in (*_finding_lines(report), *_request_lines(skill))]
    return [_bounded(output.printable(line)) for line in (first, *lines)]


def _bounded(line: str) -> str:
    """Cut a line that would push the others out of sight."""
    return (
        line
        if len(line) <= LINE_CHARS_MAX
        else f"{line[:LINE_CHARS_MAX]}… ({len(line)} characters)"
    )


def _finding_lines(report: ScanReport) -> list[str]:
    told = [each for each in report.findings if each.severity > Severity.INFO]
    lines = [
        f"{each.severity.word}: {each.file or 'skill'}:{each.line} {each.message} ({each.code})"
        for each in told[:FINDINGS_SHOWN_MAX]
    ]
    more = len(told) - len(lines)
    return lines + ([f"and {more} more findings"] if more > 0 else [])


def _request_lines(skill: Skill) -> list[str]:
    requests = skill.requests
    asked = {
        "network": requests.network,
        "programs": requests.exec,
        "packages": tuple(each.requirement for each in requests.packages),
        "commands": requests.bash_tools,
    }
    return [f"asks for {what}: {', '.join(names)}" for what, names in asked.items() if names]
