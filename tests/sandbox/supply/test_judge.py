"""What a skill's dependencies lead to: findings, and the verdict of the scanner."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from skill_files import make_skill
from skilllite_sandbox.scan.finding import Finding, Severity, Verdict
from skilllite_sandbox.scan.scanner import scan_skill
from skilllite_sandbox.scan.source import make_source
from skilllite_sandbox.supply.dependency import Ecosystem
from skilllite_sandbox.supply.inspector import inspect_dependencies
from skilllite_sandbox.supply.judge import FINDINGS_MAX, judge_declared
from skilllite_sandbox.supply.known import Malicious
from skilllite_sandbox.supply.reading import read_declared


def found_in(path: str, text: str) -> list[tuple[str, Severity]]:
    return codes(inspect_dependencies([make_source(path, text.encode())]))


def codes(findings: tuple[Finding, ...]) -> list[tuple[str, Severity]]:
    return [(each.code, each.severity) for each in findings if each.severity > Severity.INFO]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("a @ git+https://code.example.invalid/a.git", "SL603"),
        ("a @ https://files.example.invalid/a.whl", "SL603"),
        ("-e ../outside", "SL603"),
        ("/opt/a.whl", "SL603"),
        ("-i https://index.example.invalid/simple", "SL604"),
        ("--find-links https://files.example.invalid/", "SL604"),
        ("--extra-index-url https://index.example.invalid/simple", "SL605"),
        ("--trusted-host index.example.invalid", "SL606"),
        ("requestss", "SL602"),
        ("r\u0435quests", "SL602"),
        ("-r ../../elsewhere.txt", "SL613"),
        ("what is this", "SL613"),
    ],
)
def test_what_leads_away_from_the_index_or_cannot_be_read_asks_a_person(
    line: str, code: str
) -> None:
    assert found_in("requirements.txt", line) == [(code, Severity.HIGH)]


@pytest.mark.parametrize(
    ("path", "text", "code"),
    [
        ("package.json", '{"scripts": {"postinstall": "node steal.js"}}', "SL607"),
        ("package.json", '{"dependencies": {"a": "someone/repo"}}', "SL603"),
        ("package.json", '{"dependencies": {"lodash": "npm:not-it@1.0.0"}}', "SL602"),
        ("package.json", '{"dependencies": {"lodahs": "1.0.0"}}', "SL602"),
        ("scripts/.npmrc", "registry=https://index.example.invalid/", "SL604"),
        ("README.md", "```\npip install git+https://code.example.invalid/a.git\n```", "SL603"),
    ],
)
def test_so_does_what_npm_and_pages_say(path: str, text: str, code: str) -> None:
    assert found_in(path, text) == [(code, Severity.HIGH)]


@pytest.mark.parametrize(
    "text",
    [
        "requests==2.31.0\nnumpy>=1.20\npandas\n",
        "-e .\n./lib\n",
        "fastai\nwebsocket\nmy-own-tool==1.0\n",
        "# nothing\n",
    ],
)
def test_ordinary_requirements_ask_nobody(text: str) -> None:
    assert found_in("requirements.txt", text) == []


def test_a_known_malicious_package_blocks(tmp_path: Path) -> None:
    skill = make_skill(tmp_path, "demo", files={"requirements.txt": "colourama\n"})

    report = scan_skill(skill)

    assert report.verdict is Verdict.BLOCK
    assert "https://" in next(each.message for each in report.findings if each.code == "SL601")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("requirements.txt", "-i http://index.example.invalid/simple"),
        (
            "requirements.txt",
            "--extra-index-url https://i.example.invalid/s\n--trusted-host i.example.invalid",
        ),
        ("requirements.txt", "a @ git+http://code.example.invalid/a.git"),
        ("requirements.txt", "git://code.example.invalid/a.git"),
        ("package.json", '{"dependencies": {"a": "http://files.example.invalid/a.tgz"}}'),
        ("scripts/.npmrc", "registry=http://203.0.113.7/"),
        ("uv.toml", '[[index]]\nurl = "http://index.example.invalid/simple"'),
    ],
)
def test_a_place_of_its_own_over_an_open_line_blocks(path: str, text: str) -> None:
    assert ("SL616", Severity.CRITICAL) in found_in(path, text)


@pytest.mark.parametrize(
    "text",
    [
        "-i https://index.example.invalid/simple",
        "--trusted-host index.example.invalid",
        "-i https://index.example.invalid/s\n--trusted-host other.example.invalid",
        "-i http://localhost:3141/root",
        "-i http://10.1.2.3/simple\n--trusted-host 10.1.2.3",
        "-i http://[::1]:3141/simple",
        "--extra-index-url http://devpi.internal/simple",
        "--extra-index-url http://devpi/simple\n--trusted-host devpi",
        "a @ git+https://code.example.invalid/a.git",
    ],
)
def test_one_of_the_two_alone_or_a_private_place_asks(text: str) -> None:
    found = found_in("requirements.txt", text)

    assert {severity for _, severity in found} == {Severity.HIGH}


def test_a_lookalike_alone_never_blocks(tmp_path: Path) -> None:
    skill = make_skill(tmp_path, "demo", files={"requirements.txt": "reqeusts\nnumpyy\n"})

    assert scan_skill(skill).verdict is Verdict.REVIEW


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("==1.5", ("SL601", Severity.CRITICAL)),
        ("==1.4", None),
        (">=1", ("SL615", Severity.LOW)),
        ("", ("SL615", Severity.LOW)),
        ("<1.5", None),
    ],
)
def test_of_a_package_in_good_standing_only_some_versions_did_harm(
    wanted: str, expected: tuple[str, Severity] | None
) -> None:
    entry = Malicious(Ecosystem.PYPI, "my-tool", ("1.5",), "https://news.example.invalid/")
    declared = read_declared([make_source("requirements.txt", f"my-tool{wanted}".encode())])

    found = judge_declared(declared, known=lambda e, name: entry if name == "my-tool" else None)

    assert codes(found) == ([expected] if expected else [])


def test_a_module_of_the_language_that_prose_names_is_no_package() -> None:
    said = "Python 3 with urllib, telnetlib and datetime"
    page = f"---\nname: a\ndescription: b\ncompatibility: {said}\n---\n"

    assert found_in("SKILL.md", page) == []


def test_what_is_installed_but_not_named_is_told_once_a_file() -> None:
    page = "---\nname: a\ndescription: b\n---\nIt uses Requests.\n"
    sources = [
        make_source("SKILL.md", page.encode()),
        make_source("requirements.txt", b"requests==1\nnumpy==1\nscipy==1\n"),
    ]

    (told,) = [each for each in inspect_dependencies(sources) if each.code == "SL612"]

    assert told.severity is Severity.INFO
    assert told.message.endswith("numpy, scipy")


def test_what_is_not_pinned_is_told_once_a_file() -> None:
    (told,) = inspect_dependencies([make_source("requirements.txt", b"numpy\nscipy>1\n")])

    assert (told.code, told.severity, told.line) == ("SL608", Severity.INFO, 1)
    assert told.message.endswith("numpy, scipy")


def test_credentials_in_an_address_are_not_shown() -> None:
    text = (
        b"-i https://user:hunter2@index.example.invalid/\na @ git+https://u:hunter2@x.invalid/a\n"
    )

    found = inspect_dependencies([make_source("requirements.txt", text)])

    assert len(found) > 1
    assert all("hunter2" not in each.message for each in found)


def test_the_findings_of_one_skill_are_bounded_and_the_heaviest_stay() -> None:
    lines = [f"a{number} @ git+https://x.invalid/a{number}" for number in range(FINDINGS_MAX * 2)]

    found = inspect_dependencies([make_source("requirements.txt", "\n".join(lines).encode())])

    assert len(found) == FINDINGS_MAX
    assert {each.severity for each in found} == {Severity.HIGH}


def test_a_lock_that_hides_a_package_from_elsewhere_is_seen() -> None:
    lock = {
        "lockfileVersion": 3,
        "packages": {
            "": {"dependencies": {"lodash": "4.17.21"}},
            "node_modules/lodash": {
                "version": "4.17.21",
                "resolved": "https://files.example.invalid/evil.tgz",
                "integrity": "sha512-AAAA",
            },
        },
    }

    assert found_in("package-lock.json", json.dumps(lock)) == [("SL603", Severity.HIGH)]


def test_a_skill_without_dependencies_says_nothing_and_loads_no_names() -> None:
    assert inspect_dependencies([make_source("scripts/main.py", b"import json\n")]) == ()
