"""Refuses a tier without namespaces when a run in it can do what none may.

The built-in attackers of a language go the way that its skills take, with a file of this host as
what they are after, and afterwards that file is looked at.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from skilllite_sandbox.attackers import SELF_TESTS, attempts_of, question
from skilllite_sandbox.backend.bare import Bare, NotHeld
from skilllite_sandbox.bare_attackers import BARE_PYTHON, NOT_HELD
from skilllite_sandbox.bare_plan import make_bare_plan
from skilllite_sandbox.entry import EntryPoint, Language
from skilllite_sandbox.errors import SandboxUnavailable
from skilllite_sandbox.execution import Execution
from skilllite_sandbox.host import Host
from skilllite_sandbox.outcome import Outcome, Reason
from skilllite_sandbox.plan import Plan
from skilllite_sandbox.policy import Level, Policy, Tier
from skilllite_sandbox.seccomp.filters import Profile
from skilllite_sandbox.values import replace

DEADLINE_S = 10.0  # a healthy one takes 0.2; this is for a machine under water
_CANARY = "canary"


def try_attackers(host: Host, bare: Bare, plan: Plan) -> None:
    """Try a run like this plan's.

    Raises:
        NotHeld: an attacker got somewhere.
        SandboxUnavailable: such a run can't be had, here or at this moment.
    """
    attackers = {"main": SELF_TESTS[plan.language]}
    if plan.language is Language.PYTHON:
        attackers["bare"] = BARE_PYTHON
    with tempfile.TemporaryDirectory(prefix="skilllite-probe-") as directory:
        canary, skill = _prepare(Path(directory), attackers)
        before = _facts(canary)
        runs = []
        for name in attackers:
            attack = _plan_like(plan, host, skill, name)
            data = question(str(canary))
            runs.append(Execution(attack, bare.start(attack, data), data))
        # All of them, before anything is said: each has to be waited for.
        outcomes = [run.wait() for run in runs]
        for outcome in outcomes:
            _check(plan.tier, outcome)
        if _facts(canary) != before:
            raise _refusal(plan.tier, "change a file of the host")


def _prepare(directory: Path, attackers: dict[str, str]) -> tuple[Path, str]:
    """Make a skill of the attackers as the stage would keep it, and what they are after."""
    skill = directory / "probe" / "skill"
    skill.mkdir(parents=True)
    canary = directory / _CANARY
    canary.write_text(_CANARY, encoding="utf-8")
    for name, script in attackers.items():
        (skill / name).write_text(script, encoding="utf-8")
        (skill / name).chmod(0o644)
    for path in (directory, skill.parent, skill):
        path.chmod(0o755)
    canary.chmod(0o644)
    return canary, os.path.realpath(skill)


def _facts(canary: Path) -> tuple[object, ...]:
    try:
        status = canary.stat()
        return status.st_mode, status.st_mtime_ns, status.st_nlink, canary.read_bytes()
    except OSError as error:
        return (error.errno,)


def _plan_like(plan: Plan, host: Host, skill: str, name: str) -> Plan:
    limits = replace(plan.limits, wall_s=DEADLINE_S)
    return make_bare_plan(
        plan.tier,
        Policy(Level.ISOLATED, limits, accept_tier=plan.tier),
        host,
        EntryPoint(name, plan.language, "probe"),
        skill,
        writable_code=plan.profile is Profile.PYTHON_JIT,
    )


def _check(tier: Tier, outcome: Outcome) -> None:
    said = " / ".join(outcome.stderr.strip().splitlines()[-2:])
    if outcome.reason is Reason.UNAVAILABLE:
        raise SandboxUnavailable(f"tier {tier.value} can't be set up here", cause=said)
    if wrong := attempts_of(outcome, may=NOT_HELD[tier]):
        raise _refusal(tier, ", ".join(wrong))


def _refusal(tier: Tier, could: str) -> NotHeld:
    return NotHeld(
        f"tier {tier.value} doesn't hold a hostile skill here",
        cause=f"a built-in one could {could}",
        hint="please report it with the output of `skilllite doctor`; nothing was run",
    )
