"""Decides which system calls a skill may make, per language.

Two programs stack up, and the kernel takes the stricter verdict of the two. The first is complete:
default deny, one verdict per call. bubblewrap loads it and then still has to exec the guest, a warm
worker of a zygote loads it before it knows its job, so it leaves open what they still need: the
seccomp prctl, Landlock, and under bubblewrap execve. The second is the short list that closes those
again, right before the skill's first instruction.

Three kinds of no: an errno for what a program may try in good faith (it sees an ordinary
exception), ENOSYS where libc has a fallback that the filter can inspect, and death for what only an
attack uses, so that the host can tell a violation from a failure.
"""

from __future__ import annotations

from enum import StrEnum
from errno import EACCES, EAFNOSUPPORT, EINVAL, ENOPROTOOPT, ENOSYS, ENOTSUP, ENOTTY, EPERM
from functools import lru_cache

from skilllite_sandbox.seccomp.arguments import (
    ARCH_PRCTL_ALLOWED,
    FCNTL_ALLOWED,
    IOCTL_ALLOWED,
    IP_OPTIONS,
    PRCTL_AARCH64,
    PRCTL_ALLOWED,
    SOCKET_OPTIONS_READ,
    SOCKET_OPTIONS_WRITTEN,
    TCP_OPTIONS,
)
from skilllite_sandbox.seccomp.bpf import (
    ALLOW,
    KILL_PROCESS,
    NOTIFY,
    ArgumentTest,
    Checked,
    Clause,
    Rule,
    assemble,
    errno_action,
)
from skilllite_sandbox.seccomp.syscalls import AUDIT_ARCH, TABLES

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from typing import Final

MACHINES: Final = frozenset(TABLES)
"""The architectures (by `uname -m`) that a filter exists for."""


class Profile(StrEnum):
    """Whose system calls are being judged."""

    PYTHON = "python"
    """Threads but no second process, no exec, no memory both writable and executable."""
    PYTHON_JIT = "python-jit"
    """The same with memory that may become executable: compilers at run time, ctypes callbacks."""
    NODE = "node"
    """The same with a just-in-time compiler."""
    BASH = "bash"
    """Forks and executes; what it may execute is up to Landlock and to the mounts."""


FORKING: Final = frozenset({Profile.BASH})
"""The profiles that allow a second process; one of any other has its own limits for the whole."""


class Executes(StrEnum):
    """Which programs a run may execute."""

    NONE = "none"
    ONCE = "once"
    """Its interpreter, and never again."""
    LISTED = "listed"
    """Any that Landlock leaves executable."""


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ALLOWED: Final = _names("""
read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 close close_range
fstat newfstatat stat lstat statx lseek access faccessat faccessat2 readlink readlinkat
open openat openat2 creat getdents64 getdents getcwd chdir fchdir mkdir mkdirat rmdir unlink
unlinkat rename renameat renameat2 link linkat symlink symlinkat ftruncate truncate fallocate fsync
fdatasync sync_file_range utime utimes utimensat futimesat chmod fchmod fchmodat fchmodat2 umask
flock dup dup2 dup3 pipe pipe2 sendfile copy_file_range statfs fstatfs fadvise64 readahead
munmap mremap mincore brk msync rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending
rt_sigtimedwait rt_sigsuspend sigaltstack kill tgkill tkill restart_syscall pause alarm getitimer
setitimer timer_create timer_settime timer_gettime timer_getoverrun timer_delete futex futex_waitv
futex_wait futex_wake futex_requeue set_robust_list get_robust_list rseq membarrier sched_yield
sched_getaffinity sched_getparam sched_getscheduler sched_getattr sched_get_priority_max
sched_get_priority_min getcpu clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time
times getpid getppid gettid getuid geteuid getgid getegid getgroups getresuid getresgid getpgid
getpgrp getsid setsid getpriority getrusage getrlimit setrlimit getrandom uname sysinfo epoll_create
epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 poll ppoll select pselect6 eventfd
eventfd2 timerfd_create timerfd_settime timerfd_gettime signalfd signalfd4 sendto recvfrom sendmsg
recvmsg shutdown getsockname getpeername exit exit_group wait4 waitid set_tid_address capget
""")

# Needed between the carrier's exec and the skill's first instruction; the guest filter closes them.
_SETUP: Final = _names("""
execve landlock_create_ruleset landlock_add_rule landlock_restrict_self
""")

_KILLED: Final = _names("""
ptrace process_vm_readv process_vm_writev bpf perf_event_open userfaultfd
io_uring_setup io_uring_enter io_uring_register keyctl add_key request_key
mount umount2 pivot_root chroot setns unshare open_tree open_tree_attr move_mount
fsopen fsconfig fsmount fspick mount_setattr statmount listmount
kexec_load kexec_file_load init_module finit_module delete_module create_module
open_by_handle_at name_to_handle_at iopl ioperm modify_ldt swapon swapoff reboot acct
quotactl quotactl_fd syslog vhangup settimeofday clock_settime adjtimex clock_adjtime
sethostname setdomainname kcmp pidfd_getfd fanotify_init fanotify_mark lookup_dcookie
move_pages migrate_pages vmsplice process_madvise process_mrelease memfd_secret
uselib ustat nfsservctl
""")

# Extended attributes: programs probe for them and carry on when the file system has none.
_UNSUPPORTED: Final = _names("""
getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr setxattr lsetxattr fsetxattr
removexattr lremovexattr fremovexattr getxattrat listxattrat setxattrat removexattrat
""")

_PR_SET_SECCOMP: Final = 22
_MADV_MERGEABLE: Final = 12
_MADV_HWPOISON: Final = 100
_MADV_SOFT_OFFLINE: Final = 101
_MSG_FASTOPEN: Final = 0x2000_0000
_CLONE_PARENT: Final = 0x8000
_CLONE_PTRACE: Final = 0x2000
_CLONE_THREAD: Final = 0x0001_0000
_CLONE_NAMESPACES: Final = 0x7E02_0000  # mount, cgroup, uts, ipc, user, pid, net
_AF_UNIX: Final = 1
_AF_INET: Final = 2
_SOCK_STREAM: Final = 1
_SOCK_TYPE_MASK: Final = 0xF
_IPPROTO_IP: Final = 0
_IPPROTO_TCP: Final = 6
_SOL_SOCKET: Final = 1
_MAP_SHARED_ANONYMOUS: Final = 0x21
_MAP_ANONYMOUS: Final = 0x20
_MAP_GROWSDOWN: Final = 0x100
_MAP_HUGETLB: Final = 0x4_0000
_PROT_WRITE: Final = 2
_PROT_EXEC: Final = 4
_WRITE_EXEC: Final = _PROT_WRITE | _PROT_EXEC
_S_IFMT: Final = 0xF000
_S_IFIFO: Final = 0x1000
_S_IFCHR: Final = 0x2000
_S_IFBLK: Final = 0x6000
_INT: Final = 0xFFFF_FFFF
_LONG: Final = 0xFFFF_FFFF_FFFF_FFFF

_DENY: Final = errno_action(EPERM)
_MISSING: Final = errno_action(ENOSYS)
UNKNOWN_CALL: Final = _MISSING
"""For calls younger than our tables: libc falls back when the kernel seems not to have them."""


def _only(argument: int, values: tuple[int, ...], otherwise: int) -> Checked:
    """Allow a call whose `int` argument is one of these values."""
    return Checked(
        tuple(Clause((ArgumentTest(argument, _INT, value),), ALLOW) for value in values), otherwise
    )


def _except(argument: int, values: tuple[int, ...]) -> Checked:
    """Allow a call unless its `int` argument is one of these values; then it makes no sense."""
    refused = errno_action(EINVAL)
    return Checked(
        tuple(Clause((ArgumentTest(argument, _INT, value),), refused) for value in values), ALLOW
    )


def _options(by_level: dict[int, tuple[int, ...]]) -> Checked:
    """Allow these socket options, by the protocol level that they belong to."""
    return Checked(
        tuple(
            Clause((ArgumentTest(1, _INT, level), ArgumentTest(2, _INT, option)), ALLOW)
            for level, options in by_level.items()
            for option in options
        ),
        errno_action(ENOPROTOOPT),
    )


def _refuse_bits(argument: int, bits: int, otherwise: Rule = ALLOW) -> Checked:
    """Refuse a call that has all of these bits set."""
    assert isinstance(otherwise, int)
    return Checked((Clause((ArgumentTest(argument, bits, bits),), _DENY),), otherwise)


def _prctl_allowed(machine: str) -> tuple[int, ...]:
    return (*PRCTL_ALLOWED, *(PRCTL_AARCH64 if machine == "aarch64" else ()))


def _common_rules(machine: str) -> dict[str, Rule]:
    prctl = (*_prctl_allowed(machine), _PR_SET_SECCOMP)
    return {
        # glibc falls back to clone, whose flags a filter can see; clone3's lie behind a pointer.
        "clone3": _MISSING,
        "prctl": _only(0, prctl, _DENY),
        "fcntl": _only(1, FCNTL_ALLOWED, _DENY),
        "arch_prctl": _only(0, ARCH_PRCTL_ALLOWED, errno_action(EINVAL)),
        # Merged pages tell by their timing what other processes hold in memory.
        "madvise": _except(2, (_MADV_MERGEABLE, _MADV_HWPOISON, _MADV_SOFT_OFFLINE)),
        "ioctl": _only(1, IOCTL_ALLOWED, errno_action(ENOTTY)),
        "socket": errno_action(EAFNOSUPPORT),
        "socketpair": _only(0, (_AF_UNIX,), errno_action(EAFNOSUPPORT)),
        "getsockopt": _options({_SOL_SOCKET: SOCKET_OPTIONS_READ}),
        "setsockopt": _options({_SOL_SOCKET: SOCKET_OPTIONS_WRITTEN}),
        # With a pid it would change the limits of any process of the same user.
        "prlimit64": Checked((Clause((ArgumentTest(0, _LONG, 0, wide=True),), ALLOW),), _DENY),
        "personality": _only(0, (_INT,), _DENY),
        "mknod": _no_devices(1),
        "mknodat": _no_devices(2),
    }


def _no_devices(mode: int) -> Checked:
    """Allow named pipes; making a device is an attack, anything else has a call of its own."""
    return Checked(
        (
            Clause((ArgumentTest(mode, _S_IFMT, _S_IFIFO),), ALLOW),
            Clause((ArgumentTest(mode, _S_IFMT, _S_IFCHR),), KILL_PROCESS),
            Clause((ArgumentTest(mode, _S_IFMT, _S_IFBLK),), KILL_PROCESS),
        ),
        _DENY,
    )


def _threads_only() -> Checked:
    """Allow clone for a thread, never for a process or a namespace."""
    in_namespace = tuple(
        Clause((ArgumentTest(0, bit, bit),), _DENY) for bit in _bits(_CLONE_NAMESPACES)
    )
    thread = Clause((ArgumentTest(0, _CLONE_THREAD, _CLONE_THREAD),), ALLOW)
    return Checked((*in_namespace, thread), _DENY)


def _processes() -> Checked:
    """Allow clone unless it makes a namespace, or a child of somebody else."""
    refused = _CLONE_NAMESPACES | _CLONE_PARENT | _CLONE_PTRACE
    return Checked((Clause((ArgumentTest(0, refused, 0),), ALLOW),), _DENY)


def _bits(mask: int) -> list[int]:
    return [1 << position for position in range(32) if mask >> position & 1]


_STARTING_PROGRAMS: Final[dict[str, Rule]] = {
    "clone": _processes(),
    "fork": ALLOW,
    "vfork": ALLOW,
    "setpgid": ALLOW,
    "memfd_create": _DENY,
}
"""What a run needs beside its profile when it may execute listed programs."""


def _profile_rules(profile: Profile, machine: str) -> dict[str, Rule]:
    # Neither shared anonymous memory nor what grows like a stack counts for RLIMIT_DATA (900 MiB
    # went past a limit of 512), and huge pages are a store that all of the host shares.
    uncounted = tuple(
        Clause((ArgumentTest(3, bits, bits),), _DENY)
        for bits in (_MAP_SHARED_ANONYMOUS, _MAP_GROWSDOWN, _MAP_HUGETLB)
    )
    if profile is Profile.BASH:
        return {"mmap": Checked(uncounted, ALLOW), "mprotect": ALLOW, **_STARTING_PROGRAMS}
    if profile is Profile.NODE:
        return {
            "mmap": Checked(uncounted, ALLOW),
            "mprotect": ALLOW,
            "pkey_alloc": ALLOW,
            "pkey_free": ALLOW,
            "pkey_mprotect": ALLOW,
            "clone": _threads_only(),
            "memfd_create": _DENY,
            "set_mempolicy": _DENY,
            # libuv asks for it in good faith and falls back to its thread pool.
            "io_uring_setup": _MISSING,
        }
    if profile is Profile.PYTHON_JIT:
        return {
            "mmap": Checked(uncounted, ALLOW),
            "mprotect": ALLOW,
            "pkey_mprotect": ALLOW,
            "clone": _threads_only(),
        }
    writable_code = Clause((ArgumentTest(2, _WRITE_EXEC, _WRITE_EXEC),), _DENY)
    anonymous_code = Clause(
        (ArgumentTest(2, _PROT_EXEC, _PROT_EXEC), ArgumentTest(3, _MAP_ANONYMOUS, _MAP_ANONYMOUS)),
        _DENY,
    )
    # glibc turns on branch protection of a loaded library by mprotect(READ|EXEC) on aarch64.
    refused = _WRITE_EXEC if machine == "aarch64" else _PROT_EXEC
    return {
        "mmap": Checked((*uncounted, writable_code, anonymous_code), ALLOW),
        "mprotect": _refuse_bits(2, refused),
        "pkey_mprotect": _refuse_bits(2, refused),
        "clone": _threads_only(),
    }


def carrier_rules(
    profile: Profile, machine: str, *, executes: Executes = Executes.NONE
) -> dict[str, Rule]:
    """Return the complete verdicts by call name, as the carrier loads them."""
    rules: dict[str, Rule] = dict.fromkeys(_ALLOWED, ALLOW)
    rules |= dict.fromkeys(_SETUP, ALLOW)
    rules |= dict.fromkeys(_KILLED, KILL_PROCESS)
    rules |= dict.fromkeys(_UNSUPPORTED, errno_action(ENOTSUP))
    rules |= _common_rules(machine)
    rules |= _profile_rules(profile, machine)
    if executes is Executes.LISTED:
        rules |= _STARTING_PROGRAMS
    return rules


def guest_rules(
    profile: Profile, *, network: bool, executes: Executes = Executes.NONE
) -> dict[str, Rule]:
    """Return what the guest closes behind itself; all else is left to the carrier filter."""
    rules = closing_rules(network=network) | dict.fromkeys(_LISTENING, _DENY)
    is_python = profile in (Profile.PYTHON, Profile.PYTHON_JIT)
    if is_python and executes is not Executes.LISTED:
        rules["execve"] = errno_action(EACCES)
    return rules


_EXECVE: Final[dict[Executes, Rule]] = {
    Executes.NONE: errno_action(EACCES),
    Executes.ONCE: NOTIFY,
    Executes.LISTED: ALLOW,
}


def worker_rules(
    profile: Profile, machine: str, *, executes: Executes, network: bool
) -> dict[str, Rule]:
    """Return the complete verdicts by call name for a worker of a zygote.

    A warm worker loads it before its job is known, so that Landlock and one more filter are still
    to come: `closing_rules`, after which nothing is open that isn't in `carrier_rules`.
    """
    rules = carrier_rules(profile, machine, executes=executes)
    rules["execve"] = _EXECVE[executes]
    if network:
        rules |= network_rules(_AF_INET)
    return rules


def closing_rules(*, network: bool) -> dict[str, Rule]:
    """Return what a worker closes right before the skill.

    Sending messages passes descriptors. Those under way count for the user as a whole, also
    outside, and who has too many can pass none; asyncio sends that way over real connections only.
    """
    passing: dict[str, Rule] = {} if network else {"sendmsg": _DENY}
    return passing | {
        "prctl": Checked((Clause((ArgumentTest(0, _INT, _PR_SET_SECCOMP),), _DENY),), ALLOW),
        "landlock_create_ruleset": _DENY,
        "landlock_add_rule": _DENY,
        "landlock_restrict_self": _DENY,
    }


def network_rules(*families: int) -> dict[str, Rule]:
    """Return what connecting by TCP needs: where to is up to Landlock and the namespace."""
    return {
        "socket": _tcp_sockets(families),
        "connect": ALLOW,
        "getsockopt": _options(_tcp_options(SOCKET_OPTIONS_READ)),
        "setsockopt": _options(_tcp_options(SOCKET_OPTIONS_WRITTEN)),
        # It would connect where no rule about connecting looks.
        "sendto": _refuse_bits(3, _MSG_FASTOPEN),
        "sendmsg": _refuse_bits(2, _MSG_FASTOPEN),
    }


def _tcp_sockets(families: tuple[int, ...]) -> Checked:
    """Allow TCP and nothing else that streams.

    The kernel would load a module for another protocol, and Landlock asks about TCP alone.
    """
    return Checked(
        tuple(
            Clause(
                (
                    ArgumentTest(0, _INT, family),
                    ArgumentTest(1, _SOCK_TYPE_MASK, _SOCK_STREAM),
                    ArgumentTest(2, _INT, protocol),
                ),
                ALLOW,
            )
            for family in families
            for protocol in (_IPPROTO_IP, _IPPROTO_TCP)  # the first means: whatever is usual
        ),
        errno_action(EAFNOSUPPORT),
    )


def _tcp_options(of_any_socket: tuple[int, ...]) -> dict[int, tuple[int, ...]]:
    return {_SOL_SOCKET: of_any_socket, _IPPROTO_IP: IP_OPTIONS, _IPPROTO_TCP: TCP_OPTIONS}


_LISTENING: Final = _names("bind listen")


@lru_cache(maxsize=16)
def carrier_filter(
    profile: Profile, machine: str, network: bool = False, executes: Executes = Executes.NONE
) -> bytes:
    """Return the program for `bwrap --seccomp`.

    With network the guest still has to make the socket that the host listens on.

    A number younger than our table gets ENOSYS, not EPERM: libc probes for new calls and falls back
    only when the kernel seems not to have them. Either way the call isn't made.
    """
    rules = carrier_rules(profile, machine, executes=executes)
    if network:
        rules |= network_rules(_AF_INET) | dict.fromkeys(_LISTENING, ALLOW)
    return assemble(
        numbered(rules, machine),
        audit_arch=AUDIT_ARCH[machine],
        default=_DENY,
        unknown=_MISSING,
    )


@lru_cache(maxsize=16)
def guest_filter(
    profile: Profile, machine: str, executes: Executes = Executes.NONE, network: bool = False
) -> bytes:
    """Return the program that the guest loads right before the skill."""
    return assemble(
        numbered(guest_rules(profile, network=network, executes=executes), machine),
        audit_arch=AUDIT_ARCH[machine],
        default=ALLOW,
        unknown=ALLOW,
    )


@lru_cache(maxsize=16)
def worker_filter(profile: Profile, machine: str, executes: Executes, network: bool) -> bytes:
    """Return the one program that a worker of a zygote loads."""
    return assemble(
        numbered(worker_rules(profile, machine, executes=executes, network=network), machine),
        audit_arch=AUDIT_ARCH[machine],
        default=_DENY,
        unknown=_MISSING,
    )


@lru_cache(maxsize=4)
def closing_filter(machine: str, network: bool = False) -> bytes:
    """Return the program that a worker loads right before the skill."""
    return assemble(
        numbered(closing_rules(network=network), machine),
        audit_arch=AUDIT_ARCH[machine],
        default=ALLOW,
        unknown=ALLOW,
    )


def summary(rules: dict[str, Rule]) -> dict[str, list[str]]:
    """Return the names of calls by verdict, for people: every other call fails with EPERM."""
    found: dict[str, list[str]] = {"allowed": [], "checked": [], "refused": [], "killed": []}
    for name, rule in sorted(rules.items()):
        if isinstance(rule, Checked):
            found["checked"].append(name)
        elif rule in (ALLOW, NOTIFY):
            found["allowed"].append(name)
        else:
            found["killed" if rule == KILL_PROCESS else "refused"].append(name)
    return found


def numbered(rules: dict[str, Rule], machine: str) -> dict[int, Rule]:
    """Return the rules by number; calls that a machine doesn't have are left out."""
    table = TABLES[machine]
    return {table[name]: rule for name, rule in rules.items() if name in table}
