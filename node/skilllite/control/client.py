"""Asks the running node: synchronous, standard library only, so that a command starts fast."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping

from skilllite.control.framing import (
    ALIVE,
    PROTOCOL,
    REPLY_BYTES_MAX,
    REQUEST_BYTES_MAX,
    SILENCE_S_MAX,
    BadLine,
    Message,
    decode,
    encode,
)
from skilllite.control.sockets import connect, user_of_peer
from skilllite.errors import ControlFailed, NodeNotRunning, Reported, UsageError
from skilllite.home import Home

TYPE_CHECKING = False  # importing `typing` for it would cost every command 5 ms
if TYPE_CHECKING:
    from _socket import socket
    from types import TracebackType
    from typing import Any

CONNECT_TIMEOUT_S = 5.0
RECEIVE_BYTES = 64 * 1024


class ControlClient:
    """One connection to the node of a home. Closing it cancels what is still in flight."""

    def __init__(self, home: Home, *, silence_s: float = SILENCE_S_MAX) -> None:
        """Connect.

        Raises:
            NodeNotRunning: nobody listens there.
            ControlFailed: the socket is there and can't be used.
        """
        self._home = home
        self._socket = _connect(home)
        self._socket.settimeout(silence_s)
        self._silence_s = silence_s
        self._buffer = bytearray()
        self._last_id = 0

    def __enter__(self) -> ControlClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def user(self) -> int:
        """The user that the node runs as."""
        return user_of_peer(self._socket)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def request(
        self, op: str, args: Mapping[str, object] | None = None
    ) -> Generator[Message, None, Any]:
        """Yield the events of one request and return its result.

        Raises:
            Reported: the node answered with an error.
            ControlFailed: the connection broke, or the node fell silent.
        """
        self._last_id += 1
        line = encode({"v": PROTOCOL, "id": self._last_id, "op": op, "args": dict(args or {})})
        if len(line) > REQUEST_BYTES_MAX:
            raise UsageError(
                f"the request has {len(line)} bytes, the node takes {REQUEST_BYTES_MAX}",
                hint="make the input smaller",
            )
        try:
            self._socket.sendall(line)
        except (BrokenPipeError, ConnectionResetError):
            pass  # a node that turns this client away says why before it closes: read on
        except OSError as error:
            raise self._broken(error) from error
        while True:
            message = self._receive()
            if message.get("id") not in (self._last_id, None):
                continue  # what is left of an earlier request
            if "ok" in message:
                return message["ok"]
            if "error" in message:
                raise _reported(message["error"])
            event = message.get("event")
            if isinstance(event, dict) and event.get("event") != ALIVE:
                yield event

    def call(
        self,
        op: str,
        args: Mapping[str, object] | None = None,
        *,
        on_event: Callable[[Message], None] | None = None,
    ) -> Any:
        """Return the result of one request."""
        events = self.request(op, args)
        while True:
            try:
                event = next(events)
            except StopIteration as end:
                return end.value
            if on_event is not None:
                on_event(event)

    def _receive(self) -> Message:
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > REPLY_BYTES_MAX:
                raise ControlFailed(f"the node's answer exceeds {REPLY_BYTES_MAX} bytes")
            try:
                data = self._socket.recv(RECEIVE_BYTES)
            except OSError as error:
                raise self._broken(error) from error
            if not data:
                raise ControlFailed(
                    "the node closed the connection before it answered",
                    cause="it was stopped, or it died",
                    hint="`skilllite node status` and `skilllite node logs` say more; "
                    "accepted tasks are kept",
                )
            self._buffer += data
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        try:
            return decode(line)
        except BadLine as error:
            raise ControlFailed("the node's answer can't be read", cause=str(error)) from error

    def _broken(self, error: OSError) -> ControlFailed:
        if isinstance(error, TimeoutError):
            return ControlFailed(
                f"the node said nothing for {self._silence_s:g} s",
                hint=f"is it stopped or stuck? `skilllite node logs`; home {self._home.label}",
            )
        return ControlFailed(
            "the connection to the node broke",
            cause=error.strerror or str(error),
            hint="`skilllite node status` says whether it still runs",
        )


def _connect(home: Home) -> socket:
    try:
        return connect(home.control_name, timeout_s=CONNECT_TIMEOUT_S)
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError) as error:
        # Refused: a killed node left its socket; the next start replaces it.
        raise NodeNotRunning(
            f"no node is running in {home.label}",
            hint="start one with `skilllite node start -d`, or set SKILLLITE_HOME to its home",
        ) from error
    except PermissionError as error:
        raise ControlFailed(
            f"{home.control_name} belongs to another user",
            cause=error.strerror,
            hint="run the command as the user who started the node",
        ) from error
    except OSError as error:
        raise ControlFailed(
            f"{home.control_name} can't be reached", cause=error.strerror or str(error)
        ) from error


def _reported(error: object) -> Reported:
    facts = error if isinstance(error, dict) else {}
    hint, cause = facts.get("hint"), facts.get("cause")
    reported = Reported(
        str(facts.get("code", "control_failed")),
        str(facts.get("message", "the node reported an error it did not describe")),
        hint=str(hint) if hint else None,
    )
    reported.cause = str(cause) if cause else None
    return reported
