"""Lets a running skill reach the hosts that were granted to it, and keeps what it tried.

One proxy for one run, opened when the sandbox hands out its listening socket and closed with the
run. What is reached and refused is decided in `egress`, which is imported only by runs that have
network.
"""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

from skilllite_sandbox.plan import Plan

if TYPE_CHECKING:
    from skilllite_sandbox.egress.attempt import Attempt
    from skilllite_sandbox.egress.proxy import EgressProxy


class NetworkGate:
    """The way out of one run."""

    def __init__(self, plan: Plan) -> None:
        self._targets = plan.network
        self._lock = threading.Lock()
        self._proxy: EgressProxy | None = None
        self._attempts: list[Attempt] = []

    @property
    def is_open(self) -> bool:
        """Whether the sandbox's socket was taken."""
        return self._proxy is not None

    def open(self, listener: int) -> None:
        """Take the listening socket and start to serve it."""
        from skilllite_sandbox.egress.proxy import EgressProxy
        from skilllite_sandbox.egress.rules import parse_rules

        self._proxy = EgressProxy(
            socket.socket(fileno=listener),
            parse_rules(self._targets),
            on_attempt=self._record,
        )
        self._proxy.start()

    def close(self) -> tuple[Attempt, ...]:
        """Cut every connection and return what was tried, in the order of its end."""
        if self._proxy is not None:
            self._proxy.close()
        with self._lock:
            return tuple(self._attempts)

    def _record(self, attempt: Attempt) -> None:
        with self._lock:
            self._attempts.append(attempt)  # bounded by the connections that a proxy accepts
