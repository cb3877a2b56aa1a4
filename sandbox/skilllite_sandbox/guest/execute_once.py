"""Executes a program exactly once: the filter asks about every exec, and one answer is given.

After that answer the listener is closed, and the kernel answers every later exec with ENOSYS, for
ever and without anybody watching. The one exec that is let through happens in trusted code of a
single thread, so that nothing can change its arguments between question and answer.
See seccomp_unotify(2).
"""

import fcntl
import os
import select
import sys
from _socket import CMSG_LEN, MSG_CMSG_CLOEXEC, SCM_RIGHTS, SOL_SOCKET, socket

from skilllite_sandbox.guest.system import FilterProgram, Libc

_NOTIFICATION_BYTES = 80  # struct seccomp_notif
_IOCTL_RECEIVE = 0xC050_2100
_IOCTL_SEND = 0xC018_2101
_FLAG_CONTINUE = 1


def load_and_offer(libc: Libc, program: FilterProgram, channel: socket) -> None:
    """Load the filter and hand its listener to the process that will answer once."""
    listener = libc.load_filter_with_listener(program)
    content = listener.to_bytes(4, sys.byteorder)
    channel.sendmsg([b"L"], [(SOL_SOCKET, SCM_RIGHTS, content)])
    os.close(listener)
    channel.close()


def let_one_through(channel: socket) -> None:
    """Take the listener of the other process, answer its first question with yes, and close it."""
    listener = _receive(channel)
    if listener >= 0:
        _answer(listener)
        os.close(listener)


def _receive(channel: socket) -> int:
    _, ancillary, _, _ = channel.recvmsg(1, CMSG_LEN(4), MSG_CMSG_CLOEXEC)
    for _, _, content in ancillary:
        return int.from_bytes(content[:4], sys.byteorder)
    return -1  # the other process died before it had one


def _answer(listener: int) -> None:
    """Let the exec through; there is none when the other process died before."""
    waiting = select.poll()
    waiting.register(listener, select.POLLIN)
    if not any(event & select.POLLIN for _, event in waiting.poll()):
        return
    notification = bytearray(_NOTIFICATION_BYTES)
    fcntl.ioctl(listener, _IOCTL_RECEIVE, notification)
    identity = bytes(notification[:8])
    no_value_no_error = bytes(12)
    flags = _FLAG_CONTINUE.to_bytes(4, sys.byteorder)
    fcntl.ioctl(listener, _IOCTL_SEND, bytearray(identity + no_value_no_error + flags))
