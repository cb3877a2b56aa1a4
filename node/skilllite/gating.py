"""The gate of a home: what was agreed to in it, what was granted, and who can be asked."""

# Strings, not pathlib: every run opens a gate.
# ruff: noqa: PTH116, PTH118

from __future__ import annotations

import os
import stat

from skilllite.home import Home
from skilllite.scanning import open_verdicts
from skilllite_sandbox.gate.decisions import Decisions
from skilllite_sandbox.gate.gate import Gate
from skilllite_sandbox.run_output import note

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from skilllite_sandbox.audit_port import Recorder
    from skilllite_sandbox.gate.request import Answer, Ask, ConsentRequest
    from skilllite_sandbox.gate.verdicts import Verdicts


def open_decisions(home: Home, *, on_damage: Callable[[str], None] | None = None) -> Decisions:
    """Return what persons have decided in this home; what is damaged is said on stderr."""
    return Decisions(home.consent_name, on_damage=on_damage or _warn)


def open_gate(
    home: Home,
    *,
    ask: Ask | None = None,
    asked_by: str = "terminal",
    recorder: Recorder | None = None,
    on_damage: Callable[[str], None] | None = None,
) -> Gate:
    """Return the gate of a home.

    Args:
        home: Whose decisions count.
        ask: Asks a person; None where nobody can be asked, as in a node.
        asked_by: Who that is, for the audit log.
        recorder: The audit log, if it is open already.
        on_damage: Told of decisions that can't be used.
    """
    return Gate(
        verdicts=_HomeVerdicts(home),
        decisions=(decisions := open_decisions(home, on_damage=on_damage)),
        ask=ask,
        asked_by=asked_by,
        recorder=recorder or HomeAudit(home),
        own_place=lambda directory: _place_to_keep(directory, home, decisions),
    )


def open_terminal_gate(home: Home) -> Gate:
    """Return a gate that asks the person at the terminal, if there is one when it comes to it."""
    return open_gate(home, ask=_ask_to_run)


def _ask_to_run(request: ConsentRequest) -> Answer | None:
    from skilllite_sandbox.gate.terminal import ask_to_run

    return ask_to_run(request)


def own_place(directory: str, home: Home) -> str:
    """Return the place of a skill that this user writes; empty for what came from elsewhere.

    What was installed came from its author, and what others can write may be anybody's.
    """
    from skilllite.trust import STARTER_SKILLS

    place = os.path.realpath(directory)
    for others in (home.skills_name, STARTER_SKILLS):
        if place.startswith(os.path.realpath(others) + "/"):
            return ""
    try:
        facts = os.stat(place)
    except OSError:
        return ""
    return place if _only_ours(facts) else ""


def _place_to_keep(directory: str, home: Home, decisions: Decisions) -> str:
    """Return the place of a skill whose new content keeps what was granted there before.

    Every file and folder counts here: whoever can write one of them can have written the content.
    """
    place = own_place(directory, home)
    if not place or not decisions.granted_at(place):
        return ""
    try:
        for folder, folders, files in os.walk(place):
            for name in (*folders, *files):
                if not _only_ours(os.lstat(os.path.join(folder, name))):
                    return ""
    except OSError:
        return ""
    return place


def _only_ours(facts: os.stat_result) -> bool:
    return facts.st_uid == os.geteuid() and not facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _warn(text: str) -> None:
    note(f"warning: {text}")


class _HomeVerdicts:
    """Gives the verdicts of a home by the user's rules as they are when they are asked for."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._last: Verdicts | None = None

    def __call__(self) -> Verdicts:
        found = open_verdicts(self._home)
        if self._last is None or self._last.rules != found.rules:
            self._last = found
        return self._last


class HomeAudit:
    """The audit log of a home, for what persons decide: opened when there is something to tell."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def record(self, event: str, facts: Mapping[str, object], *, durable: bool = False) -> None:
        """Write down one event at once.

        Raises:
            AuditUnavailable: it could not be written.
        """
        from skilllite.auditing import open_audit

        log = open_audit(self._home)
        log.record(event, facts, durable=durable)
        log.flush(durable=durable)
