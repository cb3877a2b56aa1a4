"""Grants of programs: what they stand for, and that a skill executes them and nothing else."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox_lab import ENTRIES, PROGRAMS, require
from skill_files import make_skill
from skilllite_sandbox import Level, Sandbox, Tier
from skilllite_sandbox.bubblewrap_plan import make_plan
from skilllite_sandbox.entry import EntryPoint, Language
from skilllite_sandbox.errors import PolicyDenied, SandboxUnavailable
from skilllite_sandbox.exec_grants import (
    PROGRAM_DIRECTORIES,
    Program,
    executables_of,
    resolve_programs,
    shown_for,
)
from skilllite_sandbox.host import find_program, has_landlock, read_host
from skilllite_sandbox.outcome import Outcome, Reason
from skilllite_sandbox.plan import BASH_PROGRAMS, Landlock
from skilllite_sandbox.policy import SUPERVISED, Grants, Policy
from skilllite_sandbox.program_powers import power_of, warning_about
from skilllite_sandbox.seccomp.filters import Executes
from skilllite_sandbox.zygote_plan import make_zygote_plan

GRANTED = "git"
TIERS = [Tier.FULL, Tier.BWRAP]


# What grants stand for


def found_at(**places: str) -> Any:
    """Return a look-up that knows these names."""

    def find(name: str, directories: str) -> str | None:
        assert directories == PROGRAM_DIRECTORIES
        return places.get(name)

    return find


def test_a_grant_is_the_native_program_of_that_name() -> None:
    (program,) = resolve_programs(["rg"], read_host(), found_at(rg="/usr/local/bin/rg"))

    assert program == Program("rg", "/usr/local/bin/rg")
    assert executables_of([program]) == ("/usr/local/bin/rg",)


def test_a_program_that_is_not_here_is_an_error_with_a_remedy() -> None:
    with pytest.raises(SandboxUnavailable, match="rg is granted, but") as refused:
        resolve_programs(["rg"], read_host(), found_at())

    assert refused.value.hint == "install rg, or grant the interpreter of the script instead"


@pytest.mark.parametrize("name", ["", "/bin/sh", "../sh", "./x", ".x", "-x", "a/b"])
def test_a_path_is_no_name_of_a_program(name: str) -> None:
    with pytest.raises(PolicyDenied, match="is not the name of a program"):
        resolve_programs([name], read_host(), found_at(**{name: "/bin/sh"}))


def test_a_script_is_no_program(tmp_path: Path) -> None:
    script = tmp_path / "tool"
    script.write_text("#!/bin/sh\necho hi\n", encoding="utf-8")
    script.chmod(0o755)

    assert find_program("tool", str(tmp_path)) is None


def test_an_interpreter_brings_its_library() -> None:
    host = read_host()
    assert host.python is not None
    (program,) = resolve_programs(["python3"], host, found_at(python3=host.python.path))

    assert {program.path, *program.trees} == {*host.python.trees}


def test_git_is_more_than_one_file() -> None:
    (program,) = resolve_programs(["git"], read_host(), found_at(git="/usr/bin/git"))

    assert executables_of([program]) == (
        *("/usr/bin/git", "/usr/lib/git-core/git", "/usr/lib/git-core/git-remote-http"),
    )


def test_a_program_is_found_by_its_name_wherever_it_lies() -> None:
    awk, rg = (
        Program("awk", "/usr/bin/mawk"),
        Program("rg", "/usr/local/bin/rg", ("/usr/share/rg",)),
    )

    assert shown_for([awk, rg], trees=[], targets=[]) == [
        ("ro-bind", "/usr/bin/mawk", "/usr/bin/mawk"),
        ("symlink", "/usr/bin/mawk", "/usr/bin/awk"),
        ("ro-bind", "/usr/local/bin/rg", "/usr/local/bin/rg"),
        ("ro-bind-try", "/usr/share/rg", "/usr/share/rg"),
        ("symlink", "/usr/local/bin/rg", "/usr/bin/rg"),
    ]


def test_what_is_shown_already_is_not_shown_again() -> None:
    git = Program("git", "/usr/bin/git", ("/usr/lib/git-core",))

    assert shown_for([git, git], trees=["/usr/lib"], targets=["/usr/bin/git"]) == []


# Plans


def plans(language: Language, *names: str) -> list[Any]:
    """Return the plan of each tier for a skill that may execute these."""
    host = read_host()
    entry = EntryPoint("scripts/main", language, "demo")
    policy = Policy(Level.ISOLATED, grants=Grants(exec=names))
    programs = resolve_programs(names, host, find_program)
    stage = "/var/cache/stage/abc/skill"
    zygote = make_zygote_plan(policy, host, entry, stage, programs=programs)
    return [zygote, make_plan(policy, host, entry, stage, landlock=True, programs=programs)]


def test_each_language_has_its_level_of_execution() -> None:
    for language in ("node", "bash"):
        require(language)
    expected = {
        Language.PYTHON: Executes.NONE,
        Language.NODE: Executes.ONCE,
        Language.BASH: Executes.LISTED,
    }

    for language, executes in expected.items():
        assert {plan.executes for plan in plans(language)} == {executes}


@pytest.mark.parametrize("language", [Language.PYTHON, Language.NODE, Language.BASH])
def test_with_a_grant_exactly_the_list_is_executable(language: Language) -> None:
    require(language.value)
    host = read_host()
    assert host.python and host.loader
    own = {
        Language.PYTHON: set(),
        Language.NODE: {host.node.path} if host.node else set(),
        Language.BASH: {"/usr/bin/bash", *(f"/usr/bin/{name}" for name in BASH_PROGRAMS)},
    }[language]

    for plan in plans(language, GRANTED):
        git = {"/usr/bin/git", "/usr/lib/git-core/git", "/usr/lib/git-core/git-remote-http"}
        assert set(plan.executables) == own | git | {host.loader}
        assert plan.landlock is Landlock.REQUIRED
        assert plan.executes is Executes.LISTED
        assert plan.tree is SUPERVISED
        assert not {"no-exec", "no-fork", "exec-once"} & {*plan.enforced}
        assert "/usr/bin" not in {mount.source for mount in plan.mounts}


def test_a_plan_says_what_a_granted_program_can_run_itself() -> None:
    for plan in plans(Language.PYTHON, GRANTED):
        assert "program git: can run hooks, aliases, pagers" in plan.describe()
        assert "hooks" in plan.to_json()["programs"]["git"]
        assert "/usr/bin/git" in plan.to_json()["executables"]


def test_without_landlock_nothing_is_granted() -> None:
    host = read_host()
    entry = EntryPoint("scripts/main.py", Language.PYTHON, "demo")
    programs = (Program("git", "/usr/bin/git"),)

    with pytest.raises(SandboxUnavailable, match="can't be granted on this host"):
        make_plan(Policy(Level.ISOLATED), host, entry, "/s/a/skill", programs=programs)


def test_powers_are_known_for_versions_of_a_program_too() -> None:
    assert power_of("python3.11") == power_of("python") == power_of("python3")
    assert power_of("frobnicate") is None
    assert "is not known" in warning_about("frobnicate")
    assert "hooks, aliases" in warning_about("git")


# Skills that try


@pytest.fixture(scope="module", params=TIERS)
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    if not has_landlock():
        pytest.skip("this kernel has no Landlock")
    with Sandbox(Level.ISOLATED, tier=request.param, pool=False) as opened:
        yield opened


def run(
    sandbox: Sandbox, place: Path, language: str, script: str, *allowed: str, **facts: Any
) -> Outcome:
    """Run a skill that asks for git, with what a person allows."""
    require(language)
    extra = f"metadata:\n  skilllite.exec: {GRANTED}\n"
    skill = make_skill(place, extra=extra, files={ENTRIES[language]: script})
    return sandbox.run(skill, facts, exec=allowed)


PYTHON = """
import ctypes, json, os, shutil, subprocess, sys

def does(*command, **how):
    try:
        done = subprocess.run(command, capture_output=True, text=True, **how)
    except OSError as error:
        return type(error).__name__
    return "ran" if done.returncode == 0 else "failed"

loader = next(
    path for path in ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1")
    if os.path.exists(path)
)
python = os.path.realpath(sys.executable)

def own(name, content, mode=0o755):
    path = os.path.join("/tmp", name)
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, mode)
    return path

def copy_of_python():
    try:
        return own("py", open(python, "rb").read())
    except PermissionError:  # it runs, and can't be read any more
        return "/tmp/none"

git = open("/usr/bin/git", "rb").read()
copy = own("git", git)
os.makedirs("/tmp/bin", exist_ok=True)
renamed = own("bin/git", git)
script = own("script", b"#!/usr/bin/git --version\\n")
by_env = own("by_env", b"#!/usr/bin/env python3\\n")
os.symlink("/usr/bin/git", "/tmp/link")
os.symlink(python, "/tmp/to_python")

libc = ctypes.CDLL(None, use_errno=True)

def in_memory():
    handle = libc.memfd_create(b"x", 0)
    if handle < 0:
        return "no memfd"
    os.write(handle, git)
    try:
        pid = os.posix_spawn(f"/proc/self/fd/{handle}", ["git", "--version"], {})
    except OSError as error:
        return type(error).__name__
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def exec_of_descriptor():
    handle = os.open("/usr/bin/git", os.O_RDONLY)
    pid = os.fork()
    if pid == 0:
        try:
            os.execve(handle, ["git", "--version"], {})
        finally:
            os._exit(7)
    return "ran" if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0 else "failed"

def preloads():
    library = os.path.join(os.path.dirname(os.path.realpath(loader)), "libm.so.6")
    library = shutil.copy(library, "/tmp")
    done = subprocess.run(["git", "--version"], env={"PATH": "/usr/bin", "LD_PRELOAD": library},
        capture_output=True, text=True)
    return "failed" if "cannot be preloaded" in done.stderr else "ran"

print(json.dumps({
    "granted": does("git", "--version"),
    "granted by path": does("/usr/bin/git", "--version"),
    "granted by link": does("/tmp/link", "--version"),
    "granted, twice": does("git", "-c", "alias.x=version", "x"),
    "a copy in scratch": does(copy, "--version"),
    "a copy of the same name": does("git", "--version", env={"PATH": "/tmp/bin"}),
    "a copy of python": does(copy_of_python(), "-S", "-c", ""),
    "python": does(sys.executable, "-S", "-c", ""),
    "python by link": does("/tmp/to_python", "-S", "-c", ""),
    "python by /proc": does("/proc/self/exe", "-S", "-c", ""),
    "a script": does(script),
    "a script by env": does(by_env),
    "a script of the skill": does("/skill/scripts/main.py"),
    "a shell": does("true", shell=True),
    "a shell of git": does("git", "-c", "alias.x=!true", "x"),
    "another program": does("cat", "/dev/null"),
    "another by path": does("/usr/bin/cat", "/dev/null"),
    "the loader with a copy": does(loader, copy, "--version"),
    "the loader with python": does(loader, python, "-S", "-c", ""),
    "a library in scratch": preloads(),
    "memfd": in_memory(),
    "a descriptor": exec_of_descriptor(),
}))
"""
ALLOWED = {"granted", "granted by path", "granted by link", "granted, twice"}
BY_THE_LOADER = {"the loader with a copy", "the loader with python", "a library in scratch"}


def test_python_executes_what_is_granted_and_nothing_else(sandbox: Sandbox, tmp_path: Path) -> None:
    outcome = run(sandbox, tmp_path, "python", PYTHON, GRANTED)

    assert isinstance(outcome.output, dict), outcome
    ran = {name for name, how in outcome.output.items() if how == "ran"}
    assert ran >= ALLOWED, outcome.output
    if "listed-programs" in outcome.enforced:
        assert ran == ALLOWED
    else:
        # What bubblewrap can't give, its scratch not being noexec, is said.
        assert ran - ALLOWED <= BY_THE_LOADER
        assert "own-executables" in outcome.not_enforced
    assert outcome.output["python"] == "PermissionError"
    assert outcome.output["another program"] == "FileNotFoundError"


def test_in_the_best_tier_the_list_is_promised(tmp_path: Path) -> None:
    with Sandbox(Level.ISOLATED, tier=Tier.FULL, pool=False) as sandbox:
        outcome = run(sandbox, tmp_path, "python", PYTHON, GRANTED)

    assert "listed-programs" in outcome.enforced
    assert "own-executables" not in outcome.not_enforced


NODE = """
const child = require('child_process'), fs = require('fs');
const does = (command, ...words) => {
  const done = child.spawnSync(command, words);
  return done.error ? done.error.code : done.status === 0 ? 'ran' : 'failed';
};
fs.copyFileSync('/usr/bin/git', '/tmp/copy'); fs.chmodSync('/tmp/copy', 0o755);
console.log(JSON.stringify({
  granted: does('git', '--version'),
  'a copy': does('/tmp/copy', '--version'),
  'another program': does('cat', '/dev/null'),
  python: does('/usr/bin/python3', '-c', ''),
  'a shell': does('sh', '-c', 'true'),
}));
"""
BASH = """
does() { if "$@" >/tmp/out 2>&1 </dev/null; then echo ran; else echo failed; fi; }
cp /usr/bin/git /tmp/copy; chmod 755 /tmp/copy
printf '#!/usr/bin/git --version\\n' >/tmp/script; chmod 755 /tmp/script
echo "{\\"granted\\": \\"$(does git --version)\\",
  \\"a base program\\": \\"$(does cat)\\",
  \\"a copy\\": \\"$(does /tmp/copy --version)\\",
  \\"a script\\": \\"$(does /tmp/script)\\",
  \\"python\\": \\"$(does /usr/bin/python3 -c '')\\",
  \\"another program\\": \\"$(does find /tmp)\\"}"
"""


@pytest.mark.parametrize(
    ("language", "script", "may"),
    [("node", NODE, {"granted"}), ("bash", BASH, {"granted", "a base program"})],
)
def test_node_and_bash_execute_what_is_granted_and_nothing_else(
    sandbox: Sandbox, tmp_path: Path, language: str, script: str, may: set[str]
) -> None:
    outcome = run(sandbox, tmp_path, language, script, GRANTED)

    assert isinstance(outcome.output, dict), outcome
    assert {name for name, how in outcome.output.items() if how == "ran"} == may


NOTHING = """
import json, subprocess
try:
    subprocess.run(["git", "--version"])
except OSError as error:
    print(json.dumps(str(error)))
"""


def test_a_request_alone_grants_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    outcome = run(sandbox, tmp_path, "python", NOTHING)

    assert outcome.output == "[Errno 1] Operation not permitted"
    assert "no-exec" in outcome.enforced


def test_a_grant_that_nobody_asked_for_has_no_effect(sandbox: Sandbox, tmp_path: Path) -> None:
    outcome = run(sandbox, tmp_path, "python", NOTHING, "cat", "python3")

    assert outcome.output == "[Errno 1] Operation not permitted"
    assert "no-exec" in outcome.enforced


NAME_OF_THE_BUSY = "sl-test-busy"
BUSY = f"""
import ctypes, os, time
for _ in range(9):
    if os.fork() == 0:
        ctypes.CDLL(None).prctl(15, b"{NAME_OF_THE_BUSY}")
        while True:
            time.sleep(0.01)
time.sleep(60)
"""


def busy_processes() -> int:
    """Return how many of them this host has."""
    count = 0
    for path in Path("/proc").glob("[0-9]*/comm"):
        with suppress(OSError):  # it ended meanwhile
            count += path.read_text(encoding="utf-8").strip() == NAME_OF_THE_BUSY
    return count


def test_what_a_skill_starts_dies_with_it(sandbox: Sandbox, tmp_path: Path) -> None:
    most = 0

    def watch() -> None:
        nonlocal most
        while not over.wait(0.05):
            most = max(most, busy_processes())

    over = threading.Event()
    watching = threading.Thread(target=watch)
    watching.start()
    extra = f"metadata:\n  skilllite.exec: {GRANTED}\n"
    skill = make_skill(tmp_path, extra=extra, files={"scripts/main.py": BUSY})
    try:
        outcome = sandbox.run(skill, {}, exec=(GRANTED,), timeout_s=1)
    finally:
        over.set()
        watching.join()

    assert outcome.reason is Reason.TIMEOUT
    assert most == 9, "they were there"
    deadline = time.monotonic() + 5
    while busy_processes() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert busy_processes() == 0


ORPHANS = """
import json, os, time
if os.fork() == 0:
    if os.fork() == 0:
        time.sleep(0.05)
        os._exit(0)
    os._exit(0)
os.wait()
time.sleep(0.2)
try:
    adopted = os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    adopted = None
print(json.dumps(adopted))
"""


def test_orphans_of_a_skill_are_not_its_children(tmp_path: Path) -> None:
    with Sandbox(Level.ISOLATED, tier=Tier.FULL) as sandbox:
        outcome = run(sandbox, tmp_path, "python", ORPHANS, GRANTED)

    assert outcome.ok and outcome.output is None, outcome


MANY_ORPHANS = """
import os
for _ in range(100):
    if os.fork() == 0:
        if os.fork() == 0:
            os._exit(0)
        os._exit(0)
    os.wait()
print(100)
"""


def test_orphans_do_not_pile_up_against_the_limit_of_processes(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    outcome = run(sandbox, tmp_path, "python", MANY_ORPHANS, GRANTED)

    assert outcome.output == 100, outcome
    assert outcome.limits.processes < 100


def test_a_skill_that_kills_itself_is_dead(tmp_path: Path) -> None:
    """As the first process of its namespace it would live on."""
    script = "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\nprint(1)"
    with Sandbox(Level.ISOLATED, tier=Tier.FULL) as sandbox:
        outcome = run(sandbox, tmp_path, "python", script, GRANTED)

    assert outcome.signal == 15 and outcome.text == ""


def test_warm_workers_hold_as_well(tmp_path: Path) -> None:
    """The pool tests its zygote with the built-in attacker first, and warms its workers up."""
    with Sandbox(Level.ISOLATED, tier=Tier.FULL) as sandbox:
        for number in range(3):
            for language, script in (("python", PYTHON), ("node", NODE), ("bash", BASH)):
                require(language)
                place = tmp_path / f"{language}-{number}"
                place.mkdir()
                outcome = run(sandbox, place, language, script, GRANTED)
                assert outcome.ok and outcome.output["granted"] == "ran", outcome
                assert outcome.tier is Tier.FULL


INTERPRETED = "import json, os; print(json.dumps(os.path.exists('/etc/shadow')))"
CALLERS = {
    "python": f"import subprocess as s\ns.run(['python3', '-c', {INTERPRETED!r}])",
    "node": f"require('child_process').spawnSync('python3', ['-c', {json.dumps(INTERPRETED)}], "
    "{stdio: 'inherit'})",
    "bash": f'python3 -c "{INTERPRETED}"',
}


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("language", CALLERS)
def test_an_interpreter_can_be_granted_like_any_program(
    language: str, tier: Tier, tmp_path: Path
) -> None:
    require(language)
    extra = "metadata:\n  skilllite.exec: python3\n"
    files = {ENTRIES[language]: CALLERS[language]}
    skill = make_skill(tmp_path, extra=extra, files=files)

    with Sandbox(Level.ISOLATED, tier=tier) as sandbox:  # with a pool, which tests itself
        outcome = sandbox.run(skill, {}, exec=("python3",))

    assert outcome.output is False, outcome


def test_everything_these_tests_need_is_named() -> None:
    assert set(PROGRAMS) == set(ENTRIES)
    assert find_program(GRANTED, PROGRAM_DIRECTORIES), "git is what the tests grant"
    assert json.dumps(replace(Policy(), grants=Grants(exec=(GRANTED,))).grants.exec) == '["git"]'


@pytest.mark.parametrize("tier", [Tier.ROOT_CHROOT, Tier.LANDLOCK])
def test_a_tier_without_namespaces_grants_no_programs_and_says_so(
    tmp_path: Path, tier: Tier
) -> None:
    extra = f"metadata:\n  skilllite.exec: {GRANTED}\n"
    skill = make_skill(tmp_path, extra=extra)

    with (
        Sandbox(Level.ISOLATED, tier=tier, accept_tier=Tier.LANDLOCK) as sandbox,
        pytest.raises(SandboxUnavailable) as refused,
    ):
        sandbox.run(skill, {}, exec=(GRANTED,))

    assert refused.value.hint
