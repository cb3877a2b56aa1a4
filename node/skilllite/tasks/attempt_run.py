"""One attempt at its executor: admit, wait for a place, run, record, tell whoever listens."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import trio

from skilllite.tasks.errors import LedgerUnavailable
from skilllite.tasks.executor_book import (
    INTERRUPTED,
    NEVER_STARTED,
    ExecutionKey,
    admit_execution,
    begin_execution,
    end_execution,
)
from skilllite.tasks.failpoints import OnPoint, Point
from skilllite.tasks.ledger import Ledger
from skilllite.tasks.records import Code, ExecutionRecord, ExecutionState
from skilllite.tasks.runner_port import Asked, SkillRunner
from skilllite.tasks.trail import TaskTrail
from skilllite_sandbox.errors import SandboxError
from skilllite_sandbox.policy import Origin
from skilllite_swarm.errors import SwarmError
from skilllite_swarm.task import (
    ERROR_CHARS_MAX,
    LINE_CHARS_MAX,
    Accepted,
    Failed,
    Log,
    Refused,
    Result,
    RunEvent,
    RunRequest,
    Started,
    TaskError,
    Terminal,
)

FOLLOWER_EVENTS_MAX = 256  # events a slow stream may lag behind; then it misses log lines
FOLLOWERS_MAX = 8  # streams on one attempt: one is usual, two while a broken one times out
TERMINAL_BYTES_MAX = 3 * 1024 * 1024  # fits one 4 MiB message with its envelope
KILL_GRACE_S = 2.0  # the runner keeps the deadline itself; this is for one that doesn't
COMMIT_TRIES = 5  # for a full disk that somebody clears
COMMIT_PAUSE_S = 1.0
STOP_COMMIT_S_MAX = 2.0  # when the node stops; without it the next start records the same

_log = logging.getLogger("skilllite.tasks")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Execution:
    """What all attempts of one executor share."""

    ledger: Ledger
    runner: SkillRunner
    slots: trio.Semaphore
    self_id: str
    wall_s_max: float
    now_ms: Callable[[], int]
    on_point: OnPoint
    trail: TaskTrail

    async def write(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Commit; a ledger that can't be written is an error the caller of the call hears."""
        try:
            return await self.ledger.write(function)
        except LedgerUnavailable as error:
            raise SwarmError(
                f"the executing node can't record the task: {error.message}",
                hint=error.hint,
                cause=error.cause,
            ) from error


class AttemptRun:
    """One attempt while it is under way. `run` is its life, `follow` a stream that watches it."""

    def __init__(
        self,
        key: ExecutionKey,
        request: RunRequest,
        execution: Execution,
        refusal: Refused | None,
    ) -> None:
        self.key = key
        self._request = request
        self._execution = execution
        self._refusal = refusal
        self._arrived_at = trio.current_time()
        self._scope = trio.CancelScope()
        self._cancelled = False
        self._accepted = False
        self._digest: str | None = None
        self._began = False
        self._terminal: Terminal | None = None
        self._fault: SwarmError | None = None
        self._ended = trio.Event()
        self._followers: list[trio.MemorySendChannel[RunEvent]] = []

    @property
    def is_running(self) -> bool:
        """Whether it holds a place."""
        return self._began

    def cancel(self) -> None:
        """Kill it; its terminal then is `Failed(cancelled)` unless it ended before."""
        self._cancelled = True
        self._scope.cancel()

    def fail(self, fault: SwarmError) -> None:
        """Let the streams end with an error: nothing could be recorded."""
        self._fault = fault
        self._close_followers()

    def abandon(self) -> None:
        """Let streams that still wait end: the node stops, or the attempt ended long ago."""
        if not self._ended.is_set():
            self.fail(SwarmError("the executing node is stopping"))

    async def wait_ended(self) -> None:
        """Return when the terminal is on record, or can't be."""
        await self._ended.wait()

    # Streams ------------------------------------------------------------------------------------

    async def follow(self, send: Callable[[RunEvent], Awaitable[None]]) -> None:
        """Send where it is, then every event, then the terminal.

        Raises:
            SwarmError: how it ended could not be recorded.
        """
        if len(self._followers) >= FOLLOWERS_MAX:
            raise SwarmError(f"more than {FOLLOWERS_MAX} streams on one attempt")
        events = self._open_follower()
        async with events:
            async for event in events:
                await send(event)
        if self._fault is not None:
            raise self._fault
        assert self._terminal is not None
        await send(self._terminal)

    def _open_follower(self) -> trio.MemoryReceiveChannel[RunEvent]:
        sending, receiving = trio.open_memory_channel[RunEvent](FOLLOWER_EVENTS_MAX)
        if self._accepted:
            sending.send_nowait(Accepted())
        if self._digest is not None:
            sending.send_nowait(Started(self._digest))
        if self._ended.is_set():
            sending.close()
        else:
            self._followers.append(sending)
        return receiving

    def _publish(self, event: RunEvent) -> None:
        for follower in list(self._followers):
            try:
                follower.send_nowait(event)
            except trio.WouldBlock:
                continue  # log lines are best effort; Accepted and Started come before them
            except trio.BrokenResourceError:
                self._followers.remove(follower)

    def _close_followers(self) -> None:
        self._ended.set()
        for follower in self._followers:
            follower.close()
        self._followers.clear()

    # Life ---------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Carry the attempt to its end.

        Raises:
            SwarmError: the ledger can't be written.
        """
        known = await self._admit()
        if known is not None:
            self._end(await self._terminal_of_known(known))
            return
        if self._refusal is not None:
            code = self._refusal.error.code
            self._execution.trail.denied(
                self.key.caller, self.key.task_id, self._request.skill, code
            )
            self._end(self._refusal)
            return
        self._execution.trail.accepted(
            self.key.caller,
            self.key.task_id,
            self.key.attempt,
            self._request.skill,
            local=self.key.caller == self._execution.self_id,
        )
        self._execution.on_point(Point.EXECUTOR_ADMITTED)
        self._accepted = True
        self._publish(Accepted())
        try:
            terminal = await self._run_admitted()
        except SwarmError:
            raise
        except BaseException:  # the node stops: trio.Cancelled, alone or in a group
            await self._record_stop()
            raise
        with trio.CancelScope(shield=True):  # bounded by COMMIT_TRIES
            terminal = await self._record(_bounded(terminal))
        self._execution.on_point(Point.EXECUTOR_ENDED)
        self._end(terminal)

    async def _admit(self) -> ExecutionRecord | None:
        skill, now_ms = self._request.skill, self._execution.now_ms()
        insert = self._refusal is None
        return await self._execution.write(
            lambda c: admit_execution(c, self.key, skill, insert=insert, now_ms=now_ms)
        )

    async def _terminal_of_known(self, known: ExecutionRecord) -> Terminal:
        if known.terminal is not None:
            return known.terminal
        if known.state is ExecutionState.FENCED:
            return Refused(TaskError(Code.FENCED, "the owner has given this attempt up"))
        # On record as under way, and nobody carries it: its end could not be written once.
        return await self._record(
            INTERRUPTED if known.state is ExecutionState.RUNNING else NEVER_STARTED
        )

    async def _run_admitted(self) -> Terminal:
        """Wait for a place and run the skill, within deadline and until cancelled."""
        deadline_s = self._request.deadline_ms / 1000
        scope = self._scope
        scope.deadline = self._arrived_at + deadline_s
        terminal: Terminal | None = None
        with scope:
            async with self._execution.slots:
                terminal = await self._run_in_place(scope)
        if terminal is not None:
            return terminal
        if self._cancelled:
            return Failed(TaskError(Code.CANCELLED, "the task was cancelled"))
        return self._deadline_over()

    async def _run_in_place(self, scope: trio.CancelScope) -> Terminal:
        execution, request = self._execution, self._request
        if not await execution.write(lambda c: begin_execution(c, self.key)):
            raise SwarmError("the attempt is not on record as accepted")
        self._began = True
        execution.on_point(Point.EXECUTOR_RUNNING_COMMITTED)
        left_s = max(0.001, self._arrived_at + request.deadline_ms / 1000 - trio.current_time())
        is_deadline = left_s < execution.wall_s_max
        deadline_s = min(left_s, execution.wall_s_max)
        scope.deadline = trio.current_time() + deadline_s + KILL_GRACE_S
        local = self.key.caller == execution.self_id
        began_at = trio.current_time()
        try:
            terminal: Terminal = await execution.runner.run(
                request.skill,
                request.input_json,
                origin=Origin.LOCAL if local else Origin.REMOTE,
                deadline_s=deadline_s,
                asked=Asked(self.key.caller, self.key.task_id, self.key.attempt),
                on_started=self._on_started,
                on_log=self._on_log,
            )
        except SandboxError as error:
            terminal = Failed(TaskError(error.code, error.message, error.hint or ""))
        except Exception as error:
            _log.exception("running %s failed", request.skill)
            terminal = Failed(
                TaskError(Code.INTERNAL, f"the executing node could not run it: {error!r}")
            )
        execution.on_point(Point.EXECUTOR_FINISHED)
        spent_ms = round((trio.current_time() - began_at) * 1000)
        return self._in_own_words(terminal, spent_ms, is_deadline=is_deadline)

    def _in_own_words(self, terminal: Terminal, spent_ms: int, *, is_deadline: bool) -> Terminal:
        """Name what the runner can't know: whose limit it was, and who wanted the end."""
        code = terminal.error.code if isinstance(terminal, Failed) else ""
        if code == "timeout" and is_deadline:
            return replace(self._deadline_over(), duration_ms=spent_ms)
        if code == Code.CANCELLED and not self._cancelled:
            return INTERRUPTED  # the node stops; nobody cancelled the task
        return terminal

    def _deadline_over(self) -> Failed:
        seconds = self._request.deadline_ms / 1000
        where = "while it ran" if self._began else "before it got a place"
        return Failed(
            TaskError(
                Code.DEADLINE,
                f"the deadline of {seconds:g} s was over {where}",
                "give it more time with --deadline",
            )
        )

    def _on_started(self, digest: str) -> None:
        self._digest = digest
        self._publish(Started(digest))
        self._execution.on_point(Point.EXECUTOR_STARTED)

    def _on_log(self, line: str) -> None:
        self._publish(Log(_clean(line[:LINE_CHARS_MAX])))

    # The end ------------------------------------------------------------------------------------

    async def _record(self, terminal: Terminal) -> Terminal:
        """Commit the end and return what stands; a full disk gets a few chances."""
        digest, now_ms = self._digest or "", self._execution.now_ms()
        for _ in range(COMMIT_TRIES - 1):
            try:
                return await self._execution.ledger.write(
                    lambda c: end_execution(c, self.key, terminal, digest=digest, now_ms=now_ms)
                )
            except LedgerUnavailable as error:
                _log.error("the end of %s can't be recorded: %s", self.key.task_id, error.cause)
                await trio.sleep(COMMIT_PAUSE_S)
        return await self._execution.write(
            lambda c: end_execution(c, self.key, terminal, digest=digest, now_ms=now_ms)
        )

    async def _record_stop(self) -> None:
        with trio.move_on_after(STOP_COMMIT_S_MAX, shield=True):
            self._end(await self._record(INTERRUPTED if self._began else NEVER_STARTED))

    def _end(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._close_followers()


def _bounded(terminal: Terminal) -> Terminal:
    """Return the terminal as text that fits one message, so that disk and wire agree."""
    if isinstance(terminal, Refused):
        return terminal
    terminal = _encodable(terminal)
    if terminal.output_json is not None:
        # The value says everything; the text it was read from would double the message.
        terminal = replace(terminal, text="")
    size = len((terminal.output_json or "").encode()) + len(terminal.text.encode())
    if size <= TERMINAL_BYTES_MAX:
        return terminal
    duration_ms = terminal.duration_ms
    if isinstance(terminal, Result):
        error = TaskError(
            "output", f"output of {size} bytes exceeds the limit of {TERMINAL_BYTES_MAX} bytes"
        )
        return Failed(error, duration_ms=duration_ms)
    return Failed(terminal.error, duration_ms=duration_ms)


def _encodable(terminal: Result | Failed) -> Result | Failed:
    """Replace halves of surrogate pairs, which neither UTF-8 nor SQLite can hold."""
    terminal = replace(
        terminal,
        text=_clean(terminal.text),
        output_json=None if terminal.output_json is None else _clean(terminal.output_json),
    )
    if isinstance(terminal, Failed):
        error = terminal.error
        message, hint = error.message[:ERROR_CHARS_MAX], error.hint[:ERROR_CHARS_MAX]
        cleaned = TaskError(_clean(error.code), _clean(message), _clean(hint))
        return replace(terminal, error=cleaned)
    return terminal


def _clean(text: str) -> str:
    return text.encode(errors="replace").decode()
