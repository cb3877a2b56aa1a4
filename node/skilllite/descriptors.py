"""How many files and connections the process of a node may have open.

A login gives a process 1,024 for the sake of old programs that use `select`, and lets it ask for
more. That many connections a stranger on the LAN could hold, and then no task could be started.
"""

from __future__ import annotations

import resource

DESCRIPTORS_WANTED = 65_536
"""Each costs the kernel a kilobyte or so; beyond it a flood had better be refused."""


def raise_descriptor_limit(wanted: int = DESCRIPTORS_WANTED) -> int:
    """Ask for as many as are wanted or allowed; return how many there may be now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most
