"""One command of a Bash-tool skill: what is asked for, and the job that comes of it.

The skill says which commands are allowed, a person which programs: those of the base list are
everybody's, each other one has to be granted. Both are checked before anything is started, and the
sandbox then lets nothing but these programs be executed.
"""

from __future__ import annotations

import json
import os

from skilllite_sandbox.bash_tool.command import Command, parse_command
from skilllite_sandbox.bash_tool.patterns import Pattern, check_allowed, read_patterns
from skilllite_sandbox.carriers import Job
from skilllite_sandbox.entry import EntryPoint, Language
from skilllite_sandbox.errors import ConsentRequired, InvalidSkill
from skilllite_sandbox.exec_grants import BIN, PROGRAM_DIRECTORIES
from skilllite_sandbox.grants import effective_grants, united
from skilllite_sandbox.host import find_program
from skilllite_sandbox.outcome import Outcome, Reason
from skilllite_sandbox.plan import BASH_PROGRAMS
from skilllite_sandbox.policy import Grants, Level, Policy
from skilllite_sandbox.program_powers import warning_about
from skilllite_sandbox.run_request import RunRequest, nothing, values_of
from skilllite_sandbox.values import dataclass, replace

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from skilllite_sandbox.run_request import Granted
    from skilllite_sandbox.stage import Stage

BASE_PROGRAMS = frozenset({*BASH_PROGRAMS, "awk"})
"""What needs no grant; some of it can start programs, but only the granted ones."""


@dataclass(frozen=True, slots=True)
class BashJob:
    """A command that may run, as a job of the sandbox."""

    job: Job
    command: Command
    notes: tuple[str, ...]
    """What the skill asks for and doesn't get, for a person."""


def make_bash_job(
    request: RunRequest,
    text: str,
    directory: str | Path,
    stage: Stage,
    *,
    granted: Granted = nothing,
    environ: Mapping[str, str] | None = None,
) -> BashJob:
    """Stage the skill, and check the command against it and against what is granted.

    Raises:
        PolicyDenied: the command is not understood, or the skill doesn't allow it.
        ConsentRequired: a program in it needs a person's grant.
        InvalidSkill: the skill allows no commands at all.
        InvalidInput: a grant can't be read.
        NotFound: there is no such skill.
    """
    staged = stage.put(directory)
    name, requests = staged.skill.name, staged.skill.requests
    patterns, clauses = read_patterns(requests.bash_tools)
    if not patterns:
        raise InvalidSkill(
            f"{name} allows no commands",
            cause="; ".join(clauses) or "its SKILL.md has no `allowed-tools: Bash(…)`",
            hint="`allowed-tools: Bash(git:*)` allows git with any arguments",
        )
    command = parse_command(text)
    check_allowed(command, patterns)
    kept = granted(staged, os.fspath(directory))
    allowed = frozenset((*request.exec, *request.standing_exec, *kept.exec))
    check_granted(command, allowed)
    wanted = dict.fromkeys((*requests.exec, *_named(patterns, allowed)))
    asked = replace(requests, exec=tuple(wanted))
    standing = tuple(each for each in request.standing_exec if each in asked.exec)
    given = Grants(network=request.network, exec=(*request.exec, *standing), env=request.env)
    grants, ineffective = effective_grants(asked, given)
    grants = united(grants, effective_grants(asked, kept)[0])
    if environ is None:
        grants = replace(grants, env=())
    base = _base_programs(patterns, command)
    programs = tuple(dict.fromkeys((*command.programs, *base, *grants.exec)))
    policy = Policy(
        request.level,
        request.limits,
        grants=replace(grants, exec=programs),
        accept_tier=request.accept_tier,
    )
    job = Job(
        staged,
        EntryPoint("", Language.PYTHON, name),
        _input(command, request.level),
        policy,
        runs_commands=True,
        variables=values_of(grants, environ),
    )
    return BashJob(job, command, tuple(f"{name}: {each}" for each in (*clauses, *ineffective)))


def check_granted(command: Command, allowed: frozenset[str]) -> None:
    """Refuse a command with a program that nobody has granted.

    Raises:
        ConsentRequired: there is one.
    """
    for program in command.programs:
        if program not in BASE_PROGRAMS and program not in allowed:
            raise ConsentRequired(
                f"{program} is not granted",
                cause=warning_about(program),
                hint=f"--allow-exec {program} grants it for this run",
            )


def _named(patterns: tuple[Pattern, ...], allowed: frozenset[str]) -> tuple[str, ...]:
    """Return the programs that the patterns ask for; `*` asks for whatever a person allows."""
    if any(pattern.program is None for pattern in patterns):
        return tuple(sorted(allowed))
    return tuple(pattern.program for pattern in patterns if pattern.program)


def _base_programs(patterns: tuple[Pattern, ...], command: Command) -> tuple[str, ...]:
    """Return those of the base list that patterns name and this host has.

    For the sake of the zygote all of a skill's, not just the command's: one serves every command.
    """
    named = {pattern.program for pattern in patterns}
    wanted = BASE_PROGRAMS if None in named else BASE_PROGRAMS & named
    return tuple(
        program
        for program in sorted(wanted)
        if program in command.programs or find_program(program, PROGRAM_DIRECTORIES)
    )


def _input(command: Command, level: Level) -> bytes:
    """Return what `guest/run_commands.py` reads."""
    places = {program: f"{BIN}/{program}" for program in command.programs}
    if level is Level.DIRECT:  # no mount shows them there
        found = {program: find_program(program, PROGRAM_DIRECTORIES) for program in places}
        places |= {program: path for program, path in found.items() if path}
    steps = [[step.after, step.commands] for step in command.steps]
    return json.dumps({"steps": steps, "programs": places}).encode("ascii")


def outcome_of_commands(outcome: Outcome) -> Outcome:
    """Return the outcome of commands: their text is the result, whatever it looks like."""
    if not outcome.ok:
        return replace(outcome, output=None)
    return replace(outcome, output=None, reason=Reason.OK, message="")
