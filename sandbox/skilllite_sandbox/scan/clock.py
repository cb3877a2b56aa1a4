"""How long one scan may take, over all that looks at the skill."""

from __future__ import annotations

import time

SCAN_S_MAX = 1.6  # of processor time for one skill, on a slow machine; an ordinary one takes 0.01
TEXTS_S_MAX = 0.8  # of that for what is read before the code is followed


class Clock:
    """Counts processor time of this thread: a busy machine must not make another verdict."""

    def __init__(self, seconds: float = SCAN_S_MAX) -> None:
        self._ends = time.thread_time() + seconds

    def left(self) -> float:
        """Return how many seconds are left; less than nothing when it is over."""
        return self._ends - time.thread_time()

    def is_over(self) -> bool:
        """Whether what isn't looked at yet is reported as not looked at."""
        return self.left() < 0
