"""Which arguments of a system call are harmless, where the call as a whole is not. Data only."""

from __future__ import annotations

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from typing import Final

PRCTL_ALLOWED: Final = (
    3,  # PR_GET_DUMPABLE
    15,  # PR_SET_NAME
    16,  # PR_GET_NAME
    21,  # PR_GET_SECCOMP
    23,  # PR_CAPBSET_READ
    38,  # PR_SET_NO_NEW_PRIVS
    39,  # PR_GET_NO_NEW_PRIVS
    0x53564D41,  # PR_SET_VMA: allocators name their mappings
)
PRCTL_AARCH64: Final = (54, 55, 56)  # pointer authentication keys and tagged addresses

IOCTL_ALLOWED: Final = (
    0x5401,  # TCGETS: is this a terminal?
    0x5413,  # TIOCGWINSZ
    0x541B,  # FIONREAD
    0x5421,  # FIONBIO
    0x5450,  # FIONCLEX
    0x5451,  # FIOCLEX
)

# Not among them: F_SETOWN, F_SETSIG, F_NOTIFY and F_SETLEASE, by which the kernel sends signals
# when somebody else uses a file, and F_SETPIPE_SZ, which takes from what all pipes of this user may
# hold, also outside.
FCNTL_ALLOWED: Final = (
    0,  # F_DUPFD
    1,  # F_GETFD
    2,  # F_SETFD
    3,  # F_GETFL
    4,  # F_SETFL
    5,  # F_GETLK
    6,  # F_SETLK
    7,  # F_SETLKW
    36,  # F_OFD_GETLK
    37,  # F_OFD_SETLK
    38,  # F_OFD_SETLKW
    1027,  # F_DUPFD_QUERY
    1030,  # F_DUPFD_CLOEXEC
    1032,  # F_GETPIPE_SZ
)

ARCH_PRCTL_ALLOWED: Final = (
    0x1001,  # ARCH_SET_GS
    0x1002,  # ARCH_SET_FS: where a thread's own variables are
    0x1003,  # ARCH_GET_FS
    0x1004,  # ARCH_GET_GS
)

# What a program asks of a socket or a pair. Not among them: SO_PEERPIDFD, a handle on the process
# that made the pair, which may be the host's, and whatever attaches a program to a socket.
SOCKET_OPTIONS_READ: Final = (
    *(2, 3, 4, 6, 7, 8, 9, 10, 13, 15, 16, 17, 18, 19, 20, 21, 30, 38, 39),
    *(66, 67),  # the timeouts, in their 64-bit form
)
SOCKET_OPTIONS_WRITTEN: Final = (2, 6, 7, 8, 9, 10, 13, 15, 16, 18, 20, 21, 66, 67)
TCP_OPTIONS: Final = (1, 2, 3, 4, 5, 6, 7, 11, 12, 18, 25)  # not ULP, CONGESTION, REPAIR
IP_OPTIONS: Final = (1, 2, 10, 11, 24)  # type of service, lifetime, path MTU, errors, late port
