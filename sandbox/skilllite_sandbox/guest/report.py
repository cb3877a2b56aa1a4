"""What the guest may tell the host, one byte each, and how the two exchange jobs.

The host believes nothing but READY about the sandbox; the rest only tells a skill's own failures
apart, so a skill that writes to the channel lies about nobody but itself.
"""

READY = b"R"
"""Every protection stands; the skill is next. The only one that is believed about the sandbox."""
LANDLOCK = b"L"
"""Landlock holds: only the listed files can be read, written and executed."""
EXEC_FAILED = b"X"
OUT_OF_MEMORY = b"M"
OUT_OF_DISK = b"D"
OUT_OF_PROCESSES = b"P"
ENDED = b"E"
"""Followed by the exit code in decimal: the skill is through and has flushed its output. Whoever
says it is killed at once, so that saying it is the same as exiting."""
FAILED = b"F"
"""Followed by text: the sandbox could not be set up, nothing of the skill ran."""
LISTENER = b"N"
"""With a descriptor: the socket on which the skill's network requests arrive."""
CODE = b"C"
"""Followed by what the script was compiled to, or by nothing: the first message after READY, if the
job asked for it. The skill has not run yet, so it can not have said it; later it means nothing."""
WARM = b"W"
"""A worker waits for a job."""

SETUP_FAILED = 125  # exit status when the skill was never started

# On the channel that the zygote keeps for each worker, out of the skill's reach.
STARTED = b"S"
"""With the worker's pidfd."""
DIED = b"Z"
"""Followed by the wait status, and the processor time in seconds."""

EXPIRED = b"Q"
"""From a zygote that nobody used for long, right before it ends."""

MESSAGE_BYTES_MAX = 128 * 1024  # below the least that a socket buffers
CODE_BYTES_MAX = 60 * 1024  # below what the host reads at once; the code of some 2,000 lines
CODE_SEPARATOR = b"\0"  # between a job and its code
DESCRIPTORS_MAX = 4
