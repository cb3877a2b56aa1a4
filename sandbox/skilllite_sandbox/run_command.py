"""`run` and `exec` in the command's own process: from the arguments to the exit status.

The process that will hold the skill is started before anything else, the rest of the sandbox
included: it takes as long to get ready as this one takes to find out what to run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from skilllite_sandbox.backend.launch import Launcher
from skilllite_sandbox.errors import SandboxError
from skilllite_sandbox.host import read_host
from skilllite_sandbox.run_arguments import read_input
from skilllite_sandbox.run_output import (
    OK,
    REFUSED,
    exit_code_of,
    note,
    print_outcome,
    print_result,
    status_of,
    write,
)

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

    from skilllite_sandbox.outcome import Outcome
    from skilllite_sandbox.policy import Limits
    from skilllite_sandbox.run_request import RunRequest
    from skilllite_sandbox.stage import Stage

_DIRECT = 1


def run_skill_command(
    args: argparse.Namespace,
    *,
    level: int,
    locate: Callable[[], tuple[Path, Stage | None]],
) -> int:
    """Run what the arguments ask for, print it, and return the exit status.

    Args:
        args: Parsed; see `run_arguments`.
        level: The level of the run.
        locate: Returns where the skill is, and the stage unless it is to be a temporary one.

    Raises:
        SandboxError: it could not start; for the caller to print.
    """
    if args.explain:
        return _explain(args, level, locate)
    with _started_early(level) as launcher:
        from skilllite_sandbox.run_request import limits_for

        directory, stage = locate()
        limits = limits_for(args.timeout, args.max_memory)
        try:
            outcome = _run(args, directory, stage, level, limits, launcher)
        except SandboxError as error:
            if args.json and exit_code_of(error) == REFUSED:
                print_outcome(refusal(error, level, limits).to_json())
            raise
    facts = outcome.to_json()
    if args.json:
        print_outcome(facts)
    else:
        has_output = outcome.output is not None
        print_result(facts, has_output=has_output, complaint=outcome.complaint)
    return status_of(facts)


def refusal(error: SandboxError, level: int, limits: Limits) -> Outcome:
    """Return the outcome of a run that was not allowed to start, for machines."""
    from skilllite_sandbox.errors import SandboxUnavailable
    from skilllite_sandbox.outcome import Outcome, Reason
    from skilllite_sandbox.policy import Level, Tier

    unavailable = error.code == SandboxUnavailable.code
    return Outcome(
        output=None,
        text="",
        reason=Reason.UNAVAILABLE if unavailable else Reason.REFUSED,
        exit_code=None,
        signal=None,
        duration_ms=0.0,
        tier=Tier.NONE,
        level=Level(level),
        enforced=(),
        violations=(),
        stderr="",
        limits=limits,
        message=error.message,
    )


@contextmanager
def _started_early(level: int) -> Iterator[Launcher | None]:
    """Start the process that becomes a zygote; None when there can be none, which shows later."""
    python = read_host().python
    launcher = None
    if level != _DIRECT and python is not None:
        with suppress(OSError):
            launcher = Launcher(python.path)
    try:
        yield launcher
    finally:
        if launcher is not None:
            launcher.close()


def _request(args: argparse.Namespace, input_text: str, level: int, limits: Limits) -> RunRequest:
    from skilllite_sandbox.policy import Level
    from skilllite_sandbox.run_request import RunRequest

    return RunRequest(
        input_text=input_text,
        level=Level(level),
        script=getattr(args, "script", None),
        limits=limits,
        network=tuple(args.allow_network or ()),
    )


def _run(
    args: argparse.Namespace,
    directory: Path,
    stage: Stage | None,
    level: int,
    limits: Limits,
    launcher: Launcher | None,
) -> Outcome:
    from skilllite_sandbox.policy import Level
    from skilllite_sandbox.run_request import LEVEL_3_NOTE, input_of, make_job
    from skilllite_sandbox.sandbox import Sandbox

    input_text = read_input(args.input, bytes_max=limits.input_bytes)
    request = _request(args, input_text, level, limits)
    input_bytes = input_of(request)
    # One run and no more: nothing would use what a pool or a longer start prepares.
    with Sandbox(
        level, limits=limits, stage=stage, pool=False, preload=False, launcher=launcher
    ) as sandbox:
        job, notes = make_job(request, input_bytes, directory, sandbox.stage)
        for each in notes:
            note(each)
        if request.level is Level.FULL:
            note(LEVEL_3_NOTE)
        return sandbox.run_job(job, on_log=None if args.json else note)


def _explain(
    args: argparse.Namespace, level: int, locate: Callable[[], tuple[Path, Stage | None]]
) -> int:
    """Print the plan of a run."""
    from skilllite_sandbox.run_request import limits_for, make_job
    from skilllite_sandbox.sandbox import Sandbox

    directory, stage = locate()
    limits = limits_for(args.timeout, args.max_memory)
    request = _request(args, "{}", level, limits)
    with Sandbox(level, limits=limits, stage=stage, pool=False, preload=False) as sandbox:
        job, notes = make_job(request, b"{}", directory, sandbox.stage)
        for each in notes:
            note(each)
        plan = sandbox.plan(job)
    if args.json:
        print_outcome(plan.to_json())
    else:
        write(plan.describe() + "\n")
    return OK
