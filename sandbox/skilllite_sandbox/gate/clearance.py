"""The permission to start one run at level 3: for one digest, these grants, and who asked."""

from __future__ import annotations

from _thread import allocate_lock

from skilllite_sandbox.errors import PolicyDenied
from skilllite_sandbox.policy import Grants, Level, Origin, Policy

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from skilllite_sandbox.carriers import Job


class Clearance:
    """What `Gate.clear` gives. Made by a gate alone; it says nothing about any other content."""

    __slots__ = ("_left", "_lock", "by", "digest", "grants", "origin", "verdict")

    def __init__(
        self,
        digest: str,
        policy: Policy,
        *,
        verdict: str = "PASS",
        by: str = "",
        single_use: bool = False,
    ) -> None:
        """Allow runs of a digest.

        Args:
            digest: Of the staged copy that was looked at.
            policy: With which it was looked at; its grants and its origin count.
            verdict: What the scanner said.
            by: Who agreed: `terminal`, `callback`, `decision`; empty when nobody had to.
            single_use: Allow one run and no more.
        """
        self.digest = digest
        self.grants: Grants = policy.grants
        self.origin: Origin = policy.origin
        self.verdict = verdict
        self.by = by
        self._left = 1 if single_use else -1
        self._lock = allocate_lock()

    def __repr__(self) -> str:
        return f"Clearance({self.digest!r}, by={self.by!r})"

    def take(self, digest: str, policy: Policy) -> None:
        """Use it for one run.

        Raises:
            PolicyDenied: it is for something else, or used up.
        """
        if digest != self.digest:
            raise _refused("what was cleared is other content than what is to run")
        if policy.origin is not self.origin:
            raise _refused(f"it was cleared for a run that is {self.origin.value}")
        if policy.grants != self.grants:
            raise _refused("it was cleared for other grants")
        with self._lock:
            if self._left == 0:
                raise _refused("the consent was for one run, and that run was started")
            self._left -= 1


def require_clearance(job: Job) -> None:
    """Refuse a job of level 3 that nobody looked at.

    Raises:
        PolicyDenied: it has no clearance, or one for something else.
    """
    if job.policy.level is not Level.FULL:
        return
    if job.clearance is None:
        raise _refused("nothing looked at it before the run")
    job.clearance.take(job.staged.digest, job.policy)


def _refused(cause: str) -> PolicyDenied:
    return PolicyDenied(
        "not cleared to run at level 3", cause=cause, hint="run it again, so that it is looked at"
    )
