"""Findings that a user doesn't want to be asked about again, each with a reason and an end.

They live with the user, in one file, and never with the skill. A critical finding can't be
suppressed. A skill that was received or evolved could have taken the name of another: there only a
digest counts.
"""

from __future__ import annotations

import re
from datetime import date
from fnmatch import fnmatchcase

from skilllite_sandbox.scan.finding import Finding, Severity
from skilllite_sandbox.scan.report import ScanReport, Suppressed
from skilllite_sandbox.scan.user_files import (
    entries_of,
    only_keys,
    read_toml,
    text_of,
    unusable,
)
from skilllite_sandbox.values import dataclass, replace

SUPPRESSIONS_MAX = 500
TEXT_CHARS_MAX = 300
STARS_MAX = 8  # in one glob: each may be tried at every place of a path
_KEYS = frozenset({"code", "skill", "digest", "file", "reason", "expires"})
_CODE = re.compile(r"(?:SL\d{3}|USER:[a-z0-9\-]{1,48})")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Suppression:
    """One entry of the user's file."""

    code: str
    skill: str
    """The name; empty when a digest is given."""
    digest: str
    file: str
    """A glob over paths within the skill; `*` for all."""
    reason: str
    expires: date

    def covers(self, finding: Finding, *, name: str, digest: str, strict: bool) -> bool:
        """Return whether it is about this finding of this skill."""
        if finding.code != self.code or not fnmatchcase(finding.file, self.file):
            return False
        if self.digest:
            return self.digest == digest
        return self.skill == name and not strict


def read_suppressions(path: str) -> tuple[Suppression, ...]:
    """Return what a file holds; nothing when there is none.

    Raises:
        InvalidInput: it can't be understood.
    """
    entries = entries_of(read_toml(path), "suppress", path)
    if len(entries) > SUPPRESSIONS_MAX:
        raise unusable(path, f"more than {SUPPRESSIONS_MAX} entries")
    return tuple(
        _suppression(entry, f"{path}, entry {number}") for number, entry in enumerate(entries, 1)
    )


def _suppression(entry: dict[str, object], where: str) -> Suppression:
    only_keys(entry, _KEYS, where)
    code = text_of(entry, "code", where, most=60)
    if _CODE.fullmatch(code) is None:
        raise unusable(where, f"{code!r} is no code")
    skill = text_of(entry, "skill", where, most=TEXT_CHARS_MAX, otherwise="")
    digest = text_of(entry, "digest", where, most=80, otherwise="")
    if bool(skill) == bool(digest):
        raise unusable(where, "it needs either `skill`, a name, or `digest`")
    if digest and _DIGEST.fullmatch(digest) is None:
        raise unusable(where, "`digest` must be sha256: and 64 digits")
    file = text_of(entry, "file", where, most=TEXT_CHARS_MAX, otherwise="*")
    if file.count("*") > STARS_MAX:
        raise unusable(where, f"`file` has more than {STARS_MAX} stars")
    expires = entry.get("expires")
    if type(expires) is not date:
        raise unusable(where, "`expires` must be a day, like 2027-01-31, without quotes")
    reason = text_of(entry, "reason", where, most=TEXT_CHARS_MAX)
    return Suppression(code, skill, digest, file, reason, expires)


def suppress(
    report: ScanReport,
    suppressions: tuple[Suppression, ...],
    *,
    name: str,
    today: date,
    strict: bool = False,
) -> tuple[ScanReport, tuple[str, ...]]:
    """Return the report without what is suppressed, which is listed apart, and what to say.

    Args:
        report: As the scanner gave it.
        suppressions: Of the user.
        name: What the skill calls itself.
        today: An entry counts on its last day too.
        strict: The skill was evolved or received.
    """
    kept: list[Finding] = []
    taken: list[Suppressed] = []
    notes: dict[str, None] = {}
    for finding in report.findings:
        entry = _entry_for(finding, suppressions, name, report.digest, strict=strict)
        if entry is None:
            kept.append(finding)
        elif finding.severity is Severity.CRITICAL:
            notes[f"{finding.code} is critical here: that can't be suppressed"] = None
            kept.append(finding)
        elif entry.expires < today:
            notes[f"the suppression of {finding.code} ended on {entry.expires}"] = None
            kept.append(finding)
        else:
            until = entry.expires.isoformat()
            taken.append(Suppressed(finding, entry.reason, until, bool(entry.digest)))
    return replace(report, findings=tuple(kept), suppressed=tuple(taken)), tuple(notes)


def _entry_for(
    finding: Finding,
    suppressions: tuple[Suppression, ...],
    name: str,
    digest: str,
    *,
    strict: bool,
) -> Suppression | None:
    """Return the entry that covers a finding: one by digest, else the one that lasts longest."""
    found = [
        each
        for each in suppressions
        if each.covers(finding, name=name, digest=digest, strict=strict)
    ]
    return max(found, key=lambda each: (bool(each.digest), each.expires), default=None)
