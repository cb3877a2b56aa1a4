"""`skilllite dependency-audit`: what it prints, and an exit status that a CI can go by."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from advisory_server import Server, advisory_record, advisory_server, archive_of
from skill_files import make_skill
from skilllite.cli.main import main
from skilllite.errors import NOT_FOUND, USAGE
from skilllite_sandbox.cli import main as sandbox_main

CLEAN, FOUND, UNKNOWN = 0, 1, 3
VULNERABLE = advisory_record("GHSA-1111-1111-1111", "thing", fixed="2.0")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, and no skills of a project around."""
    monkeypatch.setenv("SKILLLITE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("SKILLLITE_CACHE_DIR", raising=False)
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "home"


@pytest.fixture
def server() -> Iterator[Server]:
    """A source with one advisory for each ecosystem."""
    with advisory_server() as found:
        npm = advisory_record("GHSA-2222-2222-2222", "other", ecosystem="npm")
        found.routes["/PyPI/all.zip"] = (200, {}, archive_of(VULNERABLE))
        found.routes["/npm/all.zip"] = (200, {}, archive_of(npm))
        yield found


def skill_with(tmp_path: Path, requirements: str) -> str:
    return str(make_skill(tmp_path, "demo", files={"requirements.txt": requirements}))


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_an_update_fetches_both_ecosystems(
    server: Server, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dependency-audit", "--update", "--source", server.url, "--json"]) == CLEAN

    shown = printed(capsys)
    assert shown["schema"] == 1
    assert [(each["ecosystem"], each["count"]) for each in shown["updated"]] == [
        ("PyPI", 1),
        ("npm", 1),
    ]
    assert sorted(path.name for path in (home / "advisories").iterdir()) == [
        "npm.sqlite3",
        "pypi.sqlite3",
    ]


def test_settings_say_where_advisories_come_from(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SKILLLITE_ADVISORIES_SOURCE", server.url)

    assert main(["dependency-audit", "--update", "--ecosystem", "pypi"]) == CLEAN

    assert "PyPI: updated, 1 advisories" in capsys.readouterr().err
    assert not server.asked("/npm/all.zip")


@pytest.mark.parametrize(
    ("requirements", "arguments", "status"),
    [
        ("thing==2.0\n", [], CLEAN),
        ("thing==2.0\n", ["--require-known"], CLEAN),
        ("thing==1.0\n", [], FOUND),
        ("thing==1.0\n", ["--fail-on", "critical"], CLEAN),
        ("colourama==0.1\n", ["--fail-on", "critical"], FOUND),
        ("thing\n", [], CLEAN),
        ("thing\n", ["--require-known"], UNKNOWN),
        ("# none\n", ["--require-known"], CLEAN),
    ],
)
def test_the_exit_status_tells_clean_found_and_unknown_apart(
    requirements: str, arguments: list[str], status: int, server: Server, tmp_path: Path
) -> None:
    main(["dependency-audit", "--update", "--source", server.url])

    assert main(["dependency-audit", skill_with(tmp_path, requirements), *arguments]) == status


def test_without_advisories_nothing_is_called_clean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    skill = skill_with(tmp_path, "thing==2.0\n")

    assert main(["dependency-audit", skill, "--require-known", "--json"]) == UNKNOWN

    shown = printed(capsys)
    assert shown["status"] == "unknown"
    assert [each["present"] for each in shown["advisories"]] == [False, False]


def test_a_source_that_does_not_answer_is_said_and_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with advisory_server() as gone:
        url = gone.url
    skill = skill_with(tmp_path, "# none\n")

    assert main(["dependency-audit", "--update", "--source", url]) == UNKNOWN
    capsys.readouterr()
    command = ["dependency-audit", skill, "--update", "--source", url, "--json"]
    assert main([*command, "--require-known"]) == UNKNOWN

    assert len(printed(capsys)["unreachable"]) == 2


def test_the_table_names_each_package_and_says_why(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    skill = skill_with(tmp_path, "thing==1.0\n")

    main(["dependency-audit", skill, "--update", "--source", server.url])

    said = capsys.readouterr()
    (row,) = [line.split() for line in said.out.splitlines() if "thing" in line]
    assert row == ["demo", "thing", "1.0", "vulnerable", "requirements.txt:1", VULNERABLE["id"]]
    assert "SL609" in said.err


def test_packages_can_be_named_without_a_skill(capsys: pytest.CaptureFixture[str]) -> None:
    named = ["--package", "pypi:litellm==1.82.7", "--package", "npm:@solana/web3.js@1.95.6"]

    assert main(["dependency-audit", *named, "--json"]) == FOUND

    (target,) = printed(capsys)["targets"]
    assert [each["standing"] for each in target["packages"]] == ["malicious", "malicious"]


@pytest.mark.parametrize("package", ["requests", "gem:rails", "pypi:", "npm:", "pypi:a b"])
def test_a_package_that_is_written_wrongly_is_a_wrong_call(package: str) -> None:
    assert main(["dependency-audit", "--package", package]) == USAGE


def test_a_skill_that_is_not_there_is_not_found() -> None:
    assert main(["dependency-audit", "no-such-skill"]) == NOT_FOUND


def test_what_cannot_be_read_is_told_and_the_others_are_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    linked = make_skill(tmp_path, "linked")
    (linked / "requirements.txt").symlink_to("/etc/hostname")

    command = ["dependency-audit", str(linked), skill_with(tmp_path, "colourama\n"), "--json"]
    assert main(command) == FOUND

    targets = printed(capsys)["targets"]
    assert [each["findings"][0]["code"] for each in targets] == ["SL613", "SL601"]


def test_without_a_skill_it_looks_at_all_that_can_be_used(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["dependency-audit", "--json"]) == CLEAN

    targets = [each["target"] for each in printed(capsys)["targets"]]
    assert "calculator" in targets


def test_online_asks_the_service_that_is_set(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    from skilllite_sandbox.supply.command import Indexes
    from skilllite_sandbox.supply.online import Listed

    monkeypatch.setattr(Indexes, "ask", lambda self, ecosystem, name: Listed(True, ("1.0",)))
    server.serve_json("/v1/querybatch", {"results": [{"vulns": [{"id": VULNERABLE["id"]}]}]})
    server.serve_json(f"/v1/vulns/{VULNERABLE['id']}", VULNERABLE)
    skill = skill_with(tmp_path, "thing==1.0\n")

    command = ["dependency-audit", skill, "--online", "--api", server.url, "--json"]
    assert main(command) == FOUND

    (target,) = printed(capsys)["targets"]
    assert target["packages"][0]["standing"] == "vulnerable"


def test_nothing_is_asked_over_the_network_unless_it_was_said(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKILLLITE_ADVISORIES_API", server.url)

    main(["dependency-audit", skill_with(tmp_path, "thing==1.0\n")])

    assert not server.requests


def test_names_from_a_skill_reach_no_terminal_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    skill = make_skill(
        tmp_path, "demo", files={"package.json": '{"dependencies": {"a\\u001b[2Jb": "1.0.0"}}'}
    )

    main(["dependency-audit", str(skill)])

    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err


def test_the_sandbox_alone_audits_too(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    skill = skill_with(tmp_path, "thing==1.0\n")

    command = ["dependency-audit", skill, "--update", "--source", server.url, "--json"]
    assert sandbox_main(command) == FOUND

    assert printed(capsys)["status"] == "findings"
    assert sandbox_main(["dependency-audit"]) == USAGE
    assert (tmp_path / "cache" / "skilllite" / "advisories" / "pypi.sqlite3").exists()


def test_old_advisories_are_said_to_be_old(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    main(["dependency-audit", "--update", "--source", server.url])
    skill = skill_with(tmp_path, "thing==2.0\n")
    now = time.time()

    main(["dependency-audit", skill])
    fresh = capsys.readouterr().err
    monkeypatch.setattr("skilllite_sandbox.supply.command.time.time", lambda: now + 20 * 86_400)
    main(["dependency-audit", skill])

    assert "days old" not in fresh
    assert "20 days old: --update" in capsys.readouterr().err
