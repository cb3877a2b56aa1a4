"""The grammar of a command: steps of pipelines of simple commands, and nothing else.

    command   = pipeline { ( "&&" | "||" | ";" ) pipeline } [ ";" ]
    pipeline  = simple { "|" simple }
    simple    = program { word }

The program is a plain name: no path, no quotes, no assignment before it, nothing that bash would do
by itself.
"""

from __future__ import annotations

from skilllite_sandbox.bash_tool.words import Operator, Word, split_words
from skilllite_sandbox.errors import PolicyDenied
from skilllite_sandbox.values import dataclass

SIMPLE_COMMANDS_MAX = 32  # each of a pipeline is a process, and 32 is the bound on those
PROGRAM_CHARS_MAX = 64
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-")
_NOT_FIRST = frozenset(".+-")

_KEYWORDS = """
if then else elif fi case esac for select while until do done in function time coproc
"""
_BUILTINS = """
alias bg bind break builtin caller cd command compgen complete compopt continue declare dirs disown
enable eval exec exit export fc fg getopts hash help history jobs let local logout mapfile popd
pushd read readarray readonly return set shift shopt source suspend times trap type typeset ulimit
umask unalias unset wait
"""
KEYWORDS = frozenset(_KEYWORDS.split())
BUILTINS = frozenset(_BUILTINS.split())
"""What only a shell can do. `echo`, `test` and their like exist as programs and are run as such."""


@dataclass(frozen=True, slots=True)
class Step:
    """One pipeline, and when it is run."""

    after: str
    """Empty for the first; `&&`, `||` or `;` between it and what is before it."""
    commands: tuple[tuple[str, ...], ...]
    """The words of each simple command, the program's name first."""


@dataclass(frozen=True, slots=True)
class Command:
    """A whole command; its steps are taken from left to right."""

    steps: tuple[Step, ...]

    @property
    def simple_commands(self) -> tuple[tuple[str, ...], ...]:
        """Every one that may be executed, whatever the others return."""
        return tuple(words for step in self.steps for words in step.commands)

    @property
    def programs(self) -> tuple[str, ...]:
        """The names of the programs, each once."""
        return tuple(dict.fromkeys(words[0] for words in self.simple_commands))


def parse_command(text: str) -> Command:
    """Return what a command would execute.

    Raises:
        PolicyDenied: it is empty, or holds something that is not allowed or not understood.
    """
    steps: list[Step] = []
    after = ""
    pipeline: list[tuple[str, ...]] = []
    words: list[Word] = []
    tokens = split_words(text)
    if tokens and tokens[-1] == Operator(";"):
        tokens.pop()
    for token in (*tokens, Operator("")):
        if isinstance(token, Word):
            words.append(token)
            continue
        pipeline.append(_simple(words, token))
        words = []
        if token.text != "|":
            steps.append(Step(after, tuple(pipeline)))
            after, pipeline = token.text, []
    command = Command(tuple(steps))
    count = len(command.simple_commands)
    if count > SIMPLE_COMMANDS_MAX:
        raise PolicyDenied(
            f"the command is made of {count}, {SIMPLE_COMMANDS_MAX} are the most",
            hint="run several commands",
        )
    return command


def _simple(words: list[Word], end: Operator) -> tuple[str, ...]:
    if not words:
        where = f"before `{end.text}`" if end.text else "at the end"
        raise PolicyDenied(
            f"a command is missing {where}", hint="write for example: git status | head -5"
        )
    return (program_name(words[0]), *(word.text for word in words[1:]))


def program_name(word: Word) -> str:
    """Return the name of a program that a simple command starts with; raises like the parser."""
    text = word.text
    shown = text[:PROGRAM_CHARS_MAX]
    if not word.is_plain:
        problem, hint = "is quoted", "write the program's name as it is"
    elif "=" in text:
        problem, hint = "assigns a variable", "give the program an argument instead"
    elif "/" in text:
        problem, hint = "is a path", "name a program that is granted, without its directory"
    elif text in KEYWORDS:
        problem, hint = (
            "is a keyword of the shell",
            "there is no shell: run the commands one by one",
        )
    elif text in BUILTINS:
        problem, hint = "is a part of the shell", "there is no shell: run programs only"
    elif len(text) > PROGRAM_CHARS_MAX or text[:1] in _NOT_FIRST or not _NAME.issuperset(text):
        problem, hint = "is not the name of a program", "a name like git"
    else:
        return text
    raise PolicyDenied(f"`{shown}` {problem}, where a program has to stand", hint=hint)
