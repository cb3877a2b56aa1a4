"""Runs a skill for `skilllite run` of the same home, in the workers that this node keeps warm.

Not a task: it has no id and is in no ledger, nobody else in the team hears of it, and it ends with
the connection of the command that asked for it. The command prints what comes from here as it would
print a run of its own. Until it is told that the run starts, it may give up and run the skill
itself, so whatever can fail before is left to that.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import trio

from skilllite.audit_writer import AuditWriter
from skilllite.control.messages import DirectRun
from skilllite.control.server import Exchange
from skilllite.errors import Refused
from skilllite.home import Home
from skilllite.sandbox_waits import wait_for
from skilllite.sdk import locate_skill
from skilllite.shadowing import shadow_note
from skilllite.version import VERSION
from skilllite_sandbox.audit.run_record import RunRecord
from skilllite_sandbox.carriers import Job
from skilllite_sandbox.outcome import Outcome, Reason
from skilllite_sandbox.policy import Level
from skilllite_sandbox.run_request import RunRequest, limits_for, make_job
from skilllite_sandbox.sandbox import Sandbox, encode_input, explain_unavailable
from skilllite_sandbox.stage import Stage

RUNS_MAX = 16
"""At the same time; a command that comes when there are as many runs its skill itself."""


log = logging.getLogger("skilllite.node")


class DirectRuns:
    """The runs of one node that commands have asked for."""

    def __init__(
        self, sandbox: Sandbox, stage: Stage, home: Home, audit: AuditWriter | None = None
    ) -> None:
        self._sandbox = sandbox
        self._stage = stage
        self._home = home
        self._audit = audit
        self._threads = trio.CapacityLimiter(RUNS_MAX)
        self._running = 0
        self._closing = False
        self._idle = trio.Event()

    async def run(self, args: DirectRun, exchange: Exchange) -> object:
        """Run one skill and return how it ended; its log lines are events.

        Raises:
            Refused: not by this node, or not now.
            SandboxError: it can't be run.
        """
        if args.version != VERSION:
            raise Refused(f"this node runs version {VERSION}, not {args.version}")
        if self._closing or self._running >= RUNS_MAX:
            raise Refused("the node is stopping" if self._closing else "too many runs at once")
        self._running += 1
        try:
            return await self._run(args, exchange)
        finally:
            self._running -= 1
            if self._closing and not self._running:
                self._idle.set()

    @property
    def running(self) -> int:
        """How many there are at this moment."""
        return self._running

    async def drain(self) -> None:
        """Take no new runs and wait until the last one has ended."""
        self._closing = True
        if self._running:
            await self._idle.wait()

    async def _run(self, args: DirectRun, exchange: Exchange) -> object:
        job, notes = await trio.to_thread.run_sync(self._prepare, args, limiter=self._threads)
        # From here on the command leaves it to this node, whatever happens.
        await exchange.emit({"event": "starts", "notes": notes})
        record = self._open_record(args)
        with record.refusals() if record is not None else nullcontext():
            return await self._run_job(job, record, args, exchange)

    def _open_record(self, args: DirectRun) -> RunRecord | None:
        if self._audit is None:
            return None
        return RunRecord(
            self._audit.without_waiting,
            by="command",
            level=args.level,
            commit=self._audit.check,
            warn=log.warning,
            skill=args.skill,
            script=args.script,
        )

    async def _run_job(
        self, job: Job, record: RunRecord | None, args: DirectRun, exchange: Exchange
    ) -> object:
        execution = self._sandbox.start(job, record=record)
        outcome = None
        try:
            if args.log:
                async with _log_events(exchange) as lines:
                    outcome = await wait_for(execution, lines.add, threads=self._threads)
            else:
                outcome = await wait_for(execution, None, threads=self._threads)
        finally:
            reason = outcome.reason if outcome is not None else Reason.CANCELLED
            log.info("the direct run of %s ended: %s", job.staged.skill.name, reason.value)
        if outcome.reason is Reason.UNAVAILABLE:
            # Tries out what the host can do, which takes a moment.
            raise await trio.to_thread.run_sync(explain_unavailable, outcome, limiter=self._threads)
        return _reply(outcome)

    def _prepare(self, args: DirectRun) -> tuple[Job, list[str]]:
        """Find and stage the skill, and have a zygote for it; return what is to be said first."""
        directory, entry = locate_skill(args.skill, self._home, working_directory=args.directory)
        hides = shadow_note(entry) if entry is not None else ""
        request = RunRequest(
            level=Level(args.level),
            script=args.script,
            limits=limits_for(args.timeout_s, args.memory_mb),
            network=tuple(args.network),
            exec=tuple(args.exec),
            standing_exec=tuple(args.standing_exec),
        )
        input_bytes = encode_input(args.input_json, request.limits)
        granted = self._sandbox.granted
        job, notes = make_job(request, input_bytes, directory, self._stage, granted=granted)
        if granted(job.staged, directory).env:
            raise Refused("its variables are in the environment of the command")
        # What is not installed yet is left to the command, which shows its progress.
        job = self._sandbox.with_packages(job, may_install=False)
        # The last that can fail: it may use up a consent for one run. Nobody is asked here: what
        # needs consent is left to the command, which asks the person who typed it.
        job = self._sandbox.clear(job, file_report=False)
        self._sandbox.prepare(job)
        return job, [
            *([f"note: {hides}"] if hides else []),
            *notes,
        ]


class _LogEvents:
    """Sends lines as they come; those that came while it was sending go together."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._lines: list[str] = []
        self._more = trio.Event()
        self._over = False

    def add(self, line: str) -> None:
        """Take one line; never waits. The sandbox bounds how much there can be."""
        self._lines.append(line)
        self._more.set()

    def finish(self) -> None:
        """Let `send` end when it has sent what is left."""
        self._over = True
        self._more.set()

    async def send(self) -> None:
        """Send until it is finished."""
        while self._lines or not self._over:
            lines, self._lines = self._lines, []
            if lines:
                await self._exchange.emit({"event": "log", "lines": lines})
            else:
                self._more = trio.Event()
                await self._more.wait()


@asynccontextmanager
async def _log_events(exchange: Exchange) -> AsyncIterator[_LogEvents]:
    """Send log lines in the background; all of them are out when the block is left."""
    lines = _LogEvents(exchange)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lines.send)
        yield lines
        lines.finish()


def _reply(outcome: Outcome) -> dict[str, Any]:
    facts = outcome.to_json()
    # The value is in the text already, and would be as large once more.
    del facts["output"]
    return {
        "outcome": facts,
        "has_output": outcome.output is not None,
        "complaint": outcome.complaint,
    }
