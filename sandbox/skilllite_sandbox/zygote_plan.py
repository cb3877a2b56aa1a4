"""The plan of a run in a zygote: what its root shows, what its workers may do, what the job says.

Pure, like `plan.py`, for the tier `full`. Everything is split by how long it lives: the layout
stands as long as the zygote, a worker's part is fixed when it is forked, the job comes last.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from skilllite_sandbox.attackers import SELF_TESTS, warm_up_script
from skilllite_sandbox.backend.pool_size import IDLE_S
from skilllite_sandbox.entry import EntryPoint, Language
from skilllite_sandbox.errors import SandboxUnavailable
from skilllite_sandbox.exec_grants import Program
from skilllite_sandbox.grants import PROXY_ENVIRONMENT, PROXY_PORT
from skilllite_sandbox.guest.code import guest_source
from skilllite_sandbox.host import Host
from skilllite_sandbox.plan import (
    BASH_PROGRAMS,
    BY_THE_HOST,
    COMMANDS_FILE,
    DEVICES,
    ENVIRONMENT,
    EXECUTES,
    EXECUTION,
    GUEST_ID,
    NODE_MODULES,
    NOT_WITH_PROGRAMS,
    PASSWD,
    PROFILES,
    SCRATCH,
    SKILL_MOUNT,
    STDIN_BY_NAME,
    Landlock,
    Mount,
    Plan,
    ZygotePart,
    check_policy,
    command_for,
    executables,
    interpreter_for,
    is_below,
    program_mounts,
    require_python,
    resource_limits,
    tree_bound,
)
from skilllite_sandbox.policy import Limits, Policy, Tier, checks_of
from skilllite_sandbox.seccomp.filters import (
    MACHINES,
    Executes,
    Profile,
    closing_filter,
    worker_filter,
)

SKILLS = "/skills"
ENVIRONMENTS = "/envs"
PER_RUN = "/run"
SELF_TEST = "/etc/self-test"
WARM_UP = "/etc/warm-up"
ZYGOTE_IDLE_S = 600.0  # without a run for so long a zygote ends: about 10 MB
LANDLOCK_LEAST = 1  # without it one skill could read the others of the same root
_END_MARGIN_S = 10.0  # a run that starts last of all still has its whole time
_PER_RUN_ROOM = 64 * 1024  # beside the input: a link and the file system's own blocks
_OF_USERS = (SKILLS, ENVIRONMENTS)
_HIDDEN = (
    SCRATCH,
    PER_RUN,
    SKILLS,
    ENVIRONMENTS,
)  # what a worker mounts over, or the root keeps for itself

_OFTEN_USED = """
json re math datetime random collections itertools functools hashlib base64 string decimal csv
io dataclasses typing enum statistics pathlib tempfile traceback textwrap urllib.parse operator
contextlib abc copy time struct threading
"""
PRELOADED = tuple(_OFTEN_USED.split())
"""What a zygote of Python imports once for all its workers: what skills use most."""
PRELOADED_FOR_NETWORK = ("ssl", "http.client", "urllib.request", "socket")

_ENFORCED = (
    *("namespaces", "private-root", "no-capabilities", "no-new-privileges"),
    *("seccomp", "clean-environment", "memory", "cpu", "processes", "open-files", "file-size"),
    *("scratch-size", "scratch-inodes", "scratch-noexec"),
)


def make_zygote_plan(
    policy: Policy,
    host: Host,
    entry: EntryPoint,
    skill_directory: str,
    *,
    preload: tuple[str, ...] = PRELOADED,
    writable_code: bool = False,
    environments: str = "",
    installed: str = "",
    programs: tuple[Program, ...] = (),
    runs_commands: bool = False,
    early: tuple[str, ...] = (),
    variables: tuple[tuple[str, str], ...] = (),
) -> Plan:
    """Return the plan of one run.

    Args:
        policy: Level, limits, origin and grants; the level is 2 or 3.
        host: What this machine has.
        entry: What to run.
        skill_directory: Absolute host path of the staged copy, `STORE/<digest>/skill`.
        preload: What the zygote imports.
        writable_code: Whether memory may become executable after it was writable.
        environments: Absolute host path of all installed environments; empty for none.
        installed: The digest of the one that the skill imports from; empty for none.
        programs: What it may execute beside what its language allows.
        runs_commands: Run the input's commands instead of a script of the skill.
        early: What a warm worker imports of it before its job comes; Python only.
        variables: What it adds to the environment variables.

    Raises:
        SandboxUnavailable: this host can't have such a zygote.
        PolicyDenied: nobody may have this combination.
        InvalidInput: a limit is below what an interpreter needs.
    """
    check_policy(policy)
    python = require_python(host)
    if host.machine not in MACHINES or not host.libraries or host.loader is None:
        raise SandboxUnavailable(f"there is no zygote for this {host.machine} system")
    language = entry.language
    profile = PROFILES[language]
    if writable_code and profile is Profile.PYTHON:
        profile = Profile.PYTHON_JIT
    executes = Executes.LISTED if programs else EXECUTES[language]
    network = policy.grants.network
    environment = (*ENVIRONMENT, *variables, *(PROXY_ENVIRONMENT if network else ()))
    store, _, skill = skill_directory.rpartition("/")
    store, _, digest = store.rpartition("/")
    mounts = _mounts(host, language, store, environments)
    mounts += program_mounts(programs, mounts)
    if runs_commands:
        mounts += (Mount("file", "run-commands", COMMANDS_FILE),)
    import_paths = _import_paths(language, installed)
    executable = executables(host, language, programs)
    script = COMMANDS_FILE if runs_commands else f"{SKILL_MOUNT}/{entry.path}"
    command = command_for(host, language, script, policy.limits)
    if language is Language.NODE:
        # The skill's directory is a link, and modules should know each other by the short name.
        command = (command[0], "--preserve-symlinks", "--preserve-symlinks-main", *command[1:])
    limits = resource_limits(policy.limits, counted_here=True)
    base = os.path.commonpath([store, environments or store])
    layout = {
        "mounts": [[mount.kind, _named(mount, base), mount.target] for mount in mounts],
        "files": {
            "passwd": PASSWD.decode("ascii"),
            "self-test": SELF_TESTS[language],
            "warm-up": warm_up_script(may_fork=executes is Executes.LISTED),
            **({"run-commands": guest_source("run_commands")} if runs_commands else {}),
        },
        "service_id": host.service_id if host.is_root else None,
        "guest_id": GUEST_ID,
        "preload": _preloaded(preload, language, network=bool(network)),
        "preload_environment": {},
        "paths": [],
        "closing_filter": closing_filter(host.machine, bool(network)).hex(),
        "filter": worker_filter(profile, host.machine, executes, bool(network)).hex(),
        "landlock": _rules(
            mounts,
            executable,
            hidden=_only_for_the_zygote(host, language, programs) | {ENVIRONMENTS},
        ),
        "landlock_least": LANDLOCK_LEAST,
        "executes": executes.value,
        "writable_code": profile is not Profile.PYTHON,
        "network_port": PROXY_PORT if network else None,
        "warm_up": WARM_UP,
        "idle_s": ZYGOTE_IDLE_S,
        "is_program": language is not Language.PYTHON,
    }
    job = {
        "skill": f"{digest}/{skill}",
        "script": script,
        "command": list(command),
        "environment_id": installed or None,
        "paths": list(import_paths),
        "stdin_file": language in STDIN_BY_NAME,
    }
    imports = _early(job, early, policy.limits.wall_s)
    return Plan(
        tier=Tier.FULL,
        level=policy.level,
        language=language,
        limits=policy.limits,
        machine=host.machine,
        interpreter=python.path,
        script=script,
        command=command,
        environment=environment,
        network=network,
        resource_limits=limits,
        enforced=(
            *_enforced(host, language, executes, network=bool(network)),
            *checks_of(policy.level),
        ),
        not_enforced=(),
        tree=tree_bound(profile, executes),
        profile=profile,
        mounts=mounts,
        service_id=host.service_id if host.is_root else None,
        executables=executable,
        programs=tuple(program.name for program in programs),
        landlock=Landlock.REQUIRED,
        executes=executes,
        stdin_file=language in STDIN_BY_NAME,
        import_paths=import_paths,
        zygote=ZygotePart(
            base=base,
            layout=json.dumps(layout),
            worker=json.dumps(
                {
                    **_worker(policy.limits),
                    "environment": dict(environment),
                    "limits": [list(limit) for limit in limits],
                    "early": imports,
                }
            ),
            job=json.dumps(job),
            imports_early=imports is not None,
        ),
    )


def _named(mount: Mount, base: str) -> str:
    """Return the source of a mount; what belongs to a user without the path to it."""
    return os.path.relpath(mount.source, base) if mount.target in _OF_USERS else mount.source


def _import_paths(language: Language, installed: str) -> tuple[str, ...]:
    """Return where Python looks; node goes by the link that a worker makes for it."""
    if not installed or language is not Language.PYTHON:
        return ()
    return (f"{ENVIRONMENTS}/{installed}/site-packages",)


def _preloaded(preload: tuple[str, ...], language: Language, *, network: bool) -> list[str]:
    if language is not Language.PYTHON or not preload:
        return []
    return [*preload, *(PRELOADED_FOR_NETWORK if network else ())]


def _worker(limits: Limits) -> dict[str, object]:
    return {
        "scratch_bytes": limits.scratch_bytes,
        "scratch_inodes": limits.scratch_inodes,
        "input_bytes": limits.input_bytes + _PER_RUN_ROOM,
        "idle_s": IDLE_S,
    }


def _early(
    job: Mapping[str, object], modules: tuple[str, ...], wall_s: float
) -> dict[str, object] | None:
    """Return what a warm worker needs to import modules; it is then of one skill's kind."""
    if not modules or not job["paths"]:
        return None
    needed = {name: job[name] for name in ("skill", "environment_id", "script", "paths")}
    return {**needed, "modules": list(modules), "ends_after_s": IDLE_S + wall_s + _END_MARGIN_S}


def _mounts(host: Host, language: Language, store: str, environments: str) -> tuple[Mount, ...]:
    python = require_python(host)
    runs = interpreter_for(host, language)
    trees = dict.fromkeys((*host.libraries, *python.trees, *runs.trees, *host.shared))
    for tree in trees:
        if any(is_below(tree, hidden) for hidden in _HIDDEN):
            raise SandboxUnavailable(f"{tree} would be hidden by a worker's own {SCRATCH}")
    return (
        *(Mount("symlink", target, name) for target, name in host.links),
        *(Mount("ro-bind", path, path) for path in trees),
        *(_programs(host) if language is Language.BASH else ()),
        *(Mount("dev-bind", path, path) for path in DEVICES),
        Mount("symlink", "urandom", "/dev/random"),
        Mount("symlink", SCRATCH, "/dev/shm"),
        *(
            [Mount("symlink", f"{PER_RUN}/stdin", "/dev/stdin")]
            if language in STDIN_BY_NAME
            else []
        ),
        Mount("file", "passwd", "/etc/passwd"),
        Mount("file", "self-test", SELF_TEST),
        Mount("file", "warm-up", WARM_UP),
        Mount("data-bind", store, SKILLS),
        # Not a data-bind: compiled modules are mapped executable. No filter lets them be executed.
        *([Mount("ro-bind", environments, ENVIRONMENTS)] if environments else []),
        Mount("tmpfs", "", SCRATCH),
        Mount("tmpfs", "", PER_RUN),
        Mount("symlink", f"{PER_RUN}/skill", SKILL_MOUNT),
        *(
            [Mount("symlink", f"{PER_RUN}/node_modules", NODE_MODULES)]
            if environments and language is Language.NODE
            else []
        ),
    )


def _programs(host: Host) -> tuple[Mount, ...]:
    awk = [Mount("symlink", host.awk, "/usr/bin/awk")] if host.awk else []
    paths = (f"/usr/bin/{name}" for name in BASH_PROGRAMS)
    return (*(Mount("ro-bind-try", path, path) for path in paths), *awk)


def _only_for_the_zygote(
    host: Host, language: Language, programs: tuple[Program, ...]
) -> frozenset[str]:
    """Return what no skill may read: a Python that it could start by the loader."""
    python = require_python(host)
    needed = {*interpreter_for(host, language).trees, *host.libraries, *host.shared}
    if language is Language.PYTHON and programs:
        needed.discard(python.path)  # it runs already, and its library is all that it still reads
    for program in programs:
        needed |= {program.path, *program.trees}
    return frozenset(python.trees) - needed


def _rules(
    mounts: tuple[Mount, ...], executables: tuple[str, ...], *, hidden: frozenset[str]
) -> list[list[str]]:
    """Return (path, rights) of everything that is the same for all runs of a zygote."""
    shown = [mount for mount in mounts if mount.target not in hidden]
    rules = [[mount.target, "read"] for mount in shown if mount.kind.startswith("ro-bind")]
    rules += [[mount.target, "read"] for mount in shown if mount.kind == "file"]
    rules += [[mount.target, "write"] for mount in shown if mount.kind == "dev-bind"]
    rules += [[path, "execute"] for path in executables]
    return rules


def _enforced(
    host: Host, language: Language, executes: Executes, *, network: bool
) -> tuple[str, ...]:
    service = ("service-user",) if host.is_root else ()
    listed = ("listed-programs",) if executes is Executes.LISTED else ()
    once = ("exec-once",) if executes is Executes.ONCE else ()
    reach = ("granted-hosts-only",) if network else ("no-network",)
    execution = EXECUTION[language]
    if executes is Executes.LISTED:
        execution = tuple(each for each in execution if each not in NOT_WITH_PROGRAMS)
    return (*_ENFORCED, *reach, *execution, *listed, *once, *BY_THE_HOST, *service)
