"""The `skilllite` command: which module serves which word, and what every command has in common.

Start-up is part of every `run`, so this module and what it imports stay with json and os
(no dataclasses, typing, socket, logging: each costs several milliseconds of about twenty). A
command's module is imported when its word was typed, and imports the expensive things in the
function that needs them.

A command module offers two functions:

    def add_arguments(parser: argparse.ArgumentParser) -> None
    def run(args: argparse.Namespace) -> int          # an exit status of `skilllite.errors`

and may offer a third, for one that is used in loops:

    def plain_arguments(command: str, words: Sequence[str]) -> argparse.Namespace | None

which returns what the parser would, or None to have it asked: argparse costs 6 ms.

When it serves several words, `parser.get_default("command")` and `args.command` say which. Errors
are raised, never printed: `main` prints `error:`, `cause:` and `hint:` and picks the exit status.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from skilllite import errors
from skilllite.cli import output

TYPE_CHECKING = False  # importing `typing` for it would cost every command 5 ms
if TYPE_CHECKING:
    import argparse
    from types import ModuleType

DEBUG_VARIABLE = "SKILLLITE_DEBUG"


class LazyCommand:
    """Where a command lives and the line that describes it."""

    __slots__ = ("example", "help", "module")

    def __init__(self, module: str, help: str, example: str) -> None:
        self.module = module
        self.help = help
        self.example = example

    def load(self) -> ModuleType:
        """Import the module that implements the command."""
        return import_module(self.module)


_SKILLS = "skilllite.cli.skills"
_RUN = "skilllite.cli.run"

COMMANDS: dict[str, LazyCommand] = {
    "quickstart": LazyCommand(
        "skilllite.cli.quickstart",
        "check the sandbox, start a node and try the starter skills",
        "skilllite quickstart",
    ),
    "init": LazyCommand(
        _SKILLS, "make a .skills folder here and put the starter skills into it", "skilllite init"
    ),
    "node": LazyCommand(
        "skilllite.cli.node",
        "start, stop and inspect the node; invite others, join a team",
        "skilllite node start --name kitchen",
    ),
    "peers": LazyCommand(
        "skilllite.cli.peers",
        "who is in the team: their skills, load, latency and health",
        "skilllite peers --watch",
    ),
    "submit": LazyCommand(
        "skilllite.cli.submit",
        "send a task to the mesh and wait for its result",
        """skilllite submit --skill calculator '{"operation": "add", "a": 1, "b": 2}'""",
    ),
    "tasks": LazyCommand(
        "skilllite.cli.tasks",
        "list, show and cancel the tasks of this node",
        "skilllite tasks list --json",
    ),
    "run": LazyCommand(
        _RUN,
        "run a skill here, in the sandbox",
        """skilllite run calculator '{"operation": "add", "a": 1, "b": 2}'""",
    ),
    "exec": LazyCommand(
        _RUN,
        "run one script of a skill",
        """skilllite exec .skills/report scripts/render.py '{"title": "May"}'""",
    ),
    "bash": LazyCommand(
        "skilllite.cli.bash",
        "run a command that a skill allows, in the sandbox",
        "skilllite bash .skills/history 'git log | head -5' --allow-exec git",
    ),
    "confirm": LazyCommand(
        "skilllite.cli.confirm",
        "agree to what a run was refused for; asks at the terminal",
        "skilllite confirm .skills/report",
    ),
    "grants": LazyCommand(
        "skilllite.cli.grants",
        "what was granted and agreed to, and taking it back",
        "skilllite grants revoke report",
    ),
    "list": LazyCommand(_SKILLS, "the skills that can be used here", "skilllite list --json"),
    "show": LazyCommand(
        _SKILLS, "one skill: where it is, what it takes, what it lacks", "skilllite show calculator"
    ),
    "info": LazyCommand(_SKILLS, "one skill as a page to read", "skilllite info calculator"),
    "add": LazyCommand(
        _SKILLS,
        "scan a skill and install it: from a folder, an archive, a repository",
        "skilllite add owner/repo@report",
    ),
    "remove": LazyCommand(_SKILLS, "remove an installed skill", "skilllite remove report"),
    "validate": LazyCommand(
        _SKILLS, "check a skill folder against the format", "skilllite validate ./report"
    ),
    "verify": LazyCommand(
        "skilllite.cli.verify",
        "check installed skills against their signed manifests",
        "skilllite verify --strict",
    ),
    "reindex": LazyCommand(_SKILLS, "read all skills again", "skilllite reindex"),
    "scan": LazyCommand(
        "skilllite.cli.scan",
        "look at every file of a skill, and say what it does",
        "skilllite scan ./report --fail-on high",
    ),
    "explain": LazyCommand(
        "skilllite.cli.scan", "what a finding of the scanner means", "skilllite explain SL401"
    ),
    "dependency-audit": LazyCommand(
        "skilllite.cli.dependency_audit",
        "look up what is known against the packages of skills",
        "skilllite dependency-audit ./report --fail-on high",
    ),
    "audit": LazyCommand(
        "skilllite.cli.audit",
        "verify the audit log, or report what it tells",
        "skilllite audit verify --json",
    ),
    "clean-env": LazyCommand(
        "skilllite.cli.clean_env",
        "list and remove the packages that were installed for skills",
        "skilllite clean-env --unused 30",
    ),
    "doctor": LazyCommand(
        "skilllite.cli.doctor",
        "try out what this machine can enforce and what blocks discovery",
        "skilllite doctor",
    ),
    "version": LazyCommand(
        "skilllite.version", "print the version of the program", "skilllite version"
    ),
}

PLANNED = frozenset(
    {
        *("arena", "chat", "completion", "config", "dashboard"),
        *("desktop", "evolution", "feedback", "init-cursor"),
        *("init-opencode", "list-tools", "mcp", "model", "schedule", "serve", "skills"),
    }
)
"""Words a later version will know. Said plainly: a wrong guess at the spelling would be unkind."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; as the program itself, end with it."""
    if arguments is not None:
        return _run(list(arguments))
    _open_missing_streams()
    status = _run(sys.argv[1:])
    if _nothing_is_left_to_do():
        # Tearing down the modules takes the interpreter 4 ms, a tenth of what `list` takes.
        os._exit(status)
    return status


def _run(words: list[str]) -> int:
    try:
        status = _dispatch(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        output.note("interrupted")
        return errors.INTERRUPTED
    except BrokenPipeError:
        return _reader_left()
    except SystemExit as leaving:  # argparse: --help and usage errors
        return _status_of(leaving)
    except Exception as error:
        return _report(errors.innermost(error), words)
    return status


def _open_missing_streams() -> None:
    """Give a program that was started with closed streams (`<&- >&-`) what it can read and write.

    In the order of their numbers: each takes the lowest that is free, which is its own. Otherwise
    the first file or socket of a command would become its standard input.
    """
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - until the end
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def _nothing_is_left_to_do() -> bool:
    """Return whether ending here skips nothing: all is flushed, no thread and no exit handler."""
    threading = sys.modules.get("threading")
    if atexit._ncallbacks() or (threading is not None and threading.active_count() > 1):
        return False
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return False
    return True


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help"):
        return _help([])
    if words[0] == "help":
        return _help([word for word in words[1:] if not word.startswith("-")])
    if words[0] in ("-V", "--version"):
        words[0] = "version"
    name = words[0]
    command = COMMANDS.get(name)
    if command is None:
        return _unknown(name)
    module = command.load()
    plain = getattr(module, "plain_arguments", None)
    args = plain(name, words[1:]) if plain is not None else None
    status: int = module.run(args or _parse(name, command, module, words[1:]))
    return status


def _parse(
    name: str, command: LazyCommand, module: ModuleType, words: Sequence[str]
) -> argparse.Namespace:
    from skilllite.cli.parser import Parser

    parser = Parser(
        prog=f"skilllite {name}",
        description=command.help,
        epilog=f"example:\n  {command.example}",
    )
    parser.set_defaults(command=name)
    module.add_arguments(parser)
    args: argparse.Namespace = parser.parse_args(words)
    return args


def _help(words: list[str]) -> int:
    if words:
        return _dispatch([*words, "--help"])
    width = max(map(len, COMMANDS))
    lines = [
        "SkillLite: a team of nodes that run skills in a sandbox",
        "",
        "usage: skilllite COMMAND [ARGUMENTS]",
        "",
        *(f"  {name.ljust(width)}  {command.help}" for name, command in COMMANDS.items()),
        "",
        "`skilllite COMMAND --help` explains one. Try: skilllite quickstart",
        "SKILLLITE_HOME=DIR keeps everything a node owns in DIR.",
    ]
    output.write_result("\n".join(lines) + "\n")
    return errors.OK


def _unknown(name: str) -> int:
    if name in PLANNED:
        output.print_error(
            f"`{name}` is planned but not part of this version",
            hint="`skilllite --help` lists what is there",
        )
        return errors.USAGE
    from difflib import get_close_matches

    near = get_close_matches(name, COMMANDS, n=1)
    output.print_error(
        f"there is no command `{name}`",
        hint=f"did you mean `skilllite {near[0]}`?"
        if near
        else "`skilllite --help` lists the commands",
    )
    return errors.USAGE


def _report(error: BaseException, words: Sequence[str]) -> int:
    """Print any error; one nobody foresaw is a bug and says so."""
    if os.environ.get(DEBUG_VARIABLE):
        import traceback

        traceback.print_exception(error)
    if errors.code_of(error) is not None:
        program = " ".join(("skilllite", *(word for word in words[:1] if word in COMMANDS)))
        output.report(error, otherwise=f"see `{program} --help`")
    elif isinstance(error, OSError):
        output.report(_of_the_system(error))
    else:
        output.print_error(
            f"this is a bug in skilllite: {type(error).__name__}",
            cause=str(error) or None,
            hint=f"{DEBUG_VARIABLE}=1 shows where it happened; please report it",
        )
    return errors.exit_code_of(error)


def _of_the_system(error: OSError) -> errors.SkillLiteError:
    """Return what the operating system refused, with the remedy where the refusal tells it."""
    import errno

    if isinstance(error, FileNotFoundError) and not _working_directory_is_there():
        return errors.SkillLiteError(
            "the current directory does not exist any more", hint="cd to one that does"
        )
    hints = {
        errno.ENOSPC: "make room on the disk; `skilllite info` shows what lies where",
        errno.EDQUOT: "make room: your quota on that disk is used up",
        errno.EROFS: "that disk is mounted read-only: remount it, or set SKILLLITE_HOME to another",
        errno.EACCES: "let this user use it, or run the command as the user who may",
        errno.EMFILE: "raise the limit of open files: `ulimit -n`",
        errno.ENAMETOOLONG: "use a shorter name",
    }
    otherwise = "check that the file exists, that you may use it and that the disk has room"
    return errors.SkillLiteError(
        error.strerror or str(error),
        cause=str(error.filename) if error.filename else None,
        hint=hints.get(error.errno or 0, otherwise),
    )


def _working_directory_is_there() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 - this module does without pathlib
    except OSError:
        return False
    return True


def _reader_left() -> int:
    """Leave quietly when the reader of stdout is gone, as `| head` does."""
    # The interpreter flushes stdout once more at exit and would complain: give it somewhere to go.
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    os.close(devnull)
    return errors.OK


def _status_of(leaving: SystemExit) -> int:
    code = leaving.code
    if code is None:
        return errors.OK
    return code if isinstance(code, int) else errors.FAILED
