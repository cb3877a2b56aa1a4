"""What somebody asks for when they run a skill by hand, and the job that comes of it.

The same for a run in the command's own process and for one that it leaves to a running node.
"""

from __future__ import annotations

import os

from skilllite_sandbox.capabilities import missing_clauses
from skilllite_sandbox.carriers import Job
from skilllite_sandbox.errors import InvalidInput
from skilllite_sandbox.grants import effective_grants, united
from skilllite_sandbox.policy import (
    DEFAULT_LIMITS,
    KIB,
    MIB,
    NOTHING_GRANTED,
    WEAKEST_TIER,
    Grants,
    Level,
    Limits,
    Policy,
    Tier,
)
from skilllite_sandbox.sandbox import entry_of
from skilllite_sandbox.values import dataclass, replace

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import TypeAlias

    from skilllite_sandbox.stage import Stage, StagedSkill

    Granted: TypeAlias = Callable[[StagedSkill, str], Grants]


def nothing(_: StagedSkill, __: str) -> Grants:
    """Stand for a place where nobody has granted anything."""
    return NOTHING_GRANTED


VARIABLES_BYTES_MAX = 32 * KIB  # of values: escaped they have to fit into the message of a job


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One run, as a person asks for it."""

    level: Level
    script: str | None = None
    """One of the skill's scripts; its entry point when it is None."""
    limits: Limits = DEFAULT_LIMITS
    network: tuple[str, ...] = ()
    """Hosts that it may reach, of those that it asks for."""
    exec: tuple[str, ...] = ()
    """Programs that it may execute, of those that it asks for."""
    standing_exec: tuple[str, ...] = ()
    """The same by the user's configuration: for every skill that asks."""
    accept_tier: Tier = WEAKEST_TIER
    """The weakest tier that the person accepts."""
    env: tuple[str, ...] = ()
    """Environment variables that it may read, of those that it asks for."""


def values_of(grants: Grants, environ: Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
    """Return the granted variables that are set.

    Raises:
        InvalidInput: they are too large.
    """
    values = environ or {}
    found = tuple((name, values[name]) for name in grants.env if name in values)
    if sum(len(os.fsencode(value)) for _, value in found) > VARIABLES_BYTES_MAX:
        raise InvalidInput(
            f"the granted variables exceed {VARIABLES_BYTES_MAX // KIB} KiB",
            hint="large data belongs into the input of a skill",
        )
    return found


def request_of(args: argparse.Namespace, level: int) -> RunRequest:
    """Return what the arguments ask for; see `run_arguments`."""
    return RunRequest(
        level=Level(level),
        script=getattr(args, "script", None),
        limits=limits_for(args.timeout, args.max_memory),
        network=tuple(args.allow_network or ()),
        exec=tuple(args.allow_exec or ()),
        env=tuple(args.allow_env or ()),
        standing_exec=tuple(getattr(args, "standing_exec", ())),
        accept_tier=Tier(args.accept_tier) if args.accept_tier else WEAKEST_TIER,
    )


def limits_for(timeout_s: float | None, memory_mb: int | None) -> Limits:
    """Return the default limits with what a person has set."""
    limits = DEFAULT_LIMITS
    if timeout_s is not None:
        limits = replace(limits, wall_s=timeout_s, cpu_s=max(limits.cpu_s, int(timeout_s)))
    if memory_mb is not None:
        limits = replace(limits, memory_bytes=memory_mb * MIB)
    return limits


def make_job(
    request: RunRequest,
    input_bytes: bytes,
    directory: str | Path,
    stage: Stage,
    *,
    granted: Granted = nothing,
    environ: Mapping[str, str] | None = None,
) -> tuple[Job, tuple[str, ...]]:
    """Stage the skill; return the job, and what it asks for and doesn't get.

    Args:
        request: What is asked for.
        input_bytes: Its input.
        directory: The skill.
        stage: Where the copy goes.
        granted: Gives what a person has granted a content before, see `Gate.granted`.
        environ: Where the values of granted variables come from; without one it gets none.

    Raises:
        InvalidInput: a grant can't be read.
        InvalidSkill: the skill can't be run.
        NotFound: there is no such skill, or no such script in it.
        SandboxUnavailable: the stage can't be written.
    """
    staged = stage.put(directory)
    entry = entry_of(staged, request.script)
    requests = staged.skill.requests
    standing = tuple(name for name in request.standing_exec if name in requests.exec)
    given = Grants(network=request.network, exec=(*request.exec, *standing), env=request.env)
    grants, ineffective = effective_grants(requests, given)
    kept, _ = effective_grants(requests, granted(staged, os.fspath(directory)))
    grants = united(grants, kept)
    if environ is None:
        grants = replace(grants, env=())
    languages = frozenset(tool.language for tool in staged.skill.tools)
    clauses = (*missing_clauses(requests, languages, grants), *ineffective)
    notes = tuple(f"{staged.skill.name}: {clause}" for clause in clauses)
    policy = Policy(request.level, request.limits, grants=grants, accept_tier=request.accept_tier)
    variables = values_of(grants, environ)
    return Job(staged, entry, input_bytes, policy, variables=variables), notes
