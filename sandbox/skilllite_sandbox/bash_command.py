"""`bash`: one command of a Bash-tool skill, from the arguments to the exit status."""

from __future__ import annotations

import os
from contextlib import nullcontext

from skilllite_sandbox.errors import SandboxError
from skilllite_sandbox.run_arguments import add_policy_arguments
from skilllite_sandbox.run_output import (
    NEEDS_CONFIRMATION,
    OK,
    REFUSED,
    exit_code_of,
    note,
    print_error,
    print_outcome,
    status_of,
    write,
)

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from skilllite_sandbox.audit.run_record import RunRecord
    from skilllite_sandbox.bash_tool.request import BashJob
    from skilllite_sandbox.outcome import Outcome
    from skilllite_sandbox.run_command import Place
    from skilllite_sandbox.sandbox import Sandbox

HELP = "run a command that a skill allows by `allowed-tools: Bash(…)`, sandboxed"
EXPLANATION = """\
The skill's SKILL.md says which commands it allows: `Bash(git:*)` allows git with any arguments,
`Bash(git log:*)` what begins with `git log`. A command is made of programs with arguments, joined
by `|`, `&&`, `||` and `;`; no shell sees it, and whatever only a shell could do is refused. Each
program beyond a base list (cat, grep, sed, ...) needs --allow-exec NAME.

Bash(git:*) allows what git itself can run: hooks, aliases, pagers and whatever `-c core.…` names.
That stays in the sandbox too, where only the granted programs can be executed. --explain says what
is known of each program.
"""


def add_bash_arguments(parser: argparse.ArgumentParser, *, skill: str) -> None:
    """Declare the arguments."""
    import argparse

    parser.description = f"{HELP[0].upper()}{HELP[1:]}.\n\n{EXPLANATION}"
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("skill", metavar=skill, help="the skill that allows the command")
    parser.add_argument("text", metavar="COMMAND", help="one word for the shell, so quote it")
    add_policy_arguments(parser)


def run_bash_command(
    args: argparse.Namespace,
    *,
    level: int,
    locate: Callable[[], Place],
    record: RunRecord | None = None,
) -> int:
    """Run the command, print what it printed, and return the exit status.

    Args:
        args: Parsed.
        level: The level of the run.
        locate: Finds the skill.
        record: Where the run is written down.

    Raises:
        SandboxError: it could not start; for the caller to print.
    """
    from skilllite_sandbox.bash_tool.request import make_bash_job
    from skilllite_sandbox.run_command import gate_of_the_terminal, refusal_facts
    from skilllite_sandbox.run_request import request_of
    from skilllite_sandbox.sandbox import Sandbox

    with record.refusals() if record is not None else nullcontext():
        place = locate()
    request = request_of(args, level)
    gate = place.gate or gate_of_the_terminal
    with (
        Sandbox(
            stage=place.stage, pool=False, preload=False, guard=place.guard, gate=gate
        ) as sandbox,
        record.refusals() if record is not None else nullcontext(),
    ):
        try:
            made = make_bash_job(
                request,
                args.text,
                place.directory,
                sandbox.stage,
                granted=sandbox.granted,
                environ=os.environ,
            )
            for each in made.notes:
                note(each)
            if args.explain:
                return _explain(made, sandbox, as_json=args.json)
            outcome = _run(made, sandbox, record, quiet=args.json)
        except SandboxError as error:
            refused = exit_code_of(error) in (REFUSED, NEEDS_CONFIRMATION)
            if args.json and not args.explain and refused:
                print_outcome(refusal_facts(error, request))
            raise
    return _print(outcome, as_json=args.json)


def _run(made: BashJob, sandbox: Sandbox, record: RunRecord | None, *, quiet: bool) -> Outcome:
    from skilllite_sandbox.bash_tool.request import outcome_of_commands

    job = sandbox.clear(made.job)
    on_log = None if quiet else note
    return outcome_of_commands(sandbox.run_job(job, on_log=on_log, record=record))


def _print(outcome: Outcome, *, as_json: bool) -> int:
    facts = outcome.to_json()
    if as_json:
        print_outcome(facts)
    else:
        write(outcome.text)
        if not outcome.ok:
            hint = "what the command wrote about it stands above"
            print_error(SandboxError(outcome.message, hint=hint))
    return status_of(facts)


def _explain(made: BashJob, sandbox: Sandbox, *, as_json: bool) -> int:
    """Print what would be executed, and what would stand around it."""
    from skilllite_sandbox.program_powers import warning_about

    plan = sandbox.plan(made.job)
    commands = made.command.simple_commands
    if as_json:
        warnings = {name: warning_about(name) for name in made.command.programs}
        steps = [[step.after, step.commands] for step in made.command.steps]
        print_outcome({"schema": 1, "steps": steps, "warnings": warnings, "plan": plan.to_json()})
        return OK
    write("".join(f"command {' '.join(map(repr, words))}\n" for words in commands))
    write("".join(f"warning {warning_about(name)}\n" for name in made.command.programs))
    write(plan.describe() + "\n")
    return OK
