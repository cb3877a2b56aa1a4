"""The engine for JavaScript and TypeScript: which files it reads, and within which bounds."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from skilllite_sandbox.scan.acts import Analysis
from skilllite_sandbox.scan.clock import Clock
from skilllite_sandbox.scan.record import Budget, OutOfBounds, Record
from skilllite_sandbox.scan.source import Language, SourceFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.javascript.interpreter import Interpreter

STEPS_MAX = 300_000  # nodes that are followed in one skill; a script of a hundred lines needs 5,000
TIME_S_MAX = 1.0  # for all scripts of one skill, on a slow machine
FILE_CHARS_MAX = 524_288  # of one script; a longer one is a bundle that nobody reads
_HOOKS = frozenset(
    (
        *("preinstall", "install", "postinstall", "prepare", "prepublish", "preuninstall"),
        *("postuninstall", "uninstall", "preprepare", "postprepare", "prepublishOnly"),
    )
)
_OBFUSCATED_NAME = re.compile(r"\b_0x[0-9a-f]{3,}\b")
OBFUSCATED_NAMES_MIN = 12  # names as an obfuscator makes them: nobody writes a dozen by hand
_FAMILIES = (Language.JAVASCRIPT, Language.TYPESCRIPT)


def analyse_javascript(sources: Sequence[SourceFile], seconds: float = TIME_S_MAX) -> Analysis:
    """Say what the scripts among these files do, and what npm would run of them.

    Args:
        sources: The files of the skill.
        seconds: That it may take.
    """
    clock = Clock(min(TIME_S_MAX, seconds))
    scripts = [source for source in sources if source.language in _FAMILIES]
    packages = [source for source in sources if source.path.rpartition("/")[2] == "package.json"]
    if not scripts and not packages:
        return Analysis()
    record = Record()
    for package in packages:
        if clock.is_over():
            record.hide(package.path, 0, "it took too long to follow what it does")
            break
        _follow_hooks(record, package, sources, clock)
    if scripts:
        _analyse(record, scripts, sources, clock.left())
    return record.analysis()


def analyse_javascript_text(
    text: str,
    file: str,
    first_line: int = 1,
    sources: Sequence[SourceFile] = (),
    seconds: float = TIME_S_MAX,
) -> Analysis:
    """Say what a piece of JavaScript does that stands in another file.

    Args:
        text: The code.
        file: Where it stands.
        first_line: The line of that file where it starts.
        sources: The files of the skill, for code that reads them.
        seconds: That it may take.
    """
    from skilllite_sandbox.scan.javascript.interpreter import Interpreter
    from skilllite_sandbox.scan.javascript.modules_seen import Module

    record = Record()
    budget = Budget(STEPS_MAX, min(TIME_S_MAX, seconds))
    run = Interpreter(record, budget, {source.path: source for source in sources})
    run.module, run.line_first = Module(file), first_line
    _note_obfuscation(record, text, file)

    def follow() -> None:
        run.run_source(text[:FILE_CHARS_MAX], "javascript", run.module.scope)

    _bounded(run, follow)
    return record.analysis()


def _analyse(
    record: Record, scripts: list[SourceFile], sources: Sequence[SourceFile], seconds: float
) -> None:
    # Imports the grammars, which only a skill with a script has to pay for.
    from skilllite_sandbox.scan.javascript.interpreter import Interpreter

    run = Interpreter(record, Budget(STEPS_MAX, seconds), {each.path: each for each in sources})
    for script in scripts:
        if run.budget.seconds_left() < 0:
            record.hide(script.path, 0, "it took too long to follow what it does")
            return
        _note_obfuscation(record, script.text, script.path)
        if len(script.text) > FILE_CHARS_MAX:
            record.hide(script.path, 0, "a script that is too long to be followed")
            continue
        _bounded(run, lambda script=script: run.run_module(script))


def _bounded(run: Interpreter, follow: object) -> None:
    """Follow something, and write down when it takes too much."""
    from skilllite_sandbox.scan.javascript.unreached import finish

    assert callable(follow)
    try:
        follow()
        finish(run)
    except OutOfBounds:
        run.record.hide(run.file, 0, "it took too long to follow what it does")
    except RecursionError:
        run.record.hide(run.file, 0, "nested too deeply")
    except Exception as error:  # one script that is stumbled over doesn't hide the others
        run.record.hide(run.file, 0, f"the scanner stumbled over it: {type(error).__name__}")


def _note_obfuscation(record: Record, text: str, file: str) -> None:
    """Write down a script that a tool has made unreadable on purpose."""
    names = set(_OBFUSCATED_NAME.findall(text))
    if len(names) >= OBFUSCATED_NAMES_MIN:
        record.hide(file, 1, "an obfuscator has made it unreadable")
    elif text and len(text) > 200 and sum(map(text.count, "[]()!+")) > len(text) * 0.9:
        record.hide(file, 1, "it is written without letters")


def _follow_hooks(
    record: Record, package: SourceFile, sources: Sequence[SourceFile], clock: Clock
) -> None:
    """Follow the commands that npm runs when it installs the skill."""
    from skilllite_sandbox.scan.shell import analyse_shell_text

    try:
        scripts = json.loads(package.text).get("scripts", {})
        commands = [(key, value) for key, value in scripts.items() if isinstance(value, str)]
    except (ValueError, AttributeError, RecursionError):
        return
    for key, command in commands:
        if key in _HOOKS:
            line = package.text[: max(package.text.find(f'"{key}"'), 0)].count("\n") + 1
            record.add(analyse_shell_text(command, package.path, line, sources, clock.left()))
