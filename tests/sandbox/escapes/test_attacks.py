"""Every way that is known to reach the host, tried; the host is looked at, not the answer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from attack import Attack
from bash_attacks import ATTACKS as BASH_ATTACKS
from node_attacks import ATTACKS as NODE_ATTACKS
from python_attacks import ATTACKS as PYTHON_ATTACKS
from sandbox_lab import Lab, Listener, Result, require
from skilllite_sandbox.seccomp.syscalls import TABLES

ATTACKS = [*PYTHON_ATTACKS, *BASH_ATTACKS, *NODE_ATTACKS]
DEFINITE = {
    *("ok", "not_json", "exit", "signal", "violation", "timeout", "cpu", "memory"),
    *("processes", "disk", "output"),
}


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_an_attack_has_no_effect_on_the_host(lab: Lab, listener: Listener, attack: Attack) -> None:
    require(attack.language)
    skill = lab.skill(attack.language, attack.script)
    facts = {**lab.facts(listener), "numbers": TABLES.get(os.uname().machine, {})}

    isolated = lab.run_once(skill, 2, facts, listener, wait_s=attack.wait_s)

    assert isolated.effects == frozenset(), isolated.outcome
    assert isolated.outcome["reason"] in DEFINITE, isolated.outcome
    assert isolated.outcome["tier"] == lab.tier
    if not attack.needs_root or lab.runs_as_root:
        control = _on_the_bare_host(lab, skill, facts, listener, attack)
        assert attack.effect in control.effects, f"the control failed: {control.outcome}"


_CONTROLS: dict[tuple[int | None, str], Result] = {}


def _on_the_bare_host(
    lab: Lab, skill: Path, facts: dict[str, Any], listener: Listener, attack: Attack
) -> Result:
    """Return what an attack does without isolation, which is the same in every tier."""
    key = (lab.as_user, str(attack))
    if key not in _CONTROLS:
        _CONTROLS[key] = lab.run_once(skill, 1, facts, listener, wait_s=attack.wait_s)
    return _CONTROLS[key]
