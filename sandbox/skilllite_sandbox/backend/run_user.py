"""A user for one run: a number that no other process of this machine has.

What the kernel keeps apart by user is then the run's own: signals, the number of processes, queued
signals, files. A number is held by a socket that ends with whoever holds it, so that no run of
another program of ours takes it too, and one with a process of it, left by a crash, is passed over.
"""

from __future__ import annotations

import os
import socket

from skilllite_sandbox.errors import SandboxUnavailable
from skilllite_sandbox.guest.bare_watch import processes_of

RUN_IDS = range(60_920, 61_176)
"""256, see `host.SERVICE_ID`: nobody hands them out, and containers have them."""


def take_run_user() -> tuple[int, socket.socket]:
    """Return a free number, and what holds it until every copy of it is closed.

    Raises:
        SandboxUnavailable: all are taken.
    """
    start = int.from_bytes(os.urandom(2), "little")
    for offset in range(len(RUN_IDS)):
        user = RUN_IDS[(start + offset) % len(RUN_IDS)]
        holder = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            # No file: it is gone with the last process that has it, however that ends.
            holder.bind(f"\0skilllite-run-user-{user}")
        except OSError:
            holder.close()
            continue
        if not processes_of(user):
            return user, holder
        holder.close()
    raise SandboxUnavailable(
        f"all {len(RUN_IDS)} users for runs are taken",
        cause="as many runs at once, or their numbers are held by somebody else",
        hint="run fewer skills at a time",
    )
