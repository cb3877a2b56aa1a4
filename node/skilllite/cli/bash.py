"""`skilllite bash`: one command that a skill allows, here, in the sandbox."""

from __future__ import annotations

from skilllite.home import Home
from skilllite_sandbox.bash_command import add_bash_arguments
from skilllite_sandbox.run_arguments import add_trust_argument

TYPE_CHECKING = False  # importing `typing` for it would cost every command 5 ms
if TYPE_CHECKING:
    import argparse

    from skilllite_sandbox.run_command import Place


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_bash_arguments(parser, skill="DIR|NAME")
    add_trust_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Run the command and print what it printed."""
    from skilllite.config import load_config
    from skilllite_sandbox.bash_command import run_bash_command

    home = Home.locate()
    flags = {"sandbox.level": args.sandbox_level, "sandbox.accept_tier": args.accept_tier}
    config = load_config(home, flags=flags)
    args.accept_tier = config.text("sandbox.accept_tier")
    args.standing_exec = list(config.texts("sandbox.allow_exec"))

    if args.trust_project:
        from skilllite.cli.project_trust import trust_by_flag

        trust_by_flag(home)

    def locate() -> Place:
        from skilllite.cli.project_trust import locate_or_ask
        from skilllite.gating import open_terminal_gate
        from skilllite.sdk import open_stage
        from skilllite_sandbox.run_command import Place

        directory, _ = locate_or_ask(args.skill, home)
        return Place(directory, open_stage(home), gate=lambda: open_terminal_gate(home))

    level = config.integer("sandbox.level")
    if args.explain:
        return run_bash_command(args, level=level, locate=locate)
    from skilllite.auditing import open_run_record
    from skilllite_sandbox.run_output import note

    record = open_run_record(
        home, by="command", level=level, warn=note, config=config, skill=args.skill
    )
    try:
        return run_bash_command(args, level=level, locate=locate, record=record)
    finally:
        if record is not None:
            record.close()
