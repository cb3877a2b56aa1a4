"""Carries one task of this owner to its end: does what its `Lifecycle` says and reports back.

Everything awaited here has a deadline: the task's own, or a shorter one.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

import trio

from skilllite.tasks.errors import LedgerUnavailable
from skilllite.tasks.event_feed import EventFeed
from skilllite.tasks.failpoints import OnPoint, Point
from skilllite.tasks.ledger import Ledger
from skilllite.tasks.lifecycle import Lifecycle
from skilllite.tasks.owner_book import advance_attempt, append_logs, end_task, insert_attempt
from skilllite.tasks.records import (
    AttemptRecord,
    AttemptStage,
    Code,
    EventKind,
    LogLine,
    Outcome,
    TaskEvent,
    TaskState,
)
from skilllite.tasks.router_port import Router
from skilllite.tasks.steps import (
    AskStatus,
    AttemptCommitted,
    Begun,
    CallBroken,
    CallEnded,
    CallNotDelivered,
    CallRun,
    CancelRequested,
    CommitAttempt,
    DeadlineOver,
    Effect,
    Errand,
    Event,
    FindRoute,
    Finish,
    NoRoute,
    Pause,
    Paused,
    Routed,
    StatusKnown,
    StatusUnreachable,
)
from skilllite_swarm.errors import PeerUnreachable, SwarmError
from skilllite_swarm.task import (
    Accepted,
    Log,
    Progress,
    RunEvent,
    RunRequest,
    Started,
    TaskError,
)

STATUS_TIMEOUT_S = 2.0  # a dead link costs this much of the grace, not all of it
DEADLINE_MARGIN_MS_MAX = 250  # the executor stops that much earlier, so that its word arrives
CHANGE_SETTLE_S = 0.05  # changes come in bursts: a node and its skills
LOG_LINES_MAX = 1_000  # kept for one task
LOG_BYTES_MAX = 256 * 1024  # kept for one task: what a skill's stderr may have
COMMIT_TRIES = 10  # for a full disk that somebody clears; then the next start takes over
COMMIT_PAUSE_S = 1.0

_log = logging.getLogger("skilllite.tasks")


@dataclass(frozen=True, slots=True)
class Desk:
    """What all tasks of one owner share."""

    ledger: Ledger
    router: Router
    now_ms: Callable[[], int]
    on_point: OnPoint


def monotonic_ms() -> int:
    """Return the reading of the clock that deadlines are counted on."""
    return int(trio.current_time() * 1000)


class TaskDriver:
    """One task under way."""

    def __init__(
        self,
        desk: Desk,
        task_id: str,
        input_json: str,
        errand: Errand,
        lifecycle: Lifecycle,
    ) -> None:
        self.task_id = task_id
        self.feed = EventFeed()
        self.input_bytes = len(input_json)
        self._desk = desk
        self._input_json = input_json
        self._errand = errand
        self._lifecycle = lifecycle
        self._attempt = 0
        self._node_id = ""
        self._stage = AttemptStage.SENT
        self._log_lines = 0
        self._log_bytes = 0
        self._cancelled = False
        self._scope = trio.CancelScope()
        self._ended = trio.Event()
        self.settled = trio.Event()
        """Set when, after the end, the executors were asked about what is open."""

    def cancel(self) -> None:
        """Abandon what is under way and end the task as cancelled, unless it has just ended."""
        self._cancelled = True
        self._scope.cancel()

    async def wait_ended(self) -> None:
        """Return when the end is on disk, or can't be brought there."""
        await self._ended.wait()

    async def drive(self) -> None:
        """Carry the task to its end.

        Raises:
            LedgerUnavailable: the end can't be recorded; the next start of the node takes over.
        """
        try:
            event: Event = Begun()
            while True:
                effect = self._lifecycle.next(event, monotonic_ms())
                self._announce(effect)
                if isinstance(effect, Finish):
                    await self._finish(effect)
                    return
                event = await self._perform(effect)
        except (trio.Cancelled, LedgerUnavailable):
            raise
        except Exception as error:
            _log.exception("task %s: this node made a mistake", self.task_id)
            await self._finish(Finish(self._outcome_of_mistake(error), ()))
        finally:
            self.feed.close()
            self._ended.set()

    def _outcome_of_mistake(self, error: Exception) -> Outcome:
        # An attempt that was sent may run: then nothing is known.
        state = TaskState.UNKNOWN if self._attempt else TaskState.FAILED
        return Outcome(state, TaskError(Code.INTERNAL, f"this node made a mistake: {error!r}"))

    # Effects ------------------------------------------------------------------------------------

    async def _perform(self, effect: Effect) -> Event:
        with trio.CancelScope(deadline=self._lifecycle.deadline_at_ms / 1000) as self._scope:
            if self._cancelled:
                self._scope.cancel()
            return await self._do(effect)
        return CancelRequested() if self._cancelled else DeadlineOver()

    async def _do(self, effect: Effect) -> Event:
        match effect:
            case FindRoute():
                return await self._find_route(effect)
            case CommitAttempt():
                return await self._commit_attempt(effect)
            case CallRun():
                return await self._call_run(effect)
            case AskStatus():
                return await self._ask_status(effect)
            case Pause():
                return await self._pause(effect)
            case Finish():
                raise AssertionError("drive() ends with it")
        assert_never(effect)

    async def _find_route(self, effect: FindRoute) -> Event:
        router, on, skill = self._desk.router, self._errand.on, self._errand.skill

        def will_do(node_id: str) -> bool:
            return node_id not in effect.exclude and on in (None, node_id)

        candidates = await router.find_candidates(skill, among=will_do)
        if not candidates:
            return NoRoute(
                node_is_live=on is not None and router.is_live(on),
                ever_offered=router.ever_offered(skill),
                why=router.obstacles(skill, on=on),
            )
        chosen = router.choose(candidates)
        return Routed(chosen.node_id, chosen.name, chosen.idempotent)

    async def _commit_attempt(self, effect: CommitAttempt) -> Event:
        record = AttemptRecord(
            task_id=self.task_id,
            attempt=effect.attempt,
            node_id=effect.node_id,
            node_name=effect.name,
            idempotent=effect.idempotent,
            stage=AttemptStage.SENT,
            terminal=None,
        )

        if not await self._commit(lambda c: insert_attempt(c, record, effect.settled)):
            # Cancelled in the moment when this process took it up: that end stands.
            return CancelRequested()
        self._attempt, self._node_id = effect.attempt, effect.node_id
        self._stage = AttemptStage.SENT
        self._desk.on_point(Point.OWNER_ATTEMPT_COMMITTED)
        return AttemptCommitted()

    async def _call_run(self, effect: CallRun) -> Event:
        self._attempt, self._node_id = effect.attempt, effect.node_id
        try:
            connection = await self._desk.router.connection(effect.node_id)
        except SwarmError as error:
            return CallNotDelivered(error.message)
        left_ms = self._errand.deadline_at_ms - monotonic_ms()
        request = RunRequest(
            task_id=self.task_id,
            attempt=effect.attempt,
            skill=self._errand.skill,
            input_json=self._input_json,
            deadline_ms=max(1, left_ms - min(DEADLINE_MARGIN_MS_MAX, left_ms // 10)),
            via=(self._desk.router.self_id,),
        )
        try:
            terminal = await connection.run(request, self._on_run_event)
        except PeerUnreachable as error:
            return CallNotDelivered(error.message)
        except SwarmError as error:
            return CallBroken(error.message)
        self._desk.on_point(Point.OWNER_HEARD_TERMINAL)
        return CallEnded(terminal)

    async def _ask_status(self, effect: AskStatus) -> Event:
        try:
            with trio.move_on_after(STATUS_TIMEOUT_S):
                connection = await self._desk.router.connection(effect.node_id)
                return StatusKnown(
                    await connection.status(self.task_id, effect.attempt, fence=True)
                )
        except SwarmError as error:
            return StatusUnreachable(error.message)
        return StatusUnreachable(f"no answer within {STATUS_TIMEOUT_S:g} s")

    async def _pause(self, effect: Pause) -> Event:
        with trio.move_on_after(effect.ms / 1000):
            if effect.until_change:
                await trio.sleep(CHANGE_SETTLE_S)
                await self._desk.router.wait_changed()
            else:
                await trio.sleep_forever()
        return Paused()

    async def _finish(self, effect: Finish) -> None:
        now_ms = self._desk.now_ms()

        await self._commit(
            lambda c: end_task(c, self.task_id, effect.outcome, effect.settled, now_ms=now_ms),
            tries=COMMIT_TRIES,
        )
        self._desk.on_point(Point.OWNER_ENDED)
        self._tell(EventKind.ENDED, message=effect.outcome.state.value)

    async def _commit(
        self, write: Callable[[sqlite3.Connection], bool], *, tries: int | None = None
    ) -> bool:
        """Write, again and again while the disk refuses, `tries` times or until the deadline."""
        failures = 0
        while True:
            try:
                return await self._desk.ledger.write(write)
            except LedgerUnavailable as error:
                failures += 1
                _log.error("task %s can't be recorded: %s", self.task_id, error.cause)
                if failures == tries:
                    raise
            await trio.sleep(COMMIT_PAUSE_S)

    # What the client hears ----------------------------------------------------------------------

    def _on_run_event(self, event: RunEvent) -> None:
        stage = self._lifecycle.heard(event)
        if stage is not None and stage is not self._stage:
            self._stage = stage
            attempt = self._attempt
            self._desk.ledger.post_nowait(
                lambda c: advance_attempt(c, self.task_id, attempt, stage)
            )
        match event:
            case Accepted(position):
                self._tell(EventKind.QUEUED, queue_position=position)
                self._desk.on_point(Point.OWNER_HEARD_ACCEPTED)
            case Started(digest):
                self._tell(EventKind.STARTED, digest=digest)
                self._desk.on_point(Point.OWNER_HEARD_STARTED)
            case Progress(percent, message):
                self._tell(EventKind.PROGRESS, percent=percent, message=message)
            case Log(line):
                self._keep_line(line)
                self._tell(EventKind.LOG, message=line)

    def _keep_line(self, line: str) -> None:
        self._log_lines += 1
        self._log_bytes += len(line.encode(errors="replace"))
        if self._log_lines > LOG_LINES_MAX or self._log_bytes > LOG_BYTES_MAX:
            return
        lines = (LogLine(self._attempt, line),)
        self._desk.ledger.post_nowait(lambda c: append_logs(c, self.task_id, lines))

    def _announce(self, effect: Effect) -> None:
        match effect:
            case FindRoute(_, why) if why:
                self._tell(EventKind.RETRY, message=why)
            case CallRun():
                self._attempt, self._node_id = effect.attempt, effect.node_id
                self._tell(EventKind.SENT)
            case AskStatus(_, _, why) if why:
                self._tell(EventKind.RECONNECTING, message=why)
            case Pause(_, _, why):
                self._tell(EventKind.WAITING, message=why)

    def _tell(
        self,
        kind: EventKind,
        *,
        message: str = "",
        percent: int = 0,
        digest: str = "",
        queue_position: int = 0,
    ) -> None:
        node_id = self._node_id
        self.feed.publish(
            TaskEvent(
                kind,
                self.task_id,
                attempt=self._attempt,
                node_id=node_id,
                node_name=self._desk.router.name_of(node_id) if node_id else "",
                message=message,
                percent=percent,
                digest=digest,
                queue_position=queue_position,
            )
        )
