"""Chooses what carries a run: the best tier that this host gives and that the level accepts.

Tried out, never concluded: the first run of a kind starts a zygote, and only when that fails does
the next tier get it. What failed for good isn't tried again by the same sandbox.
"""

from __future__ import annotations

import os
from _thread import allocate_lock
from collections import OrderedDict
from contextlib import suppress
from functools import cached_property, partial

from skilllite_sandbox.backend.base import Started
from skilllite_sandbox.backend.zygote import ZygoteFailed
from skilllite_sandbox.backend.zygotes import Zygotes
from skilllite_sandbox.early_imports import modules_of, variables_of
from skilllite_sandbox.entry import EntryPoint, Language
from skilllite_sandbox.errors import SandboxError, SandboxUnavailable
from skilllite_sandbox.host import Host, find_program, has_landlock
from skilllite_sandbox.plan import Plan
from skilllite_sandbox.policy import ONE_PROCESS, SUPERVISED, UNBOUNDED, Level, Policy, Tier
from skilllite_sandbox.values import dataclass, replace
from skilllite_sandbox.zygote_plan import PRELOADED, make_zygote_plan

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from skilllite_sandbox.backend.bare import Bare
    from skilllite_sandbox.backend.launch import Launcher
    from skilllite_sandbox.bounds.group_keeper import Groups
    from skilllite_sandbox.bounds.tree_bounds import TreeBounds
    from skilllite_sandbox.environment.store import Environment
    from skilllite_sandbox.exec_grants import Program
    from skilllite_sandbox.gate.clearance import Clearance
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
    runs_commands: bool = False
    """The input is commands of a Bash tool, checked already, and no script of the skill runs."""
    variables: tuple[tuple[str, str], ...] = ()
    """Environment variables with their values, as far as they are granted."""
    clearance: Clearance | None = None
    """What a gate gave for it; without one no job of level 3 starts."""


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
        self._bubblewrap: bool | None = None
        self._bare: Bare | None = None
        self._bare_lock = allocate_lock()

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

    @cached_property
    def _groups(self) -> Groups:
        from skilllite_sandbox.bounds.group_keeper import Groups  # only for runs of many processes

        return Groups()

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
        key = (
            *(job.policy, job.entry, directory, packages, job.runs_commands),
            self._wants_zygote(job.policy),
        )
        found = self._plans.get(key)
        if found is None:
            found = self._make_plan(host, job, os.path.realpath(directory))
            if found.tree is SUPERVISED:
                found = replace(found, tree=self._groups.bound())
            with suppress(KeyError):
                while len(self._plans) >= PLANS_KEPT:
                    self._plans.popitem(last=False)
            self._plans[key] = found
        return found

    def prepare(self, host: Host, job: Job, directory: str) -> None:
        """Have ready what a job like this would use; what fails is left to `launch`."""
        with suppress(SandboxError):
            plan = self.plan(host, job, directory)
            if plan.zygote is not None:
                try:
                    self._zygotes.prepare(plan)
                except ZygoteFailed as error:
                    plan = self._plan_after(error, host, job, os.path.realpath(directory))
            if plan.bare is not None:
                self._open_bare(host, os.path.realpath(directory)).check(plan)

    def launch(
        self, host: Host, job: Job, directory: str, input_bytes: bytes
    ) -> tuple[Plan, Started, TreeBounds | None]:
        """Start a run in the best tier that works, bounded as a whole; raises like `plan`."""
        plan = self.plan(host, job, directory)
        if plan.tree in (ONE_PROCESS, UNBOUNDED):
            return *self._start(plan, host, job, directory, input_bytes, None), None
        from skilllite_sandbox.bounds.tree_bounds import TreeBounds

        bounds = TreeBounds(plan.limits, self._groups)
        try:
            plan, started = self._start(plan, host, job, directory, input_bytes, bounds)
        except BaseException:
            bounds.close()
            raise
        return plan, started, bounds

    def _start(
        self,
        plan: Plan,
        host: Host,
        job: Job,
        directory: str,
        input_bytes: bytes,
        bounds: TreeBounds | None,
    ) -> tuple[Plan, Started]:
        if plan.zygote is not None:
            attach = bounds.attach if bounds is not None else None
            try:
                started = self._zygotes.launch(plan, input_bytes, attach, job.variables)
                return plan, started
            except ZygoteFailed as error:
                plan = self._plan_after(error, host, job, os.path.realpath(directory))
        if plan.level is Level.DIRECT:
            from skilllite_sandbox.backend.direct import Direct

            return plan, Direct().launch(_with_variables(plan, job), input_bytes)
        if plan.bare is not None:
            bare = self._open_bare(host, os.path.realpath(directory))
            started = bare.launch(_with_variables(plan, job), input_bytes)
            if bounds is not None:
                bounds.attach(started.pid)
            return plan, started
        if job.variables:
            # bubblewrap takes them as arguments, which every user of the machine can read.
            raise SandboxUnavailable(
                "environment variables can't be passed on by bubblewrap",
                hint="`skilllite doctor` shows what stands in the way of tier full",
            )
        from skilllite_sandbox.backend.bubblewrap import Bubblewrap

        started = Bubblewrap(host).launch(plan, input_bytes)
        if bounds is not None:
            bounds.attach(started.pid)  # bubblewrap is far from the skill yet
        return plan, started

    def close(self) -> None:
        """End every zygote."""
        if "_zygotes" in self.__dict__:
            self._zygotes.close()
        elif self._launcher is not None:
            self._launcher.close()
        if "_groups" in self.__dict__:
            self._groups.close()

    def _tiers(self, policy: Policy) -> tuple[Tier, ...]:
        """Return what may carry a run, the strongest first."""
        return tuple(tier for tier in policy.tiers if self._tier in (None, tier))

    def _wants_zygote(self, policy: Policy) -> bool:
        allowed = Tier.FULL in self._tiers(policy) and self._no_zygotes is None
        return allowed and policy.level is not Level.DIRECT

    def _make_plan(self, host: Host, job: Job, directory: str) -> Plan:
        if not self._wants_zygote(job.policy):
            return self._lower_plan(host, job, directory)
        try:
            return make_zygote_plan(
                job.policy,
                host,
                job.entry,
                directory,
                preload=self._preload,
                environments=str(job.environment.path.parent) if job.environment else "",
                installed=job.environment.digest if job.environment else "",
                early=modules_of(job.environment) if self._pool else (),
                variables=variables_of(job.environment),
                writable_code=job.runs_commands or job.staged.skill.requests.writable_code,
                programs=_programs(job, host),
                runs_commands=job.runs_commands,
            )
        except SandboxUnavailable as error:
            return self._lower_plan(host, job, directory, because=error)

    def _plan_after(self, error: ZygoteFailed, host: Host, job: Job, directory: str) -> Plan:
        """Return the plan of the next tier."""
        if error.step not in _PASSING_STEPS:
            self._no_zygotes = error
        return self._lower_plan(host, job, os.path.realpath(directory), because=error)

    def _lower_plan(
        self, host: Host, job: Job, directory: str, *, because: SandboxUnavailable | None = None
    ) -> Plan:
        """Return the plan of level 1, or of the best tier below the zygote, with all variables."""
        plan = self._without_variables(host, job, directory, because=because)
        variables = variables_of(job.environment)
        return replace(plan, environment=(*plan.environment, *variables)) if variables else plan

    def _without_variables(
        self, host: Host, job: Job, directory: str, *, because: SandboxUnavailable | None
    ) -> Plan:
        """Return that plan as if the job's packages asked for nothing.

        Args:
            host: What this machine has.
            job: What to run.
            directory: The staged copy.
            because: Why it isn't a zygote.
        """
        if job.policy.level is Level.DIRECT:
            return self._bubblewrap_plan(host, job, directory)
        from skilllite_sandbox.bare_plan import can_be_bare, make_bare_plan

        tiers = self._tiers(job.policy)
        why = because or self._no_zygotes
        bare = [tier for tier in tiers if can_be_bare(tier, host, job.entry.language)]
        if bare and (job.policy.grants.exec or job.runs_commands):
            # They show the programs that a language comes with, and no others.
            bare = []
            why = why or SandboxUnavailable(
                "programs can't be granted on this host",
                cause="no tier with namespaces can be had",
                hint="`skilllite doctor` shows what stands in their way",
            )
        if Tier.BWRAP in tiers:
            try:
                plan = self._bubblewrap_plan(host, job, directory)
                if not bare or self._bubblewrap_holds(host):
                    return plan
            except SandboxUnavailable as error:
                why = error
        for tier in bare:
            try:
                return make_bare_plan(
                    tier,
                    job.policy,
                    host,
                    job.entry,
                    directory,
                    writable_code=job.staged.skill.requests.writable_code,
                    packages=str(job.environment.modules) if job.environment else "",
                )
            except SandboxUnavailable as error:
                # What a better tier lacks is what to see to first.
                why = why or error
        raise why or SandboxUnavailable(
            f"no tier that this run accepts can be had: {', '.join(job.policy.tiers)}",
            cause=f"this sandbox was opened for tier {self._tier.value}" if self._tier else None,
            hint="`skilllite doctor` shows what this host can enforce",
        )

    def _bubblewrap_holds(self, host: Host) -> bool:
        """Return whether bubblewrap works here, tried out once.

        Asked only where a tier below it could carry the run instead: that it doesn't work shows
        after the start otherwise, when it is too late for another one.
        """
        if self._bubblewrap is None:
            from skilllite_sandbox.probe import bubblewrap_holds

            self._bubblewrap = bubblewrap_holds(host)
        return self._bubblewrap

    def _open_bare(self, host: Host, directory: str) -> Bare:
        """Return what starts runs without namespaces."""
        with self._bare_lock:
            if self._bare is None:
                from skilllite_sandbox.backend.bare import Bare
                from skilllite_sandbox.bare_self_test import try_attackers

                # STAGE/by-digest/DIGEST/skill
                stage_root = os.path.realpath(directory).rsplit("/", 3)[0]
                self._bare = Bare(host, stage_root, partial(try_attackers, host))
            return self._bare

    def _bubblewrap_plan(self, host: Host, job: Job, directory: str) -> Plan:
        """Return the plan of level 1, or of a run by bubblewrap."""
        from skilllite_sandbox.bubblewrap_plan import make_plan  # most runs need none

        needs_landlock = job.entry.language is Language.BASH or bool(job.policy.grants.exec)
        return make_plan(
            job.policy,
            host,
            job.entry,
            directory,
            landlock=needs_landlock and has_landlock(),
            writable_code=job.runs_commands or job.staged.skill.requests.writable_code,
            packages=str(job.environment.modules) if job.environment else "",
            programs=_programs(job, host),
            runs_commands=job.runs_commands,
        )


def _with_variables(plan: Plan, job: Job) -> Plan:
    """Return the plan with the values of granted variables: to start with, never to be shown."""
    if not job.variables:
        return plan
    return replace(plan, environment=(*plan.environment, *job.variables))


def _programs(job: Job, host: Host) -> tuple[Program, ...]:
    """Return what the granted names stand for here; at level 1 every program can be executed."""
    names = job.policy.grants.exec
    if not names or job.policy.level is Level.DIRECT:
        return ()
    from skilllite_sandbox.exec_grants import resolve_programs

    return resolve_programs(names, host, find_program)
