"""Runs a skill at several levels, for `sandbox_lab`: a program, so that it can be another user's.

Reads {"skill", "levels", "input"} from stdin and prints an object with one result for each level.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from skilllite_sandbox.policy import Level
from skilllite_sandbox.sandbox import Sandbox

VICTIM_S = "300"  # longer than any attack; killed below


def main() -> None:
    """Answer one request."""
    request = json.load(sys.stdin)
    answers = {}
    for level in request["levels"]:
        victim = subprocess.Popen(["sleep", VICTIM_S])
        try:
            with Sandbox(Level(level)) as sandbox:
                arguments = {**request["input"], "victim": victim.pid}
                outcome = sandbox.run(Path(request["skill"]), arguments)
            answers[level] = {"outcome": outcome.to_json(), "victim_alive": victim.poll() is None}
        finally:
            victim.kill()
            victim.wait()
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
