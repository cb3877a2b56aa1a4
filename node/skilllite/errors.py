"""What can go wrong in the node and its command line, sorted by what the caller does next.

    SkillLiteError
    ├── UsageError            call it differently: wrong arguments, bad JSON
    ├── ConfigInvalid         repair the setting or the file it comes from
    ├── NotFound              name a skill, task or node that exists
    ├── FolderUntrusted       ask a person whether to use the skills of that folder
    ├── Refused               stop: this node or a peer said no
    ├── HomeUnsafe            repair the permissions of the home
    ├── NodeNotRunning        start the node first
    ├── NodeStopping          the node ends: ask again when it has started
    ├── NodeAlreadyRunning    this home has a node: use it, or choose another home
    ├── ControlFailed         the conversation with the running node broke: look at its log
    ├── TimedOut              give it more time, or look at what it waits for
    └── Reported              an error that came over the control socket, with the code it had there

Errors of the sandbox and the swarm have their own roots (the layers below know nothing of this one)
but the same four facts: `code`, `message`, `hint`, `cause`. `exit_code_of` goes by the code alone,
so the command line never imports a layer just to name its errors.
"""

from __future__ import annotations

OK = 0
FAILED = 1
USAGE = 2
REFUSED = 3
NEEDS_CONFIRMATION = 4
NOT_FOUND = 5
TIMED_OUT = 124
INTERRUPTED = 130

_EXIT_CODES = {
    "usage": USAGE,
    "invalid_input": USAGE,
    "input_too_large": USAGE,
    "invalid_address": USAGE,
    "ambiguous_node": USAGE,
    "bad_join_code": USAGE,
    "policy_denied": REFUSED,
    "audit_unavailable": REFUSED,
    "skill_changed": REFUSED,
    "register_untrusted": REFUSED,
    "sandbox_unavailable": REFUSED,
    "environment_unavailable": REFUSED,
    "environment_missing": REFUSED,
    "index_unreachable": REFUSED,
    "refused": REFUSED,
    "unavailable": REFUSED,
    "peer_refused": REFUSED,
    "not_a_member": REFUSED,
    "join_failed": REFUSED,
    "queue_full": REFUSED,
    "draining": REFUSED,
    "too_many_hops": REFUSED,
    "consent_required": NEEDS_CONFIRMATION,
    "building_not_allowed": NEEDS_CONFIRMATION,
    "not_found": NOT_FOUND,
    "unknown_skill": NOT_FOUND,
    "unknown_node": NOT_FOUND,
    "unknown_task": NOT_FOUND,
    "timeout": TIMED_OUT,
    "deadline_exceeded": TIMED_OUT,
    "interrupted": FAILED,
}
"""Exit status for each stable code; every other code is a plain failure, status 1."""


def exit_code_for(code: str) -> int:
    """Return the documented exit status for a stable error code."""
    return _EXIT_CODES.get(code, FAILED)


def code_of(error: BaseException) -> str | None:
    """Return the stable code of an error of any layer, None for one nobody foresaw."""
    code = getattr(error, "code", None)
    if code == "join_failed" and getattr(error, "reason", None) == "bad_code":
        return "bad_join_code"  # a slip of the tongue, not a refusal: repeat it
    return code if isinstance(code, str) else None


def innermost(error: BaseException) -> BaseException:
    """Return what nurseries wrapped around one error; several stay together."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def exit_code_of(error: BaseException) -> int:
    """Return the documented exit status for an error of any layer."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    return exit_code_for(code_of(error) or "")


class SkillLiteError(Exception):
    """Root of every error the node and its command line raise on purpose.

    Messages are lowercase, without a full stop, and name the thing and the bound.
    """

    code: str = "skilllite_error"
    """Stable identifier, for programs."""

    def __init__(self, message: str, *, hint: str | None = None, cause: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.cause = cause


class UsageError(SkillLiteError):
    """The call can't mean anything: wrong arguments, malformed input, a bad setting."""

    code = "usage"


class ConfigInvalid(SkillLiteError):
    """A setting has a value it can't have, or the config file can't be read."""

    code = "config_invalid"


class NotFound(SkillLiteError):
    """The named skill, task or node does not exist."""

    code = "not_found"


class FolderUntrusted(SkillLiteError):
    """The skill is one of a project folder that nobody has trusted yet."""

    code = "consent_required"


class Refused(SkillLiteError):
    """This node won't do it, and asking again changes nothing."""

    code = "refused"


class HomeUnsafe(SkillLiteError):
    """Others could change what this node trusts, or the home can't be used at all."""

    code = "home_unsafe"


class NodeNotRunning(SkillLiteError):
    """No node answers in this home."""

    code = "node_not_running"


class NodeStopping(SkillLiteError):
    """The node is going away; what it accepted is kept."""

    code = "node_stopping"


class NodeAlreadyRunning(SkillLiteError):
    """A node holds the lock of this home."""

    code = "node_already_running"


class ControlFailed(SkillLiteError):
    """The conversation over the control socket broke."""

    code = "control_failed"


class TimedOut(SkillLiteError):
    """Something took longer than its deadline."""

    code = "timeout"


class Reported(SkillLiteError):
    """An error that somebody else raised and described; it keeps the code it had there."""

    def __init__(self, code: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.code = code
