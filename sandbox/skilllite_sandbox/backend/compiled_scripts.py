"""What scripts were compiled to by the first worker that ran them, for the next ones.

Bytes that this process never looks into. They were made inside a sandbox, after everything of it
stood and before the skill's first instruction, of files that are named by their content; they go
only to workers that run that same script by the same interpreter.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress

from skilllite_sandbox.guest.report import CODE_BYTES_MAX
from skilllite_sandbox.plan import Plan

SCRIPTS_KEPT = 128  # some kilobytes each, 7.5 MiB at most


class CompiledScripts:
    """The scripts of one sandbox. Safe to use from several threads."""

    def __init__(self) -> None:
        self._codes: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    def of(self, plan: Plan) -> bytes:
        """Return what a plan's script was compiled to, empty when that isn't known."""
        return self._codes.get(_key(plan), b"")

    def keeper(self, plan: Plan) -> Callable[[bytes], None]:
        """Return what keeps the code that the run of a plan gives."""

        def keep(code: bytes) -> None:
            if not 0 < len(code) <= CODE_BYTES_MAX:
                return
            with suppress(KeyError):  # another thread was quicker
                while len(self._codes) >= SCRIPTS_KEPT:
                    self._codes.popitem(last=False)
            self._codes[_key(plan)] = code

        return keep


def _key(plan: Plan) -> tuple[str, str]:
    # The job names the skill by its digest, and the script in it.
    assert plan.zygote is not None
    return plan.interpreter, plan.zygote.job
