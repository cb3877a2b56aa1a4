"""The entrance of the Python engine: files in, acts and flows out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from skilllite_sandbox.scan.acts import Analysis
from skilllite_sandbox.scan.record import Budget, OutOfBounds, Record
from skilllite_sandbox.scan.source import Language, SourceFile, make_source

STEPS_MAX = 150_000  # statements and expressions of one skill: a large one has ten thousand
TIME_S_MAX = 1.5  # of one skill; what is left is reported as not looked at
FILE_CHARS_MAX = 1_000_000  # of one file; a module of people has some ten thousand


def analyse_python(sources: Sequence[SourceFile], seconds: float = TIME_S_MAX) -> Analysis:
    """Say what the Python files among these do, within these seconds."""
    scripts = [source for source in sources if source.language is Language.PYTHON]
    if not scripts:
        return Analysis()
    record = Record()
    _follow(record, scripts, sources, seconds)
    return record.analysis()


def analyse_python_text(
    text: str,
    file: str,
    first_line: int = 1,
    sources: Sequence[SourceFile] = (),
    seconds: float = TIME_S_MAX,
) -> Analysis:
    """Say what a piece of Python does that stands in another file.

    Args:
        text: The code.
        file: Where it stands.
        first_line: The line of that file where it starts.
        sources: The files of the skill, for code that reads them.
        seconds: That it may take.
    """
    record = Record()
    padded = "\n" * (first_line - 1) + text
    script = make_source(file, padded.encode("utf-8", "replace"))
    others = [source for source in sources if source.path != file]
    _follow(record, [script], [*others, script], seconds)
    return record.analysis()


def _follow(
    record: Record,
    scripts: Sequence[SourceFile],
    sources: Sequence[SourceFile],
    seconds: float = TIME_S_MAX,
) -> None:
    from skilllite_sandbox.scan.python import hosts
    from skilllite_sandbox.scan.python.interpreter import Interpreter

    budget = Budget(STEPS_MAX, min(TIME_S_MAX, seconds))
    run = Interpreter(record, budget, {source.path: source for source in sources}, hosts)
    steps: list[Callable[[], object]] = [
        partial(run.run_module, script) for script in _followed(record, scripts)
    ]
    for step in (*steps, run.follow_uncalled):
        try:
            step()
        except OutOfBounds:
            record.hide(run.file, 0, "it took too long to follow what it does")
            return  # there is nothing left for the others either
        except Exception as error:  # one file that is stumbled over doesn't hide the others
            record.hide(run.file, 0, f"the scanner stumbled over it: {type(error).__name__}")


def _followed(record: Record, scripts: Sequence[SourceFile]) -> Iterator[SourceFile]:
    """Yield the scripts that aren't too long, the entry points first."""
    for script in sorted(scripts, key=_entry_first):
        if len(script.text) > FILE_CHARS_MAX:
            record.hide(script.path, 0, "a script that is too long to be followed")
        else:
            yield script


def _entry_first(source: SourceFile) -> tuple[bool, str]:
    return (not source.path.rpartition("/")[2].startswith("main."), source.path)
