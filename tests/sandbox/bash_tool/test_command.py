"""The grammar of Bash-tool commands: what is read, and everything that is refused."""

from __future__ import annotations

import pytest

from skilllite_sandbox.bash_tool.command import SIMPLE_COMMANDS_MAX, Step, parse_command
from skilllite_sandbox.bash_tool.words import COMMAND_CHARS_MAX
from skilllite_sandbox.errors import PolicyDenied


def words(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the words of every simple command."""
    return parse_command(text).simple_commands


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("git status", (("git", "status"),)),
        ("  git \t log   -3 ", (("git", "log", "-3"),)),
        ("git commit -m 'two words'", (("git", "commit", "-m", "two words"),)),
        ('git commit -m "it\'s"', (("git", "commit", "-m", "it's"),)),
        (r'grep "a\"b\\c\$d\ne"', (("grep", 'a"b\\c$d\\ne'),)),
        (r"grep a\ b\'c", (("grep", "a b'c"),)),
        ("grep ''", (("grep", ""),)),
        ("""grep a'b'"c"d""", (("grep", "abcd"),)),
        ("jq '.[] | {a: $b} > 1 & `x`; (y)'", (("jq", ".[] | {a: $b} > 1 & `x`; (y)"),)),
        ("git show HEAD~2 HEAD^ a@b x=y 50% a#b ]", (
            ("git", "show", "HEAD~2", "HEAD^", "a@b", "x=y", "50%", "a#b", "]"),
        )),
        ("git log --grep größe", (("git", "log", "--grep", "größe"),)),
        ("git status;", (("git", "status"),)),
        ("g++ -c a.cc", (("g++", "-c", "a.cc"),)),
    ],
)  # fmt: skip
def test_words_are_what_bash_would_pass(text: str, expected: tuple[tuple[str, ...], ...]) -> None:
    assert words(text) == expected


def test_operators_join_pipelines_into_steps() -> None:
    command = parse_command("git log|head -3 && ls ; cat a||jq .")

    assert command.steps == (
        Step("", (("git", "log"), ("head", "-3"))),
        Step("&&", (("ls",),)),
        Step(";", (("cat", "a"),)),
        Step("||", (("jq", "."),)),
    )
    assert command.programs == ("git", "head", "ls", "cat", "jq")


HOSTILE = {
    "redirect to a file": "git log > x",
    "redirect glued": "git log>x",
    "redirect of stderr": "git log 2>x",
    "redirect of both": "git log &>x",
    "append": "git log >>x",
    "clobber": "git log >|x",
    "input": "cat < /etc/passwd",
    "read and write": "cat <>x",
    "here document": "cat <<EOF",
    "here string": "cat <<<x",
    "duplicated descriptor": "git log >&2",
    "stderr pipe": "git log |& cat",
    "background": "git log &",
    "background between": "git log & ls",
    "background glued": "git log&ls",
    "command substitution": "git log $(ls)",
    "old substitution": "git log `ls`",
    "substitution in quotes": 'git log "$(ls)"',
    "old substitution in quotes": 'git log "`ls`"',
    "process substitution": "git diff <(ls) x",
    "output substitution": "tee >(ls)",
    "arithmetic": "git log $((1))",
    "variable": "git log $HOME",
    "variable in quotes": 'git log "$HOME"',
    "variable with braces": "git log ${x}",
    "ansi quotes": r"git log $'\n'",
    "locale quotes": 'git log $"x"',
    "variable as command": "$x status",
    "quoted command": "'git' status",
    "half quoted command": "g'i't status",
    "escaped command": r"\git status",
    "empty command word": "'' git status",
    "path": "/usr/bin/git status",
    "relative path": "./git status",
    "assignment": "PATH=/tmp git status",
    "assignment alone": "A=b",
    "appending assignment": "A+=b git",
    "array assignment": "a[0]=b git",
    "assignment later": "ls; GIT_PAGER=x git log",
    "subshell": "(git status)",
    "group": "{ git status; }",
    "brace expansion": "git {add,rm} x",
    "range expansion": "ls {1..3}",
    "function": "git() { ls; }",
    "negation": "! git status",
    "glob": "cat *.py",
    "question mark": "cat a?",
    "class": "cat [ab]",
    "test": "[ -f x ]",
    "long test": "[[ -f x ]]",
    "tilde": "cat ~/x",
    "tilde of a user": "cat ~root/x",
    "tilde after equals": "git --x=~/y",
    "tilde after colon": "git a:~/y",
    "tilde after quotes": "git ''~",
    "comment": "git status # x",
    "comment alone": "#",
    "newline": "git status\nls",
    "newline in quotes": "git commit -m 'a\nb'",
    "carriage return": "git status\rls",
    "escaped newline": "git \\\nstatus",
    "nul": "git \0",
    "escape character": "git \x1b[2J",
    "line separator": "git status\u2028ls",
    "no-break space": "git\u00a0status",
    "right to left": "git \u202etxt",
    "lone surrogate": "git \udc80",
    "open single quote": "git 'x",
    "open double quote": 'git "x',
    "quote closed by an escape": r'git "x\"',
    "trailing backslash": "git x\\",
    "empty": "",
    "blank": "  \t ",
    "only an operator": ";",
    "leading operator": "&& git",
    "leading pipe": "| git",
    "trailing pipe": "git |",
    "trailing and": "git &&",
    "double semicolon": "git ;; ls",
    "two trailing semicolons": "git ;;",
    "three bars": "git ||| ls",
    "three ampersands": "git &&& ls",
    "case end": "git ;& ls",
    "dot": ". x",
    "colon": ": x",
    "tilde command": "~ x",
    "option as command": "-x git",
    "eval": "eval git status",
    "exec": "exec git status",
    "command": "command git status",
    "builtin": "builtin git",
    "source": "source x",
    "cd": "cd / && ls",
    "export": "export A=b",
    "trap": "trap ls EXIT",
    "time": "time git status",
    "if": "if git; then ls; fi",
    "while": "while git; do ls; done",
    "for": "for x in a; do ls; done",
    "function keyword": "function git { ls; }",
    "coproc": "coproc git",
    "keyword in a pipeline": "git | while read x",
    "fullwidth command": "\uff47\uff49\uff54 status",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_only_a_shell_can_do_is_refused(name: str) -> None:
    with pytest.raises(PolicyDenied) as refused:
        parse_command(HOSTILE[name])

    assert refused.value.hint, "it says what to do instead"
    assert refused.value.message.isprintable()


def test_what_is_refused_is_named_with_its_place() -> None:
    with pytest.raises(PolicyDenied, match="`>` at character 9 of the command: redirects"):
        parse_command("git log >x")
    with pytest.raises(PolicyDenied, match="`cd` is a part of the shell"):
        parse_command("git status && cd /")
    with pytest.raises(PolicyDenied, match="character 2 of the command is a line break"):
        parse_command("a\nb")


def test_a_command_is_bounded() -> None:
    longest = "git " + "x" * (COMMAND_CHARS_MAX - 4)
    assert words(longest)[0][0] == "git"
    with pytest.raises(PolicyDenied, match=f"{COMMAND_CHARS_MAX} are the most"):
        parse_command(longest + "x")

    most = " | ".join(["cat"] * SIMPLE_COMMANDS_MAX)
    assert len(words(most)) == SIMPLE_COMMANDS_MAX
    with pytest.raises(PolicyDenied, match=f"{SIMPLE_COMMANDS_MAX} are the most"):
        parse_command(most + "; cat")
