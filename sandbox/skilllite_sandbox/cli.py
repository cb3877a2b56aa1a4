"""`skilllite-sandbox`: run skills in isolation, without the node, the swarm and any agent."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence

from skilllite_sandbox.bash_command import HELP, add_bash_arguments, run_bash_command
from skilllite_sandbox.errors import SandboxError, SandboxUnavailable
from skilllite_sandbox.integrity.verify_command import HELP as VERIFY_HELP
from skilllite_sandbox.integrity.verify_command import add_verify_arguments
from skilllite_sandbox.run_arguments import LEVELS, add_run_arguments
from skilllite_sandbox.run_output import (
    FAILED,
    INTERRUPTED,
    OK,
    USAGE,
    exit_code_of,
    note,
    print_error,
    write,
)
from skilllite_sandbox.scan.scan_command import HELP as SCAN_HELP
from skilllite_sandbox.scan.scan_command import add_scan_arguments, rule_folders, run_scan_command

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from typing import NoReturn

    from skilllite_sandbox.other_systems import SystemCheck
    from skilllite_sandbox.probe import Check

_AUDIT_HELP = "look up what is known against the packages of skills"
_NOT_BUILT = ("mcp",)


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
    bash = commands.add_parser("bash", help=HELP, allow_abbrev=False)
    add_bash_arguments(bash, skill="DIR")
    verify = commands.add_parser("verify", help=VERIFY_HELP, allow_abbrev=False)
    add_verify_arguments(verify, skill="DIR")
    scan = commands.add_parser("scan", help=SCAN_HELP, allow_abbrev=False)
    add_scan_arguments(scan, skill="DIR")
    explain = commands.add_parser("explain", help="what a finding means", allow_abbrev=False)
    explain.add_argument("code", metavar="CODE", nargs="?", help="like SL401; else all of them")
    explain.add_argument("--json", action="store_true", help="print a JSON object")
    audit = commands.add_parser("dependency-audit", help=_AUDIT_HELP, allow_abbrev=False)
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["dependency-audit"]:  # what it imports costs the others 60 ms
        from skilllite_sandbox.audit_command import add_arguments

        add_arguments(audit)
    doctor = commands.add_parser("doctor", help="try out what this host can enforce")
    doctor.add_argument("--json", action="store_true", help="print a JSON object")
    for name in _NOT_BUILT:
        commands.add_parser(name, help="not built yet").add_argument("rest", nargs="*")
    try:
        args = parser.parse_args(arguments)
        return _dispatch(args)
    except SandboxError as error:
        print_error(error)
        return exit_code_of(error)
    except KeyboardInterrupt:
        note("interrupted")
        return INTERRUPTED


def _dispatch(args: argparse.Namespace) -> int:
    if args.command in _NOT_BUILT:
        raise SandboxUnavailable(f"`skilllite-sandbox {args.command}` is not built yet")
    if args.command == "doctor":
        return _doctor(as_json=args.json)
    if args.command == "explain":
        from skilllite_sandbox.scan.explain_command import run_explain_command

        return run_explain_command(args.code, as_json=args.json)
    if args.command == "scan":
        return _scan(args)
    from skilllite_sandbox.integrity.user_home import open_user_guard

    guard = open_user_guard(os.environ)
    if args.command == "verify":
        from skilllite_sandbox.integrity.verify_command import run_verify

        return run_verify(args, guard)
    if args.command == "dependency-audit":
        from skilllite_sandbox.audit_command import run

        return run(args)
    from skilllite_sandbox.run_command import Place, run_skill_command

    level = args.sandbox_level or LEVELS[-1]
    if args.command == "bash":
        return run_bash_command(args, level=level, locate=lambda: Place(args.skill, guard=guard))
    return run_skill_command(args, level=level, locate=lambda: Place(args.skill, guard=guard))


def _scan(args: argparse.Namespace) -> int:
    """Scan with what ships, and the rules that are named: this program knows no home."""
    from importlib.metadata import PackageNotFoundError, version

    from skilllite_sandbox.scan.choices import read_choices

    try:
        own = version("skilllite")
    except PackageNotFoundError:  # run from a checkout
        own = "0"
    choices = read_choices(rules=rule_folders(args))
    return run_scan_command(args, locate=lambda: args.skill, choices=choices, version=own)


def _doctor(*, as_json: bool, platform: str = sys.platform) -> int:
    from dataclasses import asdict

    tier, checks = _tried(platform)
    ok = tier != "none"
    if as_json:
        facts = [asdict(check) for check in checks]
        write(json.dumps({"schema": 1, "tier": tier, "checks": facts}) + "\n")
        return OK if ok else FAILED
    for check in checks:
        word = "ok" if check.ok else ("FAILED" if check.required else "absent")
        write(f"{word:7} {check.name:13} {check.detail}\n")
        if not check.ok and check.remedy:
            write(f"{'':21} {check.remedy}\n")
    write(f"tier {tier}\n")
    return OK if ok else FAILED


def _tried(platform: str) -> tuple[str, tuple[Check | SystemCheck, ...]]:
    """Return the tier of this host, and what was tried or is known of its system."""
    from skilllite_sandbox.other_systems import other_system_checks

    if elsewhere := other_system_checks(platform):
        return "none", elsewhere
    from skilllite_sandbox.probe import probe_host

    report = probe_host()
    return report.tier.value, report.checks


if __name__ == "__main__":
    sys.exit(main())
