"""Runs the commands of a Bash tool: what the host has read and allowed, and nothing else.

On stdin comes a JSON object, written by the host:

    steps      [[after, [[word, ...], ...]], ...]: pipelines, each after "", "&&", "||" or ";"
    programs   {name: path} of every program in it

There is no shell: words are passed on as they are. The status is that of the last pipeline that
ran, which has the status of its last command, as in a shell.
"""

import json
import os
import sys
from _signal import SIGPIPE, SIGXFSZ

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NOT_EXECUTABLE = 126
NOT_FOUND = 127
_SIGNALLED = 128


def main() -> None:
    """Run all steps, and end with the status."""
    request: dict[str, Any] = json.load(sys.stdin)
    sys.exit(run_steps(request["steps"], request["programs"]))


def run_steps(steps: "list[Any]", programs: "dict[str, str]") -> int:
    """Return the status of the last pipeline that ran."""
    status = 0
    for after, commands in steps:
        if (after == "&&" and status != 0) or (after == "||" and status == 0):
            continue
        status = run_pipeline(commands, programs)
    return status


def run_pipeline(commands: "list[list[str]]", programs: "dict[str, str]") -> int:
    """Run commands side by side, each reading what the one before it writes."""
    reading = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    started = []
    for number, words in enumerate(commands):
        following, writing = -1, 1
        if number + 1 < len(commands):
            following, writing = os.pipe()
        started.append(_start(words, programs, reading, writing))
        os.close(reading)
        if writing != 1:
            os.close(writing)
        reading = following
    return [_wait(each) for each in started][-1]


def _start(
    words: "list[str]", programs: "dict[str, str]", reading: int, writing: int
) -> "tuple[int, int]":
    """Return (pid, 0), or (0, status) when it can't be started."""
    # Python ignores these two signals, and what is ignored stays so.
    try:
        pid = os.posix_spawn(
            programs[words[0]],
            words,
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, reading, 0), (os.POSIX_SPAWN_DUP2, writing, 1)],
            setsigdef=[SIGPIPE, SIGXFSZ],
        )
    except FileNotFoundError:
        return 0, _complain(words[0], "is not here", NOT_FOUND)
    except OSError as error:
        return 0, _complain(words[0], f"can't be executed: {error.strerror}", NOT_EXECUTABLE)
    return pid, 0


def _complain(program: str, why: str, status: int) -> int:
    sys.stderr.write(f"{program} {why}\n")
    sys.stderr.flush()
    return status


def _wait(started: "tuple[int, int]") -> int:
    pid, status = started
    if pid:
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return status if status >= 0 else _SIGNALLED - status


if __name__ == "__main__":
    main()
