"""Advisories in the format of OSV, and what they say of one version of one package. Pure.

https://ossf.github.io/osv-schema/. A record comes from outside: what it says is taken where it has
the right shape, and a range that can't be compared counts as hitting.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from skilllite_sandbox.scan.finding import Severity
from skilllite_sandbox.supply.dependency import Ecosystem
from skilllite_sandbox.supply.names import NAME_CHARS_MAX, normal_name
from skilllite_sandbox.supply.severity import severity_of_vector, severity_of_word
from skilllite_sandbox.supply.versions import UnreadableVersion, admits, is_before, is_same
from skilllite_sandbox.values import dataclass, replace

SUMMARY_CHARS_MAX = 200  # one line for a person
EVENTS_MAX = 1_000  # of one range; a longer one is not compared and counts as hitting everything
FIXES_SHOWN = 3

_MALICIOUS = re.compile(r"MAL-\d")
_CWE_MALICIOUS = "CWE-506"  # embedded malicious code
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")

Range = tuple[tuple[str, str], ...]
"""Events, as (kind, version): introduced, fixed, last_affected, limit."""


@dataclass(frozen=True, slots=True)
class Advisory:
    """What one advisory says about one package."""

    id: str
    aliases: tuple[str, ...]
    ecosystem: Ecosystem
    name: str
    summary: str
    severity: Severity
    malicious: bool
    """The package itself does harm; not a mistake in it."""
    ranges: tuple[Range, ...]
    versions: tuple[str, ...]
    rated: bool = True
    """Whether it says how bad it is; else it counts as medium."""

    def hits(self, version: str) -> bool:
        """Whether it is about this version."""
        public = version.partition("+")[0]
        if public != version and self.hits(public):
            return True  # somebody's build of that release
        if any(is_same(self.ecosystem, version, each) for each in self.versions):
            return True
        try:
            return any(_inside(self.ecosystem, version, each) for each in self.ranges)
        except UnreadableVersion:
            return True

    def may_hit(self, wanted: str) -> bool:
        """Whether a range lets in a version that it is about.

        Two runs of versions meet where one of them begins, so only beginnings are looked at.
        """
        begins = [
            version for events in self.ranges for kind, version in events if kind == "introduced"
        ]
        lowest = _lowest(wanted)
        if any(self.hits(each) for each in lowest):
            return True
        listed = [each for each in (*self.versions, *begins) if each != "0"]
        return any(admits(self.ecosystem, wanted, (each,)) for each in listed if self.hits(each))

    @property
    def hits_everything(self) -> bool:
        """Whether no version is exempt."""
        return any(
            all(kind == "introduced" and version == "0" for kind, version in events)
            for events in self.ranges
        )

    @property
    def fixed_in(self) -> tuple[str, ...]:
        """The versions that mend it."""
        fixed = [version for events in self.ranges for kind, version in events if kind == "fixed"]
        return tuple(dict.fromkeys(fixed))[:FIXES_SHOWN]


def parse_record(record: object) -> tuple[Advisory, ...]:
    """Return what a record says about packages of ours; nothing when it was withdrawn.

    Raises:
        ValueError: it is no record of OSV.
    """
    if not isinstance(record, dict) or not isinstance(record.get("id"), str):
        raise ValueError("it has no id")
    id = record["id"]
    if not _ID.fullmatch(id):
        raise ValueError("its id is none")
    if record.get("withdrawn"):
        return ()
    found = []
    for affected in _dicts(record.get("affected")):
        package = affected.get("package")
        if not isinstance(package, dict):
            continue
        ecosystem = _ecosystem(package.get("ecosystem"))
        name = package.get("name")
        if ecosystem is None or not isinstance(name, str) or len(name) > NAME_CHARS_MAX:
            continue
        found.append(_advisory(id, record, affected, ecosystem, name))
    return tuple(found)


def _advisory(
    id: str, record: dict[str, Any], affected: dict[str, Any], ecosystem: Ecosystem, name: str
) -> Advisory:
    severity = _severity(record, affected)
    aliases = _texts(record.get("aliases"))
    malicious = _is_malicious(id, aliases, record, affected)
    ranges = []
    for each in _dicts(affected.get("ranges")):
        if each.get("type") in ("SEMVER", "ECOSYSTEM"):
            ranges.append(_events(each.get("events")))
    summary = record.get("summary") or record.get("details") or ""
    line = " ".join(str(summary).split())
    return Advisory(
        id=id,
        aliases=tuple(alias for alias in aliases if _ID.fullmatch(alias)),
        ecosystem=ecosystem,
        name=normal_name(ecosystem, name),
        summary=line[:SUMMARY_CHARS_MAX],
        severity=Severity.CRITICAL if malicious else severity or Severity.MEDIUM,
        malicious=malicious,
        ranges=tuple(events for events in ranges if events),
        versions=tuple(_texts(affected.get("versions"))),
        rated=malicious or severity is not None,
    )


def _is_malicious(
    id: str, aliases: Iterable[str], record: dict[str, Any], affected: dict[str, Any]
) -> bool:
    if any(_MALICIOUS.match(each) for each in (id, *aliases)):
        return True
    cwes = []
    for said in (record.get("database_specific"), affected.get("database_specific")):
        if isinstance(said, dict):
            cwes += [*_texts(said.get("cwe_ids")), *(_of(each, "cweId") for each in _cwes(said))]
    return _CWE_MALICIOUS in cwes


def _cwes(said: dict[str, Any]) -> list[dict[str, Any]]:
    return _dicts(said.get("cwes"))


def _severity(record: dict[str, Any], affected: dict[str, Any]) -> Severity | None:
    """Return the worst that is said, by vectors and by words."""
    found = []
    for holder in (record, affected):
        for each in _dicts(holder.get("severity")):
            found.append(severity_of_vector(_of(each, "score")))
        for key in ("database_specific", "ecosystem_specific"):
            said = holder.get(key)
            if isinstance(said, dict):
                found.append(severity_of_word(_of(said, "severity")))
    return max((each for each in found if each is not None), default=None)


def _events(value: object) -> Range:
    found = []
    if len(listed := _dicts(value)) > EVENTS_MAX:
        return (("introduced", "0"),)
    for each in listed:
        for kind in ("introduced", "fixed", "last_affected", "limit"):
            if isinstance(version := each.get(kind), str):
                found.append((kind, version))
    return tuple(found)


def _inside(ecosystem: Ecosystem, version: str, events: Range) -> bool:
    """Whether a version lies inside a range, by the specification's own rule.

    Events are taken in the order of their versions; the last that is not above decides.
    """
    limits = [each for kind, each in events if kind == "limit"]
    if limits and not any(each == "*" or is_before(ecosystem, version, each) for each in limits):
        return False
    inside = False
    for kind, at in _in_order(ecosystem, events):
        reached = at == "0" or not is_before(ecosystem, version, at)
        if kind == "introduced" and reached:
            inside = True
        elif kind == "fixed" and reached:
            inside = False
        elif kind == "last_affected" and at != version and reached:
            inside = is_same(ecosystem, version, at) and inside
    return inside


def _in_order(ecosystem: Ecosystem, events: Range) -> list[tuple[str, str]]:
    from functools import cmp_to_key

    def compared(one: tuple[str, str], other: tuple[str, str]) -> int:
        if one[1] == other[1] or "0" in (one[1], other[1]):
            return (other[1] == "0") - (one[1] == "0")
        if is_before(ecosystem, one[1], other[1]):
            return -1
        return 1 if is_before(ecosystem, other[1], one[1]) else 0

    return sorted((each for each in events if each[0] != "limit"), key=cmp_to_key(compared))


def merge_aliases(advisories: Iterable[Advisory]) -> tuple[Advisory, ...]:
    """Return advisories with those that speak of the same thing under other names made one.

    The worst severity and the first summary are kept, and every name.
    """
    groups: list[list[Advisory]] = []
    for each in advisories:
        names = {each.id, *each.aliases}
        same = [group for group in groups if any(names & {a.id, *a.aliases} for a in group)]
        groups = [group for group in groups if group not in same]
        groups.append([*(one for group in same for one in group), each])
    return tuple(_merged(group) for group in groups)


def _merged(group: list[Advisory]) -> Advisory:
    first = min(group, key=lambda each: (not each.malicious, not each.rated))
    rated = [each for each in group if each.rated] or group
    names = dict.fromkeys(name for each in group for name in (each.id, *each.aliases))
    return replace(
        first,
        aliases=tuple(name for name in names if name != first.id),
        severity=max(each.severity for each in rated),
        summary=next((each.summary for each in group if each.summary), ""),
        ranges=tuple(dict.fromkeys(events for each in group for events in each.ranges)),
        versions=tuple(dict.fromkeys(each for one in group for each in one.versions)),
    )


def _lowest(wanted: str) -> list[str]:
    """Return where the versions that a range lets in begin, as far as it is written there."""
    found = []
    for part in wanted.split("||"):
        lower = re.findall(
            r"(?:^|[>~^=\s,])=?\s*(?<![<!])v?(\d[\w.+-]*)", re.sub(r"[<!]=?\s*\S+", "", part)
        )
        found.append(lower[0] if lower else "0.0.0")
    return found


def _ecosystem(value: object) -> Ecosystem | None:
    """Return one of ours; the part behind a colon names a release of it."""
    plain = value.partition(":")[0] if isinstance(value, str) else ""
    return next((each for each in Ecosystem if each.value == plain), None)


def _dicts(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _of(said: dict[str, Any], key: str) -> str:
    value = said.get(key)
    return value if isinstance(value, str) else ""
