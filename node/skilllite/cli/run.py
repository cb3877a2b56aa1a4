"""`skilllite run` and `skilllite exec`: one skill here, in the sandbox.

A running node of this home has workers that wait for nothing but a skill. It is asked first; what
it doesn't take, for whatever reason, this process runs itself, with the same result.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence

from skilllite.home import Home
from skilllite_sandbox.run_arguments import (
    GivenInput,
    add_run_arguments,
    add_trust_argument,
    plain_run_arguments,
)

TYPE_CHECKING = False  # importing `typing` for it would cost every command 5 ms
if TYPE_CHECKING:
    import argparse

    from skilllite.config import Config
    from skilllite_sandbox.environment.store import Environments
    from skilllite_sandbox.gate.gate import Gate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    with_script = parser.get_default("command") == "exec"
    add_run_arguments(parser, with_script=with_script, skill="DIR|NAME")
    add_trust_argument(parser)


def plain_arguments(command: str, words: Sequence[str]) -> argparse.Namespace | None:
    """Return the arguments when they are written plainly."""
    return plain_run_arguments(words, with_script=command == "exec")


def run(args: argparse.Namespace) -> int:
    """Run the skill and print what it printed."""
    gc.disable()  # next to nothing of what is imported from here on is garbage: 2 ms
    try:
        return _run(args)
    finally:
        gc.enable()


def _run(args: argparse.Namespace) -> int:
    from skilllite.config import load_config

    home = Home.locate()
    flags = {"sandbox.level": args.sandbox_level, "sandbox.accept_tier": args.accept_tier}
    config = load_config(home, flags=flags)
    level = config.integer("sandbox.level")
    args.standing_exec = list(config.texts("sandbox.allow_exec"))
    args.accept_tier = config.text("sandbox.accept_tier")
    if config.notes:
        from skilllite_sandbox.run_output import note

        for each in config.notes:
            note(f"note: {each}")
    if getattr(args, "trust_project", False):
        from skilllite.cli.project_trust import trust_by_flag

        trust_by_flag(home)
    given = GivenInput(args.input)
    # A node gives what everybody accepts; another choice is for this command alone.
    usual = config.is_default("sandbox.accept_tier")
    # And it has its own environment, not that of who types this.
    by_hand = args.explain or args.system or args.allow_env
    if usual and not by_hand and os.path.exists(home.control_name):  # noqa: PTH110 - 4 ms
        from skilllite.cli.run_by_node import run_by_node

        status = run_by_node(args, home, level=level, given=given)
        if status is not None:
            return status
    return _run_here(args, home, config, level=level, given=given)


def _run_here(
    args: argparse.Namespace, home: Home, config: Config, *, level: int, given: GivenInput
) -> int:
    """Run it in this process."""
    from skilllite_sandbox.run_command import Place, run_skill_command

    def open_environments() -> Environments:
        from skilllite_sandbox.environment.store import open_environments as opened

        return opened(home.env)

    def open_gate() -> Gate:
        from skilllite.gating import open_terminal_gate

        return open_terminal_gate(home)

    def locate() -> Place:
        from skilllite.cli.project_trust import locate_or_ask
        from skilllite.sdk import open_stage

        directory, entry = locate_or_ask(args.skill, home)
        if entry is not None:
            from skilllite.shadowing import shadow_note
            from skilllite_sandbox.run_output import note

            if said := shadow_note(entry):
                note(f"note: {said}")
        return Place(directory, open_stage(home), open_environments, gate=open_gate)

    if args.explain or args.system:
        return run_skill_command(args, level=level, locate=locate, given=given)
    from skilllite.auditing import open_run_record
    from skilllite_sandbox.errors import AuditUnavailable
    from skilllite_sandbox.run_output import note

    asked = {"skill": args.skill, "script": getattr(args, "script", None)}
    try:
        record = open_run_record(home, by="command", level=level, warn=note, config=config, **asked)
    except AuditUnavailable as error:
        if args.json:
            from skilllite_sandbox.run_command import refusal
            from skilllite_sandbox.run_output import print_outcome
            from skilllite_sandbox.run_request import request_of

            print_outcome(refusal(error, request_of(args, level)).to_json())
        raise
    try:
        return run_skill_command(args, level=level, locate=locate, given=given, record=record)
    finally:
        if record is not None:
            record.close()
