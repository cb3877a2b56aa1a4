"""What can go wrong in the sandbox, sorted by what the caller does next.

    SandboxError
    ├── InvalidSkill         fix the skill
    ├── InvalidInput         fix the call (bad JSON, wrong shape, too large)
    ├── NotFound             name something that exists
    ├── PolicyDenied         stop: policy says no and nobody here can change that
    │   ├── SkillChanged           verify it: it is not what was installed
    │   └── RegisterUntrusted      restore what knows of installed skills
    ├── ConsentRequired      ask a person
    │   └── BuildingNotAllowed     whether code of a package may run to build it
    ├── SandboxUnavailable   run `skilllite doctor`: this host can't give what was asked
    │   └── EnvironmentUnavailable the skill's packages can't be had: see to the tool, disk, index
    │       ├── EnvironmentMissing     build it on this host first
    │       └── IndexUnreachable       try again later, or correct the index settings
    ├── AuditUnavailable     make the audit log writable: what can't be written down isn't done
    ├── PackagesUnresolvable change what the skill asks for: no index has it
    └── KeyUnusable          restore the key file or its permissions; nothing was replaced

A run that starts always ends in an `Outcome`; these are raised when it could not start.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from typing import ClassVar

    from skilllite_sandbox.integrity.entries import Change


class SandboxError(Exception):
    """Root of every error the sandbox raises on purpose.

    Messages are lowercase, without a full stop, and name the thing and the bound.
    """

    code: ClassVar[str] = "sandbox_error"
    """Stable identifier, for programs."""

    def __init__(self, message: str, *, hint: str | None = None, cause: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.cause = cause


class InvalidSkill(SandboxError):
    """The skill directory can't be used as it is."""

    code = "invalid_skill"


class InvalidInput(SandboxError):
    """The input or the call is malformed or exceeds a bound."""

    code = "invalid_input"


class NotFound(SandboxError):
    """The named skill, script or file does not exist."""

    code = "not_found"


class PolicyDenied(SandboxError):
    """Policy refuses; no confirmation can change it."""

    code = "policy_denied"


class SkillChanged(PolicyDenied):
    """An installed skill is not what was installed."""

    code = "skill_changed"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        cause: str | None = None,
        changes: tuple[Change, ...] = (),
    ) -> None:
        super().__init__(message, hint=hint, cause=cause)
        self.changes = changes


class RegisterUntrusted(PolicyDenied):
    """What is known of installed skills was changed or can't be read."""

    code = "register_untrusted"


class ConsentRequired(SandboxError):
    """A person has to agree before this can run."""

    code = "consent_required"

    report_id: str | None = None
    """What `skilllite confirm` takes, when it can be agreed to that way."""


class SandboxUnavailable(SandboxError):
    """The host can't give the isolation that the level asks for."""

    code = "sandbox_unavailable"


class EnvironmentUnavailable(SandboxUnavailable):
    """The packages that a skill needs can't be installed on this host now."""

    code = "environment_unavailable"


class EnvironmentMissing(EnvironmentUnavailable):
    """The packages are not installed, and who asked may not have them installed."""

    code = "environment_missing"


class IndexUnreachable(EnvironmentUnavailable):
    """No package index answered."""

    code = "index_unreachable"


class BuildingNotAllowed(ConsentRequired):
    """A package exists as source only; building it runs code of its author."""

    code = "building_not_allowed"


class PackagesUnresolvable(SandboxError):
    """What the skill asks for doesn't exist or doesn't fit together."""

    code = "packages_unresolvable"


class AuditUnavailable(SandboxError):
    """The audit log can't be written, and what was asked for is not done unrecorded."""

    code = "audit_unavailable"


class KeyUnusable(SandboxError):
    """A private file is damaged, unreadable, or open to other users."""

    code = "key_unusable"
