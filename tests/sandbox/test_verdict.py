"""Facts of an ending in, an outcome out: every reason, without a process."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skilllite_sandbox.entry import EntryPoint, Language
from skilllite_sandbox.guest import report
from skilllite_sandbox.outcome import Outcome, Reason
from skilllite_sandbox.plan import Plan
from skilllite_sandbox.policy import DEFAULT_LIMITS, Level, Tier
from skilllite_sandbox.verdict import Ending, make_outcome

PLAN = Plan(
    tier=Tier.BWRAP,
    level=Level.FULL,
    language=EntryPoint("main.py", Language.PYTHON, "demo").language,
    limits=DEFAULT_LIMITS,
    machine="x86_64",
    interpreter="/usr/bin/python3",
    script="/skill/main.py",
    command=(),
    environment=(),
    resource_limits=(),
    enforced=("seccomp",),
    not_enforced=("scan",),
)
FINE = Ending(
    wait_status=0,
    killed_for=None,
    told=report.READY,
    stdout=b"{}",
    stderr=b"",
    stderr_dropped=0,
    cpu_most_s=0.1,
    duration_ms=5.0,
)


def exited(code: int) -> int:
    """Return the wait status of an exit."""
    return code << 8


def outcome_of(**facts: object) -> Outcome:
    """Return the outcome of a run that was fine but for these facts."""
    return make_outcome(PLAN, replace(FINE, **facts))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({}, Reason.OK),
        ({"stdout": b"hello"}, Reason.NOT_JSON),
        ({"stdout": b""}, Reason.NOT_JSON),
        ({"wait_status": exited(3)}, Reason.EXIT),
        ({"wait_status": exited(3), "told": b"RM"}, Reason.MEMORY),
        ({"wait_status": exited(1), "told": b"RD"}, Reason.DISK),
        ({"wait_status": exited(1), "told": b"RP"}, Reason.PROCESSES),
        ({"wait_status": exited(128 + signal.SIGSYS)}, Reason.VIOLATION),
        ({"wait_status": exited(128 + signal.SIGXCPU)}, Reason.CPU),
        ({"wait_status": exited(128 + signal.SIGXFSZ)}, Reason.DISK),
        ({"wait_status": exited(128 + signal.SIGTERM)}, Reason.SIGNAL),
        ({"wait_status": exited(128 + signal.SIGKILL)}, Reason.SIGNAL),
        ({"wait_status": exited(128 + signal.SIGKILL), "cpu_most_s": 31.0}, Reason.CPU),
        ({"wait_status": int(signal.SIGKILL)}, Reason.SIGNAL),
        (
            {
                "wait_status": exited(128 + signal.SIGABRT),
                "stderr": b"FATAL ERROR: JavaScript heap out of memory",
            },
            Reason.MEMORY,
        ),
        (
            {
                "wait_status": exited(128 + signal.SIGTRAP),
                "stderr": b"# Check failed: reservation_.SetPermissions( unprotect_start, 1)",
            },
            Reason.MEMORY,
        ),
        ({"wait_status": exited(128 + signal.SIGABRT)}, Reason.SIGNAL),
        ({"wait_status": exited(128 + signal.SIGTRAP)}, Reason.SIGNAL),
        ({"wait_status": exited(250)}, Reason.EXIT),
        ({"told": b""}, Reason.UNAVAILABLE),
        ({"told": b"", "wait_status": exited(1)}, Reason.UNAVAILABLE),
        ({"told": b"RX", "wait_status": exited(125)}, Reason.UNAVAILABLE),
        ({"killed_for": Reason.TIMEOUT, "told": b""}, Reason.TIMEOUT),
        ({"killed_for": Reason.OUTPUT}, Reason.OUTPUT),
        ({"killed_for": Reason.CANCELLED}, Reason.CANCELLED),
    ],
)
def test_each_ending_has_its_reason(facts: dict[str, object], reason: Reason) -> None:
    outcome = outcome_of(**facts)

    assert outcome.reason is reason
    assert outcome.ok == (reason in (Reason.OK, Reason.NOT_JSON))
    assert bool(outcome.message) == (reason is not Reason.OK)


def test_no_two_facts_of_the_guest_begin_alike() -> None:
    facts = [value for value in vars(report).values() if isinstance(value, bytes)]

    assert len(facts) > 8
    assert len({fact[:1] for fact in facts}) == len(facts)


def test_nothing_is_claimed_of_a_sandbox_that_was_never_ready() -> None:
    assert outcome_of(told=b"").enforced == ()
    assert outcome_of().enforced == ("seccomp",)
    assert outcome_of(told=b"LR").enforced == ("seccomp", "landlock")
    not_enforced = outcome_of(told=b"").not_enforced
    assert not_enforced == ("scan", "memory-of-the-tree", "cpu-of-the-tree")


def test_a_skill_that_says_it_ran_out_of_memory_but_succeeds_has_succeeded() -> None:
    assert outcome_of(told=b"RM").reason is Reason.OK


def test_bounds_and_violations_are_listed() -> None:
    assert outcome_of(wait_status=exited(128 + signal.SIGSYS)).violations
    assert outcome_of(killed_for=Reason.TIMEOUT).violations == ("deadline of 30 s exceeded",)
    assert outcome_of(wait_status=exited(3)).violations == ()


@given(
    st.integers(0, 255),
    st.sampled_from([None, *Reason]),
    st.binary(max_size=8),
    st.binary(max_size=40),
    st.binary(max_size=40),
)
def test_no_ending_is_without_an_outcome(
    code: int, killed_for: Reason | None, told: bytes, stdout: bytes, stderr: bytes
) -> None:
    outcome = outcome_of(
        wait_status=exited(code), killed_for=killed_for, told=told, stdout=stdout, stderr=stderr
    )

    assert (outcome.exit_code is None) != (outcome.signal is None)
    if outcome.ok and killed_for is None:
        assert code == 0
        assert report.READY in told
    assert outcome.to_json()["reason"] == outcome.reason.value
