"""Refuses a zygote whose worker can do what none may: runs the built-in attacker in a new one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from skilllite_sandbox.attackers import attempts_of, may_besides, question
from skilllite_sandbox.backend.zygote import Zygote, ZygoteFailed
from skilllite_sandbox.execution import Execution
from skilllite_sandbox.outcome import Reason
from skilllite_sandbox.plan import Plan
from skilllite_sandbox.values import replace
from skilllite_sandbox.zygote_plan import SELF_TEST

DEADLINE_S = 10.0  # a healthy one takes 0.05; this is for a machine under water


def make_self_test(canary: str) -> Callable[[Zygote, Plan], None]:
    """Return the test; the canary is a file that every user of this host can read."""

    def test(zygote: Zygote, plan: Plan) -> None:
        assert plan.zygote is not None
        job: dict[str, Any] = json.loads(plan.zygote.job)
        command = [*job["command"][:-1], SELF_TEST] if job["command"] else []
        job |= {"skill": None, "environment_id": None, "script": SELF_TEST, "command": command}
        data = question(canary)
        worker = zygote.spawn(plan.zygote.worker, warm=False)
        worker.run(json.dumps(job), data, stdin_file=plan.stdin_file)
        limits = replace(plan.limits, wall_s=DEADLINE_S)
        outcome = Execution(replace(plan, limits=limits), worker, data).wait()
        wrong = attempts_of(outcome, may=may_besides(plan))
        if outcome.reason is Reason.UNAVAILABLE or wrong:
            why = outcome.message if outcome.reason is Reason.UNAVAILABLE else ", ".join(wrong)
            raise ZygoteFailed("self-test", f"a hostile skill could {why} {outcome.stderr[-200:]}")

    return test
