"""What `run` and `exec` print of a run, and the exit status that they end with.

Goes by the facts of `Outcome.to_json`, not by an `Outcome`: they may come from a running node, and
then the command line has no use for the sandbox. stdout carries the skill's JSON value and nothing
else; whatever is said about it goes to stderr.
"""

from __future__ import annotations

import json
import sys

from skilllite_sandbox.errors import SandboxError
from skilllite_sandbox.printable import INDENT, LINES

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from typing import Any

OK = 0
FAILED = 1
USAGE = 2
REFUSED = 3
NEEDS_CONFIRMATION = 4
NOT_FOUND = 5
TIMED_OUT = 124
INTERRUPTED = 130

_EXIT_CODES = {
    "invalid_input": USAGE,
    "policy_denied": REFUSED,
    "audit_unavailable": REFUSED,
    "skill_changed": REFUSED,
    "register_untrusted": REFUSED,
    "sandbox_unavailable": REFUSED,
    "environment_unavailable": REFUSED,
    "environment_missing": REFUSED,
    "index_unreachable": REFUSED,
    "consent_required": NEEDS_CONFIRMATION,
    "building_not_allowed": NEEDS_CONFIRMATION,
    "not_found": NOT_FOUND,
}
_STATUS_OF_REASONS = {"timeout": TIMED_OUT, "cancelled": INTERRUPTED}
_HINTS = {
    "timeout": "--timeout S gives it longer",
    "memory": "--max-memory MB gives it more",
    "violation": "it used a system call that no skill needs",
    "output": "let it print a summary, or less",
}

_WEAK_TIERS = frozenset({"root-chroot", "landlock"})
"""Those without namespaces: whoever runs something there is told what they lack."""


def note(text: str) -> None:
    """Print what isn't the result, harmless to a terminal."""
    sys.stderr.write(text.translate(LINES).rstrip("\n") + "\n")
    sys.stderr.flush()


def print_error(error: SandboxError) -> None:
    """Print what failed, why, and what to do next."""
    note(f"error: {error.message}".replace("\n", INDENT))
    if error.cause:
        note(f"cause: {error.cause}".replace("\n", INDENT))
    hint = error.hint or "each command explains itself with --help"
    note(f"hint: {hint}".replace("\n", INDENT))


def print_outcome(facts: dict[str, Any]) -> None:
    """Print all of it, for programs."""
    write(json.dumps(facts) + "\n")


def print_result(facts: dict[str, Any], *, has_output: bool, complaint: str) -> None:
    """Print the skill's value, or what it printed instead, and what became of it.

    Args:
        facts: The outcome; the value itself isn't looked at.
        has_output: Whether the skill printed one.
        complaint: What a skill that failed says itself.
    """
    text = facts["text"]
    if facts["tier"] in _WEAK_TIERS and facts["enforced"]:
        note(f"note: tier {facts['tier']}, which doesn't hold: {', '.join(facts['not_enforced'])}")
    if facts["reason"] == "not_json":
        write(text)
        end = "; printed as it came" if text.strip() else ", although the skill succeeded"
        note(f"note: {facts['message']}{end}")
        return
    if has_output or facts["ok"]:
        write(text.strip() + "\n")
    elif text:
        write(text)
    if not facts["ok"]:
        said = f": {complaint}" if complaint else ""
        print_error(SandboxError(facts["message"] + said, hint=_hint_for(facts, complaint)))


def _hint_for(facts: dict[str, Any], complaint: str) -> str:
    """Return what to do about a run that failed."""
    if facts["reason"] in _HINTS:
        return _HINTS[facts["reason"]]
    if complaint:
        return "change the input; the skill's SKILL.md says what it takes"
    if facts["stderr"].strip():
        return "what the skill wrote about it stands above, or in `stderr` with --json"
    return "the skill said nothing about it; its SKILL.md says what it takes"


def status_of(facts: dict[str, Any]) -> int:
    """Return the exit status for an outcome."""
    return OK if facts["ok"] else _STATUS_OF_REASONS.get(facts["reason"], FAILED)


def exit_code_of(error: SandboxError) -> int:
    """Return the exit status for a run that could not start."""
    return _EXIT_CODES.get(error.code, FAILED)


def write(text: str) -> None:
    """Write to stdout as UTF-8 whatever the locale says; at a terminal harmless to it."""
    if sys.stdout.isatty():
        text = text.translate(LINES)
    data = text.encode("utf-8", "backslashreplace")
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None:  # a replaced stdout, as under a test runner
        sys.stdout.write(data.decode("utf-8"))
    else:
        stream.write(data)
    sys.stdout.flush()
