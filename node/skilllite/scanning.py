"""The scanner as a home has it: with the user's rules and suppressions, its verdicts kept."""

from __future__ import annotations

from skilllite.home import Home
from skilllite_sandbox.gate.verdicts import Verdicts
from skilllite_sandbox.scan.choices_stamp import choices_stamp
from skilllite_sandbox.values import replace

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from pathlib import Path

    from skilllite_sandbox.scan.choices import Choices
    from skilllite_sandbox.scan.report import ScanReport


def open_verdicts(home: Home) -> Verdicts:
    """Return what judges staged copies for a home, by its files as they are now.

    A file that can't be understood raises `InvalidInput` when something is scanned.
    """
    stamp = choices_stamp(
        [home.rules_name], home.suppressions_name, advisories=home.advisories_name
    )
    if not stamp:
        return Verdicts()

    def scan(place: str) -> ScanReport:
        from skilllite_sandbox.scan.choices import scan_with

        return scan_with(place, _choices(home))[0]

    return Verdicts(scan, rules=stamp)


def scan_newcomer(place: str | Path, home: Home) -> ScanReport:
    """Scan what is to be installed, with the user's rules and advisories.

    A suppression by name doesn't count: what comes in calls itself what it likes.

    Raises:
        InvalidInput: a file of the user's can't be understood.
    """
    from skilllite_sandbox.scan.choices import scan_with

    choices = _choices(home)
    by_digest = tuple(each for each in choices.suppressions if each.digest)
    return scan_with(place, replace(choices, suppressions=by_digest))[0]


def _choices(home: Home) -> Choices:
    from skilllite_sandbox.scan.choices import read_choices

    return read_choices(
        rules=[home.rules_name],
        suppressions=home.suppressions_name,
        advisories=home.advisories_name,
    )
