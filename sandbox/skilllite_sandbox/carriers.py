"""Chooses what carries a run: the best tier that this host gives and that the level accepts.

Tried out, never concluded: the first run of a kind starts a zygote, and only when that fails does
the next tier get it. What failed for good isn't tried again by the same sandbox.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from contextlib import suppress
from functools import cached_property

from skilllite_sandbox.backend.base import Started
from skilllite_sandbox.backend.zygote import ZygoteFailed
from skilllite_sandbox.backend.zygotes import Zygotes
from skilllite_sandbox.entry import EntryPoint, Language
from skilllite_sandbox.errors import SandboxError, SandboxUnavailable
from skilllite_sandbox.host import Host, has_landlock
from skilllite_sandbox.plan import Plan, make_plan
from skilllite_sandbox.policy import Level, Policy, Tier
from skilllite_sandbox.values import dataclass
from skilllite_sandbox.zygote_plan import PRELOADED, make_zygote_plan

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from skilllite_sandbox.backend.launch import Launcher
    from skilllite_sandbox.environment.store import Environment
    from skilllite_sandbox.stage import StagedSkill

PLANS_KEPT = 256  # a plan is some kilobytes, and making one costs as much as a warm run
_PASSING_STEPS = frozenset({"back-off", "request", "job"})
"""Where a zygote fails for a reason of the moment; at the others this host can't have one."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run to be started: what, with which input, within which policy."""

    staged: StagedSkill
    entry: EntryPoint
    input_bytes: bytes
    """One JSON object."""
    policy: Policy
    environment: Environment | None = None
    """The packages that the skill imports."""


class Carriers:
    """What one sandbox starts its runs with. Safe to use from several threads."""

    def __init__(
        self, *, pool: bool, tier: Tier | None, preload: bool, launcher: Launcher | None = None
    ) -> None:
        self._pool = pool
        self._launcher = launcher
        self._tier = tier
        self._preload = PRELOADED if preload else ()
        self._plans: OrderedDict[tuple[object, ...], Plan] = OrderedDict()
        self._no_zygotes: SandboxUnavailable | None = None

    @cached_property
    def _zygotes(self) -> Zygotes:
        if not self._pool:
            return Zygotes(pool=False, launcher=self._launcher)
        from skilllite_sandbox.self_test import make_self_test

        return Zygotes(
            pool=True,
            self_test=make_self_test(os.path.realpath(__file__)),
            launcher=self._launcher,
        )

    def plan(self, host: Host, job: Job, directory: str) -> Plan:
        """Return the plan of the tier that would be tried first.

        Args:
            host: What this machine has.
            job: What is to be run.
            directory: Where the copy of the skill is, links and all.

        Raises:
            SandboxUnavailable: this host can't give what the level asks.
            PolicyDenied: nobody may run this.
            InvalidInput: a limit is below what an interpreter needs.
        """
        # The directory is named by the content, so it stands for all that the skill says.
        packages = job.environment.digest if job.environment else ""
        key = (job.policy, job.entry, directory, packages, self._wants_zygote(job.policy))
        found = self._plans.get(key)
        if found is None:
            found = self._make_plan(host, job, os.path.realpath(directory))
            with suppress(KeyError):
                while len(self._plans) >= PLANS_KEPT:
                    self._plans.popitem(last=False)
            self._plans[key] = found
        return found

    def prepare(self, host: Host, job: Job, directory: str) -> None:
        """Start the zygote that a job would use; what fails is left to `launch`."""
        with suppress(SandboxError):
            plan = self.plan(host, job, directory)
            if plan.zygote is not None:
                self._zygotes.prepare(plan)

    def launch(
        self, host: Host, job: Job, directory: str, input_bytes: bytes
    ) -> tuple[Plan, Started]:
        """Start a run in the best tier that works; raises like `plan`."""
        plan = self.plan(host, job, directory)
        if plan.zygote is not None:
            try:
                return plan, self._zygotes.launch(plan, input_bytes)
            except ZygoteFailed as error:
                if self._tier is Tier.FULL:
                    raise
                if error.step not in _PASSING_STEPS:
                    self._no_zygotes = error
                plan = self._bubblewrap_plan(host, job, os.path.realpath(directory))
        if plan.level is Level.DIRECT:
            from skilllite_sandbox.backend.direct import Direct

            return plan, Direct().launch(plan, input_bytes)
        from skilllite_sandbox.backend.bubblewrap import Bubblewrap

        return plan, Bubblewrap(host).launch(plan, input_bytes)

    def close(self) -> None:
        """End every zygote."""
        if "_zygotes" in self.__dict__:
            self._zygotes.close()
        elif self._launcher is not None:
            self._launcher.close()

    def _wants_zygote(self, policy: Policy) -> bool:
        allowed = self._tier in (None, Tier.FULL) and self._no_zygotes is None
        return allowed and policy.level is not Level.DIRECT

    def _make_plan(self, host: Host, job: Job, directory: str) -> Plan:
        if not self._wants_zygote(job.policy):
            return self._bubblewrap_plan(host, job, directory)
        try:
            return make_zygote_plan(
                job.policy,
                host,
                job.entry,
                directory,
                preload=self._preload,
                environments=str(job.environment.path.parent) if job.environment else "",
                installed=job.environment.digest if job.environment else "",
                writable_code=job.staged.skill.requests.writable_code,
            )
        except SandboxUnavailable:
            if self._tier is Tier.FULL:
                raise
            return self._bubblewrap_plan(host, job, directory)

    def _bubblewrap_plan(self, host: Host, job: Job, directory: str) -> Plan:
        """Return the plan of level 1, or of a run by bubblewrap."""
        if self._tier is Tier.FULL and job.policy.level is not Level.DIRECT:
            raise self._no_zygotes or SandboxUnavailable("there is no zygote on this host")
        return make_plan(
            job.policy,
            host,
            job.entry,
            directory,
            landlock=job.entry.language is Language.BASH and has_landlock(),
            writable_code=job.staged.skill.requests.writable_code,
            packages=str(job.environment.modules) if job.environment else "",
        )
