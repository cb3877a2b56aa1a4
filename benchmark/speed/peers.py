"""Bare Python and the other sandboxes, with the command lines of the security benchmark.

Whether a sandbox is there is tried out: it has to give the right answer once. A client without its
engine is as absent as a program that isn't installed, and the report says which.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchmark.security.prelude import Language
from benchmark.security.subjects import commands
from benchmark.security.subjects.base import SkillFiles
from benchmark.security.subjects.commands import CommandLine
from benchmark.speed.contender import (
    BARE,
    Contender,
    Kind,
    RunFailed,
    host_environment,
    run_process,
)
from benchmark.speed.workload import REQUEST, Twins, Workload, is_right
from skilllite_sandbox.host import Host

LEAN = "python3 -I -S main.py"


def _firejail(host: Host) -> CommandLine:
    """Return firejail with its default profile, but for /tmp: there is where the skill lies."""
    subject = commands.firejail(host)

    def command(skill: SkillFiles) -> list[str]:
        program, *rest = subject.command(skill)
        return [program, "--ignore=private-tmp", *rest]

    how = "firejail --ignore=private-tmp --quiet python3 main.py"
    return replace(subject, how=how, command=command)


PEERS: dict[str, Callable[[Host], CommandLine]] = {
    "bubblewrap": commands.bubblewrap,
    "firejail": _firejail,
    "docker": lambda host: commands.docker(),
    "sandbox-runtime": commands.sandbox_runtime,
    "deno": lambda host: commands.deno(),
    "pyodide": lambda host: commands.pyodide(),
}


@dataclass(frozen=True, slots=True)
class Absent:
    """A sandbox that could not be compared, and why."""

    name: str
    why: str


def interpreter_of(host: Host) -> str:
    """Return the interpreter that the sandbox runs Python skills with: that of the baseline."""
    if host.python is None:
        raise SystemExit("no Python for skills on this machine: see `skilllite doctor`")
    return host.python.path


def bare(
    interpreter: str,
    skill: Path,
    *flags: str,
    name: str = BARE,
    packages: Path | None = None,
) -> Contender:
    """Return the script of a skill in the bare interpreter."""
    argv = [interpreter, *flags, str(skill / "scripts" / "main.py")]
    environment = host_environment(**({"PYTHONPATH": str(packages)} if packages else {}))
    return Contender(
        name=name,
        kind=Kind.BARE,
        how=" ".join([interpreter, *flags, "main.py"]),
        run=lambda: run_process(argv, REQUEST, environment=environment),
        accepts=is_right,
        baseline=name if packages else BARE,
    )


def peer(subject: CommandLine, twins: Twins) -> Contender:
    """Return another sandbox as a contender; JavaScript when it knows no Python."""
    skill = SkillFiles(twins.python, Language.PYTHON)
    name = subject.name
    if Language.PYTHON not in subject.languages:
        skill = SkillFiles(twins.javascript, Language.NODE)
        name += " (JavaScript)"
    environment = host_environment()

    def run() -> str:
        return run_process(
            subject.command(skill), REQUEST, environment=environment, directory=skill.directory
        )

    return Contender(name, Kind.PEER, subject.how, run, is_right)


def find_peers(
    host: Host, workload: Workload, makers: Mapping[str, Callable[[Host], CommandLine]] = PEERS
) -> tuple[list[CommandLine], list[Absent]]:
    """Return the other sandboxes that work here, and those that don't."""
    working: list[CommandLine] = []
    absent: list[Absent] = []
    for name, make in makers.items():
        subject = make(host)
        why = subject.missing() or try_out(peer(subject, workload.calculator))
        if why:
            absent.append(Absent(name, why))
        else:
            working.append(subject)
    return working, absent


def try_out(contender: Contender) -> str:
    """Run once; return what is wrong with it, else empty."""
    try:
        printed = contender.run()
    except RunFailed as error:
        return f"does not work: {error}"
    finally:
        contender.after()
    return "" if contender.accepts(printed) else f"gives a wrong answer: {printed[:80]!r}"
