"""What the guest may tell the host, one byte each.

The guest is a single file and can't import this one, so it has the same constants; a test compares.
"""

from __future__ import annotations

READY = b"R"
"""Every protection stands; the skill is next. The only one that is believed about the sandbox."""
LANDLOCK = b"L"
"""Only the listed programs can be executed."""
EXEC_FAILED = b"X"
OUT_OF_MEMORY = b"M"
OUT_OF_DISK = b"D"
OUT_OF_PROCESSES = b"P"
