"""The log of a node: one line an event, to `logs/node.log` and, in the foreground, to stderr.

What goes in is decided where it is logged: ids, names, durations, reasons; never an input, an
output, a join code or a key. What is decided here is that a line stays one line whatever a peer or
a skill called itself, and that the disk doesn't fill up.
"""

from __future__ import annotations

import logging
import logging.handlers
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from skilllite.cli.output import printable
from skilllite.home import Home

FILE_BYTES_MAX = 4 * 1024 * 1024
FILES_KEPT = 3
"""Besides the one that grows: 16 MiB in all, some weeks of a busy node."""

LINE_CHARACTERS_MAX = 4096

_QUIET = ("zeroconf", "asyncio", "grpc")
"""Libraries whose chatter is not about this node; their warnings are kept."""


class LineFormatter(logging.Formatter):
    """Formats a record, traceback included, as one bounded line without control characters."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s.%(msecs)03dZ %(levelname)-7s %(name)s  %(message)s", "%Y-%m-%dT%H:%M:%S"
        )

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        text = super().format(record).replace("\n", " | ")
        if len(text) > LINE_CHARACTERS_MAX:
            text = text[:LINE_CHARACTERS_MAX] + " …"
        return printable(text)


class _LogFile(logging.handlers.RotatingFileHandler):
    """The file; a disk that is full costs lines of the log and nothing else."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Drop the line: telling stderr about each would be a flood of its own."""


@contextmanager
def open_journal(home: Home, *, level: str, quiet: bool) -> Iterator[None]:
    """Write the log inside the block; to the file alone when `quiet`."""
    handlers: list[logging.Handler] = [
        _LogFile(home.log_file, maxBytes=FILE_BYTES_MAX, backupCount=FILES_KEPT, encoding="utf-8")
    ]
    if not quiet:
        handlers.append(logging.StreamHandler(sys.stderr))
    root = logging.getLogger()
    before = root.level
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for handler in handlers:
        handler.setFormatter(LineFormatter())
        root.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            root.removeHandler(handler)
            with suppress(OSError):  # what a full disk did not take
                handler.close()
        root.setLevel(before)
