"""`skilllite-sandbox`: run skills in isolation, without the node, the swarm and any agent.

Also the part of `skilllite run` that is the same: arguments, what goes to stdout and to stderr, and
the exit status. stdout carries the skill's JSON value and nothing else.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from skilllite_sandbox.errors import InvalidInput, SandboxError, SandboxUnavailable
from skilllite_sandbox.outcome import Outcome, Reason
from skilllite_sandbox.policy import DEFAULT_LIMITS, MIB, Grants, Level, Limits, Policy, Tier
from skilllite_sandbox.stage import Stage

if TYPE_CHECKING:
    from skilllite_sandbox.environment.store import Environments
    from skilllite_sandbox.sandbox import Job, Sandbox

OK = 0
FAILED = 1
USAGE = 2
REFUSED = 3
NEEDS_CONFIRMATION = 4
NOT_FOUND = 5
TIMED_OUT = 124
INTERRUPTED = 130

_EXIT_CODES = {
    "invalid_input": USAGE,
    "policy_denied": REFUSED,
    "sandbox_unavailable": REFUSED,
    "environment_unavailable": REFUSED,
    "environment_missing": REFUSED,
    "index_unreachable": REFUSED,
    "consent_required": NEEDS_CONFIRMATION,
    "building_not_allowed": NEEDS_CONFIRMATION,
    "not_found": NOT_FOUND,
}
_NOT_BUILT = ("bash", "mcp", "scan", "verify")
_WALL_LONGEST_S = 86_400.0
_MEMORY_LARGEST_MB = 1024 * 1024

LEVEL_3_NOTE = "level 3: isolation only, scan and consent are not built yet"

# What would move the cursor, retitle the window or reorder what a person reads.
_UNPRINTABLE = {
    code: f"\\x{code:02x}"
    for code in (*range(0x20), 0x7F, *range(0x80, 0xA0))
    if chr(code) not in "\n\t"
} | {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def add_run_arguments(parser: argparse.ArgumentParser, *, with_script: bool, skill: str) -> None:
    """Declare the arguments of `run` and `exec`."""
    parser.add_argument("skill", metavar=skill, help="the skill to run")
    if with_script:
        parser.add_argument("script", metavar="SCRIPT", help="a script of it, like scripts/a.py")
    parser.add_argument(
        "input", metavar="JSON", nargs="?", help="its input, a JSON object; `-` reads stdin"
    )
    parser.add_argument(
        "--sandbox-level",
        type=int,
        choices=[int(level) for level in Level],
        help="1: no isolation, 2: isolation, 3: isolation, scan and consent",
    )
    parser.add_argument("--timeout", type=_seconds, metavar="S", help="seconds it may take")
    parser.add_argument("--max-memory", type=_megabytes, metavar="MB", help="memory it may use")
    parser.add_argument(
        "--allow-network",
        action="append",
        metavar="HOST",
        help="let it reach a host it asks for, like api.example.com or 10.0.0.5:8080",
    )
    parser.add_argument(
        "--explain", action="store_true", help="print what would stand around the run; run nothing"
    )
    parser.add_argument("--json", action="store_true", help="print the whole outcome as JSON")


def run_skill_command(
    args: argparse.Namespace,
    directory: Path,
    *,
    stage: Stage | None,
    level: Level,
    environments: Environments | None = None,
) -> int:
    """Run what the arguments ask for, print it, and return the exit status.

    Raises:
        SandboxError: it could not start; for the caller to print.
    """
    limits = _limits(args)
    if args.explain:
        with _open(stage, environments, level, limits) as sandbox:
            return _explain(args, sandbox, directory, level=level, limits=limits)
    if args.input is None:
        raise InvalidInput(
            "the input is missing", hint="""give a JSON object, '{}' for none; `-` reads stdin"""
        )
    try:
        input_text = _read_input(args.input, limits)
        with _open(stage, environments, level, limits) as sandbox:
            outcome = _run(args, sandbox, directory, input_text, level=level, limits=limits)
    except SandboxError as error:
        if args.json and _exit_code_of(error) == REFUSED:
            _print_json(_refusal(error, level, limits))
        raise
    if args.json:
        _print_json(outcome)
    else:
        _print_result(outcome)
    return _status_of(outcome)


def _open(
    stage: Stage | None, environments: Environments | None, level: Level, limits: Limits
) -> Sandbox:
    """Open a sandbox for one run and no more: nothing would use what a pool prepares."""
    from skilllite_sandbox.sandbox import Sandbox

    return Sandbox(
        level, limits=limits, stage=stage, pool=False, preload=False, environments=environments
    )


def _run(
    args: argparse.Namespace,
    sandbox: Sandbox,
    directory: Path,
    input_text: str,
    *,
    level: Level,
    limits: Limits,
) -> Outcome:
    from skilllite_sandbox.sandbox import encode_input

    input_bytes = encode_input(input_text, limits)
    job = _job(args, sandbox, directory, input_bytes, level=level, limits=limits)
    if level is Level.FULL:
        note(LEVEL_3_NOTE)
    shows_progress = sys.stderr.isatty() and not args.json
    job = sandbox.with_packages(job, on_progress=note if shows_progress else _say_nothing)
    return sandbox.run_job(job, on_log=None if args.json else note)


def _say_nothing(_: str) -> None:
    pass


def _job(
    args: argparse.Namespace,
    sandbox: Sandbox,
    directory: Path,
    input_bytes: bytes,
    *,
    level: Level,
    limits: Limits,
) -> Job:
    """Stage the skill and return the job; says what the skill asks for and doesn't get."""
    from skilllite_sandbox.capabilities import missing_clauses
    from skilllite_sandbox.grants import effective_grants
    from skilllite_sandbox.sandbox import Job, entry_of

    staged = sandbox.stage.put(directory)
    entry = entry_of(staged, getattr(args, "script", None))
    requests = staged.skill.requests
    granted = Grants(network=tuple(args.allow_network or ()))
    grants, ineffective = effective_grants(requests, granted)
    languages = frozenset(tool.language for tool in staged.skill.tools)
    for clause in (*missing_clauses(requests, languages, grants), *ineffective):
        note(f"{staged.skill.name}: {clause}")
    return Job(staged, entry, input_bytes, Policy(level, limits, grants=grants))


def _explain(
    args: argparse.Namespace, sandbox: Sandbox, directory: Path, *, level: Level, limits: Limits
) -> int:
    """Print the plan of a run; packages are in it once they are installed."""
    from skilllite_sandbox.errors import EnvironmentMissing

    job = _job(args, sandbox, directory, b"{}", level=level, limits=limits)
    try:
        job = sandbox.with_packages(job, may_install=False)
    except EnvironmentMissing as missing:
        note(f"note: {missing.message}; the first run installs them")
    plan = sandbox.plan(job)
    _write(json.dumps(plan.to_json()) + "\n" if args.json else plan.describe() + "\n")
    return OK


def note(text: str) -> None:
    """Print one line that isn't the result, harmless to a terminal."""
    sys.stderr.write(text.translate(_UNPRINTABLE).rstrip("\n") + "\n")
    sys.stderr.flush()


def print_error(error: SandboxError) -> None:
    """Print what failed, why, and what to do next."""
    note(f"error: {error.message}")
    if error.cause:
        note(f"cause: {error.cause}")
    note(f"hint: {error.hint or 'each command explains itself with --help'}")


def _print_result(outcome: Outcome) -> None:
    """Print the skill's value, or what it printed instead, and what became of it."""
    if outcome.reason is Reason.NOT_JSON:
        _write(outcome.text)
        end = "; printed as it came" if outcome.text.strip() else ", although the skill succeeded"
        note(f"note: {outcome.message}{end}")
        return
    if outcome.output is not None or outcome.ok:
        _write(outcome.text.strip() + "\n")
    elif outcome.text:
        _write(outcome.text)
    if not outcome.ok:
        said = f": {outcome.complaint}" if outcome.complaint else ""
        print_error(SandboxError(outcome.message + said, hint=_hint_for(outcome)))


def _hint_for(outcome: Outcome) -> str:
    """Return what to do about a run that failed."""
    if outcome.reason in _HINTS:
        return _HINTS[outcome.reason]
    if outcome.complaint:
        return "change the input; the skill's SKILL.md says what it takes"
    if outcome.stderr.strip():
        return "what the skill wrote about it stands above, or in `stderr` with --json"
    return "the skill said nothing about it; its SKILL.md says what it takes"


_HINTS = {
    Reason.TIMEOUT: "--timeout S gives it longer",
    Reason.MEMORY: "--max-memory MB gives it more",
    Reason.VIOLATION: "it used a system call that no skill needs",
    Reason.OUTPUT: "let it print a summary, or less",
}


def _print_json(outcome: Outcome) -> None:
    _write(json.dumps(outcome.to_json()) + "\n")


def _write(text: str) -> None:
    if sys.stdout.isatty():
        text = text.translate(_UNPRINTABLE)
    data = text.encode("utf-8", "backslashreplace")
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None:  # a replaced stdout, as under a test runner
        sys.stdout.write(data.decode("utf-8"))
    else:
        stream.write(data)
    sys.stdout.flush()


def _status_of(outcome: Outcome) -> int:
    if outcome.ok:
        return OK
    return {Reason.TIMEOUT: TIMED_OUT, Reason.CANCELLED: INTERRUPTED}.get(outcome.reason, FAILED)


def _exit_code_of(error: SandboxError) -> int:
    return _EXIT_CODES.get(error.code, FAILED)


def _refusal(error: SandboxError, level: Level, limits: Limits) -> Outcome:
    """Return the outcome of a run that was not allowed to start, for machines."""
    unavailable = isinstance(error, SandboxUnavailable)
    return Outcome(
        output=None,
        text="",
        reason=Reason.UNAVAILABLE if unavailable else Reason.REFUSED,
        exit_code=None,
        signal=None,
        duration_ms=0.0,
        tier=Tier.NONE,
        level=level,
        enforced=(),
        violations=(),
        stderr="",
        limits=limits,
        message=error.message,
    )


def _limits(args: argparse.Namespace) -> Limits:
    limits = DEFAULT_LIMITS
    if args.timeout is not None:
        limits = replace(limits, wall_s=args.timeout, cpu_s=max(limits.cpu_s, int(args.timeout)))
    if args.max_memory is not None:
        limits = replace(limits, memory_bytes=args.max_memory * MIB)
    return limits


def _read_input(argument: str, limits: Limits) -> str:
    if argument != "-":
        return argument
    data = sys.stdin.buffer.read(limits.input_bytes + 1)
    if len(data) > limits.input_bytes:
        raise InvalidInput(
            f"the input on stdin exceeds {limits.input_bytes / MIB:g} MiB",
            hint="pass less; large data doesn't belong into the input of a skill",
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput(
            "the input on stdin is not UTF-8",
            hint="a skill takes a JSON object; a file of bytes has to go into it as text",
        ) from None


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= _WALL_LONGEST_S:
        raise argparse.ArgumentTypeError(
            f"must be a number above 0 and at most {_WALL_LONGEST_S:g}"
        )
    return value


def _megabytes(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if not 0 < value <= _MEMORY_LARGEST_MB:
        raise argparse.ArgumentTypeError(
            f"must be a whole number above 0 and at most {_MEMORY_LARGEST_MB}"
        )
    return value


class _Parser(argparse.ArgumentParser):
    """Argument parser whose errors look like all our errors."""

    def error(self, message: str) -> NoReturn:
        note(f"error: {message}")
        note(f"hint: see `{self.prog} --help`")
        raise SystemExit(USAGE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command of `skilllite-sandbox` and return its exit status."""
    parser = _Parser(
        prog="skilllite-sandbox", description="Run skills in isolation.", allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run a skill", allow_abbrev=False)
    add_run_arguments(run, with_script=False, skill="DIR")
    script = commands.add_parser("exec", help="run one script of a skill", allow_abbrev=False)
    add_run_arguments(script, with_script=True, skill="DIR")
    doctor = commands.add_parser("doctor", help="try out what this host can enforce")
    doctor.add_argument("--json", action="store_true", help="print a JSON object")
    for name in _NOT_BUILT:
        commands.add_parser(name, help="not built yet").add_argument("rest", nargs="*")
    try:
        args = parser.parse_args(arguments)
        return _dispatch(args)
    except SandboxError as error:
        print_error(error)
        return _exit_code_of(error)
    except KeyboardInterrupt:
        note("interrupted")
        return INTERRUPTED


def _dispatch(args: argparse.Namespace) -> int:
    if args.command in _NOT_BUILT:
        raise SandboxUnavailable(f"`skilllite-sandbox {args.command}` is not built yet")
    if args.command == "doctor":
        return _doctor(as_json=args.json)
    level = Level(args.sandbox_level or Level.FULL)
    return run_skill_command(args, Path(args.skill), stage=None, level=level)


def _doctor(*, as_json: bool) -> int:
    from dataclasses import asdict

    from skilllite_sandbox.probe import probe_host

    report = probe_host()
    if as_json:
        checks = [asdict(check) for check in report.checks]
        _write(json.dumps({"schema": 1, "tier": report.tier.value, "checks": checks}) + "\n")
        return OK if report.ok else FAILED
    for check in report.checks:
        word = "ok" if check.ok else ("FAILED" if check.required else "absent")
        _write(f"{word:7} {check.name:13} {check.detail}\n")
        if not check.ok and check.remedy:
            _write(f"{'':21} {check.remedy}\n")
    _write(f"tier {report.tier.value}\n")
    return OK if report.ok else FAILED


if __name__ == "__main__":
    sys.exit(main())
