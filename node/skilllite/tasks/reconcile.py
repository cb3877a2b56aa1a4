"""What is left to ask after a task ended: how its lost attempts really ended.

The owner's verdict on a *task* stands; only a provisional `unknown` gives way, once, to a fact. The
verdict on an *attempt* is the executor's, so the owner asks until it has it, for a day: then both
ledgers say the same about every attempt. Attempts of a task that ended otherwise (cancelled,
deadline over, done by another attempt) are cancelled on the way. The rules are the pure functions
at the top; `Reconciler` only asks and writes.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import trio

from skilllite.tasks.errors import LedgerUnavailable
from skilllite.tasks.ledger import Ledger
from skilllite.tasks.lifecycle import outcome_of
from skilllite.tasks.owner_book import (
    attempts_of,
    loose_attempts,
    loose_nodes,
    reconcile_task,
    settle_attempt,
)
from skilllite.tasks.records import (
    AttemptRecord,
    AttemptStage,
    Code,
    LooseAttempt,
    Outcome,
    Settlement,
    TaskState,
)
from skilllite.tasks.retention import RECONCILE_WINDOW_MS
from skilllite.tasks.router_port import Router
from skilllite_swarm.errors import SwarmError
from skilllite_swarm.task import AttemptState, AttemptStatus, Failed, Result, TaskError

RECONCILE_PERIOD_S = 5.0  # a node that came back is asked within five seconds
ASK_TIMEOUT_S = 3.0  # for all calls about one attempt
LOOSE_PER_NODE_MAX = 50  # attempts asked for in one round; the rest in the next

_log = logging.getLogger("skilllite.tasks")


@dataclass(frozen=True, slots=True)
class Reconciled:
    """An `unknown` gave way to a fact. For the audit log."""

    task_id: str
    attempt: int
    node_id: str
    state: TaskState
    error_code: str


def wants_cancel(loose: LooseAttempt) -> bool:
    """Return whether nobody wants the attempt any more: an `unknown` task may still succeed."""
    return loose.task_state is not TaskState.UNKNOWN


def settlement_of(record: AttemptRecord, status: AttemptStatus) -> Settlement | None:
    """Return how an attempt ended by its executor's word; None while it is under way."""
    if status.state is AttemptState.ENDED:
        return Settlement(record.attempt, AttemptStage.ENDED, status.terminal)
    if status.state is not AttemptState.UNKNOWN:
        return None
    if record.stage is AttemptStage.SENT:
        return Settlement(record.attempt, AttemptStage.LOST)
    # It had it and has no record of it: its ledger was lost. That proves nothing.
    return Settlement(record.attempt, AttemptStage.ENDED)


def fact_of(attempts: Sequence[AttemptRecord]) -> Outcome | None:
    """Return what the attempts of an `unknown` task prove about it; None if not enough yet."""
    for record in attempts:
        if isinstance(record.terminal, Result):
            return outcome_of(record.terminal)
    if not all(record.stage.is_settled for record in attempts):
        return None
    for record in reversed(attempts):
        if isinstance(record.terminal, Failed):
            return outcome_of(record.terminal)
    if any(record.stage is AttemptStage.ENDED and not record.terminal for record in attempts):
        return None
    return Outcome(
        TaskState.FAILED,
        TaskError(Code.PEER_LOST, "the node that was lost never started the task", "submit again"),
    )


class Reconciler:
    """Asks executors about attempts that ended tasks left behind."""

    def __init__(
        self,
        ledger: Ledger,
        router: Router,
        *,
        now_ms: Callable[[], int],
        on_reconciled: Callable[[Reconciled], None],
    ) -> None:
        self._ledger = ledger
        self._router = router
        self._now_ms = now_ms
        self._on_reconciled = on_reconciled

    async def run(self) -> None:
        """Ask in rounds until cancelled."""
        while True:
            try:
                await self.round()
            except LedgerUnavailable as error:
                _log.error("reconciling failed: %s", error.cause or error.message)
            except Exception:
                _log.exception("reconciling failed")
            await trio.sleep(RECONCILE_PERIOD_S)

    async def round(self) -> int:
        """Ask every live node about its attempts once; return how many were settled."""
        after_ms = self._now_ms() - RECONCILE_WINDOW_MS
        settled = 0
        for node_id in await self._ledger.read(lambda c: loose_nodes(c, ended_after_ms=after_ms)):
            if self._router.is_live(node_id):
                settled += await self._ask_node(node_id, after_ms)
        return settled

    async def _ask_node(self, node_id: str, after_ms: int) -> int:
        loose = await self._ledger.read(
            lambda c: loose_attempts(
                c, node_id=node_id, ended_after_ms=after_ms, limit=LOOSE_PER_NODE_MAX
            )
        )
        settled = 0
        for one in loose:
            try:
                settled += await self.settle(one)
            except SwarmError as error:
                _log.info("node %s can't be asked: %s", node_id, error.message)
                break  # it will not answer the next question either; the next round tries again
        return settled

    async def settle_task(self, task_id: str) -> None:
        """Ask about the attempts of one ended task now, all at the same time."""
        after_ms = self._now_ms() - RECONCILE_WINDOW_MS
        loose = await self._ledger.read(
            lambda c: loose_attempts(
                c, task_id=task_id, ended_after_ms=after_ms, limit=LOOSE_PER_NODE_MAX
            )
        )
        async with trio.open_nursery() as nursery:
            for one in loose:
                nursery.start_soon(self._settle_quietly, one)

    async def _settle_quietly(self, loose: LooseAttempt) -> None:
        try:
            await self.settle(loose)
        except (SwarmError, LedgerUnavailable) as error:
            _log.info("task %s isn't settled: %s", loose.record.task_id, error.message)

    async def settle(self, loose: LooseAttempt) -> bool:
        """Ask about one attempt and record the answer; False while there is none.

        Raises:
            SwarmError: the executor can't be asked.
            LedgerUnavailable: the answer can't be recorded.
        """
        record = loose.record
        with trio.move_on_after(ASK_TIMEOUT_S):
            connection = await self._router.connection(record.node_id)
            if wants_cancel(loose):
                await connection.cancel(record.task_id, record.attempt)
            status = await connection.status(record.task_id, record.attempt, fence=True)
            settlement = settlement_of(record, status)
            if settlement is not None:
                await self._record(record, settlement)
                return True
        return False

    async def _record(self, record: AttemptRecord, settlement: Settlement) -> None:
        now_ms = self._now_ms()

        def write(connection: sqlite3.Connection) -> Outcome | None:
            if not settle_attempt(connection, record.task_id, settlement):
                return None
            fact = fact_of(attempts_of(connection, record.task_id))
            if fact is None or not reconcile_task(connection, record.task_id, fact, now_ms=now_ms):
                return None
            return fact

        fact = await self._ledger.write(write)
        if fact is not None:
            code = "" if fact.error is None else fact.error.code
            self._on_reconciled(
                Reconciled(record.task_id, record.attempt, record.node_id, fact.state, code)
            )
