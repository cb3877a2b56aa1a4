"""What single programs do, one table for each kind of program."""

from __future__ import annotations

from skilllite_sandbox.scan.shell.commands import (
    files,
    filters,
    host,
    installs,
    interpreters,
    network,
    runners,
)
from skilllite_sandbox.scan.shell.commands.call import Call as Call
from skilllite_sandbox.scan.shell.commands.call import Handler as Handler

HANDLERS: dict[str, Handler] = {
    **filters.HANDLERS,
    **files.HANDLERS,
    **host.HANDLERS,
    **network.HANDLERS,
    **runners.HANDLERS,
    **interpreters.HANDLERS,
    **installs.HANDLERS,
}
"""By the name of the program."""
