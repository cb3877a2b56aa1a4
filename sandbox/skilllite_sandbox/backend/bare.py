"""Starts runs without namespaces, for the tiers `root-chroot` and `landlock`.

Nothing of these tiers is believed: before the first skill of a kind the built-in attackers go the
same way, and when one of them gets anywhere, no skill of that kind is started by this process.
"""

from __future__ import annotations

import marshal
import os
import signal
import tempfile
from _thread import allocate_lock
from collections.abc import Callable

from skilllite_sandbox.backend.base import Pipes, Started, spawn
from skilllite_sandbox.backend.private_root import PrivateRoots
from skilllite_sandbox.backend.run_user import take_run_user
from skilllite_sandbox.backend.scratch import remove_tree
from skilllite_sandbox.bare_plan import LANDLOCK_LEAST, OWN_SCRATCH
from skilllite_sandbox.errors import SandboxUnavailable
from skilllite_sandbox.guest.code import guest_code
from skilllite_sandbox.host import Host
from skilllite_sandbox.plan import Plan
from skilllite_sandbox.policy import Tier
from skilllite_sandbox.seccomp.bare import OWN_PID, bare_filter
from skilllite_sandbox.seccomp.filters import closing_filter

_MARSHAL_VERSION = 4  # what every Python from 3.4 on reads
_ROOTS = "roots"  # below the stage, so that links to its copies can be made


class NotHeld(SandboxUnavailable):
    """A built-in attacker got somewhere: this tier is no sandbox here."""


class Bare:
    """Starts guests without namespaces. Safe to use from several threads."""

    def __init__(
        self, host: Host, stage_root: str, self_test: Callable[[Bare, Plan], None] | None
    ) -> None:
        """Start nothing yet.

        Args:
            host: What this machine has.
            stage_root: The directory of the stage, in which root directories are made.
            self_test: Raises when a run like a plan's isn't held.
        """
        self._roots = PrivateRoots(os.path.join(stage_root, _ROOTS), host)  # noqa: PTH118
        self._self_test = self_test
        self._lock = allocate_lock()
        self._tested: dict[tuple[object, ...], NotHeld | None] = {}

    def launch(self, plan: Plan, input_bytes: bytes) -> Started:
        """Start the guest; see `Backend`.

        Raises:
            SandboxUnavailable: a skill like this can't be held here.
        """
        self.check(plan)
        return self.start(plan, input_bytes)

    def check(self, plan: Plan) -> None:
        """Have the attackers tried once for each kind of run; raises like `launch`."""
        kind = (plan.tier, plan.language, plan.profile)
        with self._lock:
            if kind not in self._tested and self._self_test is not None:
                try:
                    self._self_test(self, plan)
                    self._tested[kind] = None
                except NotHeld as error:
                    self._tested[kind] = error  # anything else may be of the moment
            refusal = self._tested.get(kind)
        if refusal is not None:
            raise refusal

    def start(self, plan: Plan, input_bytes: bytes) -> Started:
        """Start the guest without asking whether it will be held."""
        if plan.tier is Tier.ROOT_CHROOT:
            return self._start_in_own_root(plan, input_bytes)
        try:
            scratch = tempfile.mkdtemp(prefix="skilllite-run-")
        except OSError as error:
            raise SandboxUnavailable(
                "no scratch directory can be made for a skill", cause=error.strerror
            ) from error
        return _start(plan, scratch=scratch, root=None, user=None, inherited=())

    def _start_in_own_root(self, plan: Plan, input_bytes: bytes) -> Started:
        user, holder = take_run_user()
        with holder:
            root = self._roots.make(plan, user, input_bytes)
            assert plan.bare is not None
            scratch = plan.bare.scratch
            return _start(plan, scratch=scratch, root=root, user=user, inherited=(holder.fileno(),))


def _start(
    plan: Plan, *, scratch: str, root: str | None, user: int | None, inherited: tuple[int, ...]
) -> Started:
    made = root if root is not None else scratch

    def clean_up() -> None:
        remove_tree(made)

    try:
        with Pipes() as pipes:
            status, our_status = pipes.from_guest()
            guest = pipes.file_of(guest_code("bare_worker", plan.interpreter))
            spec = pipes.file_of(_specification(plan, scratch=scratch, root=root, user=user))
            return spawn(
                [
                    *(plan.interpreter, "-I", "-S", "-B", "-X", "utf8"),
                    *(f"/proc/self/fd/{guest}", str(status), str(spec)),
                ],
                pipes=pipes,
                inherited=(status, guest, spec, *inherited),
                status=our_status,
                environment={},
                directory="/",
                counts_cpu=True,
                clean_up=clean_up,
                # Its first process ends the others, which are in no group that we know.
                end_signal=signal.SIGTERM,
            )
    except BaseException:
        clean_up()
        raise


def _specification(plan: Plan, *, scratch: str, root: str | None, user: int | None) -> bytes:
    """Return what the guest is told, for an interpreter of any version."""
    assert plan.bare is not None and plan.profile is not None

    def placed(text: str) -> str:
        return scratch if text == OWN_SCRATCH else text

    limits = plan.limits
    shared = plan.tier is Tier.LANDLOCK
    program = bare_filter(plan.profile, plan.machine, plan.executes, shared_user=shared)
    facts: dict[str, object] = {
        "root": root,
        "user": user,
        "scratch": scratch,
        "environment": {name: placed(value) for name, value in plan.environment},
        "rules": [[placed(path), rights] for path, rights in plan.bare.rules],
        "landlock_least": LANDLOCK_LEAST[plan.tier],
        "limits": [list(limit) for limit in plan.resource_limits],
        "filter": program,
        "own_pid": OWN_PID,
        "closing_filter": closing_filter(plan.machine),
        "executes": plan.executes.value,
        "writable_code": plan.profile.value != "python",
        "script": plan.script,
        "paths": list(plan.import_paths),
        "command": list(plan.command),
        "scratch_bytes": limits.scratch_bytes,
        "scratch_inodes": limits.scratch_inodes,
        "file_bytes": limits.file_bytes,
        "threads": limits.processes if shared else 0,
    }
    return marshal.dumps(facts, _MARSHAL_VERSION)
