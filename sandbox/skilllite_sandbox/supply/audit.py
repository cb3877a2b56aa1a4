"""Everything that can be learned about the packages of skills, put together into one report.

Offline it uses what ships and the advisories on disk; over the network only what it was given. A
package about which a source is silent stays unknown, and why is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any

from skilllite_sandbox.scan.codes import make_finding
from skilllite_sandbox.scan.finding import Finding, Severity
from skilllite_sandbox.scan.source import SourceFile
from skilllite_sandbox.supply.advisory import Advisory, merge_aliases
from skilllite_sandbox.supply.database import AdvisoryDatabase, Snapshot
from skilllite_sandbox.supply.dependency import Declared, Dependency, Ecosystem, Origin
from skilllite_sandbox.supply.fetch import SourceUnreachable
from skilllite_sandbox.supply.judge import heaviest, judge_declared, without_credentials
from skilllite_sandbox.supply.known import known_malicious
from skilllite_sandbox.supply.online import Listed, Package
from skilllite_sandbox.values import dataclass

SILENCES_MAX = 3  # in a row, of the index; each can cost a minute

AskAdvisories = Callable[[Sequence[Package]], dict[Package, tuple[Advisory, ...]]]
AskIndex = Callable[[Ecosystem, str], Listed]
Told = Callable[[str], None]
"""Called with what is being looked at."""


class Standing(StrEnum):
    """What is known about one package."""

    MALICIOUS = "malicious"
    VULNERABLE = "vulnerable"
    CLEAN = "clean"
    """Advisories were looked at and none is about it. Not: it is harmless."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Sources:
    """Where an audit may look."""

    database: AdvisoryDatabase
    advisories: AskAdvisories | None = None
    """Asks a service; None when nobody allowed it."""
    index: AskIndex | None = None


@dataclass(frozen=True, slots=True)
class Audited:
    """One package, where it is named first, and what was found."""

    dependency: Dependency
    version: str
    """The one that was looked at; empty when nobody knows which will be installed."""
    standing: Standing
    why: str
    """For one that is unknown."""
    advisories: tuple[Advisory, ...]


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What an audit of one skill, or of names, found."""

    target: str
    packages: tuple[Audited, ...]
    findings: tuple[Finding, ...]

    @property
    def unknown(self) -> tuple[Audited, ...]:
        """The packages about which nothing could be learned."""
        return tuple(each for each in self.packages if each.standing is Standing.UNKNOWN)

    @property
    def status(self) -> str:
        """`findings`, `unknown` or `clean`; a finding of weight outweighs what is unknown."""
        if any(each.severity >= Severity.MEDIUM for each in self.findings):
            return "findings"
        return "unknown" if self.unknown or self.has_unread else "clean"

    @property
    def has_unread(self) -> bool:
        """Whether something that declares packages could not be read."""
        return any(each.code == "SL613" for each in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Return the report as it is printed for programs; fields are only ever added."""
        return {
            "target": self.target,
            "status": self.status,
            "unknown": len(self.unknown),
            "packages": [_package_json(each) for each in self.packages],
            "findings": [
                {
                    "code": each.code,
                    "severity": each.severity.word,
                    "file": each.file,
                    "line": each.line,
                    "message": each.message,
                    "remedy": each.remedy,
                }
                for each in self.findings
            ],
        }


def audit_declared(
    target: str,
    declared: Declared,
    sources: Sources,
    *,
    files: Sequence[SourceFile] = (),
    told: Told = lambda text: None,
) -> AuditReport:
    """Look at packages that were read already."""
    auditing = _Auditing(sources, told)
    chosen = _each_once(declared.dependencies)
    auditing.ask([each for each in chosen if each.origin is Origin.INDEX])
    packages = tuple(auditing.judge(each) for each in chosen)
    found = (*judge_declared(declared, files), *auditing.findings, *_unknown(packages))
    return AuditReport(target, packages, heaviest(found))


class _Auditing:
    """One audit under way: what was asked and what it found."""

    def __init__(self, sources: Sources, told: Told) -> None:
        self._sources = sources
        self._told = told
        self._listed: dict[tuple[Ecosystem, str], Listed] = {}
        self._silent_index: dict[tuple[Ecosystem, str], str] = {}
        self._answers: dict[Package, tuple[Advisory, ...]] | None = None
        self._silent_service = ""
        self.findings: list[Finding] = []

    def ask(self, dependencies: Sequence[Dependency]) -> None:
        """Ask over the network what may be asked there."""
        if (ask_index := self._sources.index) is not None:
            failed, why = 0, ""
            names = list(dict.fromkeys((each.ecosystem, each.name) for each in dependencies))
            for number, (ecosystem, name) in enumerate(names, 1):
                if failed >= SILENCES_MAX:
                    self._silent_index[ecosystem, name] = why
                    continue
                self._told(f"index {number}/{len(names)} {name}")
                try:
                    self._listed[ecosystem, name] = ask_index(ecosystem, name)
                    failed = 0
                except SourceUnreachable as error:
                    why, failed = _said(error), failed + 1
                    self._silent_index[ecosystem, name] = why
        if (ask := self._sources.advisories) is not None:
            packages = [(e.ecosystem, e.name, self._version(e)) for e in dependencies if e.name]
            self._told(f"advisories for {len(packages)} packages")
            try:
                self._answers = ask(list(dict.fromkeys(packages)))
            except SourceUnreachable as error:
                self._silent_service = _said(error)

    def judge(self, each: Dependency) -> Audited:
        """Return what is known of one package."""
        malicious = known_malicious(each.ecosystem, each.name) if each.name else None
        if each.origin is not Origin.INDEX:
            inside = each.origin is Origin.INSIDE
            standing = Standing.CLEAN if inside else Standing.UNKNOWN
            why = "" if inside else f"it comes from {without_credentials(each.address)}"
            return Audited(each, "", standing, why, ())
        self._judge_listing(each)
        version = self._version(each)
        known = self._known(each, version)
        if malicious is not None and malicious.hits(version):
            return Audited(each, version, Standing.MALICIOUS, "", ())
        if known is None:
            return Audited(each, version, Standing.UNKNOWN, self._why_silent(each), ())
        hit = self._hits(each, version, known)
        self.findings += [_of_advisory(each, version, advisory) for advisory in hit]
        if any(advisory.malicious for advisory in hit):
            return Audited(each, version, Standing.MALICIOUS, "", hit)
        if hit:
            return Audited(each, version, Standing.VULNERABLE, "", hit)
        why = self._silent_service or self._silent_index.get((each.ecosystem, each.name), "")
        if not version and (possible := [one for one in known if one.may_hit(each.wanted)]):
            self.findings += [_of_possible(each, one) for one in possible if one.malicious]
            why = "it depends on the version that will be installed, which is not said"
        return Audited(each, version, Standing.UNKNOWN if why else Standing.CLEAN, why, ())

    def _version(self, each: Dependency) -> str:
        """Return the version that counts: the pinned one, else the newest if nothing limits it."""
        if each.version or each.wanted:
            return each.version
        listed = self._listed.get((each.ecosystem, each.name))
        return listed.newest if listed is not None else ""

    def _known(self, each: Dependency, version: str) -> tuple[Advisory, ...] | None:
        """Return all advisories about a name that any source has; None when none could say."""
        stored = self._sources.database.about(each.ecosystem, each.name)
        asked = None
        if self._answers is not None:
            asked = self._answers.get((each.ecosystem, each.name, version), ())
        if stored is None and asked is None:
            return None
        return merge_aliases((*(stored or ()), *(asked or ())))

    def _hits(
        self, each: Dependency, version: str, known: Iterable[Advisory]
    ) -> tuple[Advisory, ...]:
        if version:
            return tuple(one for one in known if one.hits(version))
        return tuple(one for one in known if one.hits_everything)

    def _judge_listing(self, each: Dependency) -> None:
        listed = self._listed.get((each.ecosystem, each.name))
        if listed is None:
            return
        place = (each.file, each.line)
        if not listed.exists:
            self.findings.append(make_finding("SL611", *place, each.name))
        elif each.version and not listed.has(each.ecosystem, each.version):
            detail = f"{each.name} {each.version} is not on the index any more"
            self.findings.append(make_finding("SL610", *place, detail))
        elif each.version and listed.is_withdrawn(each.ecosystem, each.version):
            # npm's authors mark old versions as a matter of course.
            severity = Severity.LOW if each.ecosystem is Ecosystem.NPM else None
            detail = f"{each.name} {each.version}"
            self.findings.append(make_finding("SL610", *place, detail, severity=severity))

    def _why_silent(self, each: Dependency) -> str:
        if self._silent_service:
            return self._silent_service
        return f"there are no advisories for {each.ecosystem.value} on this machine"


def _each_once(dependencies: Iterable[Dependency]) -> list[Dependency]:
    """Return each package once a version or range; one that a lock resolves adds nothing."""
    found: dict[tuple[Ecosystem, str, str, str], Dependency] = {}
    for each in dependencies:
        wanted = each.version or each.wanted
        found.setdefault((each.ecosystem, each.name, wanted, each.address), each)
    locked = {(each.ecosystem, each.name) for each in found.values() if each.locked}
    return [
        each
        for each in found.values()
        if each.version or each.address or (each.ecosystem, each.name) not in locked
    ]


def _of_advisory(each: Dependency, version: str, advisory: Advisory) -> Finding:
    names = ", ".join((advisory.id, *advisory.aliases[:1]))
    shown = f"{each.name} {version}".strip()
    fixed = f"; mended in {', '.join(advisory.fixed_in)}" if advisory.fixed_in else ""
    detail = f"{shown}: {names}{fixed}" + (f": {advisory.summary}" if advisory.summary else "")
    if advisory.malicious:
        return make_finding("SL601", each.file, each.line, detail)
    return make_finding("SL609", each.file, each.line, detail, severity=advisory.severity)


def _of_possible(each: Dependency, advisory: Advisory) -> Finding:
    return make_finding("SL615", each.file, each.line, f"{each.name}: {advisory.id}")


def _unknown(packages: Iterable[Audited]) -> Iterable[Finding]:
    """Say once a reason what is unknown."""
    reasons: dict[str, list[Audited]] = {}
    for each in packages:
        if each.standing is Standing.UNKNOWN:
            reasons.setdefault(each.why, []).append(each)
    for why, listed in reasons.items():
        names = ", ".join(each.dependency.name or each.dependency.address for each in listed[:8])
        more = f" and {len(listed) - 8} more" if len(listed) > 8 else ""
        first = listed[0].dependency
        yield make_finding("SL614", first.file, first.line, f"{names}{more}: {why}")


def _said(error: SourceUnreachable) -> str:
    return f"{error.message}: {error.cause}" if error.cause else error.message


def _package_json(each: Audited) -> dict[str, Any]:
    dependency = each.dependency
    return {
        "ecosystem": dependency.ecosystem.value,
        "name": dependency.name,
        "version": each.version,
        "wanted": dependency.wanted,
        "pinning": dependency.pinning,
        "origin": dependency.origin.value,
        "address": without_credentials(dependency.address),
        "use": dependency.use.value,
        "locked": dependency.locked,
        "file": dependency.file,
        "line": dependency.line,
        "standing": each.standing.value,
        "why": each.why,
        "advisories": [
            {
                "id": advisory.id,
                "aliases": list(advisory.aliases),
                "severity": advisory.severity.word,
                "malicious": advisory.malicious,
                "summary": advisory.summary,
                "fixed_in": list(advisory.fixed_in),
            }
            for advisory in each.advisories
        ],
    }


def snapshots_json(database: AdvisoryDatabase) -> list[dict[str, Any]]:
    """Return how old the advisories on disk are, for programs."""
    return [_snapshot_json(each, database.snapshot(each)) for each in Ecosystem]


def _snapshot_json(ecosystem: Ecosystem, snapshot: Snapshot | None) -> dict[str, Any]:
    return {
        "ecosystem": ecosystem.value,
        "present": snapshot is not None,
        "source": snapshot.source if snapshot else None,
        "fetched_at": snapshot.fetched_at if snapshot else None,
        "modified": snapshot.modified if snapshot else None,
        "newest": snapshot.newest if snapshot else None,
        "count": snapshot.count if snapshot else 0,
    }
