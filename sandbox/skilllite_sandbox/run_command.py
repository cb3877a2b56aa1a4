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
from skilllite_sandbox.run_arguments import GivenInput
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

    from skilllite_sandbox.outcome import Outcome
    from skilllite_sandbox.run_request import RunRequest
    from skilllite_sandbox.stage import Stage

_DIRECT = 1


def run_skill_command(
    args: argparse.Namespace,
    *,
    level: int,
    locate: Callable[[], tuple[str, Stage | None]],
    given: GivenInput | None = None,
) -> int:
    """Run what the arguments ask for, print it, and return the exit status.

    Args:
        args: Parsed; see `run_arguments`.
        level: The level of the run.
        locate: Returns where the skill is, and the stage unless it is to be a temporary one.
        given: The input, when somebody has asked for it already.

    Raises:
        SandboxError: it could not start; for the caller to print.
    """
    if args.explain:
        return _explain(args, level, locate)
    given = given or GivenInput(args.input)
    with _started_early(level) as launcher:
        from skilllite_sandbox.run_request import request_of

        directory, stage = locate()
        request = request_of(args, level)
        on_log = None if args.json else note
        try:
            outcome = _run(request, given, directory, stage, launcher, on_log)
        except SandboxError as error:
            if args.json and exit_code_of(error) == REFUSED:
                print_outcome(refusal(error, request).to_json())
            raise
    facts = outcome.to_json()
    if args.json:
        print_outcome(facts)
    else:
        has_output = outcome.output is not None
        print_result(facts, has_output=has_output, complaint=outcome.complaint)
    return status_of(facts)


def refusal(error: SandboxError, request: RunRequest) -> Outcome:
    """Return the outcome of a run that was not allowed to start, for machines."""
    from skilllite_sandbox.errors import SandboxUnavailable
    from skilllite_sandbox.outcome import Outcome, Reason
    from skilllite_sandbox.policy import Tier

    unavailable = error.code == SandboxUnavailable.code
    return Outcome(
        output=None,
        text="",
        reason=Reason.UNAVAILABLE if unavailable else Reason.REFUSED,
        exit_code=None,
        signal=None,
        duration_ms=0.0,
        tier=Tier.NONE,
        level=request.level,
        enforced=(),
        violations=(),
        stderr="",
        limits=request.limits,
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


def _run(
    request: RunRequest,
    given: GivenInput,
    directory: str,
    stage: Stage | None,
    launcher: Launcher | None,
    on_log: Callable[[str], None] | None,
) -> Outcome:
    from skilllite_sandbox.policy import Level
    from skilllite_sandbox.run_request import LEVEL_3_NOTE, make_job
    from skilllite_sandbox.sandbox import Sandbox, encode_input

    input_bytes = encode_input(given.read(), request.limits)
    # One run and no more: nothing would use what a pool or a longer start prepares.
    with Sandbox(stage=stage, pool=False, preload=False, launcher=launcher) as sandbox:
        job, notes = make_job(request, input_bytes, directory, sandbox.stage)
        for each in notes:
            note(each)
        if request.level is Level.FULL:
            note(LEVEL_3_NOTE)
        return sandbox.run_job(job, on_log=on_log)


def _explain(
    args: argparse.Namespace, level: int, locate: Callable[[], tuple[str, Stage | None]]
) -> int:
    """Print the plan of a run."""
    from skilllite_sandbox.run_request import make_job, request_of
    from skilllite_sandbox.sandbox import Sandbox

    directory, stage = locate()
    with Sandbox(stage=stage, pool=False, preload=False) as sandbox:
        job, notes = make_job(request_of(args, level), b"{}", directory, sandbox.stage)
        for each in notes:
            note(each)
        plan = sandbox.plan(job)
    if args.json:
        print_outcome(plan.to_json())
    else:
        write(plan.describe() + "\n")
    return OK
