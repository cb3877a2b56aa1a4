"""Level 1: no carrier at all. The guest sets limits and runs the skill as this user, on this host.

What stands: limits per process, a clean environment, a scratch directory, and a deadline that kills
the process group. A skill that makes itself a session of its own escapes the kill; the plan says
so.
"""

from __future__ import annotations

import shutil
import tempfile

from skilllite_sandbox.backend.base import Launched, Pipes, spawn
from skilllite_sandbox.backend.bubblewrap import guest_command
from skilllite_sandbox.guest.code import GUEST_SOURCE
from skilllite_sandbox.plan import Plan


class Direct:
    """Starts guests without isolation."""

    def launch(self, plan: Plan, input_bytes: bytes) -> Launched:
        """Start the guest; see `Backend`."""
        scratch = tempfile.mkdtemp(prefix="skilllite-run-")

        def remove_scratch() -> None:
            shutil.rmtree(scratch, ignore_errors=True)

        environment = {**dict(plan.environment), "HOME": scratch, "TMPDIR": scratch}
        try:
            with Pipes() as pipes:
                status, our_status = pipes.from_guest()
                return spawn(
                    guest_command(plan, GUEST_SOURCE, status),
                    pipes=pipes,
                    inherited=(status,),
                    status=our_status,
                    environment=environment,
                    directory=scratch,
                    clean_up=remove_scratch,
                )
        except BaseException:
            remove_scratch()
            raise
