"""The sandbox as its users see it: a skill directory and an input in, an outcome out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cached_property
from types import TracebackType

from skilllite_sandbox.carriers import Carriers
from skilllite_sandbox.carriers import Job as Job
from skilllite_sandbox.entry import ENTRY_KEY, EntryPoint, detect_entry
from skilllite_sandbox.errors import (
    InvalidInput,
    InvalidSkill,
    NotFound,
    SandboxUnavailable,
)
from skilllite_sandbox.execution import Execution
from skilllite_sandbox.gate.clearance import require_clearance
from skilllite_sandbox.grants import effective_grants, united
from skilllite_sandbox.host import Host, read_host
from skilllite_sandbox.outcome import Outcome, Reason
from skilllite_sandbox.plan import Plan
from skilllite_sandbox.policy import (
    DEFAULT_LIMITS,
    KIB,
    NOTHING_GRANTED,
    WEAKEST_TIER,
    Grants,
    Level,
    Limits,
    Policy,
    Tier,
)
from skilllite_sandbox.stage import Stage, StagedSkill, open_temporary_stage
from skilllite_sandbox.strict_json import parse_json
from skilllite_sandbox.values import replace

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from skilllite_sandbox.audit.run_record import RunRecord
    from skilllite_sandbox.audit_port import Recorder
    from skilllite_sandbox.backend.launch import Launcher
    from skilllite_sandbox.environment.store import Environments
    from skilllite_sandbox.gate.gate import Gate
    from skilllite_sandbox.gate.request import ConsentRequest
    from skilllite_sandbox.integrity.guard import Guard
    from skilllite_sandbox.probe import HostReport


class Sandbox:
    """Runs skills. Use as a context manager, or call `close`.

    Safe to use from several threads. In tier `bwrap` a run is started on the calling thread, which
    has to live as long as the run: the kernel kills bubblewrap when the thread that started it
    ends.
    """

    def __init__(
        self,
        level: Level | int = Level.FULL,
        *,
        limits: Limits = DEFAULT_LIMITS,
        stage: Stage | None = None,
        host: Host | None = None,
        pool: bool = True,
        tier: Tier | None = None,
        preload: bool = True,
        launcher: Launcher | None = None,
        environments: Environments | Callable[[], Environments] | None = None,
        accept_tier: Tier = WEAKEST_TIER,
        recorder: Recorder | None = None,
        guard: Guard | None = None,
        gate: Gate | Callable[[], Gate] | None = None,
        confirmation_callback: Callable[[ConsentRequest], bool] | None = None,
    ) -> None:
        """Open a sandbox; it starts nothing before the first run.

        Args:
            level: The level of runs by `run`.
            limits: The limits of runs by `run`.
            stage: Where copies of skills are kept; else in a temporary place of its own.
            host: Facts about the machine, for tests.
            pool: Keep workers warm, as many as were used lately; else every run forks its own.
            tier: Use this tier or none; else the best that the host gives.
            preload: Let zygotes import what skills use most; costs the first run 30 ms.
            launcher: Started already, for the first zygote; from here on this sandbox's own.
            environments: Where packages are installed, or what opens it when a skill needs some;
                else in the cache of this user.
            accept_tier: The weakest tier of runs by `run`; `landlock` only if a person chose it.
            recorder: Where runs by `run` are written down; nowhere without.
            guard: Asked about each skill, when the stage is a temporary one.
            gate: What clears runs of level 3, or what opens it when there is one; else one that
                knows the scanner and the callback.
            confirmation_callback: Asked, with what a person would read, before a run that the
                scanner doesn't let pass by itself; each True is for one run.
        """
        self._given_gate = gate
        self._confirmation_callback = confirmation_callback
        self._guard = guard
        self._level = Level(level)
        self._limits = limits
        self._host = host
        self._resources = ExitStack()
        self._stage = stage
        self._environments = environments
        self._accept_tier = accept_tier
        self._recorder = recorder
        self._carriers = Carriers(pool=pool, tier=tier, preload=preload, launcher=launcher)
        self._resources.callback(self._carriers.close)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End what still runs, and remove the stage, if it was this sandbox's own."""
        self._resources.close()

    @property
    def probe(self) -> HostReport:
        """What this host can enforce, tried out at the first call in a process."""
        from skilllite_sandbox.probe import probe_host

        return probe_host()

    @cached_property
    def stage(self) -> Stage:
        """Where the read-only copies of skills are kept."""
        return self._stage or self._resources.enter_context(open_temporary_stage(self._guard))

    @cached_property
    def gate(self) -> Gate:
        """What clears runs of level 3."""
        given = self._given_gate
        if given is not None:
            return given() if callable(given) else given
        from skilllite_sandbox.gate.gate import Gate

        if self._confirmation_callback is None:
            return Gate()
        from skilllite_sandbox.gate.callback import CALLBACK, ask_callback

        return Gate(ask=ask_callback(self._confirmation_callback), asked_by=CALLBACK)

    def granted(self, staged: StagedSkill, directory: str) -> Grants:
        """Return what a person has granted this content before, see `Gate.granted`."""
        return self.gate.granted(staged, directory) if wants_grants(staged) else NOTHING_GRANTED

    def clear(self, job: Job, *, peers_at_pass: bool = False, file_report: bool = True) -> Job:
        """Return the job with what it needs to start at its level.

        Args:
            job: A job, with the grants that it is to have.
            peers_at_pass: Peers may have it run only when there is nothing to ask.
            file_report: Keep the question for a person who answers it elsewhere.

        Raises:
            PolicyDenied: the scanner blocks it.
            ConsentRequired: a person has to agree, and hasn't.
        """
        if job.policy.level is not Level.FULL:
            return job
        clearance = self.gate.clear(
            job.staged, job.policy, peers_at_pass=peers_at_pass, file_report=file_report
        )
        return replace(job, clearance=clearance)

    def run(
        self,
        skill_dir: Path | str,
        input: dict[str, Any] | str,
        *,
        timeout_s: float | None = None,
        network: Sequence[str] | None = None,
        exec: Sequence[str] | None = None,
        record: RunRecord | None = None,
    ) -> Outcome:
        """Run a skill's entry point and return how it ended.

        Args:
            skill_dir: A skill; its content at this moment is what runs.
            input: The JSON object for stdin, as a dict or as text.
            timeout_s: Deadline instead of the limits' one.
            network: Hosts that the skill may reach, like "api.example.com" or "10.0.0.5:8080";
                it gets those of them that it asks for itself.
            exec: Programs that it may execute, like "git"; likewise.
            record: What it is written down with, by whoever keeps a log of its own.

        Raises:
            InvalidInput: the input is no JSON object, or too large.
            InvalidSkill: the skill can't be run.
            NotFound: there is no such skill.
            PolicyDenied: the scanner blocks it.
            ConsentRequired: nobody agreed to it, or to building packages it needs.
            PackagesUnresolvable: packages it needs can't be installed.
            SandboxUnavailable: this host can't give what the level asks, or the packages.
        """
        if record is not None or self._recorder is None:
            return self._run(skill_dir, input, timeout_s, network, exec, record)
        from skilllite_sandbox.audit.run_record import RunRecord

        record = RunRecord(self._recorder, by="program", level=self._level, skill=str(skill_dir))
        with record.refusals():
            return self._run(skill_dir, input, timeout_s, network, exec, record)

    def _run(
        self,
        skill_dir: Path | str,
        input: dict[str, Any] | str,
        timeout_s: float | None,
        network: Sequence[str] | None,
        exec: Sequence[str] | None,
        record: RunRecord | None,
    ) -> Outcome:
        limits = self._limits if timeout_s is None else replace(self._limits, wall_s=timeout_s)
        input_bytes = encode_input(input, limits)
        staged = self.stage.put(skill_dir)
        entry = entry_of(staged)
        granted = Grants(network=tuple(network or ()), exec=tuple(exec or ()))
        requests = staged.skill.requests
        grants, _ = effective_grants(requests, granted)
        kept = self.granted(staged, os.fspath(skill_dir))
        grants = united(grants, effective_grants(requests, replace(kept, env=()))[0])
        policy = Policy(self._level, limits, grants=grants, accept_tier=self._accept_tier)
        job = self.clear(Job(staged, entry, input_bytes, policy))
        return self.run_job(self.with_packages(job), record=record)

    def with_packages(
        self,
        job: Job,
        *,
        may_install: bool = True,
        on_progress: Callable[[str], None] = lambda line: None,
    ) -> Job:
        """Return the job with the environment that its skill needs, if it needs one.

        Args:
            job: A job without one.
            may_install: Whether packages are installed now when they aren't there; takes seconds
                to minutes, in which the calling thread has to live.
            on_progress: Called with lines for a person.

        Raises:
            InvalidSkill: it asks for something else than packages of the index.
            ConsentRequired: a package would have to be built from source.
            PackagesUnresolvable: the index doesn't have what it asks for.
            EnvironmentUnavailable: the packages are not there, or can't be installed now.
        """
        packages = job.staged.skill.requests.packages
        if not packages:
            return job
        from skilllite_sandbox.environment.needs import dependencies_of

        language = job.entry.language
        wanted = dependencies_of(job.staged.directory, packages, language, self._facts)
        if wanted is None:
            return job
        if may_install:
            found = self.environments.ensure(wanted, on_progress=on_progress)
        else:
            found = self.environments.require(wanted)
        return replace(job, environment=found)

    @cached_property
    def environments(self) -> Environments:
        """Where packages of skills are installed."""
        from skilllite_sandbox.environment.store import default_root, open_environments

        given = self._environments
        if given is None:
            return open_environments(default_root(), self._facts)
        return given() if callable(given) else given

    def run_job(
        self,
        job: Job,
        *,
        on_log: Callable[[str], None] | None = None,
        record: RunRecord | None = None,
    ) -> Outcome:
        """Run a job and return how it ended; a host that fails raises instead.

        Raises:
            SandboxUnavailable: this host can't give what the level asks.
            AuditUnavailable: it can't be written down, and the level asks for that.
        """
        outcome = self.start(job, record=record).wait(on_log)
        if outcome.reason is Reason.UNAVAILABLE:
            raise explain_unavailable(outcome)
        return outcome

    def prepare(self, job: Job) -> None:
        """Have a zygote ready for a job like this, so that `start` doesn't wait for one.

        May take a moment and be called on any thread; what it can't get is left to `start`.
        """
        self._carriers.prepare(self._facts, job, job.staged.place)

    def start(self, job: Job, *, record: RunRecord | None = None) -> Execution:
        """Start a job on the calling thread, which in tier `bwrap` has to live as long as the run.

        Raises:
            SandboxUnavailable: this host can't give what the level asks.
            PolicyDenied: nobody may run this, or nobody has cleared it for level 3.
            InvalidInput: the input is too large.
            AuditUnavailable: it can't be written down, and the level asks for that.
        """
        limits = job.policy.limits
        if len(job.input_bytes) > limits.input_bytes:
            raise _input_too_large(len(job.input_bytes), limits)
        require_clearance(job)
        if record is not None:
            if job.clearance is not None:
                record.scanned(job.clearance.verdict, job.clearance.digest)
            record.staged(job)
        plan, started, bounds = self._carriers.launch(
            self._facts, job, job.staged.place, job.input_bytes
        )
        left = b"" if started.stdin < 0 else job.input_bytes
        if record is None:
            return Execution(plan, started, left, bounds)
        record.started(plan)
        return Execution(plan, started, left, bounds, record.ended)

    def plan(self, job: Job) -> Plan:
        """Return what would stand around a job, without starting it."""
        return self._carriers.plan(self._facts, job, job.staged.place)

    @property
    def _facts(self) -> Host:
        return self._host or read_host()


def wants_grants(staged: StagedSkill) -> bool:
    """Return whether there is anything that could be granted to a skill."""
    asked = staged.skill.requests
    hosts = asked.network or asked.network_mentioned
    return bool(hosts or asked.exec or asked.env or asked.bash_tools)


def entry_of(staged: StagedSkill, script: str | None = None) -> EntryPoint:
    """Return what to run of a skill: its entry, or one of its scripts by path.

    Raises:
        InvalidSkill: it has no single entry point.
        NotFound: it has no such script.
    """
    if script is not None:
        return _script_entry(staged, script)
    entry = staged.skill.entry
    if entry is None:
        tools = ", ".join(tool.path for tool in staged.skill.tools)
        hint = "`skilllite exec DIR SCRIPT JSON` runs one of them" if tools else None
        if not tools and staged.skill.requests.bash_tools:
            hint = "`skilllite bash DIR COMMAND` runs a command that it allows"
        raise InvalidSkill(
            f"{staged.skill.name} has no entry point",
            cause=f"its scripts are {tools}" if tools else "it holds instructions only",
            hint=hint,
        )
    return entry


def _script_entry(staged: StagedSkill, script: str) -> EntryPoint:
    found = detect_entry(staged.directory, name=staged.skill.name, metadata={ENTRY_KEY: script})
    for problem in found.problems:
        if problem.field == f"metadata.{ENTRY_KEY}":
            tools = ", ".join(tool.path for tool in staged.skill.tools)
            raise NotFound(
                f"{staged.skill.name} has no script {script} that can be run",
                cause=problem.message,
                hint=f"it has {tools}" if tools else "it holds instructions only",
            )
    assert found.entry is not None
    return found.entry


def encode_input(value: dict[str, Any] | str, limits: Limits) -> bytes:
    """Return the bytes for a skill's stdin.

    Text that is valid goes through as it is: numbers keep the precision that a float would lose.

    Raises:
        InvalidInput: it is no JSON object, or above the bound.
    """
    if isinstance(value, str):
        data = value.encode("utf-8", "surrogatepass")
        if len(data) > limits.input_bytes:
            raise _input_too_large(len(data), limits)
        _check_object(data)
        return data
    try:
        data = json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput("the input can't be written as JSON", cause=str(error)) from None
    if len(data) > limits.input_bytes:
        raise _input_too_large(len(data), limits)
    if not isinstance(value, dict):
        raise InvalidInput("the input must be a JSON object")
    return data


def explain_unavailable(outcome: Outcome) -> SandboxUnavailable:
    """Return the error for a sandbox that could not be set up, with what the host lacks."""
    from skilllite_sandbox.probe import probe_host

    said = outcome.stderr.strip().splitlines()
    report = probe_host()
    failed = [check for check in report.checks if not check.ok and check.required]
    hint = failed[0].remedy if failed else "`skilllite doctor` tries out what this host can do"
    if report.accepts_landlock:
        hint += "; Python skills can have less by --accept-tier landlock, see SECURITY.md"
    return SandboxUnavailable(
        outcome.message,
        cause=failed[0].detail if failed else " / ".join(said[-3:]) or None,
        hint=hint,
    )


def _check_object(data: bytes) -> None:
    try:
        value = parse_json(data)
    except UnicodeDecodeError:
        raise InvalidInput("the input is not UTF-8") from None
    except ValueError as error:
        raise InvalidInput(
            "the input is not valid JSON",
            cause=str(error),
            hint="""quote it for the shell: '{"key": "value"}'""",
        ) from None
    if not isinstance(value, dict):
        raise InvalidInput(
            f"the input must be a JSON object, not {_json_kind(value)}",
            hint="""put it into one: '{"value": ...}'""",
        )


def _json_kind(value: object) -> str:
    kinds = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number")


def _input_too_large(size: int, limits: Limits) -> InvalidInput:
    return InvalidInput(
        f"the input of {size} bytes exceeds {limits.input_bytes // KIB} KiB",
        hint="pass less, or raise the limit",
    )
