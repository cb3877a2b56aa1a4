"""What is written down of one run, stage by stage: who asked for what, what started, how it ended.

    run.requested → run.scanned → run.staged → run.started → run.network* → run.ended
    run.refused at any place instead

Of the skill's input and output only sizes and hashes are told.
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from skilllite_sandbox.digest import sha256
from skilllite_sandbox.errors import AuditUnavailable, SandboxError
from skilllite_sandbox.policy import Level

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from skilllite_sandbox.audit_port import Recorder
    from skilllite_sandbox.carriers import Job
    from skilllite_sandbox.egress.attempt import Attempt
    from skilllite_sandbox.outcome import Outcome
    from skilllite_sandbox.plan import Plan

RUN_ID_BYTES = 8  # links the lines of one run; unlikely to be met twice in a log
ATTEMPTS_A_LINE = 6  # what the bounds on facts let through whole
SMALL_BYTES = 256 * 1024
REFUSALS = frozenset(
    {
        *("policy_denied", "consent_required", "building_not_allowed", "sandbox_unavailable"),
        *("environment_unavailable", "environment_missing", "index_unreachable", "refused"),
        "audit_unavailable",
    }
)
"""Codes of errors by which something said no; the others are mistakes in what was asked for."""


class RunRecord:
    """Tells a recorder about one run. What can't be written stops it at level 3, and only there."""

    def __init__(
        self,
        recorder: Recorder,
        *,
        by: str,
        level: Level | int,
        commit: Callable[[], None] | None = None,
        warn: Callable[[str], None] | None = None,
        **asked: object,
    ) -> None:
        """Say that a run was asked for.

        Args:
            recorder: Where it is written down.
            by: Who asks: `command`, `program`, `callback`, `task` or `peer`.
            level: What was asked for.
            commit: Returns when all that was told is written, and raises when it can't be.
            warn: Takes a line for a person about what could not be written.
            asked: More about who and what: `skill`, `node`, `task`.
        """
        self.run_id = os.urandom(RUN_ID_BYTES).hex()
        self._recorder = recorder
        self._level = Level(level)
        self._commit = commit
        self._warn = warn
        self._is_over = False
        self._tell("run.requested", {"by": by, "level": int(level), **who(), **asked})

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Write down why the run didn't come about, if it doesn't."""
        try:
            yield
        except SandboxError as error:
            self.refused(error.code, error.message)
            raise
        except BaseException:
            if not self._is_over:
                self._is_over = True
                self._tell("run.ended", {"ok": False, "reason": "cancelled"})
            raise

    def scanned(self, verdict: str, digest: str) -> None:
        """Say what the scanner said about what is to run."""
        self._tell("run.scanned", {"verdict": verdict, "digest": digest})

    def staged(self, job: Job) -> None:
        """Say what exactly will run, before it does.

        Raises:
            AuditUnavailable: that can't be written, and the level asks for it.
        """
        skill = job.staged.skill.name
        facts: dict[str, object] = {
            "skill": skill,
            "digest": job.staged.digest,
            "script": job.entry.path,
            "origin": job.policy.origin.value,
            "input_bytes": len(job.input_bytes),
            "input_sha256": hash_of(job.input_bytes),
        }
        if job.clearance is not None:
            # Without anybody's consent only what passes is cleared.
            facts["verdict"] = "REVIEW" if job.clearance.by else "PASS"
            facts["consent"] = job.clearance.by or None
        if job.environment is not None:
            facts["packages"] = job.environment.digest
        self._tell("run.staged", facts)
        self.commit()

    def commit(self) -> None:
        """Have everything so far written.

        Raises:
            AuditUnavailable: it can't be, at the level at which that counts.
        """
        if self._commit is None:
            return
        try:
            self._commit()
        except AuditUnavailable as error:
            if self._level is Level.FULL:
                raise
            self._complain(error)

    def started(self, plan: Plan) -> None:
        """Say within what it runs."""
        self._tell(
            "run.started",
            {
                "tier": plan.tier.value,
                "level": int(plan.level),
                "network": list(plan.network),
                "exec": list(plan.programs),
                "wall_s": plan.limits.wall_s,
                "memory_bytes": plan.limits.memory_bytes,
            },
        )

    def ended(self, outcome: Outcome) -> None:
        """Say how it ended, and where it connected."""
        self._is_over = True
        self._tell_attempts(outcome.network)
        text = outcome.text.encode("utf-8", "surrogatepass")
        self._tell(
            "run.ended",
            {
                "ok": outcome.ok,
                "reason": outcome.reason.value,
                "exit_code": outcome.exit_code,
                "signal": outcome.signal,
                "duration_ms": round(outcome.duration_ms, 3),
                "tier": outcome.tier.value,
                "output_bytes": len(text),
                "output_sha256": hash_of(text),
                "stderr_chars": len(outcome.stderr),
                "violations": list(outcome.violations),
                "message": outcome.message,
            },
        )

    def refused(self, code: str, message: str) -> None:
        """Say why it didn't come about; nothing when it has ended already."""
        if self._is_over:
            return
        self._is_over = True
        try:
            self._recorder.record(
                "run.refused",
                {"run": self.run_id, "code": code, "message": message},
                durable=code in REFUSALS,
            )
        except AuditUnavailable as error:
            self._complain(error)  # it is refused all the same

    def close(self) -> None:
        """Write what is left; a run that is over can't be stopped for it any more."""
        try:
            if self._commit is not None:
                self._commit()
        except AuditUnavailable as error:
            self._complain(error)

    def _tell(self, event: str, facts: Mapping[str, object]) -> None:
        self._recorder.record(event, {"run": self.run_id, **facts})

    def _tell_attempts(self, attempts: Sequence[Attempt]) -> None:
        for begin in range(0, len(attempts), ATTEMPTS_A_LINE):
            told = [
                {
                    "host": each.host,
                    "port": each.port,
                    "address": each.address,
                    "result": each.result.value,
                    "cause": each.cause.value,
                    "up": each.bytes_up,
                    "down": each.bytes_down,
                }
                for each in attempts[begin : begin + ATTEMPTS_A_LINE]
            ]
            self._tell("run.network", {"attempts": told})

    def _complain(self, error: AuditUnavailable) -> None:
        warn, self._warn = self._warn, None  # once is enough
        if warn is not None:
            said = f"{error.message}: {error.cause}" if error.cause else error.message
            warn(f"warning: this run is not in the audit log: {said}")


def hash_of(data: bytes) -> str:
    """Return the SHA-256 of an input or output; a large one is worth loading OpenSSL for."""
    if len(data) <= SMALL_BYTES:
        return sha256(data).hexdigest()
    import hashlib

    return hashlib.sha256(data).hexdigest()


def who() -> dict[str, object]:
    """Return the user of this process."""
    uid = os.getuid()
    try:
        import pwd

        return {"uid": uid, "user": pwd.getpwuid(uid).pw_name}
    except (ImportError, KeyError):  # a container's user without a name
        return {"uid": uid}
