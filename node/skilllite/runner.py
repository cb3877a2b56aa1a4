"""Runs the skills this node offers, each in a sandbox of its own, for the task executor.

The sandbox is synchronous. A run is started here on the trio thread, which is the process's main
one: bubblewrap dies with the thread that started it. What may take longer, starting a zygote and
waiting for the end, happens in worker threads.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Protocol

import trio

from skilllite.audit_writer import AuditWriter
from skilllite.offer import task_grants
from skilllite.sandbox_waits import wait_for
from skilllite.tasks.runner_port import Asked
from skilllite_sandbox.audit.run_record import RunRecord
from skilllite_sandbox.errors import NotFound
from skilllite_sandbox.outcome import Outcome, Reason
from skilllite_sandbox.policy import (
    DEFAULT_LIMITS,
    REMOTE_LIMITS,
    WEAKEST_TIER,
    Level,
    Origin,
    Policy,
    Tier,
    stronger,
)
from skilllite_sandbox.sandbox import (
    Job,
    Sandbox,
    encode_input,
    entry_of,
    explain_unavailable,
)
from skilllite_sandbox.stage import Stage, StagedSkill
from skilllite_sandbox.values import replace
from skilllite_swarm.task import Failed, Result, TaskError

STDERR_TAIL_CHARACTERS = 300
"""Of a failed skill's last line: usually the exception, and always in the log as a whole."""

HINTS = {
    Reason.TIMEOUT: "give it a smaller input; `skilllite run` takes --timeout",
    Reason.MEMORY: "give it a smaller input; `skilllite run` takes --max-memory",
    Reason.UNAVAILABLE: "run `skilllite doctor` on that node",
    Reason.REFUSED: "run `skilllite doctor` on that node",
}


log = logging.getLogger("skilllite.node")


class OfferedSkills(Protocol):
    """Where the skills are that this node offers."""

    def directory_of(self, skill: str) -> Path | None:
        """Return the directory of an offered skill. Must not block."""
        ...


class SandboxRunner:
    """The executor's `SkillRunner`, over one sandbox and one stage."""

    def __init__(
        self,
        sandbox: Sandbox,
        stage: Stage,
        skills: OfferedSkills,
        *,
        local_level: Level,
        concurrency: int,
        accept_tier: Tier = WEAKEST_TIER,
        audit: AuditWriter | None = None,
    ) -> None:
        self._sandbox = sandbox
        self._stage = stage
        self._skills = skills
        self._local_level = local_level
        self._audit = audit
        # Whatever its owner accepts by hand: what came as a task gets no less than that.
        self._accept_tier = stronger(accept_tier, WEAKEST_TIER)
        # Threads of its own: a hundred waits must not keep the ledger from writing.
        self._threads = trio.CapacityLimiter(concurrency)

    def knows(self, skill: str) -> bool:
        """Return whether a skill of that name is offered here."""
        return self._skills.directory_of(skill) is not None

    async def run(
        self,
        skill: str,
        input_json: str,
        *,
        origin: Origin,
        deadline_s: float,
        on_started: Callable[[str], None],
        on_log: Callable[[str], None],
        asked: Asked | None = None,
    ) -> Result | Failed:
        """Run one skill to its end; when cancelled, kill its whole process tree first.

        Raises:
            SandboxError: it could not start.
        """
        policy = self.policy_for(origin, deadline_s)
        record = self._open_record(skill, policy, asked)
        with record.refusals() if record is not None else nullcontext():
            return await self._run(skill, input_json, policy, record, on_started, on_log)

    def _open_record(self, skill: str, policy: Policy, asked: Asked | None) -> RunRecord | None:
        if self._audit is None:
            return None
        return RunRecord(
            self._audit.without_waiting,
            by="peer" if policy.origin is Origin.REMOTE else "task",
            level=policy.level,
            commit=self._audit.check,
            warn=log.warning,
            skill=skill,
            **({} if asked is None else asdict(asked)),
        )

    async def _run(
        self,
        skill: str,
        input_json: str,
        policy: Policy,
        record: RunRecord | None,
        on_started: Callable[[str], None],
        on_log: Callable[[str], None],
    ) -> Result | Failed:
        directory = self._skills.directory_of(skill)
        if directory is None:
            raise NotFound(
                f"skill {skill} is not installed here", hint="`skilllite list` shows those that are"
            )
        staged = await trio.to_thread.run_sync(self._stage.put, directory, limiter=self._threads)
        look = partial(self._look, staged, directory, policy)
        policy, at_pass = await trio.to_thread.run_sync(look, limiter=self._threads)
        job = Job(staged, entry_of(staged), encode_input(input_json, policy.limits), policy)
        if staged.skill.requests.packages:
            # Nothing is installed for a task, whoever sent it: that takes minutes and reaches out.
            find = partial(self._sandbox.with_packages, job, may_install=False)
            job = await trio.to_thread.run_sync(find, limiter=self._threads)
        clear = partial(self._sandbox.clear, job, peers_at_pass=at_pass)
        job = await trio.to_thread.run_sync(clear, limiter=self._threads)
        await trio.to_thread.run_sync(self._sandbox.prepare, job, limiter=self._threads)
        execution = self._sandbox.start(job, record=record)
        on_started(staged.digest)
        outcome = await wait_for(execution, on_log, threads=self._threads)
        if outcome.reason is Reason.UNAVAILABLE:
            raise explain_unavailable(outcome)
        return _terminal(skill, outcome)

    def _look(self, staged: StagedSkill, directory: Path, policy: Policy) -> tuple[Policy, bool]:
        """Return the policy with what a person granted here, and whether peers need a PASS."""
        grants = task_grants(staged, directory, self._sandbox.granted)
        guard = self._stage.guard
        at_pass = guard is None or guard.trust_of(str(directory)).peers_need_pass
        return replace(policy, grants=grants), at_pass

    def policy_for(self, origin: Origin, deadline_s: float) -> Policy:
        """Return what decides about a task, by where it comes from."""
        remote = origin is Origin.REMOTE
        limits = REMOTE_LIMITS if remote else DEFAULT_LIMITS
        return Policy(
            # Whatever this node's owner chose for their own tasks: a peer's get the full level.
            level=Level.FULL if remote else self._local_level,
            limits=replace(limits, wall_s=min(limits.wall_s, deadline_s)),
            origin=origin,
            accept_tier=self._accept_tier,
        )


def _terminal(skill: str, outcome: Outcome) -> Result | Failed:
    duration_ms = round(outcome.duration_ms)
    output_json = None if outcome.output is None and not _is_null(outcome) else outcome.text.strip()
    text = "" if output_json is not None else outcome.text
    if outcome.ok:
        return Result(output_json, text, duration_ms)
    last_line = outcome.stderr.strip().rpartition("\n")[2].strip()[-STDERR_TAIL_CHARACTERS:]
    what = outcome.message or outcome.reason.value
    said = outcome.complaint or last_line
    message = f"{skill}: {what}" + (f": {said}" if said else "")
    error = TaskError(outcome.reason.value, message, HINTS.get(outcome.reason, ""))
    return Failed(error, output_json, text, duration_ms)


def _is_null(outcome: Outcome) -> bool:
    """Return whether the skill printed the JSON value null, which is a result."""
    return outcome.reason is Reason.OK and outcome.text.strip() == "null"
