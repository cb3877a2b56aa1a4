"""Level 1: no carrier at all. The guest sets limits and runs the skill as this user, on this host.

What stands: limits per process, a clean environment, a scratch directory, and a deadline that kills
the process group. A skill that makes itself a session of its own escapes the kill; the plan says
so.
"""

from __future__ import annotations

import shutil
import tempfile

from skilllite_sandbox.backend.base import Pipes, Started, spawn
from skilllite_sandbox.backend.bubblewrap import guest_command
from skilllite_sandbox.guest.code import guest_code
from skilllite_sandbox.plan import Plan


class Direct:
    """Starts guests without isolation."""

    def launch(self, plan: Plan, input_bytes: bytes) -> Started:
        """Start the guest; see `Backend`."""
        scratch = tempfile.mkdtemp(prefix="skilllite-run-")

        def remove_scratch() -> None:
            shutil.rmtree(scratch, ignore_errors=True)

        environment = {**dict(plan.environment), "HOME": scratch, "TMPDIR": scratch}
        try:
            with Pipes() as pipes:
                status, our_status = pipes.from_guest()
                guest = pipes.file_of(guest_code("bootstrap", plan.interpreter))
                return spawn(
                    guest_command(plan, f"/proc/self/fd/{guest}", status),
                    pipes=pipes,
                    inherited=(status, guest),
                    status=our_status,
                    environment=environment,
                    directory=scratch,
                    counts_cpu=True,
                    clean_up=remove_scratch,
                )
        except BaseException:
            remove_scratch()
            raise
