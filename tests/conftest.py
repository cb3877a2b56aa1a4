"""What every test may rely on."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings


def pytest_configure() -> None:
    """Let programs that tests start be interrupted.

    What a shell without job control starts in the background ignores SIGINT, and so would they.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # A busy machine is no failure: tests that bound a time say so themselves.
    settings.register_profile(
        "skilllite", deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("skilllite")
