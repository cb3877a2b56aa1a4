"""Turns the facts of an ending into an outcome. Pure: the order of the questions is the policy.

First what the host did (deadline, output bound, cancellation), then what the kernel did, then what
the guest said, then the exit status. A skill can make itself look worse, never better than its
status.
"""

from __future__ import annotations

import os
import signal

from skilllite_sandbox.guest import report
from skilllite_sandbox.outcome import Outcome, Reason
from skilllite_sandbox.plan import Plan
from skilllite_sandbox.policy import MIB, TreeBound
from skilllite_sandbox.strict_json import parse_json
from skilllite_sandbox.values import dataclass

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from skilllite_sandbox.egress.attempt import Attempt

_SHELL_SIGNAL_BASE = 128  # bubblewrap and shells report a death by signal N as 128 + N
_SIGNAL_LAST = 64
# V8's last words before it aborts. The second are node 18's, when the limit refuses an mprotect.
_OUT_OF_MEMORY_TEXTS = ("out of memory", "Check failed: reservation_.SetPermissions")
_ABORTS = frozenset({signal.SIGABRT, signal.SIGTRAP, signal.SIGILL, signal.SIGSEGV})


@dataclass(frozen=True, slots=True)
class Ending:
    """What the host saw of a run that is over."""

    wait_status: int
    """Of the process that was started."""
    killed_for: Reason | None
    """Why the host killed it, if it did."""
    told: bytes
    """What the guest reported."""
    stdout: bytes
    stderr: bytes
    stderr_dropped: int
    """Bytes beyond the bound."""
    cpu_most_s: float
    """No more processor time than this was used."""
    duration_ms: float
    attempts: tuple[Attempt, ...] = ()
    """What the skill asked of the network."""
    tree: TreeBound | None = None
    """Who bounded all processes together, when it turned out only while it ran."""
    told_code: int | None = None
    """The exit code that the guest told before it was killed; negative for a signal."""


def make_outcome(plan: Plan, ending: Ending) -> Outcome:
    """Return the outcome of a run."""
    code, number = _status(ending, by_carrier=plan.bare is None)
    text = ending.stdout.decode("utf-8", "replace")
    try:
        output, is_json = parse_json(ending.stdout), True
    except ValueError:
        output, is_json = None, False
    reason = _reason(plan, ending, code, number, is_json=is_json)
    message = _message(reason, plan, ending, code, number)
    started = report.READY in ending.told
    stderr = ending.stderr.decode("utf-8", "replace")
    if ending.stderr_dropped:
        stderr += f"\n{dropped_note(ending.stderr_dropped)}\n"
    return Outcome(
        output=output,
        text=text,
        reason=reason,
        exit_code=code,
        signal=number,
        duration_ms=ending.duration_ms,
        tier=plan.tier,
        level=plan.level,
        enforced=_enforced(plan, ending) if started else (),
        not_enforced=(*plan.not_enforced, *(ending.tree or plan.tree).not_enforced),
        violations=(message,) if reason in _BOUNDS else (),
        stderr=stderr,
        limits=plan.limits,
        message=message,
        network=ending.attempts,
    )


def dropped_note(count: int) -> str:
    """Return the line that stands for what went beyond the bound on stderr."""
    return f"[{count} more bytes on stderr were dropped]"


def _status(ending: Ending, *, by_carrier: bool) -> tuple[int | None, int | None]:
    """Return (exit code, signal), one of them None.

    Args:
        ending: What the host saw.
        by_carrier: Whether what was started may report a signal as an exit code.
    """
    told = ending.told_code
    code = os.waitstatus_to_exitcode(ending.wait_status) if told is None else told
    if code < 0:
        return None, -code
    if told is not None or not by_carrier:
        return code, None
    if _SHELL_SIGNAL_BASE < code <= _SHELL_SIGNAL_BASE + _SIGNAL_LAST:
        return None, code - _SHELL_SIGNAL_BASE
    return code, None


_BOUNDS = frozenset(
    {
        *(Reason.TIMEOUT, Reason.CPU, Reason.MEMORY, Reason.PROCESSES),
        *(Reason.OUTPUT, Reason.DISK, Reason.VIOLATION),
    }
)
"""Reasons that name a bound the run went into."""


def _reason(
    plan: Plan, ending: Ending, code: int | None, number: int | None, *, is_json: bool
) -> Reason:
    if ending.killed_for is not None:
        return ending.killed_for
    told = ending.told
    if report.READY not in told or report.EXEC_FAILED in told:
        return Reason.UNAVAILABLE
    if number is not None:
        return _reason_of_signal(plan, ending, number)
    if code == 0:
        return Reason.OK if is_json else Reason.NOT_JSON
    for fact, reason in _EXHAUSTED:
        if fact in told:
            return reason
    return Reason.EXIT


_EXHAUSTED = (
    (report.OUT_OF_MEMORY, Reason.MEMORY),
    (report.OUT_OF_DISK, Reason.DISK),
    (report.OUT_OF_PROCESSES, Reason.PROCESSES),
)


def _reason_of_signal(plan: Plan, ending: Ending, number: int) -> Reason:
    if number == signal.SIGSYS:
        return Reason.VIOLATION
    if number == signal.SIGXFSZ:
        return Reason.DISK
    if number == signal.SIGKILL:
        # Killed by a guest that watches over it: it says first what there was too much of.
        for fact, reason in _EXHAUSTED:
            if fact in ending.told:
                return reason
    # A program that ignores SIGXCPU gets SIGKILL at the hard limit, which looks like any other.
    if number == signal.SIGXCPU or (
        number == signal.SIGKILL and ending.cpu_most_s >= plan.limits.cpu_s
    ):
        return Reason.CPU
    if number in _ABORTS:
        said = ending.stderr.decode("utf-8", "replace")
        if any(text in said for text in _OUT_OF_MEMORY_TEXTS):
            return Reason.MEMORY
    return Reason.SIGNAL


def _enforced(plan: Plan, ending: Ending) -> tuple[str, ...]:
    landlock = ("landlock",) if report.LANDLOCK in ending.told else ()
    return (*plan.enforced, *landlock, *(ending.tree or plan.tree).enforced)


def _message(
    reason: Reason, plan: Plan, ending: Ending, code: int | None, number: int | None
) -> str:
    limits = plan.limits
    match reason:
        case Reason.OK:
            return ""
        case Reason.NOT_JSON:
            return "output is not one JSON value" if ending.stdout.strip() else "no output"
        case Reason.TIMEOUT:
            return f"deadline of {limits.wall_s:g} s exceeded"
        case Reason.CPU:
            return f"cpu limit of {limits.cpu_s} s exceeded"
        case Reason.MEMORY:
            return f"memory limit of {limits.memory_bytes / MIB:g} MiB exceeded"
        case Reason.PROCESSES:
            return f"limit of {limits.processes} processes and threads exceeded"
        case Reason.OUTPUT:
            return f"output limit of {limits.stdout_bytes} bytes exceeded"
        case Reason.DISK:
            scratch, file = limits.scratch_bytes / MIB, limits.file_bytes / MIB
            return f"disk limit exceeded ({scratch:g} MiB of scratch, {file:g} MiB a file)"
        case Reason.VIOLATION:
            return "killed for a forbidden system call"
        case Reason.CANCELLED:
            return "cancelled"
        case Reason.UNAVAILABLE:
            return "the sandbox could not be set up"
        case Reason.SIGNAL:
            return f"killed by signal {_signal_name(number)}"
        case _:
            return f"exit status {code}"


def _signal_name(number: int | None) -> str:
    try:
        return signal.Signals(number or 0).name
    except ValueError:
        return str(number)
