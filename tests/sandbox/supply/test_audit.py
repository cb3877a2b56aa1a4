"""An audit says what is known, and never that an unasked package is clean."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from advisory_server import advisory_record
from skilllite_sandbox.scan.finding import Severity
from skilllite_sandbox.scan.source import make_source
from skilllite_sandbox.supply.advisory import Advisory, parse_record
from skilllite_sandbox.supply.audit import AuditReport, Sources, Standing, audit_declared
from skilllite_sandbox.supply.database import AdvisoryDatabase, write_database
from skilllite_sandbox.supply.dependency import Ecosystem
from skilllite_sandbox.supply.fetch import SourceUnreachable
from skilllite_sandbox.supply.online import Listed, Package
from skilllite_sandbox.supply.reading import read_declared

META = {"source": "here", "fetched_at": "2026-11-26T00:00:00Z", "etag": "", "modified": ""}
GHSA = advisory_record("GHSA-1111-1111-1111", "thing", fixed="2.0", aliases=["CVE-2026-1"])
PYSEC = advisory_record("PYSEC-2026-1", "thing", fixed="2.0", aliases=["CVE-2026-1"])
MAL = advisory_record("MAL-2026-1", "bad-thing")


@pytest.fixture
def database(tmp_path: Path) -> AdvisoryDatabase:
    write_database(tmp_path / "pypi.sqlite3", [GHSA, PYSEC, MAL], META)
    return AdvisoryDatabase(tmp_path)


def audited(text: str, sources: Sources, path: str = "requirements.txt") -> AuditReport:
    files = [make_source(path, text.encode())]
    return audit_declared("demo", read_declared(files), sources, files=files)


def standings(report: AuditReport) -> dict[str, Standing]:
    return {each.dependency.name: each.standing for each in report.packages}


def test_each_package_has_a_standing(database: AdvisoryDatabase) -> None:
    report = audited("thing==1.0\nbad_thing==3\nother==1.0\n", Sources(database))

    assert standings(report) == {
        "thing": Standing.VULNERABLE,
        "bad-thing": Standing.MALICIOUS,
        "other": Standing.CLEAN,
    }
    assert report.status == "findings"


def test_one_vulnerability_under_two_names_is_one_finding(database: AdvisoryDatabase) -> None:
    report = audited("thing==1.0\n", Sources(database))

    found = [each for each in report.findings if each.code == "SL609"]
    assert len(found) == 1
    assert found[0].severity is Severity.HIGH
    assert "mended in 2.0" in found[0].message


def test_a_mended_version_is_clean(database: AdvisoryDatabase) -> None:
    report = audited("thing==2.0\n", Sources(database))

    assert report.status == "clean"
    assert not [each for each in report.findings if each.severity > Severity.INFO]


def test_without_advisories_every_package_is_unknown(tmp_path: Path) -> None:
    report = audited("thing==2.0\n", Sources(AdvisoryDatabase(tmp_path / "none")))

    assert report.status == "unknown"
    assert standings(report) == {"thing": Standing.UNKNOWN}
    assert any(each.code == "SL614" for each in report.findings)


def test_of_another_ecosystem_nothing_is_known(database: AdvisoryDatabase) -> None:
    report = audited('{"dependencies": {"a": "1.0.0"}}', Sources(database), "package.json")

    assert standings(report) == {"a": Standing.UNKNOWN}


@pytest.mark.parametrize(
    ("wanted", "standing"),
    [
        ("", Standing.UNKNOWN),
        (">=1", Standing.UNKNOWN),
        (">=2.0", Standing.CLEAN),
    ],
)
def test_what_depends_on_the_version_is_unknown(
    wanted: str, standing: Standing, database: AdvisoryDatabase
) -> None:
    assert standings(audited(f"thing{wanted}\n", Sources(database))) == {"thing": standing}


def test_each_of_two_ranges_of_one_package_is_judged(database: AdvisoryDatabase) -> None:
    report = audited("thing>=2.0\nthing<2.0\n", Sources(database))

    assert [each.standing for each in report.packages] == [Standing.CLEAN, Standing.UNKNOWN]


def test_what_comes_from_elsewhere_is_unknown(database: AdvisoryDatabase) -> None:
    report = audited("thing @ git+https://code.example.invalid/thing\n", Sources(database))

    assert standings(report) == {"thing": Standing.UNKNOWN}


def test_a_lock_says_which_version_counts(database: AdvisoryDatabase) -> None:
    lock = '[[package]]\nname = "thing"\nversion = "1.0"\n'
    sources = [make_source("requirements.txt", b"thing\n"), make_source("uv.lock", lock.encode())]

    report = audit_declared("demo", read_declared(sources), Sources(database), files=sources)

    assert [(each.version, each.standing) for each in report.packages] == [
        ("1.0", Standing.VULNERABLE)
    ]


def silent_service(packages: Sequence[Package]) -> dict[Package, tuple[Advisory, ...]]:
    raise SourceUnreachable("the service can't be reached", cause="no route")


def silent_index(ecosystem: Ecosystem, name: str) -> Listed:
    raise SourceUnreachable("the index can't be reached")


def test_a_service_that_was_asked_and_is_silent_leaves_everything_unknown(
    database: AdvisoryDatabase,
) -> None:
    report = audited("other==1.0\nthing==1.0\n", Sources(database, advisories=silent_service))

    assert standings(report) == {"other": Standing.UNKNOWN, "thing": Standing.VULNERABLE}
    assert "no route" in report.packages[0].why


def test_so_does_an_index(database: AdvisoryDatabase) -> None:
    report = audited("other==1.0\n", Sources(database, index=silent_index))

    assert standings(report) == {"other": Standing.UNKNOWN}


def test_a_service_answers_where_nothing_is_stored(tmp_path: Path) -> None:
    def service(packages: Sequence[Package]) -> dict[Package, tuple[Advisory, ...]]:
        return {each: parse_record(GHSA) if each[1] == "thing" else () for each in packages}

    sources = Sources(AdvisoryDatabase(tmp_path / "none"), advisories=service)

    assert standings(audited("thing==1.0\nother==1.0\n", sources)) == {
        "thing": Standing.VULNERABLE,
        "other": Standing.CLEAN,
    }


@pytest.mark.parametrize(
    ("listed", "code", "severity"),
    [
        (Listed(exists=False), "SL611", Severity.HIGH),
        (Listed(True, ("1.0",), ("1.0",)), "SL610", Severity.MEDIUM),
        (Listed(True, ("2.0",), ()), "SL610", Severity.MEDIUM),
    ],
)
def test_what_an_index_does_not_have_or_took_back_is_told(
    listed: Listed, code: str, severity: Severity, database: AdvisoryDatabase
) -> None:
    report = audited("other==1.0\n", Sources(database, index=lambda ecosystem, name: listed))

    heaviest = report.findings[0]
    assert (heaviest.code, heaviest.severity) == (code, severity)


def test_the_newest_version_counts_when_none_is_named(database: AdvisoryDatabase) -> None:
    def listing(newest: str) -> Sources:
        return Sources(database, index=lambda e, name: Listed(True, (newest,), (), newest))

    assert standings(audited("thing\n", listing("1.9"))) == {"thing": Standing.VULNERABLE}
    assert standings(audited("thing\n", listing("2.1"))) == {"thing": Standing.CLEAN}


def test_the_report_for_programs_has_all_of_it(database: AdvisoryDatabase) -> None:
    shown = audited("thing==1.0\n", Sources(database)).to_json()

    (package,) = shown["packages"]
    assert package["name"] == "thing" and package["standing"] == "vulnerable"
    assert package["advisories"][0]["fixed_in"] == ["2.0"]
    assert shown["status"] == "findings"


def test_an_index_that_stays_silent_is_asked_three_times_and_no_more(
    database: AdvisoryDatabase,
) -> None:
    asked: list[str] = []

    def silent(ecosystem: Ecosystem, name: str) -> Listed:
        asked.append(name)
        raise SourceUnreachable("it is silent")

    text = "".join(f"other-{at}==1.0\n" for at in range(50))
    report = audited(text, Sources(database, index=silent))

    assert len(asked) == 3
    assert set(standings(report).values()) == {Standing.UNKNOWN}
