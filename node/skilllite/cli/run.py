"""`skilllite run` and `skilllite exec`: one skill here, in the sandbox, without a node."""

from __future__ import annotations

import argparse

from skilllite.home import Home
from skilllite_sandbox.cli import add_run_arguments, note, run_skill_command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    with_script = parser.get_default("command") == "exec"
    add_run_arguments(parser, with_script=with_script, skill="DIR|NAME")


def run(args: argparse.Namespace) -> int:
    """Run the skill and print what it printed."""
    from skilllite.config import load_config
    from skilllite.sdk import locate_skill, open_stage
    from skilllite.shadowing import shadow_note
    from skilllite_sandbox.environment.store import open_environments
    from skilllite_sandbox.policy import Level

    home = Home.locate()
    config = load_config(home, flags={"sandbox.level": args.sandbox_level})
    level = Level(config.integer("sandbox.level"))
    directory, entry = locate_skill(args.skill, home)
    if entry is not None and (said := shadow_note(entry)):
        note(f"note: {said}")
    environments = open_environments(home.env)
    return run_skill_command(
        args, directory, stage=open_stage(home), level=level, environments=environments
    )
