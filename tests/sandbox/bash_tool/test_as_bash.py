"""What the parser reads is what bash itself would execute: asked of bash, in the sandbox.

bash gets every accepted command with an empty search path and a handler that writes down the words
of what it was going to execute. Nothing else may happen but exactly what was read, in this order.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from sandbox_lab import require
from skill_files import make_skill
from skilllite_sandbox import Level, Sandbox
from skilllite_sandbox.bash_tool.command import SIMPLE_COMMANDS_MAX, Command, parse_command
from skilllite_sandbox.errors import PolicyDenied

# Reads the command, has bash take it apart, and prints what was to be executed as base64.
RECORDER = r"""
read -r line
text=${line#*\"command\": \"}; text=${text%%\"*}
command=$(base64 -d <<<"$text"; echo .); command=${command%.}
command_not_found_handle() {
  printf '%s\0' "$#" "$@" >&9
  case $1 in j*) return 1 ;; esac
}
cd /tmp
( PATH=/nowhere; eval "$command" ) 9>/tmp/calls >/tmp/out 2>&1 </dev/null
printf '{"calls": "%s", "said": "%s", "left": %s}' \
  "$(base64 -w0 /tmp/calls)" "$(base64 -w0 /tmp/out)" "$(ls -A /tmp | wc -l)"
"""
FILES_OF_THE_RECORDER = 2
# bash runs these itself when a program is asked for, and so would record nothing.
BUILTIN_TOO = frozenset({"echo", "printf", "test", "true", "false", "pwd", "kill"})


class Bash:
    """Asks bash what it would execute."""

    def __init__(self, sandbox: Sandbox, skill: Path) -> None:
        self._sandbox = sandbox
        self._skill = skill

    def executes(self, command: str) -> list[tuple[str, ...]]:
        """Return the words of each command, in the order of execution."""
        data = base64.b64encode(command.encode()).decode()
        outcome = self._sandbox.run(self._skill, {"command": data})
        assert outcome.ok and isinstance(outcome.output, dict), outcome
        said = base64.b64decode(outcome.output["said"])
        assert said == b"", f"bash complained or printed something: {said!r}"
        assert outcome.output["left"] == FILES_OF_THE_RECORDER, "bash made a file"
        fields = base64.b64decode(outcome.output["calls"]).decode().split("\0")[:-1]
        found = []
        while fields:
            count = int(fields[0])
            found.append(tuple(fields[1 : 1 + count]))
            del fields[: 1 + count]
        return found


@pytest.fixture(scope="module")
def bash(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bash]:
    require("bash")
    skill = make_skill(tmp_path_factory.mktemp("skills"), files={"scripts/main.sh": RECORDER})
    with Sandbox(Level.ISOLATED) as sandbox:
        yield Bash(sandbox, skill)


def assert_executes(bash: Bash, command: Command, text: str) -> None:
    """Compare; within a pipeline the order is the scheduler's."""
    recorded = bash.executes(text)
    succeeded = True
    for step in command.steps:
        if (step.after == "&&" and not succeeded) or (step.after == "||" and succeeded):
            continue
        count = len(step.commands)
        assert sorted(recorded[:count]) == sorted(step.commands), text
        del recorded[:count]
        succeeded = not step.commands[-1][0].startswith("j")
    assert recorded == [], f"bash executes more: {text!r}"


PIECES = st.sampled_from(
    [
        *("git", "jq", "ls", "j", "a", "-x", "b=c", "HEAD~1", "c#d", "x^", "ü", ".", "]", "@"),
        *(" ", " ", " ", "\t", "|", "||", "&&", ";", " | ", " && ", " || ", " ; "),
        *("'", '"', "\\", "''", '""', "' '", '" "', "'|'", '";"', r"\ ", r"\;", r"\\", "\\\""),
        *("'$x'", '"#"', "'*'", r"\*", r"\$", '"\\$"', '"\\n"', '"!"', "'`'", r"\~", "=", ":", "~"),
        *("$", "`", "*", "?", "[", "{", "}", "{a,b}", "(", ")", "<", ">", "&", "!", "#", "\n"),
        *("$x", "$(a)", "`a`", "<(a)", ">(a)", "if", "then", "fi", "eval", "time", "A=b", "a[0]=x"),
    ]
)  # fmt: skip
WORDS = st.sampled_from(
    [
        *("git", "a", "-x", "b=c", "HEAD~1", "c#d", "x^", "ü", ".", "]", "@", "if", "b:"),
        *("' '", '" "', "'|'", '";"', r"\ ", r"\;", r"\\", r"\'", "\\\"", "'$x'", '"#"', "'*'"),
        *(r"\*", r"\$", '"\\$"', '"\\n"', '"!"', "'`'", r"\~", "eval", "'a'\"b\"c"),
    ]
) | st.text(st.sampled_from("abgh~#=:\\]^,+%"), min_size=1, max_size=6)  # fmt: skip
SIMPLE = st.tuples(
    st.sampled_from(["git", "jq", "ls", "j", "g++", "a.b"]), st.lists(WORDS, max_size=4)
).map(lambda parts: " ".join((parts[0], *parts[1])))
OPERATORS = st.sampled_from(["|", "||", "&&", ";", " | ", " && ", " || ", " ; ", "\t;  "])


@st.composite
def likely(draw: st.DrawFn) -> str:
    """Return a command that is probably accepted, now and then with something put into it."""
    text = draw(SIMPLE)
    for _ in range(draw(st.integers(0, 4))):
        text += draw(OPERATORS) + draw(SIMPLE)
    if draw(st.integers(0, 2)) == 0:
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(PIECES) + text[place:]
    return text


TEXTS = likely() | st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=20)


@settings(
    max_examples=600,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(text=TEXTS)
def test_nothing_is_accepted_that_bash_would_execute_otherwise(bash: Bash, text: str) -> None:
    try:
        command = parse_command(text)
    except PolicyDenied:
        event("refused")
        return
    assume(BUILTIN_TOO.isdisjoint(command.programs))
    event(f"accepted with {len(command.steps)} steps")

    assert_executes(bash, command, text)


@pytest.mark.parametrize(
    "text",
    [
        'git \'a b\' "c\\"d\\e" f\\ g \'\' "" HEAD~1 x#y z^ a=b a:b , @ % + ] _ ^ .',
        "git a || jq b && ls c ; git d | jq e && ls f || git g",
        "jq a && git b || ls c; jq d || jq e && git f;",
        "git '$(ls)' \"a'b\" \\$x \\`ls\\` '`ls`' \\> \\& \\| \\; \\( '{a,b}' \\*",
        "git -m 'it'\\''s' größe 中文",
        "git  \t  a  |  ls\t;git",
    ],
)
def test_ordinary_commands_mean_the_same_to_bash(bash: Bash, text: str) -> None:
    assert_executes(bash, parse_command(text), text)


def test_every_character_alone_and_inside_a_word_means_the_same_to_bash(bash: Bash) -> None:
    """Exhaustive over ASCII, where all that means something to bash is."""
    accepted = []
    for code in range(0x20, 0x7F):
        character = chr(code)
        for word in (
            character,
            f"a{character}b",
            f"={character}",
            f"{character}a",
            f"-{character}",
        ):
            with suppress(PolicyDenied):
                parse_command(f"git {word} x")
                accepted.append(f"git {word} x")

    assert len(accepted) > 300, "letters, digits and some punctuation at least"
    at_once = SIMPLE_COMMANDS_MAX // 2  # one that is cut by its character counts as two
    for start in range(0, len(accepted), at_once):
        text = " ; ".join(accepted[start : start + at_once])
        assert_executes(bash, parse_command(text), text)


def test_the_comparison_notices_a_difference(bash: Bash) -> None:
    """A check of the check: these are executed otherwise than they look."""
    assert bash.executes("git {a,b}") == [("git", "a", "b")]
    assert bash.executes("git ~") == [("git", "/tmp")]
    assert bash.executes("git $(ls)") == [("ls",), ("git",)]
    assert bash.executes("git # ls") == [("git",)]
    assert bash.executes("A=b git # x") == [("git",)]
