"""How many workers to keep warm. Pure: the clock comes in as an argument.

As many as ran at once in the recent past, and one more for the next caller: who runs one skill at a
time keeps two warm, who runs ten at once keeps what the bound allows. Nothing warm is kept for
ever: idle workers end by themselves.
"""

from __future__ import annotations

from collections import deque

WINDOW_S = 10.0  # how far back a peak counts: a burst every few seconds finds its workers warm
IDLE_S = 60.0  # a warm worker that waited this long ends: about 3 MB each
PEAKS_KEPT = 64  # at most this many peaks of the window are remembered, the highest last


class PoolSize:
    """The size for one kind of worker."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._running = 0
        self._peaks: deque[tuple[float, int]] = deque(maxlen=PEAKS_KEPT)

    def started(self, now_s: float) -> None:
        """Count a run that starts."""
        self._running += 1
        while self._peaks and self._peaks[-1][1] <= self._running:
            self._peaks.pop()
        self._peaks.append((now_s, self._running))

    def finished(self) -> None:
        """Count a run that ended."""
        self._running = max(0, self._running - 1)

    def target(self, now_s: float) -> int:
        """Return how many warm workers there should be."""
        while self._peaks and now_s - self._peaks[0][0] > WINDOW_S:
            self._peaks.popleft()
        if not self._peaks:
            return 0
        return min(self._most, self._peaks[0][1] + 1)
