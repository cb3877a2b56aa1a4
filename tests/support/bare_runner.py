"""Runs one skill in one tier, for `bare_lab`: a program, so that it can be another user's.

Reads {"skill", "tier", "stage", "input", "limits"} from stdin; prints the outcome and whether a
process of this user survived it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from skilllite_sandbox.policy import DEFAULT_LIMITS, Level, Tier
from skilllite_sandbox.sandbox import Sandbox
from skilllite_sandbox.stage import Stage

VICTIM_S = "300"  # longer than any attack; killed below


def main() -> None:
    """Answer one request."""
    request = json.load(sys.stdin)
    tier = Tier(request["tier"])
    limits = replace(DEFAULT_LIMITS, **request["limits"])
    victim = subprocess.Popen(["sleep", VICTIM_S])
    try:
        if tier is Tier.NONE:  # the control
            opened = Sandbox(Level.DIRECT, limits=limits)
        else:
            stage = Stage(Path(request["stage"]))
            opened = Sandbox(
                Level.ISOLATED, limits=limits, stage=stage, tier=tier, accept_tier=tier
            )
        with opened as sandbox:
            arguments = {**request["input"], "victim": victim.pid}
            outcome = sandbox.run(Path(request["skill"]), arguments)
        answer = {"outcome": outcome.to_json(), "victim_alive": victim.poll() is None}
    finally:
        victim.kill()
        victim.wait()
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
