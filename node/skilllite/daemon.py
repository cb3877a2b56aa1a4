"""The running node: opens its parts in the order they need each other, and closes them in reverse.

    lock → keys and team → sandbox → ledger → executor → bridge → owner → session → control socket

The parts get everything passed in; nothing here is global but signals. Tasks don't depend on the
team: joining or leaving one ends the session and opens another, while executor and owner go on.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

from skilllite.audit_writer import AuditWriter, open_audit_writer
from skilllite.auditing import POLICY_KEYS, note_policy
from skilllite.catalog import SkillCatalog
from skilllite.cli.output import write_result
from skilllite.config import Config, load_config
from skilllite.control.server import serve_control
from skilllite.descriptors import raise_descriptor_limit
from skilllite.direct_runs import DirectRuns
from skilllite.errors import FAILED, OK, Refused, innermost
from skilllite.folder_trust import FolderTrust
from skilllite.gating import open_gate
from skilllite.home import Home
from skilllite.journal import open_journal
from skilllite.lock import hold_node_lock
from skilllite.membership import join_team, joined_facts, left_facts
from skilllite.offer import OfferedSkills
from skilllite.operations import Operations, wall_ms
from skilllite.router import MeshRouter
from skilllite.runner import SandboxRunner
from skilllite.session import Listening, Port, Session, open_session
from skilllite.standing import Standing, open_standing, utc_now
from skilllite.tasks.executor import TaskExecutor, open_executor
from skilllite.tasks.failpoints import OnPoint, unobserved
from skilllite.tasks.ledger import Ledger, open_ledger
from skilllite.tasks.local_connection import LocalConnection
from skilllite.tasks.owner import TaskOwner, open_owner
from skilllite.tasks.trail import TaskTrail
from skilllite.trust import open_guard
from skilllite.version import VERSION
from skilllite_sandbox.audit.run_record import who
from skilllite_sandbox.environment.store import open_environments
from skilllite_sandbox.policy import Level, Tier
from skilllite_sandbox.sandbox import Sandbox
from skilllite_sandbox.stage import Stage
from skilllite_swarm.bridge import Bridge, open_bridge
from skilllite_swarm.errors import SwarmError

LOAD_PERIOD_S = 0.25
"""How old the load may be that others hear with each ping, once a second."""

OFFER_PERIOD_S = 30.0
"""How soon a skill that was copied into a folder by hand is offered; `reindex` is at once."""

DRAIN_S = 5.0
"""What running skills get to end by themselves when the node stops."""

SHUTDOWN_S_MAX = 20.0
"""From the signal to the end of the process; what hangs then is cut off."""

REOPEN_PERIOD_S = 2.0
"""Between attempts to serve again after the team has changed."""

SHORT_ID_CHARACTERS = 8

log = logging.getLogger("skilllite.node")


def run_node(
    home: Home,
    *,
    flags: Mapping[str, object],
    project: Path | None,
    quiet: bool,
    on_point: OnPoint = unobserved,
) -> int:
    """Run the node of a home until it is told to stop; return the exit status.

    Raises:
        HomeUnsafe, ConfigInvalid, NodeAlreadyRunning, IdentityCorrupt, PortInUse: it can't start.
    """
    home.prepare()
    config = load_config(home, flags=flags, project=project)
    with (
        hold_node_lock(home),
        open_journal(home, level=config.text("log.level"), quiet=quiet),
        open_audit_writer(home) as audit,
    ):
        note_policy(home, config, audit)
        audit.record("node.started", _start_facts(config, project), durable=True)
        for ignored in config.notes:
            log.warning("%s", ignored)
        raise_descriptor_limit()
        _trust_project(home, project)
        node = Node(home, config, project, on_point, audit)
        try:
            trio.run(node.run)
        except BaseException as raised:
            # The command line prints it; the log keeps it for whoever looks there.
            log.error("the node ended: %s", innermost(raised))
            audit.record("node.stopped", {"error": type(innermost(raised)).__name__})
            raise innermost(raised) from None
        audit.record("node.stopped", {})
        log.info("stopped")
    return OK


@dataclass(frozen=True, slots=True)
class _Parts:
    """What lives as long as the process."""

    standing: Standing
    router: MeshRouter
    owner: TaskOwner
    executor: TaskExecutor
    direct_runs: DirectRuns
    offered: OfferedSkills
    bridge: Bridge


class Node:
    """One node from start to stop. Implements `operations.Membership`."""

    def __init__(
        self,
        home: Home,
        config: Config,
        project: Path | None,
        on_point: OnPoint,
        audit: AuditWriter,
    ) -> None:
        self._home = home
        self._config = config
        self._catalog = SkillCatalog.for_project(project, home)
        self._on_point = on_point
        self._audit = audit
        self._trail = TaskTrail(audit.without_waiting)
        self._stop = trio.Event()
        self._session: Session | None = None
        self._session_over = trio.Event()
        self._changing_team = trio.Lock()
        self._refreshing = trio.Lock()
        self._started_at = time.monotonic()
        self._parts: _Parts | None = None
        self._cut_off = threading.Timer(SHUTDOWN_S_MAX, _end_now)
        self._cut_off.daemon = True

    async def run(self) -> None:
        """Serve until the stop."""
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(self._watch_signals)
                await self._open_tasks()
                nursery.cancel_scope.cancel()
        finally:
            self._cut_off.cancel()

    # Opening, outermost first

    async def _open_tasks(self) -> None:
        """Open what runs and remembers tasks, then the rest inside of it."""
        standing = open_standing(self._home, self._config)
        stage = Stage(self._home.stage, open_guard(self._home))
        concurrency = self._config.integer("tasks.concurrency") or os.cpu_count() or 1
        # Nobody can be asked here, whoever talks to this node: a person decides at a terminal.
        gate = open_gate(self._home, recorder=self._audit, on_damage=log.error)
        offered = OfferedSkills(stage, granted=gate.granted)
        environments = open_environments(self._home.env)
        with Sandbox(stage=stage, environments=environments, gate=gate) as sandbox:
            # Tried out now, on the main thread: a run must not pay for it.
            log.info("sandbox: %s", sandbox.probe.tier.value)
            runner = SandboxRunner(
                sandbox,
                stage,
                offered,
                local_level=Level(self._config.integer("sandbox.level")),
                concurrency=concurrency,
                accept_tier=Tier(self._config.text("sandbox.accept_tier")),
                audit=self._audit,
            )
            async with (
                open_ledger(self._home.ledger) as ledger,
                open_executor(
                    ledger,
                    runner,
                    self_id=standing.identity.node_id,
                    now_ms=wall_ms,
                    concurrency=concurrency,
                    queue_max=self._config.integer("tasks.queue"),
                    on_point=self._on_point,
                    trail=self._trail,
                ) as executor,
            ):
                _report_damage(ledger)
                direct_runs = DirectRuns(sandbox, stage, self._home, self._audit)
                await self._open_swarm(standing, ledger, executor, direct_runs, offered)

    async def _open_swarm(
        self,
        standing: Standing,
        ledger: Ledger,
        executor: TaskExecutor,
        direct_runs: DirectRuns,
        offered: OfferedSkills,
    ) -> None:
        """Open what talks to other nodes."""
        self_id = standing.identity.node_id
        local = LocalConnection(executor, self_id)
        router = MeshRouter(local, offered, self_id=self_id, rng=random.Random())
        async with (
            open_bridge() as bridge,
            open_owner(
                ledger,
                router,
                now_ms=wall_ms,
                on_reconciled=self._trail.reconciled,
                on_point=self._on_point,
            ) as owner,
            trio.open_nursery() as nursery,
        ):
            self._parts = _Parts(standing, router, owner, executor, direct_runs, offered, bridge)
            await self.refresh_offer()
            await nursery.start(self._serve_team)
            resumed = await owner.resume_after_restart()
            if resumed:
                log.info("resumed %d tasks of an earlier run", resumed)
            nursery.start_soon(self._tell_load)
            nursery.start_soon(self._watch_skills)
            operations = self._operations(self._parts)
            async with serve_control(self._home, operations.table()):
                self._say_ready(standing)
                await self._stop.wait()
                self._cut_off.start()
                await _drain(executor, direct_runs)
            # Inside out: the goodbye and the ports first, then the tasks.
            self._end_session()
            nursery.cancel_scope.cancel()

    def _operations(self, parts: _Parts) -> Operations:
        return Operations(
            home=self._home,
            config=self._config,
            standing=parts.standing,
            membership=self,
            router=parts.router,
            owner=parts.owner,
            executor=parts.executor,
            direct_runs=parts.direct_runs,
            offered=parts.offered,
            refresh_offer=self.refresh_offer,
            stop=self._stop,
            started_at=self._started_at,
        )

    def _say_ready(self, standing: Standing) -> None:
        assert self._session is not None
        addresses = self._session.mesh.self_view().addresses
        address = addresses[0] if addresses else f"port {self._session.port}"
        node_id = standing.identity.node_id[:SHORT_ID_CHARACTERS]
        # Without the word that the line below is waited for: at a terminal both are on one screen.
        log.info("version %s serves as %s (%s) at %s", VERSION, standing.name, node_id, address)
        home = self._home.label
        write_result(f"node {standing.name} ready {node_id} {address} (home {home})\n")

    # The time in a team

    @property
    def session(self) -> Session | None:
        """The time in the present team; None while it changes."""
        return self._session

    async def _serve_team(self, task_status: trio.TaskStatus[None]) -> None:
        """Serve one team after the other. Only the first time a failure ends the node."""
        listening: Listening | None = None
        while not self._stop.is_set():
            try:
                async with self._open_session(listening or self._listening()) as session:
                    self._begin_session(session)
                    if listening is None:
                        listening = self._listening().settled(session)
                        task_status.started()
                    await self._serve_session(session)
            except Exception as raised:
                error = innermost(raised)
                if listening is None or not isinstance(error, (SwarmError, OSError)):
                    raise
                # The tasks of this node go on meanwhile, and the person can still talk to it.
                log.error("the team can't be served: %s; trying again", error)
                await trio.sleep(REOPEN_PERIOD_S)

    def _open_session(self, listening: Listening) -> AbstractAsyncContextManager[Session]:
        parts = self._require_parts()
        return open_session(
            self._home, parts.standing, listening, bridge=parts.bridge, tasks=parts.executor
        )

    def _begin_session(self, session: Session) -> None:
        parts = self._require_parts()
        self._session, self._session_over = session, trio.Event()
        session.mesh.set_skills(parts.offered.entries)
        session.mesh.set_load(parts.executor.load())
        parts.router.attach(session.mesh)

    async def _serve_session(self, session: Session) -> None:
        """Tell the tasks what changes, until the session is to end."""
        router = self._require_parts().router
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(router.follow, session.mesh)
                await self._session_over.wait()
                nursery.cancel_scope.cancel()
        finally:
            self._session = None
            router.detach()

    def _end_session(self) -> None:
        self._session_over.set()

    def _listening(self) -> Listening:
        config = self._config

        def port(key: str) -> Port:
            return Port(config.integer(key), may_be_another=config.is_default(key))

        return Listening(
            host=config.text("node.host"),
            port=port("node.port"),
            join_port=port("node.join_port"),
            static_peers=config.texts("node.peers"),
            discover=config.flag("node.discovery"),
        )

    async def join(self, code: str, peer: str | None, say: Callable[[str], None]) -> dict[str, Any]:
        """Become a member of another team while tasks go on."""
        parts = self._require_parts()
        async with self._changing_team:
            session = self._session
            await join_team(
                parts.standing,
                code_text=code,
                peer=peer,
                bridge=parts.bridge,
                discovery=session.discovery if session else None,
                say=say,
            )
            log.info("joined team %s", parts.standing.team.team_id)
            self._audit.without_waiting.record("team.joined", {"team": parts.standing.team.team_id})
            self._end_session()
            return joined_facts(parts.standing, running=True)

    async def leave(self) -> dict[str, Any]:
        """Leave the team; this node is reborn as a team of one."""
        parts = self._require_parts()
        async with self._changing_team:
            if parts.standing.team.is_alone:
                raise Refused(
                    "this node is in no team but its own", hint="there is nothing to leave"
                )
            try:
                if self._session is not None:
                    # While the certificate is still good: they shall see a node that left.
                    await self._session.mesh.leave()
                left = parts.standing.team.leave(utc_now())
            finally:
                # A mesh that has said goodbye is over, whatever became of the team.
                self._end_session()
            if left is None:
                raise Refused("this node is in no team", hint="there is nothing to leave")
            log.info("left team %s", left.team_id)
            self._audit.without_waiting.record("team.left", {"team": left.team_id})
            return left_facts(left, team_id=parts.standing.team.team_id)

    # Beside it

    async def refresh_offer(self) -> None:
        """Look for skills and tell the team what has changed."""
        parts = self._require_parts()
        async with self._refreshing:

            def refresh() -> bool:
                return parts.offered.refresh(self._catalog.list().entries)

            if not await trio.to_thread.run_sync(refresh):
                return
        log.info("offering %d skills", len(parts.offered.entries))
        if self._session is not None:
            for name in self._session.mesh.set_skills(parts.offered.entries):
                log.warning("skill %s does not fit the catalogue and is not offered", name)
        parts.router.tell_changed()

    async def _watch_skills(self) -> None:
        while True:
            await trio.sleep(OFFER_PERIOD_S)
            await self.refresh_offer()

    async def _tell_load(self) -> None:
        parts = self._require_parts()
        while True:
            if self._session is not None:
                self._session.mesh.set_load(parts.executor.load())
            await trio.sleep(LOAD_PERIOD_S)

    async def _watch_signals(self, task_status: trio.TaskStatus[None]) -> None:
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
            task_status.started()
            async for number in signals:
                name = signal.Signals(number).name
                if self._stop.is_set():
                    log.error("%s again: ending at once", name)
                    _end_now()
                log.info("%s: stopping", name)
                self._stop.set()

    def _require_parts(self) -> _Parts:
        assert self._parts is not None, "the node is open"
        return self._parts


def _start_facts(config: Config, project: Path | None) -> dict[str, object]:
    return {
        **who(),
        "version": VERSION,
        "pid": os.getpid(),
        "project": None if project is None else str(project),
        **{key: config.value(key) for key in POLICY_KEYS},
    }


def _trust_project(home: Home, project: Path | None) -> None:
    """Trust the folder that the node was started in or for, if it has skills: that is the word."""
    if project is None or not SkillCatalog.for_project(project, home).project_skills():
        return
    if not FolderTrust(home).trust(os.fspath(project), by="node start"):
        log.warning("the skills of %s are not used: every user can write there", project)


def _report_damage(ledger: Ledger) -> None:
    if ledger.damage is not None:
        log.error("%s", ledger.damage)


async def _drain(executor: TaskExecutor, direct_runs: DirectRuns) -> None:
    """Let running skills end by themselves, for a moment."""
    executor.drain()
    with trio.move_on_after(DRAIN_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(executor.wait_idle)
            nursery.start_soon(direct_runs.drain)


def _end_now() -> None:
    # Skills die with this process: each sandbox asks the kernel for that.
    os._exit(FAILED)
