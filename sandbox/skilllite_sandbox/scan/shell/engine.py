"""The engine for shell scripts: which files it reads, and within which bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from skilllite_sandbox.scan.acts import Analysis
from skilllite_sandbox.scan.record import Budget, OutOfBounds, Record
from skilllite_sandbox.scan.source import Language, SourceFile
from skilllite_sandbox.scan.taint import EMPTY, LOADED_BY_READERS, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.shell.machine import Shell
    from skilllite_sandbox.scan.shell.nodes import Node

STEPS_MAX = 40_000  # statements and commands of one skill; a long script has some hundred
TIME_S_MAX = 0.7  # for all scripts of one skill, on a slow machine
FILE_CHARS_MAX = 524_288  # of one script; a longer one carries data
PASSES_MAX = 2  # over a script that reads what it writes later, through a named pipe


def analyse_shell(sources: Sequence[SourceFile], seconds: float = TIME_S_MAX) -> Analysis:
    """Say what the shell scripts among these files do, within these seconds."""
    scripts = [source for source in sources if source.language is Language.SHELL]
    if not scripts:
        return Analysis()
    record = Record()
    budget = Budget(STEPS_MAX, min(TIME_S_MAX, seconds))
    skill = {source.path: source for source in sources}
    files: dict[str, Text] = {}
    for _ in range(PASSES_MAX if len(scripts) > 1 else 1):
        before = len(files)
        for script in scripts:
            _analyse(record, budget, script.text, script.path, 1, skill, files)
        if not any(content.taints for content in files.values()) or len(files) == before:
            break
    return record.analysis()


def analyse_shell_text(
    text: str,
    file: str,
    first_line: int = 1,
    sources: Sequence[SourceFile] = (),
    seconds: float = TIME_S_MAX,
) -> Analysis:
    """Say what a piece of shell does that stands in another file.

    Args:
        text: The commands.
        file: Where they stand.
        first_line: The line of that file where they start.
        sources: The files of the skill, for commands that read them.
        seconds: That it may take.
    """
    record = Record()
    skill = {source.path: source for source in sources}
    budget = Budget(STEPS_MAX, min(TIME_S_MAX, seconds))
    _analyse(record, budget, text, file, first_line, skill, {})
    return record.analysis()


def follow_command(
    record: Record,
    budget: Budget,
    command: Text,
    file: str,
    line: int,
    skill: Mapping[str, SourceFile],
    files: dict[str, Text],
) -> Text:
    """Follow a command line of a script in another language, and return what it prints.

    Args:
        record: Where to write down what it does.
        budget: What is left for the script.
        command: The command line.
        file: The script.
        line: Where in the script.
        skill: The files of the skill.
        files: What was written so far; what the command writes is added.
    """
    from skilllite_sandbox.scan.shell import syntax
    from skilllite_sandbox.scan.shell.machine import Shell

    shell = Shell(record, budget, file, skill)
    shell.line_fixed = line
    shell.files = files
    return shell.run_text(command, syntax.parse(""))


def follow_words(
    record: Record,
    budget: Budget,
    words: list[Text],
    file: str,
    line: int,
    skill: Mapping[str, SourceFile],
    files: dict[str, Text],
) -> Text:
    """Follow a program that is started with these words; see `follow_command`."""
    from skilllite_sandbox.scan.shell import syntax
    from skilllite_sandbox.scan.shell.call import invoke
    from skilllite_sandbox.scan.shell.machine import Shell

    shell = Shell(record, budget, file, skill)
    shell.line_fixed = line
    shell.files = files
    return invoke(shell, syntax.parse(""), words, EMPTY)


def _analyse(
    record: Record,
    budget: Budget,
    text: str,
    file: str,
    first_line: int,
    skill: Mapping[str, SourceFile],
    files: dict[str, Text],
) -> None:
    # Both import the grammar, which only a skill with a script has to pay for.
    from skilllite_sandbox.scan.shell import syntax
    from skilllite_sandbox.scan.shell.machine import Shell

    if len(text) > FILE_CHARS_MAX:
        record.hide(file, 0, "a script that is too long to be followed")
        text = text[:FILE_CHARS_MAX]
    try:
        root = syntax.parse(text, seconds=budget.seconds_left())
    except OutOfBounds:
        record.hide(file, first_line, "it took too long to parse")
        return
    if root.has_error and syntax.covered_by_errors(root):
        record.hide(file, first_line, "the shell grammar can't read it")
    shell = Shell(record, budget, file, skill)
    shell.line_base = first_line
    shell.files = files
    try:
        _follow(shell, root)
    except OutOfBounds:
        record.hide(file, 0, "it took too long to follow what it does")
    except Exception as error:  # one script that is stumbled over doesn't hide the others
        record.hide(file, 0, f"the scanner stumbled over it: {type(error).__name__}")


def _follow(shell: Shell, root: Node) -> None:
    from skilllite_sandbox.scan.acts import Sink

    for _ in range(PASSES_MAX):
        printed = shell.run(root, EMPTY)
        shell.flow(printed, Sink.OUTPUT, root, "its output")
        if LOADED_BY_READERS.search(printed.text):
            shell.flow(printed, Sink.SEND, root, "an image in its output")
        for name in list(shell.functions):
            if name not in shell.called:
                shell.call_function(name, [], shell.functions[name], EMPTY)
        if not shell.fifos:
            return
