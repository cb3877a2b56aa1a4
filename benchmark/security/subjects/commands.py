"""The control and the other sandboxes: command lines, as their users write them.

None of them is tuned, and none is given less than its documentation shows first; what each was
started with is in the report. A program that is there but does not work, such as a client without
its engine, fails the trial run and counts as not available.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmark.security.prelude import Language
from benchmark.security.subjects.base import Run, SkillFiles, last_line, run_command
from skilllite_sandbox.host import Host, Interpreter
from skilllite_sandbox.policy import Limits

DOCKER_IMAGES = {
    Language.PYTHON: "python:3.11-slim",
    Language.NODE: "node:20-slim",
    Language.BASH: "debian:12-slim",
}
_ASK_S = 20.0
_IN_IMAGE = {Language.PYTHON: "python3", Language.NODE: "node", Language.BASH: "bash"}


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A subject that is one command for each run."""

    name: str
    how: str
    languages: tuple[Language, ...]
    command: Callable[[SkillFiles], Sequence[str]]
    lacks: Callable[[], str] = lambda: ""
    address: str | None = None

    def missing(self) -> str:
        """See `Subject`."""
        return self.lacks()

    def effective(self, limits: Limits) -> Limits:
        """See `Subject`; these have none, and are judged by what was wanted."""
        return limits

    def run(self, skill: SkillFiles, given: bytes, limits: Limits) -> Run:
        """See `Subject`; these have no limits."""
        # Another sandbox doesn't show its skills the directory that this names on the host.
        environment = {name: value for name, value in os.environ.items() if name != "TMPDIR"}
        command = self.command(skill)
        return run_command(command, given, environment=environment, directory=skill.directory)

    def close(self) -> None:
        """See `Subject`."""


def bare(host: Host) -> CommandLine:
    """Return the control: the interpreters that the sandbox uses, without it."""
    interpreters = _interpreters(host)
    return CommandLine(
        "bare",
        "python3 main.py",
        tuple(interpreters),
        lambda skill: [interpreters[skill.language].path, str(skill.script)],
        lacks=lambda: "" if interpreters else "no interpreter",
    )


def bubblewrap(host: Host) -> CommandLine:
    """Return bubblewrap with every namespace of its own and the system read-only."""
    interpreters = _interpreters(host)
    links = [
        part
        for name in ("bin", "sbin", "lib", "lib64")
        if Path(f"/{name}").is_symlink()
        for part in ("--symlink", os.readlink(f"/{name}"), f"/{name}")  # noqa: PTH115
    ]
    isolation = [
        *("bwrap", "--unshare-all", "--die-with-parent", "--new-session"),
        *("--ro-bind", "/usr", "/usr", *links),
        *("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"),
    ]

    def command(skill: SkillFiles) -> list[str]:
        interpreter = interpreters[skill.language]
        elsewhere = [
            part
            for tree in interpreter.trees
            if not tree.startswith("/usr/")
            for part in ("--ro-bind", tree, tree)
        ]
        script = f"/skill/{skill.script.relative_to(skill.directory)}"
        mounts = [*elsewhere, "--ro-bind", str(skill.directory), "/skill", "--chdir", "/tmp"]
        return [*isolation, *mounts, interpreter.path, script]

    return CommandLine(
        "bubblewrap",
        " ".join([*isolation, "--ro-bind DIR /skill --chdir /tmp python3 /skill/main.py"]),
        tuple(interpreters),
        command,
        lacks=partial(_program, "bwrap"),
    )


def firejail(host: Host) -> CommandLine:
    """Return firejail with its default profile."""
    interpreters = _interpreters(host)
    return CommandLine(
        "firejail",
        "firejail --quiet python3 main.py",
        tuple(interpreters),
        lambda skill: [
            *("firejail", "--quiet", interpreters[skill.language].path, str(skill.script)),
        ],
        lacks=partial(_program, "firejail"),
    )


def sandbox_runtime(host: Host) -> CommandLine:
    """Return sandbox-runtime with the settings it has without a file of settings."""
    interpreters = _interpreters(host)
    return CommandLine(
        "sandbox-runtime",
        "srt python3 main.py",
        tuple(interpreters),
        lambda skill: ["srt", interpreters[skill.language].path, str(skill.script)],
        lacks=partial(_program, "srt"),
    )


def docker() -> CommandLine:
    """Return docker with its defaults and an image that is there; nothing is downloaded."""
    options = ["docker", "run", "--rm", "--interactive", "--pull", "never"]

    def command(skill: SkillFiles) -> list[str]:
        script = f"/skill/{skill.script.relative_to(skill.directory)}"
        mount = ["--volume", f"{skill.directory}:/skill:ro"]
        return [*options, *mount, DOCKER_IMAGES[skill.language], _IN_IMAGE[skill.language], script]

    return CommandLine(
        "docker",
        f"{' '.join(options)} --volume DIR:/skill:ro IMAGE python3 /skill/main.py",
        tuple(Language),
        command,
        lacks=partial(_answers, "docker", "version", "--format", "{{.Server.Version}}"),
        # Its loopback is its own; the host is the gateway of its network.
        address=_docker_gateway(),
    )


def deno() -> CommandLine:
    """Return deno without any permission; it runs JavaScript only."""

    def command(skill: SkillFiles) -> list[str]:
        # By this ending deno knows a script that uses `require`.
        script = skill.script.with_suffix(".cjs")
        if not script.exists():
            shutil.copy(skill.script, script)
        return ["deno", "run", "--no-prompt", "--quiet", str(script)]

    return CommandLine(
        "deno",
        "deno run --no-prompt --quiet main.cjs",
        (Language.NODE,),
        command,
        lacks=partial(_program, "deno"),
    )


_PYODIDE = """
const fs = require('fs');
const {loadPyodide} = require(process.argv[1]);
(async () => {
  const runtime = await loadPyodide();
  const line = descriptor => ({batched: text => fs.writeSync(descriptor, text + '\\n')});
  runtime.setStdin({stdin: () => given.pop()});
  const given = [fs.readFileSync(0, 'utf8')];
  runtime.setStdout(line(1));
  runtime.setStderr(line(2));
  runtime.FS.writeFile('/main.py', fs.readFileSync(process.argv[2], 'utf8'));
  process.exitCode = runtime.runPython(`
import runpy
status = 0
try:
    runpy.run_path('/main.py', run_name='__main__')
except SystemExit as end:
    status = end.code if isinstance(end.code, int) else int(end.code is not None)
status
`);
})().catch(error => { console.error(String(error)); process.exit(1); });
"""


def pyodide() -> CommandLine:
    """Return CPython in WebAssembly, loaded by node; it runs Python only."""

    def lacks() -> str:
        if shutil.which("node") is None:
            return "node is not installed"
        return "" if pyodide_module() else "no npm package pyodide is installed globally"

    return CommandLine(
        "pyodide",
        "node: loadPyodide() and runPython",
        (Language.PYTHON,),
        lambda skill: ["node", "-e", _PYODIDE, pyodide_module(), str(skill.script)],
        lacks=lacks,
    )


def pyodide_module() -> str:
    """Return the directory of the npm package, if it is installed globally, else empty."""
    places = [*filter(None, os.environ.get("NODE_PATH", "").split(os.pathsep))]
    places += ["/usr/lib/node_modules", "/usr/local/lib/node_modules"]
    found = (f"{place}/pyodide" for place in places)
    return next((path for path in found if Path(path, "package.json").exists()), "")


def _interpreters(host: Host) -> dict[Language, Interpreter]:
    all_of_them = {
        Language.PYTHON: host.python,
        Language.NODE: host.node,
        Language.BASH: host.bash,
    }
    return {language: found for language, found in all_of_them.items() if found is not None}


def _program(name: str) -> str:
    return "" if shutil.which(name) else f"{name} is not installed"


def _answers(*arguments: str) -> str:
    """Return why a command that has to succeed doesn't, else empty."""
    if lacks := _program(arguments[0]):
        return lacks
    try:
        done = subprocess.run(
            arguments, capture_output=True, text=True, timeout=_ASK_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else last_line(done.stderr) or f"exit {done.returncode}"


def _docker_gateway() -> str | None:
    """Return the host's address on docker's own network, if docker answers."""
    if shutil.which("docker") is None:
        return None
    try:
        done = subprocess.run(
            ["docker", "network", "inspect", "bridge"],
            capture_output=True,
            text=True,
            timeout=_ASK_S,
            check=False,
        )
        configuration = json.loads(done.stdout)[0]["IPAM"]["Config"][0]
        return str(configuration["Gateway"])
    except (OSError, ValueError, LookupError, TypeError, subprocess.TimeoutExpired):
        return None
