"""Evidence in, verdict out: what may count as stopped, and what may not."""

from __future__ import annotations

from errno import EADDRINUSE, EPERM

import pytest
from benchmark.security.host_facts import HostFacts, learned
from benchmark.security.item import LIMITS
from benchmark.security.judgement import (
    Attempt,
    Bound,
    Effect,
    EffectKind,
    End,
    Evidence,
    Verdict,
    judge,
)
from benchmark.security.lab import resources_taken
from benchmark.security.meter import Taken
from benchmark.security.prelude import Account, read_account
from hypothesis import given
from hypothesis import strategies as st

DENIED = Attempt("open", did=False, error="PermissionError", errno=EPERM, system_error=True)
DID = Attempt("open", did=True)
BROKE = Attempt("open", did=False, error="NameError")
BUSY = Attempt("bind", did=False, error="OSError", errno=EADDRINUSE, system_error=True)
READ = Effect(EffectKind.FILE_READ, "read a file of the host")


def evidence(
    end: End = End.EXITED,
    attempts: tuple[Attempt, ...] = (DENIED,),
    *,
    started: bool = True,
    finished: bool = True,
    bound: Bound | None = None,
    oracle_failed: str = "",
) -> Evidence:
    """Return evidence of an attack that ran and met a refusal, but for what is given."""
    return Evidence(end, started, finished, attempts, (), bound, "", oracle_failed)


def test_an_attack_that_ran_and_met_refusals_only_was_stopped() -> None:
    found = judge(evidence(), control=True)

    assert found.verdict is Verdict.STOPPED
    assert found.why == "open: PermissionError"


def test_an_attack_that_succeeded_without_an_effect_was_inside_only() -> None:
    assert judge(evidence(attempts=(DID, DENIED)), control=True).verdict is Verdict.INSIDE_ONLY


@pytest.mark.parametrize("end", [End.EXITED, End.SIGNALLED, End.UNAVAILABLE, End.HARNESS_DEADLINE])
def test_an_attack_that_never_started_was_not_stopped(end: End) -> None:
    found = judge(evidence(end, (), started=False, finished=False), control=True)

    assert found.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("attempt", [BROKE, BUSY])
def test_an_attack_that_broke_was_not_stopped(attempt: Attempt) -> None:
    assert judge(evidence(attempts=(DENIED, attempt)), control=True).verdict is Verdict.INCONCLUSIVE


def test_an_error_that_the_item_names_is_a_refusal() -> None:
    denials = frozenset({"NameError"})

    assert judge(evidence(attempts=(BROKE,)), control=True, denials=denials).verdict is (
        Verdict.STOPPED
    )


@pytest.mark.parametrize("end", [End.SIGNALLED, End.HARNESS_DEADLINE, End.UNAVAILABLE])
def test_an_attack_that_ended_half_way_for_no_known_reason_was_not_stopped(end: End) -> None:
    assert judge(evidence(end, finished=False), control=True).verdict is Verdict.INCONCLUSIVE


def test_an_attack_that_exited_before_its_end_was_not_stopped() -> None:
    assert judge(evidence(finished=False), control=True).verdict is Verdict.INCONCLUSIVE


def test_an_attack_that_tried_nothing_was_not_stopped() -> None:
    assert judge(evidence(attempts=()), control=True).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("bound", "verdict"),
    [
        (Bound.CPU, Verdict.STOPPED),
        (Bound.VIOLATION, Verdict.STOPPED),
        (Bound.OUTPUT, Verdict.INCONCLUSIVE),
        (Bound.WALL, Verdict.INCONCLUSIVE),
        (None, Verdict.INCONCLUSIVE),
    ],
)
def test_only_the_right_bound_stops_an_attack(bound: Bound | None, verdict: Verdict) -> None:
    ended = evidence(End.BOUND, (), finished=False, bound=bound)

    assert judge(ended, control=True, bounds=frozenset({Bound.CPU})).verdict is verdict


def test_a_refusal_before_the_run_is_one_only_if_nothing_ran() -> None:
    refused = evidence(End.REFUSED, (), started=False, finished=False)

    assert judge(refused, control=True).verdict is Verdict.REFUSED
    assert judge(evidence(End.REFUSED), control=True).verdict is Verdict.INCONCLUSIVE


def test_an_oracle_that_failed_proves_nothing() -> None:
    found = judge(evidence(oracle_failed="the servers stopped counting"), control=True)

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.why == "the servers stopped counting"


attempts = st.builds(
    Attempt,
    st.sampled_from(["a", "b"]),
    st.booleans(),
    st.sampled_from(["", "PermissionError", "NameError"]),
    st.sampled_from([None, EPERM, EADDRINUSE]),
    st.booleans(),
)
everything = st.builds(
    Evidence,
    st.sampled_from(End),
    st.booleans(),
    st.booleans(),
    st.lists(attempts, max_size=3).map(tuple),
    st.sampled_from([(), (READ,)]),
    st.sampled_from([None, *Bound]),
    st.sampled_from(["", "detail"]),
    st.sampled_from(["", "an oracle failed"]),
)
bound_sets = st.frozensets(st.sampled_from(Bound))


@given(everything, st.booleans(), bound_sets)
def test_an_effect_is_an_effect_whatever_else_is_known(
    found: Evidence, control: bool, bounds: frozenset[Bound]
) -> None:
    verdict = judge(found, control=control, bounds=bounds).verdict

    assert (verdict is Verdict.EFFECT) == bool(found.effects)


@given(everything, bound_sets)
def test_without_a_control_nothing_is_shown_but_effects(
    found: Evidence, bounds: frozenset[Bound]
) -> None:
    verdict = judge(found, control=False, bounds=bounds).verdict

    assert verdict in (Verdict.EFFECT, Verdict.INCONCLUSIVE)


@given(everything, bound_sets)
def test_whatever_counts_for_a_sandbox_had_started(
    found: Evidence, bounds: frozenset[Bound]
) -> None:
    verdict = judge(found, control=True, bounds=bounds).verdict

    if verdict in (Verdict.STOPPED, Verdict.INSIDE_ONLY):
        assert found.started
        assert not found.oracle_failed
        assert found.end in (End.EXITED, End.BOUND)
        assert found.finished or found.end is End.BOUND
        assert all(each.did or each.system_error for each in found.attempts)
    if verdict is Verdict.REFUSED:
        assert found.end is End.REFUSED
        assert not found.started


@given(st.text(max_size=200), st.text(max_size=200))
def test_output_without_the_number_is_no_report(stdout: str, stderr: str) -> None:
    account = read_account(stdout, stderr, "0f" * 16)

    assert not account.started
    assert not account.attempts


def test_a_quotation_of_the_source_is_no_report() -> None:
    quoted = 'main.py:12: sys.stderr.write(facts["nonce"] + " " + {"event": "started"})'

    assert not read_account("", quoted, "0f" * 16).started


def test_a_report_is_read_between_other_lines() -> None:
    lines = [
        'noise ab {"event": "started"}',
        'ab {"event": "held", "held_mib": 64}',
        'ab {"event": "held", "held_mib": 32}',
        'ab {"event": "many", "alive": 3}',
        'ab {"event": "failed", "name": "x", "error": "OSError", "errno": 1, "system": true}',
        "ab not json",
    ]

    account = read_account('said\n{"found": {"x": 1}}\n', "\n".join(lines), "ab")

    assert account == Account(
        started=True,
        finished=False,
        attempts=(Attempt("x", did=False, error="OSError", errno=1, system_error=True),),
        held_mib=96,
        alive=3,
        found={"x": 1},
    )


FACTS = HostFacts(
    accounts_file="root:x:0:0::/root:/bin/sh\nada:x:1001:1001::/home/ada:/bin/sh\n",
    accounts=frozenset({"ada"}),
    names=frozenset({"usr", "proc", "vault"}),
    host_name="mainframe",
    user_id=1001,
    addresses=frozenset({"192.0.2.2"}),
    identifiers=frozenset({"3d12"}),
    paths=frozenset({"/home/ada"}),
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accounts:file", "root:x:0:0\nada:x:1001:1001\n"),
        ("accounts:copy", FACTS.accounts_file),
        ("directory:list", ["usr", "vault"]),
        ("hostname:call", "mainframe\n"),
        ("users:id", "uid=7(ada) gid=7"),
        ("users:ids", [1001, 1001]),
        ("addresses:call", [["192.0.2.2", "00:00"]]),
        ("identifiers:machine", "3d12\n"),
        ("paths:program", {"argv": ["/home/ada/main.py"]}),
    ],
)
def test_what_only_this_host_has_is_recognised(name: str, value: object) -> None:
    (effect,) = learned(FACTS, {name: value})

    assert effect.what.endswith(f"({name})")
    assert "ada" not in effect.what.removesuffix(f"({name})")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accounts:file", "skill:x:1000:1000::/tmp:/bin/sh\n"),
        ("directory:list", ["usr", "proc", "skill"]),
        ("hostname:call", "sandbox"),
        ("users:ids", [1000, 1000]),
        ("addresses:call", ["127.0.0.1"]),
        ("paths:program", ["/skill/scripts/main.py"]),
        ("something else", "ada mainframe 192.0.2.2"),
    ],
)
def test_what_every_sandbox_has_is_no_information(name: str, value: object) -> None:
    assert learned(FACTS, {name: value}) == ()


@pytest.mark.parametrize(
    ("account", "taken", "kinds"),
    [
        (Account(True, True, (), held_mib=512, alive=32, cpu_s=2), Taken(), []),
        (Account(True, True, (), held_mib=513), Taken(), [EffectKind.MEMORY_TAKEN]),
        (Account(True, True, ()), Taken(memory_mib=700), [EffectKind.MEMORY_TAKEN]),
        (Account(True, True, (), alive=33), Taken(), [EffectKind.PROCESSES_MADE]),
        (Account(True, True, ()), Taken(tasks=65), [EffectKind.PROCESSES_MADE]),
        (Account(True, True, (), cpu_s=33), Taken(), [EffectKind.CPU_TAKEN]),
        (Account(True, True, ()), Taken(cpu_s=33), [EffectKind.CPU_TAKEN]),
    ],
)
def test_what_goes_over_a_limit_is_an_effect(
    account: Account, taken: Taken, kinds: list[EffectKind]
) -> None:
    assert [effect.kind for effect in resources_taken(account, taken, LIMITS)] == kinds
