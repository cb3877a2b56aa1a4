"""The zygotes of one sandbox: one for each layout, started when first needed, and their warm pools.

A run takes a warm worker when there is one, else has one forked on demand. Once it has its job, the
pool is filled up: the zygote forks the replacement when the run is over, out of everybody's way. A
zygote that dies fails its runs at once and is started again at the next run, later and later when
it keeps dying. After a number of forks a fresh one takes over: all workers of one share the places
of its memory and its hash seed.
"""

from __future__ import annotations

import json
import os
import time
from _thread import RLock, allocate_lock
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress

from skilllite_sandbox.backend.base import Started
from skilllite_sandbox.backend.compiled_scripts import CompiledScripts
from skilllite_sandbox.backend.launch import Launcher
from skilllite_sandbox.backend.pool_size import IDLE_S, PoolSize
from skilllite_sandbox.backend.zygote import Worker, Zygote, ZygoteFailed
from skilllite_sandbox.plan import Plan

ZYGOTES_MAX = 6  # one for each language, with and without network: about 10 MB each
FORKS_MAX = 1000  # then a fresh zygote, with other addresses and another hash seed
WARM_MOST = max(2, min(8, 2 * (os.cpu_count() or 1)))  # of one kind of worker
BUSY_AT = max(2, os.cpu_count() or 1)  # runs at once, as far as one zygote knows
KINDS_MAX = 4  # of workers that one zygote keeps warm: local and remote limits, and two more
BACK_OFF_FIRST_S = 0.1
BACK_OFF_MOST_S = 30.0
_EXPIRY_MARGIN_S = 5.0  # a worker this close to its own end is not given a job


class Zygotes:
    """Starts runs in zygotes. Safe to use from several threads."""

    def __init__(
        self,
        *,
        pool: bool,
        self_test: Callable[[Zygote, Plan], None] | None = None,
        launcher: Launcher | None = None,
    ) -> None:
        """Start nothing yet; the first zygote is made of `launcher`, if it fits."""
        self._launcher = launcher
        self._pool = pool
        self._self_test = self_test
        self._lock = allocate_lock()
        self._lines: OrderedDict[tuple[str, str], _Line] = OrderedDict()
        self._codes = CompiledScripts()
        self._closed = False

    def launch(
        self,
        plan: Plan,
        input_bytes: bytes,
        attach: Callable[[int], None] | None = None,
        variables: tuple[tuple[str, str], ...] = (),
    ) -> Started:
        """Start a run; see `Backend`.

        Args:
            plan: What to start.
            input_bytes: What stdin will give.
            attach: Called with the first process before it is given the job.
            variables: More of its environment, kept nowhere else.

        Raises:
            ZygoteFailed: there can be no zygote for it, here or at this moment.
        """
        assert plan.zygote is not None
        line = self._line(plan)
        code = self._codes.of(plan)
        job = plan.zygote.job
        if variables:
            job = json.dumps({**json.loads(job), "variables": dict(variables)})
        for attempt in (1, 2):
            worker = line.claim(plan)
            try:
                if attach is not None:
                    attach(worker.pid)
                worker.run(job, input_bytes, stdin_file=plan.stdin_file, code=code)
                if not code and not (worker.warm and plan.zygote.imports_early):
                    worker.on_code = self._codes.keeper(plan)
                line.refill(plan.zygote.worker)
                return worker
            except ZygoteFailed:
                # Nothing of the job has run: the zygote died before it could be handed over.
                line.released(worker)
                if attempt == 2:
                    raise
        raise AssertionError

    def prepare(self, plan: Plan) -> None:
        """Have the zygote of a plan ready; raises like `launch`."""
        self._line(plan).prepare()

    def close(self) -> None:
        """End every zygote, with all that runs in it."""
        with self._lock:
            self._closed = True
            lines = list(self._lines.values())
            self._lines.clear()
            launcher, self._launcher = self._launcher, None
        for line in lines:
            line.close()
        if launcher is not None:
            launcher.close()

    def idle_processes(self) -> int:
        """Return how many warm workers there are, for reports."""
        with self._lock:
            return sum(line.warm for line in self._lines.values())

    def _take_launcher(self, interpreter: str) -> Launcher | None:
        if self._launcher is None or self._launcher.interpreter != interpreter:
            return None
        launcher, self._launcher = self._launcher, None
        return launcher

    def _line(self, plan: Plan) -> _Line:
        assert plan.zygote is not None
        retired = None
        with self._lock:
            if self._closed:
                raise ZygoteFailed("start", "this sandbox is closed")
            key = (plan.zygote.base, plan.zygote.layout)
            line = self._lines.get(key)
            if line is None:
                line = _Line(
                    plan,
                    pool=self._pool,
                    self_test=self._self_test,
                    launcher=self._take_launcher(plan.interpreter),
                )
                self._lines[key] = line
                if len(self._lines) > ZYGOTES_MAX:
                    retired = next(
                        (key for key, each in self._lines.items() if each.is_quiet()), None
                    )
            self._lines.move_to_end(key)
            leaving = self._lines.pop(retired) if retired is not None else None
        if leaving is not None:
            leaving.close()
        return line


class _Line:
    """One layout: its zygote, its successor, and its warm workers."""

    def __init__(
        self,
        plan: Plan,
        *,
        pool: bool,
        self_test: Callable[[Zygote, Plan], None] | None,
        launcher: Launcher | None,
    ) -> None:
        assert plan.zygote is not None
        self._launcher = launcher
        self._plan = plan
        self._part = plan.zygote
        self._pool = pool
        self._self_test = self_test
        self._lock = RLock()
        self._zygote: Zygote | None = None
        self._tested: Zygote | None = None
        self._retired: list[Zygote] = []
        self._warm: dict[str, deque[Worker]] = {}
        self._sizes: dict[str, PoolSize] = {}
        self._failures = 0
        self._not_before_s = 0.0

    @property
    def warm(self) -> int:
        return sum(map(len, self._warm.values()))

    def is_quiet(self) -> bool:
        """Return whether nothing runs here."""
        zygote = self._zygote
        return not self._retired and (zygote is None or zygote.running == 0)

    def prepare(self) -> None:
        """Have a zygote ready."""
        with self._lock:
            self._serving()

    def claim(self, plan: Plan) -> Worker:
        """Return a worker, warm if there is one."""
        assert plan.zygote is not None
        kind = plan.zygote.worker
        with self._lock:
            worker = self._take_warm(kind) or self._serving().spawn(kind, warm=False)
            worker.zygote.running += 1
            if self._pool:
                self._size(kind).started(time.monotonic())
            worker.on_finished = lambda: self._finished(worker, kind)
            return worker

    def refill(self, kind: str) -> None:
        """Have as many warm workers as were used lately, and the next zygote when it is time."""
        if not self._pool:
            return
        with self._lock:
            zygote = self._zygote
            if zygote is None:
                return
            target = self._size(kind).target(time.monotonic())
            ready = self._warm.setdefault(kind, deque())
            # With all processors busy the time of a rehearsal is somebody's.
            idle = zygote.running < BUSY_AT
            with suppress(ZygoteFailed):  # the next run finds out, and starts another
                while len(ready) < target and zygote.spawned < FORKS_MAX:
                    ready.append(zygote.spawn(kind, warm=True, rehearses=idle, deferred=True))
                if zygote.spawned >= FORKS_MAX and self._launcher is None:
                    # Its warm workers are used up meanwhile.
                    self._launcher = Launcher(self._plan.interpreter)

    def released(self, worker: Worker) -> None:
        """Take back a worker that did not take its job; its zygote is in doubt."""
        with self._lock:
            worker.zygote.running -= 1
            if self._zygote is not None and not self._zygote.is_alive():
                self._bury()

    def close(self) -> None:
        """End everything."""
        with self._lock:
            for workers in self._warm.values():
                for worker in workers:
                    worker.discard()
            self._warm.clear()
            for zygote in (self._zygote, *self._retired):
                if zygote is not None:
                    zygote.close()
            self._zygote = None
            self._retired.clear()
            if self._launcher is not None:
                self._launcher.close()

    def _take_warm(self, kind: str) -> Worker | None:
        ready = self._warm.get(kind)
        oldest_s = time.monotonic() - IDLE_S + _EXPIRY_MARGIN_S
        while ready:
            worker = ready.popleft()
            # One that is still warming up is further than one that isn't forked yet.
            if worker.born_s > oldest_s and not worker.is_over():
                return worker
            worker.discard()
        return None

    def _serving(self) -> Zygote:
        """Return a zygote that was ready and tested; start it when there is none."""
        if self._zygote is not None and not self._zygote.is_alive():
            self._bury()
        if self._zygote is not None and self._zygote.spawned >= FORKS_MAX:
            self._retire()
        if self._zygote is None:
            if time.monotonic() < self._not_before_s:
                raise ZygoteFailed("back-off", f"it failed {self._failures} times in a row")
            launcher, self._launcher = self._launcher, None
            self._zygote = Zygote(self._plan.interpreter, self._part, launcher)
        try:
            self._zygote.wait_ready()
            if self._self_test is not None and self._tested is not self._zygote:
                self._self_test(self._zygote, self._plan)
                self._tested = self._zygote
        except BaseException:
            self._bury()
            raise
        self._failures = 0
        return self._zygote

    def _bury(self) -> None:
        """Let go of a zygote that died or never served, and wait longer before the next one."""
        zygote, self._zygote = self._zygote, None
        if zygote is None:
            return
        for workers in self._warm.values():
            for worker in workers:
                worker.discard()
        self._warm.clear()
        zygote.close()
        if zygote.expired:
            return
        self._failures += 1
        delay_s = BACK_OFF_FIRST_S * 2 ** min(self._failures - 1, 16)
        # The first death costs no waiting: whoever runs next finds a new zygote at once.
        if self._failures > 1:
            self._not_before_s = time.monotonic() + min(delay_s, BACK_OFF_MOST_S)

    def _retire(self) -> None:
        """Let a zygote that has forked enough end when its last run has."""
        assert self._zygote is not None
        for workers in self._warm.values():
            for worker in workers:
                worker.discard()
        self._warm.clear()
        if self._zygote.running:
            self._retired.append(self._zygote)
        else:
            self._zygote.close()
        self._zygote = None

    def _size(self, kind: str) -> PoolSize:
        size = self._sizes.pop(kind, None)
        if size is None:
            while len(self._sizes) >= KINDS_MAX:
                oldest = next(iter(self._sizes))
                del self._sizes[oldest]
                for worker in self._warm.pop(oldest, ()):
                    worker.discard()
            size = PoolSize(WARM_MOST)
        self._sizes[kind] = size  # last: the kind that goes first is the longest unused
        return size

    def _finished(self, worker: Worker, kind: str) -> None:
        """Count a run that is over."""
        with self._lock:
            zygote = worker.zygote
            zygote.running -= 1
            if zygote in self._retired and not zygote.running:
                self._retired.remove(zygote)
                zygote.close()
            if self._pool:
                self._size(kind).finished()
