"""What the scanner said about a staged copy, kept so that a run needs no scanner.

By digest, version of the scanner and fingerprint of the user's rules; in memory, and as `scan.json`
beside the copy, where only this user can write. Whatever in the file isn't exactly as it has to be
makes it worthless, and the copy is scanned again.
"""

# Strings, not pathlib: every run at level 3 comes through here.
# ruff: noqa: PTH104, PTH120, PTH108

from __future__ import annotations

import contextlib
import json
import os
import stat
from _thread import allocate_lock

from skilllite_sandbox.errors import PolicyDenied, SandboxUnavailable
from skilllite_sandbox.scan.version import SCANNER_VERSION
from skilllite_sandbox.values import dataclass

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from collections.abc import Callable

    from skilllite_sandbox.scan.report import ScanReport
    from skilllite_sandbox.stage import StagedSkill

    Scan = Callable[[str], ScanReport]

RECORD_NAME = "scan.json"
RECORD_VERSION = 1
RECORD_BYTES_MAX = 256 * 1024  # the findings below at their bounds
HEAVY_KEPT_MAX = 64  # findings that a person reads before they agree; the number of all is kept
JUDGEMENTS_KEPT = 512  # in memory, twice what the stage keeps on disk

OPAQUE = "SL701"
"""The code of what could not be looked at. That may be for the moment, as on a busy machine, so a
verdict with it is not kept."""

PASS, REVIEW, BLOCK = "PASS", "REVIEW", "BLOCK"
"""The values of `Verdict`, which isn't imported for a verdict that is kept."""


@dataclass(frozen=True, slots=True)
class Heavy:
    """A finding that asks or blocks."""

    code: str
    severity: str
    file: str
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What follows of one scan."""

    digest: str
    verdict: str
    strict_verdict: str
    """If the skill was evolved or received."""
    heavy: tuple[Heavy, ...] = ()
    """The heaviest first."""
    heavy_count: int = 0
    codes: tuple[str, ...] = ()
    """Of all heavy findings, each once."""

    def verdict_for(self, *, strict: bool) -> str:
        """Return the verdict."""
        return self.strict_verdict if strict else self.verdict


class Verdicts:
    """Gives the judgement of staged copies. Safe to use from several threads."""

    def __init__(self, scan: Scan | None = None, *, rules: str = "") -> None:
        """Take a scanner.

        Args:
            scan: Else the one of this package.
            rules: The fingerprint of the rules that it uses beside its own.
        """
        self._scan = scan
        self.rules = rules
        self._known: dict[str, Judgement] = {}
        self._lock = allocate_lock()

    def of(self, staged: StagedSkill) -> Judgement:
        """Return what the scanner says about a copy, now or earlier.

        Raises:
            PolicyDenied: the copy is not what it is called.
            SandboxUnavailable: there is no scanner here.
        """
        with self._lock:
            known = self._known.get(staged.digest)
        if known is not None:
            return known
        file = f"{os.path.dirname(staged.place)}/{RECORD_NAME}"
        found = self._read(file, staged.digest)
        if found is None:
            found = self._look(staged)
            if OPAQUE in found.codes:
                return found
            self._write(file, found)
        with self._lock:
            if len(self._known) >= JUDGEMENTS_KEPT:
                self._known.clear()
            self._known[staged.digest] = found
        return found

    def _look(self, staged: StagedSkill) -> Judgement:
        try:
            report = (self._scan or _scan)(staged.place)
        except ImportError as error:
            # What can't be looked at doesn't run; it is the installation that lacks something.
            raise SandboxUnavailable(
                "the scanner can't be loaded, and level 3 looks before it runs",
                cause=str(error),
                hint="install skilllite with what it depends on; level 2 isolates without a scan",
            ) from None
        if report.digest != staged.digest:
            raise PolicyDenied(
                f"the copy of {staged.skill.name} in the stage was changed",
                cause=f"it is {staged.digest[:19]}… no more",
                hint="run it again; if that doesn't help, look after the disk",
            )
        return judge(report)

    def _read(self, file: str, digest: str) -> Judgement | None:
        data = _read_own(file)
        if data is None:
            return None
        try:
            record = json.loads(data)
            fits = (
                record["version"] == RECORD_VERSION
                and record["scanner"] == SCANNER_VERSION
                and record["rules"] == self.rules
                and record["digest"] == digest
            )
            return _decode(record) if fits else None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    def _write(self, file: str, judgement: Judgement) -> None:
        record = {
            "version": RECORD_VERSION,
            "scanner": SCANNER_VERSION,
            "rules": self.rules,
            "digest": judgement.digest,
            "verdict": judgement.verdict,
            "strict_verdict": judgement.strict_verdict,
            "heavy": [
                [each.code, each.severity, each.file, each.line, each.message]
                for each in judgement.heavy
            ],
            "heavy_count": judgement.heavy_count,
            "codes": list(judgement.codes),
        }
        temporary = f"{file}.{os.getpid()}.{id(record):x}.new"
        # A cache: without it the next run is slower, no more.
        with contextlib.suppress(OSError):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(temporary, flags, 0o600)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                    json.dump(record, stream)
                os.rename(temporary, file)
            except OSError:
                os.unlink(temporary)


def judge(report: ScanReport) -> Judgement:
    """Return what follows of a report."""
    from skilllite_sandbox.scan.finding import Severity
    from skilllite_sandbox.scan.verdict import judge_capabilities, verdict_of

    # What was received could have taken the name for which something is suppressed.
    named = tuple(each.finding for each in report.suppressed if not each.by_digest)
    strict = judge_capabilities(report.findings + named, report.declared, strict=True)
    heavy = [each for each in report.findings if each.severity >= Severity.HIGH]
    return Judgement(
        digest=report.digest,
        verdict=report.verdict.value,
        strict_verdict=verdict_of(strict).value,
        heavy=tuple(
            Heavy(each.code, each.severity.word, each.file, each.line, each.message)
            for each in heavy[:HEAVY_KEPT_MAX]
        ),
        heavy_count=len(heavy),
        codes=tuple(sorted({each.code for each in heavy})),
    )


def _scan(place: str) -> ScanReport:
    from skilllite_sandbox.scan.scanner import scan_skill

    return scan_skill(place)


def _decode(record: dict[str, object]) -> Judgement | None:
    verdicts = (record["verdict"], record["strict_verdict"])
    if not all(each in (PASS, REVIEW, BLOCK) for each in verdicts):
        return None
    heavy, codes, count = record["heavy"], record["codes"], record["heavy_count"]
    if not isinstance(heavy, list) or not isinstance(codes, list) or not isinstance(count, int):
        return None
    return Judgement(
        digest=str(record["digest"]),
        verdict=str(verdicts[0]),
        strict_verdict=str(verdicts[1]),
        heavy=tuple(
            Heavy(str(code), str(severity), str(file), int(line), str(message))
            for code, severity, file, line, message in heavy
        ),
        heavy_count=count,
        codes=tuple(map(str, codes)),
    )


def _read_own(file: str) -> bytes | None:
    """Return the content of a file that only this user can have written."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        facts = os.fstat(descriptor)
        if (
            not stat.S_ISREG(facts.st_mode)
            or facts.st_uid != os.geteuid()
            or facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
            or facts.st_size > RECORD_BYTES_MAX
        ):
            return None
        return os.read(descriptor, RECORD_BYTES_MAX)
    except OSError:
        return None
    finally:
        os.close(descriptor)
