"""What happens to a task, told to those who listen; a slow listener misses lines, never the end."""

from __future__ import annotations

from dataclasses import dataclass

import trio

from skilllite.tasks.records import TaskEvent

EVENTS_MAX = 1_000  # events a listener may lag behind: all the log lines a task may have
LISTENERS_MAX = 16  # on one task


class EventFeed:
    """The listeners of one task. The end of the channel is the end of the task."""

    def __init__(self) -> None:
        self._listeners: list[trio.MemorySendChannel[TaskEvent]] = []

    def listen(self) -> trio.MemoryReceiveChannel[TaskEvent]:
        """Return a channel of the events from now on, at its end at once if many listen."""
        sending, receiving = trio.open_memory_channel[TaskEvent](EVENTS_MAX)
        if len(self._listeners) < LISTENERS_MAX:
            self._listeners.append(sending)
        else:
            sending.close()
        return receiving

    def publish(self, event: TaskEvent) -> None:
        """Tell everybody who has room."""
        for listener in list(self._listeners):
            try:
                listener.send_nowait(event)
            except trio.WouldBlock:
                continue
            except trio.BrokenResourceError:
                self._listeners.remove(listener)

    def close(self) -> None:
        """End all channels."""
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()


@dataclass(frozen=True, slots=True)
class Submission:
    """A task that was accepted: it is on disk."""

    task_id: str
    events: trio.MemoryReceiveChannel[TaskEvent]
    """Ends with the task. Close it to stop listening; the task goes on."""
