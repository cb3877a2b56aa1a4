"""The WSL2 bridge as data: which paths cross, and that an argument arrives as it was."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldens import assert_golden
from skilllite_sandbox.backend.wsl import WSL_LABEL, to_command_line, to_wsl_path, wsl_run
from skilllite_sandbox.entry import EntryPoint, Language
from skilllite_sandbox.errors import InvalidInput, PolicyDenied
from skilllite_sandbox.policy import DEFAULT_LIMITS, MIB, Level, Origin, Policy

ENTRY = EntryPoint("scripts/main.py", Language.PYTHON, "csv")
SKILL = r"C:\Users\Ana Maria\skills\csv"


def cut_command_line(line: str) -> list[str]:
    """Cut a command line by the documented rules of Windows' own C runtime."""
    line += " "
    end = line.index('"', 1) if line.startswith('"') else line.index(" ")
    words = [line[:end].strip('"')]
    rest = line[end:].lstrip('"')
    word, slashes, quoted, inside = "", 0, False, False
    for mark in rest:
        if mark == "\\":
            slashes += 1
            inside = True
            continue
        if mark == '"':
            word += "\\" * (slashes // 2)
            if slashes % 2:
                word += '"'
            else:
                quoted = not quoted
            slashes, inside = 0, True
            continue
        word += "\\" * slashes
        slashes = 0
        if mark in " \t" and not quoted:
            if inside:
                words.append(word)
            word, inside = "", False
        else:
            word += mark
            inside = True
    assert not quoted, "a quote is open"
    return words


@pytest.mark.parametrize("name", ["plain", "full"])
def test_a_command_is_what_was_reviewed(name: str) -> None:
    if name == "plain":
        run = wsl_run(Policy(), ENTRY, SKILL, distribution="Debian")
    else:
        limits = replace(DEFAULT_LIMITS, wall_s=2.5, memory_bytes=256 * MIB)
        run = wsl_run(
            Policy(Level.ISOLATED, limits),
            replace(ENTRY, path="scripts/two words.py"),
            SKILL,
            distribution="Ubuntu-24.04",
            user="ana",
            allowed_hosts=("api.example.com", "cdn.example.com:8443"),
            drives_root="/drives/",
        )

    facts = {
        "arguments": run.arguments,
        "command_line": run.command_line,
        "environment": dict(run.environment),
    }
    assert_golden(f"wsl-{name}.json", json.dumps(facts, indent=2) + "\n")


def test_the_label_says_that_nobody_tried_it() -> None:
    assert WSL_LABEL == "untested on hardware"


def test_the_input_is_read_from_stdin_and_no_shell_is_in_between() -> None:
    run = wsl_run(Policy(), ENTRY, SKILL, distribution="Debian")

    assert run.arguments[-1] == "-"
    assert "--exec" in run.arguments
    assert "--" not in run.arguments
    assert cut_command_line(run.command_line) == list(run.arguments)


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        (r"C:\skills\csv", "/mnt/c/skills/csv"),
        (r"d:\Skills\CSV", "/mnt/d/Skills/CSV"),
        ("C:/skills/csv/", "/mnt/c/skills/csv"),
        (r"C:\a b\c", "/mnt/c/a b/c"),
        (r"C:\Ünïcode\数据", "/mnt/c/Ünïcode/数据"),
        ("C:\\", "/mnt/c"),
        (r"C:\.hidden\a.b.c", "/mnt/c/.hidden/a.b.c"),
    ],
)
def test_a_path_on_a_drive_is_translated(path: str, inside: str) -> None:
    assert to_wsl_path(path) == inside


@pytest.mark.parametrize(
    "path",
    [
        r"\\server\share\csv",
        "//server/share/csv",
        r"\/server\share",
        r"\\wsl$\Debian\home\ana",
        r"\\wsl.localhost\Debian\home",
        r"\\?\C:\skills",
        r"\\.\C:",
    ],
)
def test_network_and_device_paths_are_refused(path: str) -> None:
    with pytest.raises(InvalidInput, match="network or device path"):
        to_wsl_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "C:",
        "C:skills",
        "skills",
        r"\skills",
        "/mnt/c/skills",
        "CD:\\skills",
        r"é:\skills",
        r"C:\a\..\b",
        r"C:\a\.\b",
        "C:\\a\\\\b",
        r"C:\a:stream",
        "C:\\trailing.\\b",
        "C:\\trailing \\b",
        r"C:\NUL",
        r"C:\con.txt",
        r"C:\a\COM1\b",
        r'C:\a"b',
        "C:\\a\nb",
        "C:\\a\x00b",
        "C:\\a'b",
        "C:\\a$b",
        "C:\\a`b",
        "C:\\a?b",
        "C:\\\ud800",
        "C:\\" + "a" * 5000,
    ],
)
def test_what_is_not_one_name_on_both_systems_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput):
        to_wsl_path(path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"distribution": "--shutdown"},
        {"distribution": ""},
        {"distribution": "Debian Testing"},
        {"user": "-root"},
        {"user": "Ana Maria"},
        {"allowed_hosts": ("--sandbox-level=1",)},
        {"allowed_hosts": ("a b",)},
        {"allowed_hosts": ("*",)},
    ],
)
def test_words_that_could_be_options_are_refused(wrong: dict[str, object]) -> None:
    arguments: dict[str, object] = {"distribution": "Debian", **wrong}
    with pytest.raises(InvalidInput):
        wsl_run(Policy(), ENTRY, SKILL, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("script", ["-c.py", "../x.py", "/x.py", "a\\b.py", "a//b.py", 'a"b.py'])
def test_a_script_outside_the_skill_is_refused(script: str) -> None:
    with pytest.raises(InvalidInput):
        wsl_run(Policy(), replace(ENTRY, path=script), SKILL, distribution="Debian")


def test_weak_remote_tasks_are_refused() -> None:
    policy = Policy(Level.ISOLATED, origin=Origin.REMOTE)
    with pytest.raises(PolicyDenied, match="level 3 or not at all"):
        wsl_run(policy, ENTRY, SKILL, distribution="Debian")


def test_a_command_line_beyond_the_bound_of_windows_is_refused() -> None:
    with pytest.raises(InvalidInput, match="too long"):
        to_command_line((r"C:\wsl.exe", *["a" * 1000] * 33))


_PARTS = st.text(st.sampled_from("ab .-_~+'\"$\\/:*é数%^&!()") | st.characters(), max_size=8)


@given(st.lists(_PARTS, min_size=1, max_size=4), st.sampled_from("CdZ"))
def test_a_translated_path_has_the_same_names_below_its_drive(parts: list[str], drive: str) -> None:
    path = f"{drive}:\\" + "\\".join(parts)
    try:
        inside = to_wsl_path(path)
    except InvalidInput:
        return

    named = [part for part in path[3:].replace("\\", "/").split("/") if part]
    assert inside.split("/") == ["", "mnt", drive.lower(), *named]
    assert not {"", ".", ".."} & set(named)


# Mostly what is accepted, so that the words are often several.
_WORDS = st.text(st.sampled_from("ab é数%^&|<>!();*?-_=+,.@:/~#[]{} "), max_size=8)


@given(st.lists(_WORDS | st.text(max_size=3), max_size=6))
def test_every_accepted_argument_arrives_unchanged(rest: list[str]) -> None:
    arguments = (r"C:\Windows\System32\wsl.exe", *rest)
    try:
        line = to_command_line(arguments)
    except InvalidInput:
        return

    assert cut_command_line(line) == list(arguments)
