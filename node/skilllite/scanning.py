"""The scanner as a home has it: with the user's rules and suppressions, its verdicts kept."""

from __future__ import annotations

from skilllite.home import Home
from skilllite_sandbox.gate.verdicts import Verdicts
from skilllite_sandbox.scan.choices_stamp import choices_stamp

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from skilllite_sandbox.scan.report import ScanReport


def open_verdicts(home: Home) -> Verdicts:
    """Return what judges staged copies for a home, by its files as they are now.

    A file that can't be understood raises `InvalidInput` when something is scanned.
    """
    rules, suppressions = home.rules_name, home.suppressions_name
    advisories = home.advisories_name
    stamp = choices_stamp([rules], suppressions, advisories=advisories)
    if not stamp:
        return Verdicts()

    def scan(place: str) -> ScanReport:
        from skilllite_sandbox.scan.choices import read_choices, scan_with

        choices = read_choices(rules=[rules], suppressions=suppressions, advisories=advisories)
        return scan_with(place, choices)[0]

    return Verdicts(scan, rules=stamp)
