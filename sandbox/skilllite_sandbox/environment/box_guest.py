"""The first code in the box that installs: makes the proxy's socket, then becomes the installer.

Runs as a script in an interpreter of the box (`-I -S -B`): standard library of 3.11 only, nothing
of this package. It gets the number of a descriptor with its orders in JSON, because a command line
can be read by everybody on the host and the orders may hold the credentials of an index:

    command      what to become
    environment  all of its environment
    limits       {"NAME": [soft, hard]} for RLIMIT_NAME, in the order of setting
    filter       the last system call filter, in hexadecimal
    channel      a socket to the host, for the proxy's listener; null without network
    port         where the installer expects the proxy, on loopback

Loopback here is that of the box's own network namespace, which has nothing else: whoever connects
to the port speaks to the proxy on the host, which accepts from the socket that is handed out here.
"""

import ctypes
import json
import os
import resource
import socket
import sys

PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2
BACKLOG = 128  # connections that wait for the proxy; installers open some dozens at once
SETUP_FAILED = 125


class Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def main() -> None:
    """Do as ordered; any failure ends it before the installer starts."""
    descriptor = int(sys.argv[1])
    with open(descriptor, "rb") as file:
        orders = json.load(file)
    if orders["channel"] is not None:
        hand_out_listener(orders["channel"], orders["port"])
    os.setsid()  # out of the carrier's process group: kill(0, ...) must not reach it
    for name, (soft, hard) in orders["limits"].items():
        kind = getattr(resource, f"RLIMIT_{name}")
        _, ceiling = resource.getrlimit(kind)
        if ceiling != resource.RLIM_INFINITY:
            soft, hard = min(soft, ceiling), min(hard, ceiling)
        resource.setrlimit(kind, (soft, hard))
    load_filter(bytes.fromhex(orders["filter"]))
    os.execve(orders["command"][0], orders["command"], orders["environment"])


def hand_out_listener(channel: int, port: int) -> None:
    """Listen on loopback and give the socket to the host, keeping nothing of it."""
    with socket.socket() as listener, socket.socket(fileno=channel) as host:
        listener.bind(("127.0.0.1", port))
        listener.listen(BACKLOG)
        socket.send_fds(host, [b"L"], [listener.fileno()])


def load_filter(program: bytes) -> None:
    """Install the filter that closes what this script needed."""
    libc = ctypes.CDLL(None, use_errno=True)
    instructions = ctypes.create_string_buffer(program, len(program))
    filled = Program(len(program) // 8, ctypes.addressof(instructions))
    for arguments in (
        (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(filled), 0, 0),
    ):
        if libc.prctl(*arguments):
            number = ctypes.get_errno()
            raise OSError(number, f"prctl: {os.strerror(number)}")


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        sys.stderr.write(f"the box could not be set up: {error}\n")
        sys.stderr.flush()
        os._exit(SETUP_FAILED)
