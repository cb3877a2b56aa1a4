"""What a running node answers on its control socket."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import trio

from skilllite.config import Config
from skilllite.control.messages import (
    DirectRun,
    Invite,
    Join,
    Nothing,
    Peers,
    Submit,
    TaskLogs,
    TaskRef,
    TasksList,
)
from skilllite.control.server import Exchange, Operation
from skilllite.direct_runs import DirectRuns
from skilllite.errors import Refused
from skilllite.home import Home
from skilllite.offer import OfferedSkills
from skilllite.router import MeshRouter
from skilllite.session import Session
from skilllite.standing import Standing
from skilllite.tasks.executor import TaskExecutor
from skilllite.tasks.owner import TaskOwner
from skilllite.tasks.records import AttemptRecord, TaskRecord, TaskState
from skilllite.version import VERSION
from skilllite_swarm.pairing import JoinEvent, JoinEventKind
from skilllite_swarm.peer_view import PeerState, PeerView
from skilllite_swarm.transport import Load

ACCEPT_S_MAX = 30.0
"""For one commit; a disk that takes longer is a fault the client should hear about."""

CANCEL_S_MAX = 10.0
"""For the task of a client that left; what is not confirmed then is settled by reconciliation."""

WATCH_PERIOD_S_MIN = 0.1
"""A burst of changes is shown once; a person can't tell."""

LOGS_PERIOD_S = 0.3
DRAIN_PERIOD_S = 0.5

log = logging.getLogger("skilllite.node")


class Membership(Protocol):
    """Changes the team of the running node."""

    @property
    def session(self) -> Session | None:
        """The time in the present team; None while it changes."""
        ...

    async def join(self, code: str, peer: str | None, say: Callable[[str], None]) -> dict[str, Any]:
        """Become a member of the team whose code this is."""
        ...

    async def leave(self) -> dict[str, Any]:
        """Leave the team and found one of one."""
        ...


@dataclass(frozen=True, slots=True)
class Operations:
    """The operations, over the parts of the node they act on."""

    home: Home
    config: Config
    standing: Standing
    membership: Membership
    router: MeshRouter
    owner: TaskOwner
    executor: TaskExecutor
    direct_runs: DirectRuns
    offered: OfferedSkills
    refresh_offer: Callable[[], Awaitable[None]]
    stop: trio.Event
    started_at: float
    """Monotonic."""

    def table(self) -> dict[str, Operation]:
        """Return what `serve_control` takes."""
        return {
            "status": Operation(Nothing, self.status),
            "peers": Operation(Peers, self.peers),
            "run": Operation(DirectRun, self.direct_runs.run),
            "submit": Operation(Submit, self.submit),
            "tasks.list": Operation(TasksList, self.tasks_list),
            "tasks.show": Operation(TaskRef, self.tasks_show),
            "tasks.cancel": Operation(TaskRef, self.tasks_cancel),
            "tasks.logs": Operation(TaskLogs, self.tasks_logs),
            "invite": Operation(Invite, self.invite),
            "join": Operation(Join, self.join),
            "leave": Operation(Nothing, self.leave),
            "reload": Operation(Nothing, self.reload),
            "drain": Operation(Nothing, self.drain),
            "stop": Operation(Nothing, self.end),
        }

    # The node

    async def status(self, args: Nothing, exchange: Exchange) -> object:
        """Say who and how this node is."""
        session = self.membership.session
        views = session.mesh.peers() if session else ()
        discovery = session.discovery.statistics() if session and session.discovery else None
        load = self.executor.load()
        addresses = session.mesh.self_view().addresses if session else ()
        return {
            "name": self.router.name_of(self.router.self_id) if session else self.standing.name,
            "node_id": self.router.self_id,
            "team_id": self.standing.team.team_id,
            "can_invite": self.standing.team.holds_ca,
            "members": len(self.standing.team.members),
            "version": VERSION,
            "pid": os.getpid(),
            "home": self.home.label,
            "address": addresses[0] if addresses else None,
            "addresses": list(addresses),
            "port": session.port if session else None,
            "join_port": session.join_port if session else None,
            "uptime_s": round(time.monotonic() - self.started_at, 1),
            "draining": load.leaving,
            "peers": len(views),
            "peers_alive": sum(view.state is PeerState.ALIVE for view in views),
            "skills": len(self.offered.entries),
            "load": _load_json(load),
            "tasks": {"active": self.owner.active},
            "discovery": {
                "on": discovery is not None,
                "interfaces": list(discovery.interfaces) if discovery else [],
                "problem": discovery.problem if discovery else None,
            },
        }

    async def reload(self, args: Nothing, exchange: Exchange) -> object:
        """Look for skills again, now."""
        await self.refresh_offer()
        return {"skills": len(self.offered.entries)}

    async def drain(self, args: Nothing, exchange: Exchange) -> object:
        """Take no new tasks and wait until nothing runs; draining lasts until the node ends."""
        self.executor.drain()
        if self.router.mesh is not None:
            self.router.mesh.drain()
        log.info("draining")
        while (load := self.executor.load()).running + load.queued:
            await exchange.emit({"event": "load", **_load_json(load)})
            await trio.sleep(DRAIN_PERIOD_S)
        return {"drained": True}

    async def end(self, args: Nothing, exchange: Exchange) -> object:
        """Stop the node."""
        log.info("asked to stop")
        self.stop.set()
        return {"stopping": True}

    # The team

    async def peers(self, args: Peers, exchange: Exchange) -> object:
        """Say who is here; with `watch` at every change, until the client leaves."""
        while args.watch:
            seen = self.router.changes
            if self.router.mesh is not None:
                await exchange.emit({"event": "peers", **self._view()})
            await trio.sleep(WATCH_PERIOD_S_MIN)
            await self.router.wait_for_change(seen)
        return self._view()

    def _view(self) -> dict[str, Any]:
        mesh = self.router.mesh
        if mesh is None:
            raise Refused("this node is changing its team", hint="try again in a second")
        return {
            "self": _peer_json(mesh.self_view()),
            "peers": [_peer_json(view) for view in mesh.peers()],
        }

    async def invite(self, args: Invite, exchange: Exchange) -> object:
        """Open an invitation; with `watch` report what happens until it closes."""
        session = self._session()
        view = session.invitations.open()
        addresses = session.mesh.self_view().addresses
        host = addresses[0].rpartition(":")[0] if addresses else "HOST"
        facts: dict[str, Any] = {
            "code": view.code,
            "expires_s": round(view.seconds_left),
            "address": f"{host}:{session.join_port}",
        }
        if args.watch:
            with session.invitations.watch() as events:
                await exchange.emit({"event": "code", **facts})
                async for event in events:
                    if event.window != view.window:
                        continue
                    await exchange.emit({"event": "window", "message": _told(event)})
                    if event.kind is not JoinEventKind.ATTEMPT_FAILED:
                        break
        return facts

    async def join(self, args: Join, exchange: Exchange) -> object:
        """Become a member of another team; the tasks of this node go on."""

        async def tell(text: str) -> None:
            await exchange.emit({"event": "progress", "message": text})

        async with trio.open_nursery() as nursery:

            def say(text: str) -> None:
                nursery.start_soon(tell, text)

            return await self.membership.join(args.code, args.peer, say)

    async def leave(self, args: Nothing, exchange: Exchange) -> object:
        """Leave the team."""
        return await self.membership.leave()

    def _session(self) -> Session:
        session = self.membership.session
        if session is None:
            raise Refused("this node is changing its team", hint="try again in a second")
        return session

    # Tasks

    async def submit(self, args: Submit, exchange: Exchange) -> object:
        """Accept a task and carry it to its end; a client that leaves before cancels it."""
        on = None if args.on is None else self.router.resolve(args.on)
        # Shielded: between the commit and its answer the task would be nobody's.
        with trio.fail_after(ACCEPT_S_MAX, shield=True):
            submission = await self.owner.submit(
                args.skill,
                args.input_json,
                on=on,
                deadline_s=args.deadline_s or self.config.number("tasks.deadline_s"),
                wait=args.wait,
            )
        log.info("task %s accepted: %s", submission.task_id, args.skill)
        with submission.events as events:
            if args.no_wait:
                record, _ = await self.owner.show(submission.task_id)
                return _task_json(record)
            try:
                async for event in events:
                    await exchange.emit(event.to_json())
                record = await self.owner.wait(submission.task_id)
            except BaseException:
                if exchange.client_left:
                    with trio.move_on_after(CANCEL_S_MAX, shield=True):
                        await self.owner.cancel(submission.task_id)
                raise
        log.info("task %s %s", record.task_id, record.state.value)
        return _task_json(record)

    async def tasks_list(self, args: TasksList, exchange: Exchange) -> object:
        """Return the newest tasks."""
        state = None if args.state is None else TaskState(args.state)
        records = await self.owner.list_tasks(limit=args.limit, state=state)
        now_ms = wall_ms()
        return {"tasks": [record.to_json(now_ms=now_ms, brief=True) for record in records]}

    async def tasks_show(self, args: TaskRef, exchange: Exchange) -> object:
        """Return one task with its attempts."""
        record, attempts = await self.owner.show(args.task_id)
        return _task_json(record, attempts)

    async def tasks_cancel(self, args: TaskRef, exchange: Exchange) -> object:
        """Cancel a task everywhere and return how it ended."""
        return _task_json(await self.owner.cancel(args.task_id))

    async def tasks_logs(self, args: TaskLogs, exchange: Exchange) -> object:
        """Send the lines of a task's skill; with `follow` until it ends."""
        sent = 0
        while True:
            record, _ = await self.owner.show(args.task_id)
            lines = await self.owner.logs(record.task_id)
            for line in lines[sent:]:
                await exchange.emit({"event": "log", "attempt": line.attempt, "message": line.line})
            sent = len(lines)
            if not args.follow or record.state.is_ended:
                return {"task_id": record.task_id, "state": record.state.value, "lines": sent}
            await trio.sleep(LOGS_PERIOD_S)


def wall_ms() -> int:
    """Return the wall clock, in the ledger's unit."""
    return time.time_ns() // 1_000_000


def _task_json(record: TaskRecord, attempts: list[AttemptRecord] | None = None) -> dict[str, Any]:
    facts = record.to_json(now_ms=wall_ms())
    if attempts is not None:
        facts["history"] = [attempt.to_json() for attempt in attempts]
    return facts


def _load_json(load: Load) -> dict[str, int]:
    return {"running": load.running, "queued": load.queued, "capacity": load.capacity}


def _peer_json(view: PeerView) -> dict[str, Any]:
    return {
        "name": view.name,
        "node_id": view.node_id,
        "addresses": list(view.addresses),
        "state": view.state.value,
        "why": view.why,
        "skills": [entry.name for entry in view.skills],
        "load": None if view.load is None else _load_json(view.load),
        "latency_ms": None if view.latency_ms is None else round(view.latency_ms, 3),
        "draining": view.draining,
        "version": view.version,
        "can_invite": view.holds_ca,
    }


def _told(event: JoinEvent) -> str:
    left = f", {event.attempts_left} attempts left" if event.attempts_left else ""
    where = f" (from {event.address})" if event.address else ""
    match event.kind:
        case JoinEventKind.JOINED:
            return f"{event.message}{where}"
        case JoinEventKind.ATTEMPT_FAILED:
            return f"an attempt to join failed: {event.message}{where}{left}"
        case _:
            return f"the invitation is closed: {event.message}"
