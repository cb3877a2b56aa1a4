"""The audit log of a home, for the commands and the library: who opens it, and what a run needs.

A command writes what it is about to run before it does, and the rest at its end. It seals, which
takes as long as importing `cryptography`, when something has to be durable, and now and then.
"""

from __future__ import annotations

import json
from contextlib import contextmanager

from skilllite.config import DEFAULT_ORIGIN
from skilllite.errors import HomeUnsafe, SkillLiteError
from skilllite.home import Home, prepare_directory
from skilllite.settings import BY_KEY
from skilllite_sandbox.audit.log import AuditLog
from skilllite_sandbox.audit.run_record import RunRecord, who
from skilllite_sandbox.errors import AuditUnavailable, SandboxError

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from skilllite.config import Config
    from skilllite_sandbox.audit_port import Recorder
    from skilllite_sandbox.signing import Signer

POLICY_KEYS = ("sandbox.level", "sandbox.accept_tier", "sandbox.allow_exec")
"""Settings that decide what a run may do."""

_POLICY_NAME = "policy.json"  # beside the log: what these settings were when it was told last
_POLICY_BYTES_MAX = 64 * 1024
FULL = 3
"""The level at which nothing runs that can't be written down."""


def open_audit(home: Home, *, seal_always: bool = False) -> AuditLog:
    """Return the log of a home, whose directory is made.

    Raises:
        AuditUnavailable: it can't be a directory of this user alone.
    """
    try:
        prepare_directory(home.audit_name)
    except HomeUnsafe as error:
        raise AuditUnavailable(
            "the audit log can't be written", cause=error.message, hint=error.hint
        ) from error

    def signer() -> Signer:
        from skilllite_sandbox.signing import load_or_create_signer

        return load_or_create_signer(home.keys / "sign.pem")

    return AuditLog(home.audit_name, signer, seal_always=seal_always)


def open_run_record(
    home: Home,
    *,
    by: str,
    level: int,
    warn: Callable[[str], None],
    config: Config,
    **asked: object,
) -> RunRecord | None:
    """Return what a run is written down with; None at the lower levels when it can't be.

    Args:
        home: Whose log.
        by: `command`, `program` or `callback`.
        level: What was asked for.
        warn: Takes a line for a person.
        config: Whose changes of the policy are told too.
        asked: What was asked for, as it was said.

    Raises:
        AuditUnavailable: at level 3, when there can be no log.
    """
    try:
        log = open_audit(home)
        note_policy(home, config, log)
    except AuditUnavailable as error:
        if level == FULL:
            raise
        warn(f"warning: this run is not in the audit log: {error.message}: {error.cause}")
        return None
    return RunRecord(log, by=by, level=level, commit=log.flush, warn=warn, **asked)


def note_policy(home: Home, config: Config, recorder: Recorder) -> None:
    """Write down what config.toml changed of the policy since a command or the node last looked.

    What a flag or the environment sets for one process is told with that run.

    Raises:
        AuditUnavailable: there is a change, and it can't be written.
    """
    known = _known_policy(home)
    changed: dict[str, object] = {}
    for key in POLICY_KEYS:
        if config.origin(key) not in (DEFAULT_ORIGIN, home.config_name):
            continue
        value = config.value(key)
        now = list(value) if isinstance(value, tuple) else value
        before = known.get(key, _plain_default(key))
        if now != before:
            changed[key] = {"before": before, "now": now}
            known[key] = now
    if not changed:
        return
    recorder.record("policy.changed", {**who(), "changes": changed}, durable=True)
    from pathlib import Path

    from skilllite_sandbox.private_file import replace_private_file

    replace_private_file(Path(home.audit_name, _POLICY_NAME), json.dumps(known).encode())


def _plain_default(key: str) -> object:
    default = BY_KEY[key].default
    return list(default) if isinstance(default, tuple) else default


def _known_policy(home: Home) -> dict[str, object]:
    """Return what was told last; a file that is gone or damaged makes it be told again."""
    try:
        with open(f"{home.audit_name}/{_POLICY_NAME}", "rb") as file:
            value = json.loads(file.read(_POLICY_BYTES_MAX))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


@contextmanager
def recorded_change(
    home: Home, requested: str, done: str, **asked: object
) -> Iterator[dict[str, object]]:
    """Write down a change of this home before it is made, and what it did or why it didn't.

    Args:
        home: Which is changed.
        requested: The event before.
        done: The event after; its facts are what is put into the yielded dict, once it is done.
        asked: What was asked for.

    Raises:
        AuditUnavailable: it can't be written, and nothing was changed; or nothing but the change.
    """
    log = open_audit(home)
    by = {"by": "command", **who()}
    log.record(requested, {**by, **asked}, durable=True)
    facts: dict[str, object] = {}
    try:
        yield facts
    except BaseException as error:
        # What was changed before it failed is told as done, with what failed then.
        event, told = (done, facts) if facts else ("skill.refused", asked)
        log.record(event, {**by, **told, **_why(error)}, durable=True)
        raise
    log.record(done, {**by, **facts}, durable=True)


def _why(error: BaseException) -> dict[str, object]:
    if isinstance(error, (SandboxError, SkillLiteError)):
        return {"code": error.code, "message": error.message}
    code = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
    return {"code": code, "message": f"{type(error).__name__}: {error}"}
