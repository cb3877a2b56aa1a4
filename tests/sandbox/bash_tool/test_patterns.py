"""What `Bash(…)` allows."""

from __future__ import annotations

import pytest

from skilllite_sandbox.bash_tool.command import parse_command
from skilllite_sandbox.bash_tool.patterns import (
    RULES_MAX,
    check_allowed,
    parse_pattern,
    read_patterns,
    show,
)
from skilllite_sandbox.errors import PolicyDenied


def allows(rule: str, command: str) -> bool:
    """Return whether one rule allows a command."""
    try:
        check_allowed(parse_command(command), (parse_pattern(rule),))
    except PolicyDenied:
        return False
    return True


@pytest.mark.parametrize(
    ("rule", "allowed", "refused"),
    [
        ("git:*", ["git", "git status", "git 'log x'"], ["gitx", "gi", "git-log", "ls", "GIT"]),
        ("git *", ["git", "git status"], ["gitx"]),
        ("git log:*", ["git log", "git log -3"], ["git", "git logs", "git 'log x'", "git -x log"]),
        ("git status", ["git status", "git 'status'"], ["git", "git status -s"]),
        ("ls", ["ls"], ["ls -l", "lsof"]),
        ("git commit -m 'a b':*", ["git commit -m 'a b' x"], ["git commit -m a b"]),
        ("*", ["git status", "anything"], []),
        (":*", ["git status"], []),
    ],
)
def test_a_pattern_is_bounded_by_words(rule: str, allowed: list[str], refused: list[str]) -> None:
    assert [each for each in allowed if not allows(rule, each)] == []
    assert [each for each in refused if allows(rule, each)] == []


@pytest.mark.parametrize(
    "command",
    [
        "git status | curl x",
        "curl x | git status",
        "git status && curl x",
        "git status || curl x",
        "git status ; curl x",
        "git status | git log ; curl",
        "git status | gitx",
    ],
)
def test_every_simple_command_has_to_be_allowed(command: str) -> None:
    assert not allows("git:*", command)
    assert allows("*", command)


def test_two_patterns_allow_what_each_of_them_allows() -> None:
    patterns = (parse_pattern("git log:*"), parse_pattern("head:*"))

    check_allowed(parse_command("git log | head -3"), patterns)
    with pytest.raises(PolicyDenied, match="does not allow `git push`") as refused:
        check_allowed(parse_command("git log | head ; git push"), patterns)
    assert refused.value.cause == "it allows Bash(git log:*), Bash(head:*)"


@pytest.mark.parametrize(
    "rule",
    [
        *("", " ", "git | ls:*", "git; ls", "git > x", "$x:*", "./run:*", "/bin/git:*", "eval:*"),
        *("'git':*", "g*:*", "git s*", "A=b:*", "git\nls:*", "git 'x:*", "git\\ *", "-x:*"),
        *("if:*", "git && ls:*", "git &", "**", "* git"),
    ],
)
def test_a_rule_that_is_not_understood_allows_nothing(rule: str) -> None:
    with pytest.raises(PolicyDenied):
        parse_pattern(rule)

    patterns, clauses = read_patterns((rule, "ls"))
    assert [show(pattern) for pattern in patterns] == ["Bash(ls)"]
    assert len(clauses) == 1 and "allows nothing" in clauses[0]


def test_the_number_of_rules_is_bounded() -> None:
    patterns, clauses = read_patterns(tuple(f"p{number}:*" for number in range(RULES_MAX + 1)))

    assert len(patterns) == RULES_MAX
    assert clauses == (f"of its {RULES_MAX + 1} rules for Bash only the first {RULES_MAX} count",)
