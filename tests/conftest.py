"""What every test may rely on."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Let programs that tests start be interrupted.

    What a shell without job control starts in the background ignores SIGINT, and so would they.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
