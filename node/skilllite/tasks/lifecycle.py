"""What the owner of a task does next: a pure state machine, one for each task.

`next` takes what happened and returns the one thing to do about it; the driver in `owner` does it
and comes back with what happened. No clock, disk, network or `await` in here, so tests can drive
every interleaving. Three rules carry the whole promise:

- An attempt is on disk before it is sent, and has a number that is never used again.
- After a call that may have been delivered the executor is *asked*, never assumed: `AskStatus`
  fences an attempt that had not arrived, so "unknown" proves that it never starts.
- A task goes to another node only if the attempt before provably did not start, or if its skill
  may run twice, and then once. Otherwise an executor that can't be asked leaves it `unknown`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from skilllite.tasks.records import (
    AttemptRecord,
    AttemptStage,
    Code,
    Outcome,
    Settlement,
    TaskState,
)
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
from skilllite_swarm.task import (
    Accepted,
    AttemptState,
    AttemptStatus,
    Failed,
    Refused,
    Result,
    RunEvent,
    Started,
    TaskError,
    Terminal,
)

RECONNECT_GRACE_MS = 5_000  # a node that restarts is back in about three seconds
RESUME_GRACE_MS = 10_000  # after our own restart the mesh first has to find its peers again
STATUS_PAUSE_MS_MIN = 200  # between questions after the executor; doubles
STATUS_PAUSE_MS_MAX = 1_000  # a returning peer is noticed a second late at most
ROUTE_PAUSE_MS = 1_000  # recheck while waiting for a node, should a change go unnoticed
BUSY_PAUSE_MS_MIN = 250  # a peer that says "retry after 0" is not asked in a tight loop
BUSY_PAUSE_MS_MAX = 5_000  # nor may it park the task for an hour
BUSY_ROUNDS_MAX = 3  # rounds over all busy nodes, for a task that may not wait
FORGIVEN_MAX = 3  # times that nodes which dropped the task unstarted are tried again
ATTEMPTS_MAX = 200  # rows one task may leave in the ledger, however long it waits
BLIND_ATTEMPTS_MAX = 1  # attempts given up for another while they may have run (idempotent only)

_FAULTS_OF_THE_TASK = frozenset(
    {Code.INVALID_INPUT, Code.INPUT_TOO_LARGE, Code.TOO_MANY_HOPS, Code.DEADLINE}
)
"""Refusals that every other node would repeat."""


def outcome_of(terminal: Terminal) -> Outcome:
    """Return how a task ends whose last attempt ended so."""
    match terminal:
        case Result(output_json, text, duration_ms):
            return Outcome(TaskState.SUCCEEDED, None, output_json, text, duration_ms)
        case Failed(error, output_json, text, duration_ms):
            state = TaskState.CANCELLED if error.code == Code.CANCELLED else TaskState.FAILED
            return Outcome(state, error, output_json, text, duration_ms)
        case Refused(error, _):
            return Outcome(TaskState.FAILED, error)


class Lifecycle:
    """One task on its way from accepted to ended."""

    def __init__(self, errand: Errand, *, now_ms: int) -> None:
        """Take up a new task."""
        self._errand = errand
        self._grace_ms = RECONNECT_GRACE_MS
        self._route_until_ms = errand.deadline_at_ms if errand.wait else now_ms
        self._late_until_ms = now_ms
        self._attempt = 0
        self._node_id = ""
        self._name = ""
        self._idempotent = False
        self._heard = False
        """The executor said that it has the attempt: "not on record" would contradict it."""
        self._sent = False
        """Run was called: an attach that isn't delivered says nothing about the first one."""
        self._open = False
        """The current attempt isn't settled."""
        self._attaching = False
        """Run was called again, and nothing was heard since."""
        self._ask_until_ms: int | None = None
        self._ask_pause_ms = STATUS_PAUSE_MS_MIN
        self._settled: list[Settlement] = []
        self._lost_nodes: set[str] = set()
        self._dropped_nodes: set[str] = set()
        self._refused_nodes: set[str] = set()
        self._retry_at_ms: int | None = None
        self._busy_rounds = 0
        self._forgiven = 0
        self._blind_attempts = 0
        self._error: TaskError | None = None
        """The most telling reason so far why no node took it."""
        self._fallback: Outcome | None = None
        """How it ends if no other node takes over an attempt that may have run."""
        self._finished = False

    @classmethod
    def resumed(cls, errand: Errand, history: Sequence[AttemptRecord], *, now_ms: int) -> Lifecycle:
        """Take up a task that an earlier process left behind.

        Peers get longer to be found. An attempt under way is asked about even when the deadline
        passed while this node was down: its executor may have kept it.
        """
        self = cls(errand, now_ms=now_ms)
        self._grace_ms = RESUME_GRACE_MS
        self._late_until_ms = now_ms + RESUME_GRACE_MS
        self._route_until_ms = max(self._route_until_ms, self._late_until_ms)
        for record in history:
            self._take_up(record, is_last=record is history[-1])
        return self

    def _take_up(self, record: AttemptRecord, *, is_last: bool) -> None:
        self._attempt = record.attempt
        self._node_id, self._name = record.node_id, record.node_name
        self._idempotent = record.idempotent
        if is_last and not record.stage.is_settled:
            self._heard = record.stage is not AttemptStage.SENT
            self._open = self._sent = True
        elif isinstance(record.terminal, Failed):
            self._give_up_for_another(outcome_of(record.terminal), answered=True)
        elif record.terminal is None and record.stage is not AttemptStage.LOST:
            self._give_up_for_another(self._unknown(record.node_name))

    @property
    def deadline_at_ms(self) -> int:
        """When the driver abandons what it does and reports `DeadlineOver`."""
        if self._open:
            return max(self._errand.deadline_at_ms, self._late_until_ms)
        return self._errand.deadline_at_ms

    def heard(self, event: RunEvent) -> AttemptStage | None:
        """Take note of an event of the running call; return the stage it proves."""
        self._heard = True
        self._attaching = False
        if isinstance(event, Started):
            return AttemptStage.STARTED
        return AttemptStage.ACCEPTED if isinstance(event, Accepted) else None

    def next(self, event: Event, now_ms: int) -> Effect:
        """Return what to do about an event; `Finish` is the last answer."""
        assert not self._finished, "an ended task has no next step"
        if isinstance(event, CallEnded):
            return self._ended(event.terminal, now_ms)  # a fact outranks the clock
        if isinstance(event, StatusKnown):
            return self._status(event.status, now_ms)
        if isinstance(event, CancelRequested):
            return self._finish(
                Outcome(TaskState.CANCELLED, TaskError(Code.CANCELLED, "the task was cancelled"))
            )
        if isinstance(event, DeadlineOver) or now_ms >= self.deadline_at_ms:
            return self._finish(Outcome(TaskState.FAILED, self._deadline_error()))
        match event:
            case Begun():
                return self._ask(now_ms, "this node restarted") if self._open else self._route("")
            case Routed():
                return self._commit(event)
            case NoRoute():
                return self._no_route(event, now_ms)
            case AttemptCommitted():
                return CallRun(self._attempt, self._node_id)
            case CallNotDelivered(problem):
                return self._not_delivered(problem, now_ms)
            case CallBroken(problem):
                self._sent = True
                return self._ask(now_ms, problem)
            case StatusUnreachable(problem):
                return self._unreachable(problem, now_ms)
            case Paused():
                if self._ask_until_ms is not None:
                    return AskStatus(self._attempt, self._node_id, "")
                return self._route("")
        assert_never(event)

    # Routing ------------------------------------------------------------------------------------

    def _route(self, why: str) -> Effect:
        if self._attempt >= ATTEMPTS_MAX:
            return self._finish(self._no_node_outcome(NoRoute(ever_offered=True)))
        exclude = self._lost_nodes | self._dropped_nodes | self._refused_nodes
        return FindRoute(frozenset(exclude), why)

    def _commit(self, routed: Routed) -> Effect:
        self._attempt += 1
        self._node_id, self._name = routed.node_id, routed.name
        self._idempotent = routed.idempotent
        self._heard = self._sent = self._attaching = False
        self._open = True
        self._ask_until_ms = None
        settled, self._settled = tuple(self._settled), []
        return CommitAttempt(self._attempt, routed.node_id, routed.name, routed.idempotent, settled)

    def _no_route(self, event: NoRoute, now_ms: int) -> Effect:
        if self._dropped_nodes and self._forgiven < FORGIVEN_MAX:
            # They answered, so they are there; nobody else is, so they may try again.
            self._forgiven += 1
            self._dropped_nodes.clear()
            return self._route("")
        may_wait = now_ms < self._route_until_ms
        if self._retry_at_ms is not None and (may_wait or self._busy_rounds < BUSY_ROUNDS_MAX):
            self._busy_rounds += 1
            pause_ms = max(BUSY_PAUSE_MS_MIN, self._retry_at_ms - now_ms)
            self._retry_at_ms = None
            self._refused_nodes.clear()
            return self._pause(pause_ms, now_ms, "every capable node is busy")
        if may_wait:
            self._refused_nodes.clear()
            self._dropped_nodes.clear()
            why = self._no_node_error(event).message
            return self._pause(ROUTE_PAUSE_MS, now_ms, why, until_change=True)
        return self._finish(self._no_node_outcome(event))

    def _pause(self, ms: int, now_ms: int, why: str, *, until_change: bool = False) -> Effect:
        left_ms = self.deadline_at_ms - now_ms
        return Pause(max(1, min(ms, left_ms)), until_change, why)

    def _no_node_outcome(self, event: NoRoute) -> Outcome:
        return self._fallback or Outcome(TaskState.FAILED, self._no_node_error(event))

    def _no_node_error(self, event: NoRoute) -> TaskError:
        skill, on = self._errand.skill, self._errand.on
        if self._error is not None:
            return self._error
        if on is not None and event.node_is_live and event.why:
            return TaskError(
                Code.DRAINING, event.why, "`skilllite peers` shows who else offers the skill"
            )
        if on is not None and event.node_is_live:
            return TaskError(
                Code.UNKNOWN_SKILL,
                f"the node asked for does not offer the skill {skill}",
                "`skilllite peers` shows who does",
            )
        if on is not None:
            return TaskError(
                Code.PEER_UNREACHABLE,
                event.why or "the node asked for can't be reached",
                "`skilllite peers` and `skilllite doctor` say more; --wait waits for it",
            )
        if event.ever_offered:
            return TaskError(
                Code.NO_CAPABLE_PEER,
                f"no reachable node offers the skill {skill}"
                + (f": {event.why}" if event.why else ""),
                "`skilllite peers` shows who is missing; --wait waits for one",
            )
        return TaskError(
            Code.UNKNOWN_SKILL,
            f"no node is known to offer the skill {skill}",
            "check the name with `skilllite list` and `skilllite peers`",
        )

    # The call -----------------------------------------------------------------------------------

    def _not_delivered(self, problem: str, now_ms: int) -> Effect:
        if self._sent or self._heard:
            return self._ask(now_ms, problem)
        self._settle(AttemptStage.LOST)
        self._refused_nodes.add(self._node_id)
        self._error = self._error or TaskError(
            Code.PEER_UNREACHABLE,
            f"node {self._name} can't be reached: {problem}",
            "`skilllite peers` and `skilllite doctor` say more",
        )
        return self._route(f"node {self._name} can't be reached: {problem}")

    def _ended(self, terminal: Terminal, now_ms: int) -> Effect:
        self._settle(AttemptStage.ENDED, terminal)
        match terminal:
            case Refused(error, retry_after_ms):
                return self._refused(error, retry_after_ms, now_ms)
            case Failed(error) if error.code == Code.INTERRUPTED and self._may_try_blindly:
                self._give_up_for_another(outcome_of(terminal), answered=True)
                return self._route(error.message)
        return self._finish(outcome_of(terminal))

    def _refused(self, error: TaskError, retry_after_ms: int, now_ms: int) -> Effect:
        if error.code in _FAULTS_OF_THE_TASK:
            return self._finish(self._fallback or Outcome(TaskState.FAILED, error))
        self._error = error
        if error.code == Code.INTERRUPTED:
            self._dropped_nodes.add(self._node_id)
        else:
            self._refused_nodes.add(self._node_id)
        if error.code == Code.QUEUE_FULL:
            at_ms = now_ms + min(retry_after_ms, BUSY_PAUSE_MS_MAX)
            self._retry_at_ms = (
                at_ms if self._retry_at_ms is None else min(self._retry_at_ms, at_ms)
            )
        return self._route(f"node {self._name} refused: {error.message}")

    # After the connection broke -----------------------------------------------------------------

    def _ask(self, now_ms: int, why: str) -> Effect:
        self._ask_until_ms = now_ms + self._grace_ms
        if self._attaching:
            # It answers questions and drops calls: without a pause the two would spin.
            return self._ask_later(now_ms, why)
        self._ask_pause_ms = STATUS_PAUSE_MS_MIN
        return AskStatus(self._attempt, self._node_id, why)

    def _status(self, status: AttemptStatus, now_ms: int) -> Effect:
        self._ask_until_ms = None
        self._grace_ms = RECONNECT_GRACE_MS
        if status.state is AttemptState.ENDED and status.terminal is not None:
            return self._ended(status.terminal, now_ms)
        if now_ms >= self.deadline_at_ms:
            return self._finish(Outcome(TaskState.FAILED, self._deadline_error()))
        if status.state is not AttemptState.UNKNOWN:
            self._heard = self._sent = self._attaching = True
            return CallRun(self._attempt, self._node_id)
        if self._heard:
            return self._forgotten()
        self._settle(AttemptStage.LOST)
        self._dropped_nodes.add(self._node_id)
        self._error = self._error or TaskError(
            Code.PEER_UNREACHABLE,
            f"node {self._name} did not get the task: the connection broke",
            "submit again",
        )
        return self._route(f"node {self._name} did not get the task")

    def _forgotten(self) -> Effect:
        """The executor had it and has no record of it: its ledger was lost, nothing is proven."""
        self._settle(AttemptStage.ENDED)
        unknown = self._unknown(self._name)
        if self._may_try_blindly:
            self._give_up_for_another(unknown)
            return self._route(f"node {self._name} has lost its ledger")
        return self._finish(unknown)

    def _unreachable(self, problem: str, now_ms: int) -> Effect:
        assert self._ask_until_ms is not None
        if now_ms < self._ask_until_ms:
            return self._ask_later(now_ms, f"node {self._name} can't be reached: {problem}")
        self._ask_until_ms = None
        unknown = self._unknown(self._name)
        if self._may_try_blindly:
            self._give_up_for_another(unknown)
            return self._route(f"node {self._name} is lost: {problem}")
        return self._finish(unknown)

    def _ask_later(self, now_ms: int, why: str) -> Effect:
        assert self._ask_until_ms is not None
        pause_ms = min(self._ask_pause_ms, max(1, self._ask_until_ms - now_ms))
        self._ask_pause_ms = min(2 * self._ask_pause_ms, STATUS_PAUSE_MS_MAX)
        return self._pause(pause_ms, now_ms, why)

    @property
    def _may_try_blindly(self) -> bool:
        return self._idempotent and self._blind_attempts < BLIND_ATTEMPTS_MAX

    def _give_up_for_another(self, fallback: Outcome, *, answered: bool = False) -> None:
        """Prefer another node; one that answered is back and may try again when there is none."""
        self._blind_attempts += 1
        (self._dropped_nodes if answered else self._lost_nodes).add(self._node_id)
        self._fallback = fallback
        self._open = False

    # The end ------------------------------------------------------------------------------------

    def _settle(self, stage: AttemptStage, terminal: Terminal | None = None) -> None:
        self._open = False
        self._settled.append(Settlement(self._attempt, stage, terminal))

    def _unknown(self, name: str) -> Outcome:
        return Outcome(
            TaskState.UNKNOWN,
            TaskError(
                Code.PEER_LOST,
                f"node {name} was lost with the task, which may have run",
                "`skilllite tasks show` tells how it ended once that node is back",
            ),
        )

    def _deadline_error(self) -> TaskError:
        if self._open:
            where = f"on node {self._name}"
        else:
            where = "before a node took it"
            if self._error is not None:
                where += f": {self._error.message}"
        return TaskError(
            Code.DEADLINE,
            f"the deadline of {self._errand.deadline_ms / 1000:g} s passed {where}",
            "give it more time with --deadline",
        )

    def _finish(self, outcome: Outcome) -> Effect:
        self._finished = True
        return Finish(outcome, tuple(self._settled))
