"""The Seatbelt profile as data: what it allows, and that no path can say anything else in it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldens import assert_golden
from skilllite_sandbox.backend.seatbelt import (
    SANDBOX_EXEC,
    SEATBELT_LABEL,
    SeatbeltRun,
    limited_command,
    quoted,
    seatbelt_profile,
    seatbelt_run,
)
from skilllite_sandbox.entry import EntryPoint, Language
from skilllite_sandbox.errors import InvalidInput, PolicyDenied
from skilllite_sandbox.other_systems import usual_mac_paths
from skilllite_sandbox.policy import DEFAULT_LIMITS, MIB, Level, Origin, Policy

SKILL = "/Users/ana/skills/csv report"
POLICY = Policy(Level.ISOLATED)
ENTRIES = {
    Language.PYTHON: EntryPoint("scripts/main.py", Language.PYTHON, "csv"),
    Language.NODE: EntryPoint("scripts/main.js", Language.NODE, "csv"),
    Language.BASH: EntryPoint("scripts/main.sh", Language.BASH, "csv"),
}
PATHS = usual_mac_paths(Language.PYTHON, SKILL)

Form: TypeAlias = "str | list[Form]"


def read_forms(text: str) -> list[Form]:
    """Read a profile as its own reader would: parentheses, strings with escapes, comments."""
    forms: list[Form] = []
    stack: list[list[Form]] = [forms]
    position = 0
    while position < len(text):
        mark = text[position]
        position += 1
        if mark == "(":
            inner: list[Form] = []
            stack[-1].append(inner)
            stack.append(inner)
        elif mark == ")":
            stack.pop()
        elif mark == ";":
            position = text.find("\n", position) % (len(text) + 1)
        elif mark == '"':
            value = ""
            while text[position] != '"':
                position += text[position] == "\\"
                value += text[position]
                position += 1
            position += 1
            stack[-1].append(f'"{value}')
        elif not mark.isspace():
            end = position
            while end < len(text) and text[end] not in '()";' and not text[end].isspace():
                end += 1
            stack[-1].append(text[position - 1 : end])
            position = end
    assert stack == [forms], "unbalanced"
    return forms


def filters(profile: str, head: str) -> list[Form]:
    """Return the filters of the only rule that starts like this."""
    action, operation = head.split()
    found = [rule[2:] for rule in read_forms(profile) if rule[:2] == [action, operation]]
    assert len(found) == 1, head
    return list(found[0])


def run_of(language: Language, *, proxy_port: int | None = None) -> SeatbeltRun:
    return seatbelt_run(
        POLICY, ENTRIES[language], usual_mac_paths(language, SKILL), proxy_port=proxy_port
    )


@pytest.mark.parametrize("proxy_port", [None, 3128])
@pytest.mark.parametrize("language", list(ENTRIES))
def test_a_profile_is_what_was_reviewed(language: Language, proxy_port: int | None) -> None:
    run = run_of(language, proxy_port=proxy_port)

    kind = "offline" if proxy_port is None else "proxy"
    assert_golden(f"seatbelt-{language.value}-{kind}.sb", run.profile)


@pytest.mark.parametrize("language", list(ENTRIES))
def test_a_command_is_what_was_reviewed(language: Language) -> None:
    run = run_of(language, proxy_port=3128)

    command = ["PROFILE" if word == run.profile else word for word in run.arguments]
    facts = {
        "arguments": command,
        "environment": dict(run.environment),
        "directory": run.directory,
        "enforced": run.enforced,
        "not_enforced": run.not_enforced,
    }
    assert_golden(f"seatbelt-{language.value}-command.json", json.dumps(facts, indent=2) + "\n")


def test_the_label_says_that_nobody_tried_it() -> None:
    assert SEATBELT_LABEL == "untested on hardware"


@pytest.mark.parametrize("language", list(ENTRIES))
def test_everything_is_denied_first(language: Language) -> None:
    rules = read_forms(run_of(language).profile)

    assert rules[:2] == [["version", "1"], ["deny", "default"]]
    assert not any("default" in rule for rule in rules[2:])


@pytest.mark.parametrize("language", list(ENTRIES))
def test_only_scratch_can_be_written_and_nothing_in_it_be_mapped_as_code(
    language: Language,
) -> None:
    paths = usual_mac_paths(language, SKILL)
    profile = seatbelt_profile(language, paths)

    assert filters(profile, "allow file-write*") == [
        ["subpath", f'"{paths.scratch}'],
        ["literal", '"/dev/null'],
    ]
    code = filters(profile, "allow file-map-executable")
    assert ["subpath", f'"{paths.scratch}'] not in code
    assert ["subpath", f'"{SKILL}'] not in code


def test_a_python_skill_executes_its_interpreter_only_and_makes_no_process() -> None:
    profile = run_of(Language.PYTHON).profile

    executed = filters(profile, "allow process-exec")
    assert executed == [["literal", f'"{path}'] for path in (PATHS.interpreter, *PATHS.stubs)]
    assert ["allow", "process-fork"] not in read_forms(profile)
    assert ["allow", "signal", ["target", "self"]] in read_forms(profile)


def test_a_bash_skill_executes_the_listed_programs() -> None:
    paths = usual_mac_paths(Language.BASH, SKILL)
    profile = seatbelt_profile(Language.BASH, paths)

    executed = filters(profile, "allow process-exec")
    assert executed == [["literal", f'"{path}'] for path in ("/bin/bash", *paths.programs)]
    assert ["allow", "process-fork"] in read_forms(profile)


def test_granted_programs_let_a_python_skill_make_processes() -> None:
    paths = replace(PATHS, programs=("/usr/bin/git",))

    run = seatbelt_run(POLICY, ENTRIES[Language.PYTHON], paths)

    assert ["literal", '"/usr/bin/git'] in filters(run.profile, "allow process-exec")
    assert ["allow", "process-fork"] in read_forms(run.profile)
    assert "no-fork" not in run.enforced
    assert "deadline-of-the-tree" in run.not_enforced


@pytest.mark.parametrize("language", list(ENTRIES))
def test_no_service_no_shared_memory_and_no_host_name_is_reachable(language: Language) -> None:
    profile = run_of(language, proxy_port=3128).profile

    allowed = {str(rule[1]) for rule in read_forms(profile) if rule[0] == "allow"}
    assert allowed - {"process-fork"} == {
        "process-exec",
        "signal",
        "process-info*",
        "sysctl-read",
        "file-read-data",
        "file-read-metadata",
        "file-read*",
        "file-map-executable",
        "file-write*",
        "network-outbound",
    }
    names = {str(name[1]) for name in filters(profile, "allow sysctl-read")}
    assert all(name.startswith(('"hw.', '"kern.')) for name in names)
    assert not any(name.startswith(('"kern.proc', '"kern.host')) for name in names)


def test_without_a_grant_there_is_no_network() -> None:
    run = run_of(Language.PYTHON)

    rules = read_forms(run.profile)
    assert not any(str(rule[1]).startswith("network") for rule in rules if rule[0] == "allow")
    assert ["deny", "network*"] in rules
    assert "no-network" in run.enforced
    assert not any("proxy" in name for name, _ in run.environment)


def test_with_a_grant_only_the_proxy_can_be_reached() -> None:
    run = run_of(Language.PYTHON, proxy_port=8123)

    rules = read_forms(run.profile)
    assert rules[-2:] == [
        ["deny", "network*"],
        ["allow", "network-outbound", ["remote", "tcp", '"localhost:8123']],
    ]
    assert dict(run.environment)["https_proxy"] == "http://127.0.0.1:8123"
    assert "no-network" not in run.enforced
    assert "private-proxy" in run.not_enforced


@pytest.mark.parametrize("port", [0, -1, 65_536])
def test_a_port_that_is_none_is_refused(port: int) -> None:
    with pytest.raises(InvalidInput, match="is no port"):
        seatbelt_profile(Language.PYTHON, PATHS, proxy_port=port)


@pytest.mark.parametrize(
    "path",
    [
        '/Users/ana/a"b',
        "/Users/ana/a\\b",
        "/Users/ana/a\nb",
        "/Users/ana/a\x00b",
        "/Users/ana/a\x1bb",
        "/Users/ana/a\u2028b",
        "/Users/ana/\ud800",
        '/Users/ana/x") (allow default) ("',
        "skills/csv",
        "",
        "/Users/ana/../bob",
        "/Users/ana/./csv",
        "/Users/ana//csv",
        "/Users/ana/csv/",
        "/tmp/csv",
        "/var/folders/zz/csv",
        "/etc/skills",
        "/Users/" + "a" * 1024,
        "/",
        "/Users",
        "/Users/ana",
        "/usr/local",
        "/private/tmp",
    ],
)
def test_a_skill_path_that_is_no_single_directory_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput):
        seatbelt_profile(Language.PYTHON, replace(PATHS, skill=path))


@pytest.mark.parametrize("scratch", ["/private/tmp", "/Users/ana", "/scratch", "/"])
def test_scratch_that_others_use_is_refused(scratch: str) -> None:
    with pytest.raises(InvalidInput):
        seatbelt_profile(Language.PYTHON, replace(PATHS, scratch=scratch))


@pytest.mark.parametrize("field", ["skill", "interpreter"])
def test_code_inside_scratch_is_refused_and_scratch_inside_code(field: str) -> None:
    inside = f"{PATHS.scratch}/inside"
    changed = {
        "skill": replace(PATHS, skill=inside),
        "interpreter": replace(PATHS, interpreter=inside),
    }
    with pytest.raises(InvalidInput, match="lie in each other"):
        seatbelt_profile(Language.PYTHON, changed[field])

    with pytest.raises(InvalidInput, match="lie in each other"):
        seatbelt_profile(Language.PYTHON, replace(PATHS, scratch=f"{SKILL}/scratch"))


@pytest.mark.parametrize("script", ["../main.py", 'a"b.py', "a\\b.py", "/main.py"])
def test_a_script_outside_the_skill_is_refused(script: str) -> None:
    entry = EntryPoint(script, Language.PYTHON, "x")
    with pytest.raises(InvalidInput):
        seatbelt_run(POLICY, entry, PATHS)


def test_level_1_and_weak_remote_tasks_have_no_profile() -> None:
    with pytest.raises(InvalidInput, match="level 1 has no profile"):
        seatbelt_run(Policy(Level.DIRECT), ENTRIES[Language.PYTHON], PATHS)
    with pytest.raises(PolicyDenied, match="level 3 or not at all"):
        seatbelt_run(Policy(Level.ISOLATED, origin=Origin.REMOTE), ENTRIES[Language.PYTHON], PATHS)


def test_typescript_is_refused() -> None:
    with pytest.raises(InvalidInput, match="TypeScript"):
        seatbelt_run(POLICY, EntryPoint("main.ts", Language.TYPESCRIPT, "x"), PATHS)


@given(st.text(max_size=40))
def test_a_quoted_string_is_read_as_itself(text: str) -> None:
    try:
        written = quoted(text)
    except InvalidInput:
        assert not text or '"' in text or "\\" in text or not text.isprintable()
        return

    assert read_forms(f"(literal {written})") == [["literal", f'"{text}']]


# Close to a path, so that many pass; with everything that could end a string or a rule.
_MARKS = st.sampled_from("ab ;()#|\"\\\n\t'`$*é-.") | st.characters()
_NAMES = st.text(_MARKS, min_size=1, max_size=8)
_ANY_PATHS = st.lists(_NAMES, min_size=1, max_size=4).map(lambda names: "/Users/" + "/".join(names))
_SHAPE = [
    [item[0] if isinstance(item, list) else item for item in rule]
    for rule in read_forms(seatbelt_profile(Language.PYTHON, replace(PATHS, trees=("/a/b",))))
]


@given(skill=_ANY_PATHS, tree=_ANY_PATHS)
def test_no_path_adds_or_changes_a_rule(skill: str, tree: str) -> None:
    paths = replace(PATHS, skill=skill, trees=(tree,))
    try:
        profile = seatbelt_profile(Language.PYTHON, paths)
    except InvalidInput:
        return

    rules = read_forms(profile)
    assert [rule[:2] for rule in rules if rule[1] != "file-read-metadata"] == [
        rule[:2] for rule in _SHAPE if rule[1] != "file-read-metadata"
    ]
    assert filters(profile, "allow file-write*") == [
        ["subpath", f'"{paths.scratch}'],
        ["literal", '"/dev/null'],
    ]
    shown = {str(each[1]) for each in filters(profile, "allow file-read*")}
    assert {f'"{skill}', f'"{tree}'} <= shown


def test_the_shell_in_front_sets_the_limits_it_promises() -> None:
    limits = replace(DEFAULT_LIMITS, cpu_s=7, file_bytes=3 * MIB, open_files=48)
    report = (
        "import resource as r, json;"
        "print(json.dumps([r.getrlimit(k) for k in"
        " (r.RLIMIT_CPU, r.RLIMIT_FSIZE, r.RLIMIT_NOFILE, r.RLIMIT_CORE)]))"
    )

    # The shell is POSIX's: here it is the part of the command that can be tried on any system.
    done = subprocess.run(
        [*limited_command(limits), sys.executable, "-c", report],
        capture_output=True,
        check=True,
        timeout=30,
    )

    assert json.loads(done.stdout) == [[7, 8], [3 * MIB, 3 * MIB], [48, 48], [0, 0]]


def test_the_profile_is_one_argument_in_front_of_the_interpreter() -> None:
    run = run_of(Language.PYTHON)

    start = run.arguments.index(SANDBOX_EXEC)
    assert run.arguments[start + 1 : start + 3] == ("-p", run.profile)
    assert run.arguments[start + 3] == PATHS.interpreter
    assert run.arguments[-1] == f"{SKILL}/scripts/main.py"
