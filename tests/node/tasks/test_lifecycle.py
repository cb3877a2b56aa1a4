"""Rules of one task's life, one at a time and under every interleaving that hypothesis finds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skilllite.tasks.lifecycle import (
    ATTEMPTS_MAX,
    BUSY_ROUNDS_MAX,
    RECONNECT_GRACE_MS,
    RESUME_GRACE_MS,
    Lifecycle,
)
from skilllite.tasks.records import (
    AttemptRecord,
    AttemptStage,
    Code,
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
    Started,
    TaskError,
    Terminal,
)

DONE = Result('{"x": 1}', "", 7)
BUSY = Refused(TaskError(Code.QUEUE_FULL, "the node is busy"), retry_after_ms=400)
RESTARTED = Failed(TaskError(Code.INTERRUPTED, "the executing node went down"))
NOT_ON_RECORD = AttemptStatus(AttemptState.UNKNOWN)
ONCE = Routed("b", "bee", idempotent=False)
TWICE = Routed("b", "bee", idempotent=True)
OTHER = Routed("c", "sea", idempotent=True)


class Life:
    """A lifecycle with a clock, so that a test reads as a conversation."""

    def __init__(
        self,
        *,
        on: str | None = None,
        wait: bool = False,
        deadline_ms: int = 60_000,
        history: tuple[AttemptRecord, ...] | None = None,
    ) -> None:
        self.now_ms = 1_000
        errand = Errand("calc", on, wait, self.now_ms + deadline_ms, 60_000)
        self.machine = (
            Lifecycle(errand, now_ms=self.now_ms)
            if history is None
            else Lifecycle.resumed(errand, history, now_ms=self.now_ms)
        )

    def tell(self, *events: Event) -> Effect:
        for event in events:
            effect = self.machine.next(event, self.now_ms)
        return effect

    def finish(self, *events: Event) -> Finish:
        effect = self.tell(*events)
        assert isinstance(effect, Finish), effect
        return effect

    def until_lost(self, *events: Event) -> Effect:
        """Break the call and answer no question until the machine stops asking."""
        effect = self.tell(*events, CallBroken("reset"))
        while isinstance(effect, AskStatus | Pause):
            if isinstance(effect, Pause):
                self.now_ms += effect.ms
                effect = self.tell(Paused())
            else:
                effect = self.tell(StatusUnreachable("no answer"))
        return effect


def sent(stage: AttemptStage = AttemptStage.SENT, *, idempotent: bool = False) -> AttemptRecord:
    return AttemptRecord("t", 1, "b", "bee", idempotent, stage, None)


def test_an_attempt_is_committed_before_it_is_sent() -> None:
    life = Life()

    assert life.tell(Begun()) == FindRoute(frozenset(), "")
    assert life.tell(ONCE) == CommitAttempt(1, "b", "bee", False, ())
    assert life.tell(AttemptCommitted()) == CallRun(1, "b")


def test_a_result_ends_the_task_and_settles_the_attempt() -> None:
    end = Life().finish(Begun(), ONCE, AttemptCommitted(), CallEnded(DONE))

    assert end.outcome.state is TaskState.SUCCEEDED
    assert (end.outcome.output_json, end.outcome.run_ms) == ('{"x": 1}', 7)
    assert end.settled == (Settlement(1, AttemptStage.ENDED, DONE),)


def test_a_failure_of_the_skill_is_not_tried_again_even_if_idempotent() -> None:
    exited = Failed(TaskError("exit", "exit status 1"), text="partial")

    end = Life().finish(Begun(), TWICE, AttemptCommitted(), CallEnded(exited))

    assert end.outcome.state is TaskState.FAILED
    assert end.outcome.error == exited.error
    assert end.outcome.text == "partial"


def test_a_call_that_was_not_delivered_goes_to_another_node_under_a_new_number() -> None:
    life = Life()

    effect = life.tell(Begun(), ONCE, AttemptCommitted(), CallNotDelivered("refused"))

    assert isinstance(effect, FindRoute)
    assert effect.exclude == {"b"}
    assert life.tell(OTHER) == CommitAttempt(
        2, "c", "sea", True, (Settlement(1, AttemptStage.LOST),)
    )


def test_an_attach_that_was_not_delivered_proves_nothing_about_the_first_call() -> None:
    running = StatusKnown(AttemptStatus(AttemptState.RUNNING))

    effect = Life().tell(
        Begun(), ONCE, AttemptCommitted(), CallBroken("x"), running, CallNotDelivered("gone")
    )

    assert not isinstance(effect, FindRoute)


def test_a_broken_call_is_asked_about_and_attached_to_while_it_runs() -> None:
    life = Life()

    asked = life.tell(Begun(), ONCE, AttemptCommitted(), CallBroken("reset"))

    assert asked == AskStatus(1, "b", "reset")
    assert life.tell(StatusKnown(AttemptStatus(AttemptState.RUNNING))) == CallRun(1, "b")
    assert life.finish(CallEnded(DONE)).outcome.state is TaskState.SUCCEEDED


def test_attaching_again_and_again_pauses_in_between() -> None:
    life = Life()
    running = StatusKnown(AttemptStatus(AttemptState.RUNNING))
    life.tell(Begun(), ONCE, AttemptCommitted(), CallBroken("x"), running)

    assert isinstance(life.tell(CallBroken("x")), Pause)
    assert isinstance(life.tell(Paused()), AskStatus)


def test_an_attempt_that_ended_while_the_connection_was_down_is_taken_from_the_record() -> None:
    ended = StatusKnown(AttemptStatus(AttemptState.ENDED, DONE))

    end = Life().finish(Begun(), ONCE, AttemptCommitted(), CallBroken("reset"), ended)

    assert end.outcome.state is TaskState.SUCCEEDED


def test_an_attempt_that_was_fenced_before_it_arrived_is_tried_again() -> None:
    life = Life()

    effect = life.tell(
        Begun(), ONCE, AttemptCommitted(), CallBroken("reset"), StatusKnown(NOT_ON_RECORD)
    )

    assert isinstance(effect, FindRoute)
    assert isinstance(life.tell(NoRoute()), FindRoute), "the node answers: it may try again"
    assert life.tell(ONCE) == CommitAttempt(
        2, "b", "bee", False, (Settlement(1, AttemptStage.LOST),)
    )


def test_an_executor_that_forgot_what_it_had_accepted_proves_nothing() -> None:
    life = Life()
    life.tell(Begun(), ONCE, AttemptCommitted())
    assert life.machine.heard(Accepted()) is AttemptStage.ACCEPTED
    assert life.machine.heard(Started("sha256:1")) is AttemptStage.STARTED

    end = life.finish(CallBroken("reset"), StatusKnown(NOT_ON_RECORD))

    assert end.outcome.state is TaskState.UNKNOWN
    assert end.settled == (Settlement(1, AttemptStage.ENDED),)


def test_a_lost_executor_leaves_the_task_unknown_after_the_grace() -> None:
    life = Life()

    end = life.until_lost(Begun(), ONCE, AttemptCommitted())

    assert isinstance(end, Finish)
    assert end.outcome.state is TaskState.UNKNOWN
    assert end.outcome.error is not None
    assert end.outcome.error.code == Code.PEER_LOST
    assert end.settled == (), "nobody knows how the attempt ended"
    assert RECONNECT_GRACE_MS <= life.now_ms - 1_000 <= RECONNECT_GRACE_MS + 1_000


def test_a_lost_executor_of_an_idempotent_task_is_replaced_once() -> None:
    life = Life()

    effect = life.until_lost(Begun(), TWICE, AttemptCommitted())
    assert isinstance(effect, FindRoute)
    assert effect.exclude == {"b"}
    end = life.until_lost(OTHER, AttemptCommitted())

    assert isinstance(end, Finish)
    assert end.outcome.state is TaskState.UNKNOWN


def test_a_lost_executor_that_nobody_can_replace_leaves_the_task_unknown() -> None:
    life = Life()
    life.until_lost(Begun(), TWICE, AttemptCommitted())

    assert life.finish(NoRoute()).outcome.state is TaskState.UNKNOWN


def test_an_interrupted_task_runs_again_only_if_idempotent_and_only_once() -> None:
    once = Life().finish(Begun(), ONCE, AttemptCommitted(), CallEnded(RESTARTED))
    assert once.outcome.error == RESTARTED.error

    life = Life()
    effect = life.tell(Begun(), TWICE, AttemptCommitted(), CallEnded(RESTARTED))
    assert isinstance(effect, FindRoute)
    twice = life.finish(OTHER, AttemptCommitted(), CallEnded(RESTARTED))
    assert twice.outcome.error == RESTARTED.error


def test_an_interrupted_task_may_run_again_where_it_was_when_nobody_else_can() -> None:
    life = Life()
    life.tell(Begun(), TWICE, AttemptCommitted(), CallEnded(RESTARTED))

    assert life.tell(NoRoute()) == FindRoute(frozenset(), "")
    end = life.finish(TWICE, AttemptCommitted(), CallEnded(DONE))
    assert end.outcome.state is TaskState.SUCCEEDED


def test_an_attempt_that_waited_at_a_node_that_restarted_runs_elsewhere_in_any_case() -> None:
    never_started = Refused(TaskError(Code.INTERRUPTED, "restarted before it started"))

    effect = Life().tell(Begun(), ONCE, AttemptCommitted(), CallEnded(never_started))

    assert isinstance(effect, FindRoute)
    assert effect.exclude == {"b"}


def test_a_refusal_sends_the_task_to_the_next_node_and_the_last_one_is_reported() -> None:
    draining = Refused(TaskError(Code.DRAINING, "the node is about to stop"))
    life = Life()

    effect = life.tell(Begun(), ONCE, AttemptCommitted(), CallEnded(draining))

    assert isinstance(effect, FindRoute)
    assert life.finish(NoRoute()).outcome.error == draining.error


@pytest.mark.parametrize("code", [Code.INVALID_INPUT, Code.INPUT_TOO_LARGE, Code.TOO_MANY_HOPS])
def test_a_refusal_that_every_node_would_repeat_ends_the_task(code: Code) -> None:
    refused = Refused(TaskError(code, "no"))

    end = Life().finish(Begun(), ONCE, AttemptCommitted(), CallEnded(refused))

    assert end.outcome.error == refused.error


def test_busy_nodes_are_asked_again_after_the_time_they_named_and_not_for_ever() -> None:
    life = Life()
    effect = life.tell(Begun(), ONCE, AttemptCommitted(), CallEnded(BUSY), NoRoute())

    rounds = 0
    while not isinstance(effect, Finish):
        assert effect == Pause(400, False, "every capable node is busy")
        life.now_ms += 400
        rounds += 1
        effect = life.tell(Paused(), ONCE, AttemptCommitted(), CallEnded(BUSY), NoRoute())

    assert rounds == BUSY_ROUNDS_MAX
    assert effect.outcome.error == BUSY.error


def test_without_a_capable_node_a_task_fails_at_once() -> None:
    assert Life().finish(Begun(), NoRoute(ever_offered=True)).outcome.error is not None
    codes = {
        Code.NO_CAPABLE_PEER: Life().finish(Begun(), NoRoute(ever_offered=True)),
        Code.UNKNOWN_SKILL: Life().finish(Begun(), NoRoute(ever_offered=False)),
        Code.PEER_UNREACHABLE: Life(on="b").finish(Begun(), NoRoute(ever_offered=True)),
    }
    for code, end in codes.items():
        assert end.outcome.state is TaskState.FAILED
        assert end.outcome.error is not None
        assert end.outcome.error.code == code
        assert end.outcome.error.hint
    lacks = Life(on="b").finish(Begun(), NoRoute(node_is_live=True)).outcome.error
    assert lacks is not None
    assert lacks.code == Code.UNKNOWN_SKILL


def test_why_no_node_takes_it_is_part_of_the_message() -> None:
    why = "kitchen is unreachable: tls: its certificate is expired"
    drains = "kitchen is draining and takes no new tasks"

    named = Life(on="b").finish(Begun(), NoRoute(why=why)).outcome.error
    anyone = Life().finish(Begun(), NoRoute(ever_offered=True, why=why)).outcome.error
    draining = Life(on="b").finish(Begun(), NoRoute(node_is_live=True, why=drains)).outcome.error

    assert named is not None and named.message == why
    assert anyone is not None and anyone.message.endswith(why)
    assert draining is not None
    assert (draining.code, draining.message) == (Code.DRAINING, drains)


def test_a_task_that_may_wait_does_so_until_its_deadline() -> None:
    life = Life(wait=True)

    effect = life.tell(Begun(), NoRoute())

    assert isinstance(effect, Pause)
    assert effect.until_change
    life.now_ms += 60_000
    end = life.finish(Paused())
    assert end.outcome.error is not None
    assert end.outcome.error.code == Code.DEADLINE


@pytest.mark.parametrize(
    "before",
    [
        (Begun(),),
        (Begun(), ONCE),
        (Begun(), ONCE, AttemptCommitted()),
        (Begun(), ONCE, AttemptCommitted(), CallBroken("x")),
        (Begun(), ONCE, AttemptCommitted(), CallBroken("x"), StatusUnreachable("x")),
    ],
)
@pytest.mark.parametrize(
    ("event", "state", "code"),
    [
        (DeadlineOver(), TaskState.FAILED, Code.DEADLINE),
        (CancelRequested(), TaskState.CANCELLED, Code.CANCELLED),
    ],
)
def test_deadline_and_cancel_end_a_task_at_every_moment(
    before: tuple[Event, ...], event: Event, state: TaskState, code: Code
) -> None:
    end = Life().finish(*before, event)

    assert end.outcome.state is state
    assert end.outcome.error is not None
    assert end.outcome.error.code == code


def test_a_fact_outranks_a_deadline_that_passed_meanwhile() -> None:
    life = Life()
    life.tell(Begun(), ONCE, AttemptCommitted())
    life.now_ms += 3_600_000

    assert life.finish(CallEnded(DONE)).outcome.state is TaskState.SUCCEEDED


def test_after_a_restart_an_open_attempt_is_asked_about_first_and_for_longer() -> None:
    life = Life(history=(sent(),))

    assert life.tell(Begun()) == AskStatus(1, "b", "this node restarted")
    effect = life.tell(StatusUnreachable("not found yet"))
    while not isinstance(effect, Finish):
        assert isinstance(effect, Pause | AskStatus)
        if isinstance(effect, Pause):
            life.now_ms += effect.ms
        effect = life.tell(
            Paused() if isinstance(effect, Pause) else StatusUnreachable("not found yet")
        )
    assert RESUME_GRACE_MS <= life.now_ms - 1_000 <= RESUME_GRACE_MS + 1_000
    assert effect.outcome.state is TaskState.UNKNOWN


def test_after_a_restart_an_open_attempt_may_still_turn_out_done_past_its_deadline() -> None:
    life = Life(deadline_ms=0, history=(sent(AttemptStage.STARTED),))

    assert isinstance(life.tell(Begun()), AskStatus)
    end = life.finish(StatusKnown(AttemptStatus(AttemptState.ENDED, DONE)))
    assert end.outcome.state is TaskState.SUCCEEDED


def test_after_a_restart_a_task_past_its_deadline_starts_no_new_attempt() -> None:
    never_sent = Life(deadline_ms=0, history=())
    assert never_sent.finish(Begun()).outcome.error is not None

    fenced = Life(deadline_ms=0, history=(sent(),))
    end = fenced.finish(Begun(), StatusKnown(NOT_ON_RECORD), ONCE)
    assert end.outcome.error is not None
    assert end.outcome.error.code == Code.DEADLINE


def test_after_a_restart_peers_get_time_to_be_found() -> None:
    life = Life(history=())

    assert isinstance(life.tell(Begun(), NoRoute()), Pause)
    life.now_ms += RESUME_GRACE_MS
    assert isinstance(life.tell(Paused(), NoRoute()), Finish)


def test_after_a_restart_a_second_blind_attempt_stays_the_last() -> None:
    first = sent(idempotent=True)
    second = AttemptRecord("t", 2, "c", "sea", True, AttemptStage.SENT, None)
    life = Life(history=(first, second))

    end = life.until_lost(Begun())

    assert isinstance(end, Finish)
    assert end.outcome.state is TaskState.UNKNOWN


# Every interleaving ------------------------------------------------------------------------------

TERMINALS: st.SearchStrategy[Terminal] = st.sampled_from(
    [
        DONE,
        BUSY,
        RESTARTED,
        Failed(TaskError("exit", "exit status 1")),
        Failed(TaskError(Code.DEADLINE, "over")),
        Refused(TaskError(Code.DRAINING, "leaving")),
        Refused(TaskError(Code.INTERRUPTED, "never started")),
        Refused(TaskError(Code.INVALID_INPUT, "no")),
    ]
)
STATUSES = st.one_of(
    st.sampled_from(
        [
            NOT_ON_RECORD,
            AttemptStatus(AttemptState.ACCEPTED),
            AttemptStatus(AttemptState.RUNNING),
        ]
    ),
    TERMINALS.map(lambda terminal: AttemptStatus(AttemptState.ENDED, terminal)),
)


def answer_to(effect: Effect, draw: st.DataObject) -> Event:
    """Draw any event that may come of an effect."""
    match effect:
        case FindRoute(exclude):
            nodes = [
                Routed(node_id, node_id, idempotent)
                for node_id in ("b", "c", "d")
                for idempotent in (True, False)
                if node_id not in exclude
            ]
            usual: list[Event] = [*nodes, NoRoute(ever_offered=True)]
        case CommitAttempt():
            usual = [AttemptCommitted()]
        case CallRun():
            usual = [CallEnded(draw.draw(TERMINALS)), CallNotDelivered("x"), CallBroken("x")]
        case AskStatus():
            usual = [StatusKnown(draw.draw(STATUSES)), StatusUnreachable("x")]
        case _:
            usual = [Paused()]
    rare: list[Event] = [DeadlineOver(), CancelRequested()]
    return draw.draw(st.sampled_from([*usual, *usual, *usual, *rare]))


@settings(max_examples=600, deadline=None)
@given(st.data(), st.booleans())
def test_any_conversation_ends_and_keeps_the_promises(draw: st.DataObject, wait: bool) -> None:
    life = Life(wait=wait, deadline_ms=600_000)
    effect = life.tell(Begun())
    committed: list[CommitAttempt] = []
    settled: list[Settlement] = []
    open_attempts: dict[int, CommitAttempt] = {}
    heard: set[int] = set()
    maybe_ran: set[int] = set()
    for _ in range(20 * ATTEMPTS_MAX):
        if isinstance(effect, Finish):
            break
        event = answer_to(effect, draw)
        if isinstance(effect, CommitAttempt):
            assert effect.attempt == len(committed) + 1, "numbers are used once and in order"
            committed.append(effect)
            for settlement in effect.settled:
                open_attempts.pop(settlement.attempt)
            settled += effect.settled
            risky = [open_attempts[n] for n in open_attempts] + [
                committed[n - 1] for n in maybe_ran if n not in open_attempts
            ]
            assert len(risky) <= 1, "one attempt may be given up blindly, not two"
            assert all(one.idempotent for one in risky), "never for a task that may not run twice"
            open_attempts[effect.attempt] = effect
        if isinstance(effect, CallRun):
            assert committed[-1].attempt == effect.attempt, "on disk before it is sent"
            if draw.draw(st.booleans()):
                life.machine.heard(Accepted())
                heard.add(effect.attempt)
        if isinstance(event, CallEnded) or (
            isinstance(event, StatusKnown) and event.status.state is AttemptState.ENDED
        ):
            terminal = event.terminal if isinstance(event, CallEnded) else event.status.terminal
            if isinstance(terminal, Failed):
                maybe_ran.add(committed[-1].attempt)
        elif (
            isinstance(event, StatusKnown)
            and event.status == NOT_ON_RECORD
            and committed[-1].attempt in heard
        ):
            maybe_ran.add(committed[-1].attempt)  # its executor lost its ledger
        elif isinstance(event, StatusKnown) and event.status.state is not AttemptState.UNKNOWN:
            heard.add(committed[-1].attempt)
        life.now_ms += draw.draw(st.integers(0, 2_000))
        if isinstance(effect, Pause):
            life.now_ms += effect.ms
        effect = life.tell(event)
    assert isinstance(effect, Finish), "every task ends"
    settled += effect.settled
    numbers = [settlement.attempt for settlement in settled]
    assert len(numbers) == len(set(numbers)), "no attempt ends twice"
    if effect.outcome.state is TaskState.SUCCEEDED:
        assert any(isinstance(settlement.terminal, Result) for settlement in settled)
    if any(isinstance(settlement.terminal, Result) for settlement in settled):
        assert effect.outcome.state is TaskState.SUCCEEDED, "a result is never thrown away"
