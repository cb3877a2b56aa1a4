"""`run` and `exec` in the command's own process: from the arguments to the exit status.

The process that will hold the skill is started before anything else, the rest of the sandbox
included: it takes as long to get ready as this one takes to find out what to run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress

from skilllite_sandbox.backend.launch import Launcher
from skilllite_sandbox.errors import InvalidInput, SandboxError
from skilllite_sandbox.host import read_host
from skilllite_sandbox.run_arguments import GivenInput
from skilllite_sandbox.run_output import (
    NEEDS_CONFIRMATION,
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
    from typing import Any

    from skilllite_sandbox.audit.run_record import RunRecord
    from skilllite_sandbox.carriers import Job
    from skilllite_sandbox.environment.store import Environments
    from skilllite_sandbox.gate.gate import Gate
    from skilllite_sandbox.gate.request import Answer, ConsentRequest
    from skilllite_sandbox.integrity.guard import Guard
    from skilllite_sandbox.outcome import Outcome
    from skilllite_sandbox.run_request import RunRequest
    from skilllite_sandbox.sandbox import Sandbox
    from skilllite_sandbox.stage import Stage

_DIRECT = 1


class Place:
    """Where a skill is, and where copies and packages are kept."""

    __slots__ = ("directory", "environments", "gate", "guard", "stage")

    def __init__(
        self,
        directory: str,
        stage: Stage | None = None,
        environments: Callable[[], Environments] | None = None,
        guard: Guard | None = None,
        gate: Callable[[], Gate] | None = None,
    ) -> None:
        """Say where; without a stage copies are temporary, and packages are this user's.

        The guard is for a temporary stage; another has its own. Without a gate a person at the
        terminal is asked for each run that needs it, and nothing is kept.
        """
        self.gate = gate
        self.guard = guard
        self.directory = directory
        self.stage = stage
        self.environments = environments


def run_skill_command(
    args: argparse.Namespace,
    *,
    level: int,
    locate: Callable[[], Place],
    given: GivenInput | None = None,
    record: RunRecord | None = None,
) -> int:
    """Run what the arguments ask for, print it, and return the exit status.

    Args:
        args: Parsed; see `run_arguments`.
        level: The level of the run.
        locate: Finds the skill.
        given: The input, when somebody has asked for it already.
        record: Where the run is written down.

    Raises:
        SandboxError: it could not start; for the caller to print.
    """
    if args.explain:
        return _explain(args, level, locate)
    if args.system:
        raise InvalidInput(
            f"nothing runs on {args.system} from here",
            hint=f"add --explain to see what would stand around the run on {args.system}",
        )
    given = given or GivenInput(args.input)
    with _started_early(level) as launcher:
        from skilllite_sandbox.run_request import request_of

        with record.refusals() if record is not None else nullcontext():
            place = locate()
        request = request_of(args, level)
        try:
            with record.refusals() if record is not None else nullcontext():
                outcome = _run(request, given, place, launcher, record, quiet=args.json)
        except SandboxError as error:
            if args.json and exit_code_of(error) in (REFUSED, NEEDS_CONFIRMATION):
                print_outcome(refusal_facts(error, request))
            raise
    facts = outcome.to_json()
    if args.json:
        print_outcome(facts)
    else:
        has_output = outcome.output is not None
        print_result(facts, has_output=has_output, complaint=outcome.complaint)
    return status_of(facts)


def refusal_facts(error: SandboxError, request: RunRequest) -> dict[str, Any]:
    """Return what is printed for machines of a run that was not allowed to start."""
    facts = refusal(error, request).to_json()
    if exit_code_of(error) == NEEDS_CONFIRMATION:
        facts["report_id"] = getattr(error, "report_id", None)
    return facts


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
    place: Place,
    launcher: Launcher | None,
    record: RunRecord | None,
    *,
    quiet: bool,
) -> Outcome:
    from skilllite_sandbox.run_request import make_job
    from skilllite_sandbox.sandbox import encode_input

    input_bytes = encode_input(given.read(), request.limits)
    # One run and no more: nothing would use what a pool or a longer start prepares.
    with _open(place, launcher) as sandbox:
        job, notes = make_job(
            request,
            input_bytes,
            place.directory,
            sandbox.stage,
            granted=sandbox.granted,
            environ=os.environ,
        )
        for each in notes:
            note(each)
        job = sandbox.clear(job)
        shows_progress = sys.stderr.isatty() and not quiet
        job = sandbox.with_packages(job, on_progress=note if shows_progress else _say_nothing)
        return sandbox.run_job(job, on_log=None if quiet else note, record=record)


def _say_nothing(_: str) -> None:
    pass


def _open(place: Place, launcher: Launcher | None = None) -> Sandbox:
    """Open a sandbox for one run and no more: nothing would use what a pool prepares."""
    from skilllite_sandbox.sandbox import Sandbox

    return Sandbox(
        stage=place.stage,
        pool=False,
        preload=False,
        launcher=launcher,
        environments=place.environments,
        guard=place.guard,
        gate=place.gate or gate_of_the_terminal,
    )


def gate_of_the_terminal() -> Gate:
    """Return a gate that asks the person at the terminal, if there is one, and keeps nothing."""
    from skilllite_sandbox.gate.gate import Gate

    return Gate(ask=_ask_for_this_run, asked_by="terminal")


def _ask_for_this_run(request: ConsentRequest) -> Answer | None:
    from skilllite_sandbox.gate.terminal import ask_for_this_run

    return ask_for_this_run(request)


def _explain(args: argparse.Namespace, level: int, locate: Callable[[], Place]) -> int:
    """Print the plan of a run; packages are in it once they are installed."""
    from skilllite_sandbox.errors import EnvironmentMissing
    from skilllite_sandbox.run_request import make_job, request_of

    place = locate()
    with _open(place) as sandbox:
        job, notes = make_job(
            request_of(args, level),
            b"{}",
            place.directory,
            sandbox.stage,
            granted=sandbox.granted,
        )
        for each in notes:
            note(each)
        if args.system:
            return _explain_elsewhere(args, job)
        try:
            job = sandbox.with_packages(job, may_install=False)
        except EnvironmentMissing as missing:
            note(f"note: {missing.message}; the first run installs them")
        sandbox.prepare(job)  # which tier it would get is found out by trying
        plan = sandbox.plan(job)
    if args.json:
        print_outcome(plan.to_json())
    else:
        write(plan.describe() + "\n")
    return OK


def _explain_elsewhere(args: argparse.Namespace, job: Job) -> int:
    """Print what would be started on another system, from data that no machine has tried."""
    from skilllite_sandbox.grants import PROXY_PORT
    from skilllite_sandbox.other_systems import UNTESTED, describe_for, usual_skill_directory

    hosts = job.policy.grants.network
    text = describe_for(
        args.system,
        job.policy,
        job.entry,
        usual_skill_directory(args.system, job.staged.skill.name),
        proxy_port=PROXY_PORT if hosts else None,
        allowed_hosts=hosts,
    )
    if args.json:
        print_outcome({"schema": 1, "system": args.system, "label": UNTESTED, "text": text})
    else:
        write(text + "\n")
    return OK
