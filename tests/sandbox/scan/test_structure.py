"""What lies in the folder: links, special files, names, modes, and folders that are no skill."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from skill_folders import BLOCK, PASS, REVIEW, heavy, of, scan, skill_file, write_skill
from skilllite_sandbox.errors import NotFound
from skilllite_sandbox.scan.scanner import scan_skill


@pytest.mark.parametrize(
    "target",
    ["/etc/passwd", "../../other/key", "../..", "/root/.ssh/id_rsa", "references/../../x", "/"],
)
def test_link_out_of_the_skill_blocks(tmp_path: Path, target: str) -> None:
    folder = write_skill(tmp_path / "s")
    (folder / "notes.md").symlink_to(target)

    report = scan_skill(folder)

    assert report.verdict is BLOCK
    assert "SL101" in heavy(report)


def test_link_inside_asks_and_there_is_no_digest(tmp_path: Path) -> None:
    folder = write_skill(tmp_path / "s", {"references/a.md": "text\n"})
    (folder / "references" / "b.md").symlink_to("a.md")

    report = scan_skill(folder)

    assert report.verdict is REVIEW
    assert report.digest == ""
    assert "SL102" in heavy(report)


def test_linked_skill_file_gets_a_verdict(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    (folder / "SKILL.md").symlink_to("/etc/hostname")

    assert scan_skill(folder).verdict is BLOCK


def test_pipes_and_sockets_ask_without_being_opened(tmp_path: Path) -> None:
    folder = write_skill(tmp_path / "s")
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(folder)  # the name of a socket is short
        try:
            listener.bind("sock")
        finally:
            os.chdir(here)

    report = scan_skill(folder)

    assert {each.file for each in of(report, "SL103")} == {"pipe", "sock"}


@pytest.mark.parametrize(
    "files",
    [
        {"SKILL.md": b""},
        {"SKILL.md": b"no front matter at all\n"},
        {"SKILL.md": b"---\nname: x\n"},
        {"SKILL.md": b"---\nname: [x\n---\n"},
        {"SKILL.md": b"---\nname: a\ndescription: &a [*a]\n---\n"},
        {"SKILL.md": b"\xff\xfe\x00\xd8"},
        {"SKILL.md": b"---\nname: caf\xe9\ndescription: caf\xe9\n---\n"},
        {"SKILL.md": b"---\nname: a/b\ndescription: d\n---\n"},
        {"SKILL.md": b"x" * (3 * 1024 * 1024)},
    ],
)
def test_skill_file_that_cannot_be_read_asks(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    report = scan(tmp_path / "s", files)

    assert report.verdict is not PASS
    assert "SL104" in heavy(report)


def test_folder_without_skill_file_gets_a_verdict(tmp_path: Path) -> None:
    assert scan_skill(tmp_path).verdict is REVIEW


def test_missing_folder_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        scan_skill(tmp_path / "nothing")


def test_deep_folders_ask(tmp_path: Path) -> None:
    folder = write_skill(tmp_path / "s")
    (folder / "/".join("d" * 40)).mkdir(parents=True)

    assert "SL105" in heavy(scan_skill(folder))


def test_name_that_is_no_utf8_asks(tmp_path: Path) -> None:
    folder = write_skill(tmp_path / "s")
    (Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.txt"))).write_text("x", encoding="utf-8")

    report = scan_skill(folder)

    assert report.verdict is REVIEW
    assert "SL114" in heavy(report)


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("photo\u202egnp.py", BLOCK),
        ("report.pdf.sh", REVIEW),
        ("table.csv.exe", REVIEW),
        ("notes.txt          .js", REVIEW),
        ("read\u200bme.md", REVIEW),
        ("a\tb.md", REVIEW),
        ("trailing. ", REVIEW),
        ("a\\b.md", REVIEW),
        ("résumé.md", PASS),
        ("日本語.md", PASS),
        ("قائمة.md", PASS),
        ("family-👨\u200d👩\u200d👧.md", PASS),
        ("v1.2.min.js", PASS),
        ("data.test.py", PASS),
        ("archive.2024.csv", PASS),
        ("my file.md", PASS),
    ],
)
def test_names_that_show_as_others_are_told_from_ordinary_ones(
    tmp_path: Path, name: str, verdict: str
) -> None:
    assert scan(tmp_path / "s", {name: ""}).verdict == verdict


def test_set_uid_file_asks_and_writable_one_is_noted(tmp_path: Path) -> None:
    folder = write_skill(tmp_path / "s", {"a.sh": "true\n", "b.sh": "true\n"})
    (folder / "a.sh").chmod(0o4755)
    (folder / "b.sh").chmod(0o777)

    report = scan_skill(folder)

    assert [each.file for each in of(report, "SL112")] == ["a.sh"]
    assert [each.file for each in of(report, "SL113")] == ["b.sh"]


def test_names_that_differ_in_case_are_noted(tmp_path: Path) -> None:
    report = scan(tmp_path / "s", {"a.md": "", "A.md": "", "skill.md": skill_file()})

    assert len(of(report, "SL115")) == 2
    assert report.verdict is REVIEW


def test_repository_and_its_hooks_ask(tmp_path: Path) -> None:
    report = scan(
        tmp_path / "s",
        {"vendor/.git/config": "", "vendor/.git/hooks/pre-commit": "", ".git/hooks/a.sample": ""},
    )

    assert {each.file for each in of(report, "SL108")} == {"vendor/.git", ".git"}
    assert [each.file for each in of(report, "SL116")] == ["vendor/.git/hooks/pre-commit"]


@pytest.mark.parametrize(
    ("path", "verdict"),
    [
        ("scripts/sitecustomize.py", REVIEW),
        ("scripts/usercustomize.py", REVIEW),
        (".claude/settings.json", REVIEW),
        ("CLAUDE.md", REVIEW),
        (".npmrc", REVIEW),
        ("pip.conf", REVIEW),
        (".bashrc", REVIEW),
        (".devcontainer/devcontainer.json", REVIEW),
        (".husky/pre-commit", REVIEW),
        (".secret.sh", REVIEW),
        (".cache/run.py", REVIEW),
        (".gitignore", PASS),
        (".editorconfig", PASS),
        (".github/workflows/test.yml", PASS),
        ("Makefile", PASS),
        ("tests/conftest.py", PASS),
        (".hidden-notes.txt", PASS),
    ],
)
def test_files_that_act_by_lying_there_ask(tmp_path: Path, path: str, verdict: str) -> None:
    assert scan(tmp_path / "s", {path: "x = 1\n"}).verdict == verdict


def test_path_file_with_code_blocks(tmp_path: Path) -> None:
    assert scan(tmp_path / "s", {"a.pth": "import os; os.getpid()\n"}).verdict is BLOCK
    assert scan(tmp_path / "t", {"a.pth": "lib\n"}).verdict is REVIEW


def test_module_with_the_name_of_a_real_one_is_noted(tmp_path: Path) -> None:
    report = scan(
        tmp_path / "s",
        {"scripts/json.py": "", "scripts/pkg/__init__.py": "", "scripts/pkg/types.py": ""},
    )

    assert [each.file for each in of(report, "SL117")] == ["scripts/json.py"]
    assert report.verdict is PASS
