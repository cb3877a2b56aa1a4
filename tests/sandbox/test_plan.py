"""Plans as data: what stands around a run, without starting one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from skilllite_sandbox.backend.bubblewrap import carrier_command, root_prefix
from skilllite_sandbox.bubblewrap_plan import make_plan
from skilllite_sandbox.entry import EntryPoint, Language
from skilllite_sandbox.errors import InvalidInput, PolicyDenied, SandboxUnavailable
from skilllite_sandbox.host import Host, Interpreter, RootTools
from skilllite_sandbox.plan import BASH_PROGRAMS, Landlock, Plan
from skilllite_sandbox.policy import DEFAULT_LIMITS, MIB, Level, Limits, Origin, Policy, Tier
from skilllite_sandbox.seccomp.filters import Profile

SKILL = "/root/.cache/skilllite/stage/abc/skill"
DESCRIPTORS = {"status": 10, "seccomp": 11, "guest": 12, "passwd": 13, "input": 14}
ENTRIES = {
    language: EntryPoint(f"scripts/main.{suffix}", language, "demo")
    for language, suffix in (
        (Language.PYTHON, "py"),
        (Language.NODE, "js"),
        (Language.BASH, "sh"),
        (Language.TYPESCRIPT, "ts"),
    )
}
RUNNABLE = [Language.PYTHON, Language.NODE, Language.BASH]

HOST = Host(
    machine="x86_64",
    is_root=False,
    bwrap="/usr/bin/bwrap",
    python=Interpreter(
        "/usr/bin/python3.11", ("/usr/bin/python3.11", "/usr/lib/python3.11"), "/usr", (3, 11)
    ),
    node=Interpreter("/usr/bin/node", ("/usr/bin/node",), "/usr/bin/node"),
    bash=Interpreter("/usr/bin/bash", ("/usr/bin/bash",), "/usr/bin/bash"),
    libraries=("/usr/lib/x86_64-linux-gnu",),
    links=(("usr/bin", "/bin"), ("usr/lib", "/lib"), ("usr/lib64", "/lib64")),
    loader="/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
    shared=("/usr/share/zoneinfo",),
    root_tools=None,
    relay_points=("/mnt", "/media", "/srv", "/opt"),
    awk="/usr/bin/gawk",
)
ROOT = replace(
    HOST,
    is_root=True,
    root_tools=RootTools("/usr/bin/unshare", "/bin/sh", "/usr/bin/mount", "/usr/bin/setpriv"),
)


def plan(
    language: Language = Language.PYTHON,
    *,
    level: Level = Level.FULL,
    host: Host = HOST,
    limits: Limits = DEFAULT_LIMITS,
    origin: Origin = Origin.LOCAL,
    landlock: bool = True,
    skill: str = SKILL,
) -> Plan:
    """Return a plan with everything but the named things as usual."""
    policy = Policy(level, limits, origin)
    return make_plan(policy, host, ENTRIES[language], skill, landlock=landlock)


def command(made: Plan, host: Host = HOST) -> list[str]:
    """Return bwrap's arguments up to the guest."""
    whole = carrier_command(made, host, DESCRIPTORS)
    return whole[: whole.index("--")]


@pytest.mark.parametrize("language", RUNNABLE)
@pytest.mark.parametrize("level", [Level.ISOLATED, Level.FULL])
def test_isolation_takes_every_namespace_and_every_capability(
    language: Language, level: Level
) -> None:
    arguments = command(plan(language, level=level))

    assert {"--unshare-all", "--disable-userns", "--die-with-parent", "--clearenv"} <= {*arguments}
    assert arguments[arguments.index("--cap-drop") + 1] == "ALL"
    assert "--share-net" not in arguments
    assert "--cap-add" not in arguments
    assert arguments[arguments.index("--seccomp") + 1] == "11"


@pytest.mark.parametrize("language", RUNNABLE)
@pytest.mark.parametrize("landlock", [True, False])
def test_only_the_scratch_is_writable(language: Language, landlock: bool) -> None:
    made = plan(language, landlock=landlock)
    arguments = command(made)

    kinds = {mount.kind for mount in made.mounts}
    assert kinds <= {"ro-bind", "ro-bind-try", "dev-bind", "tmpfs", "symlink", "file"}
    assert [mount.target for mount in made.mounts if mount.kind == "tmpfs"] == ["/tmp"]
    # Last of all the file system's options: nothing is made on the root after it.
    position = arguments.index("--remount-ro")
    assert arguments[position + 1] == "/"
    assert not {"--ro-bind", "--file", "--symlink", "--tmpfs"} & {*arguments[position:]}
    assert arguments[arguments.index("--size") + 1] == str(64 * MIB)


@pytest.mark.parametrize("language", RUNNABLE)
def test_nothing_of_the_host_is_shown_but_what_an_interpreter_needs(language: Language) -> None:
    shown = {mount.source for mount in plan(language).mounts if "bind" in mount.kind}

    allowed = {
        *("/usr/bin/python3.11", "/usr/lib/python3.11", "/usr/lib/x86_64-linux-gnu"),
        *("/usr/share/zoneinfo", "/dev/null", "/dev/urandom", SKILL),
    }
    own = {Language.NODE: {"/usr/bin/node"}, Language.BASH: {"/usr/bin/bash", "/usr/bin"}}
    assert shown == allowed | own.get(language, set())
    assert not any(path.startswith(("/proc", "/sys", "/home", "/etc", "/var")) for path in shown)


def test_the_scratch_hides_nothing_that_is_shown() -> None:
    targets = [mount.target for mount in plan(skill="/tmp/stage/abc/skill").mounts]

    binds = [mount.target for mount in plan().mounts if "bind" in mount.kind]
    assert all(targets.index("/tmp") < targets.index(target) for target in binds)


def test_the_environment_is_an_allow_list() -> None:
    made = plan()
    arguments = command(made)

    assert dict(made.environment) == {
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        "PATH": "/usr/bin:/bin",
        "TMPDIR": "/tmp",
    }
    assert arguments.count("--setenv") == 4
    assert arguments.index("--clearenv") < arguments.index("--setenv")


def test_each_language_has_its_filter_and_its_way_to_start() -> None:
    python, node, bash = (plan(language) for language in RUNNABLE)

    profiles = (Profile.PYTHON, Profile.NODE, Profile.BASH)
    assert (python.profile, node.profile, bash.profile) == profiles
    assert python.command == ()
    assert python.script == "/skill/scripts/main.py"
    assert node.command == ("/usr/bin/node", "--max-old-space-size=320", "/skill/scripts/main.js")
    assert bash.command == ("/usr/bin/bash", "--noprofile", "--norc", "/skill/scripts/main.sh")


def test_limits_become_resource_limits_of_the_guest() -> None:
    limits = replace(DEFAULT_LIMITS, cpu_s=7, memory_bytes=64 * MIB, processes=5, open_files=9)

    made = {name: (soft, hard) for name, soft, hard in plan(limits=limits).resource_limits}

    assert made["CPU"] == (7, 8)
    assert made["DATA"] == (64 * MIB, 64 * MIB)
    assert made["NPROC"] == (5, 5)
    assert made["NOFILE"] == (9, 9)
    assert made["CORE"] == (1, 1)
    assert made["STACK"] == (8 * MIB, 8 * MIB)
    # Far more than memory, or node would not start: this only bounds page tables.
    assert made["AS"] == (32 * 1024 * MIB, 32 * 1024 * MIB)


def test_bash_may_execute_the_list_and_nothing_else() -> None:
    made = plan(Language.BASH)

    assert made.landlock is Landlock.REQUIRED
    assert set(made.executables) == {
        "/usr/bin/bash",
        HOST.loader,
        *(f"/usr/bin/{name}" for name in BASH_PROGRAMS),
    }
    assert not {"python3", "perl", "env -S", "find", "xargs", "curl"} & set(BASH_PROGRAMS)


def test_without_landlock_only_the_list_is_mounted_for_bash() -> None:
    made = plan(Language.BASH, landlock=False)

    assert made.landlock is Landlock.OFF
    assert "/usr/bin" not in {mount.source for mount in made.mounts}
    shown = {mount.source for mount in made.mounts if mount.kind == "ro-bind-try"}
    assert shown == {f"/usr/bin/{name}" for name in BASH_PROGRAMS}


@pytest.mark.parametrize("landlock", [True, False])
def test_that_bash_executes_the_list_only_is_not_claimed(landlock: bool) -> None:
    made = plan(Language.BASH, landlock=landlock)

    assert "own-executables" in made.not_enforced, "the loader runs whatever it is given"
    assert not {"listed-programs", "no-exec"} & {*made.enforced}


def test_level_3_adds_scan_and_consent_and_nothing_else() -> None:
    level_2, level_3 = plan(level=Level.ISOLATED), plan(level=Level.FULL)

    assert level_3.enforced == (*level_2.enforced, "scan", "consent")
    assert level_3.not_enforced == level_2.not_enforced
    assert "scratch-inodes" in level_3.not_enforced
    assert level_3.tier is Tier.BWRAP


def test_level_1_isolates_nothing_and_says_so() -> None:
    made = plan(level=Level.DIRECT)

    assert made.tier is Tier.NONE
    assert made.mounts == ()
    assert made.profile is None
    assert made.script == f"{SKILL}/scripts/main.py"
    assert "isolation" in made.not_enforced
    assert "processes" in made.not_enforced
    assert "NPROC" not in {name for name, _, _ in made.resource_limits}


# Started by root


def test_root_becomes_the_service_user_before_the_carrier_starts() -> None:
    made = plan(host=ROOT)
    prefix = root_prefix(made, ROOT)

    assert made.service_id == 60_917
    assert prefix[0] == "/usr/bin/unshare"
    drop = prefix[prefix.index("/usr/bin/setpriv") :]
    assert drop[1:5] == ["--reuid", "60917", "--regid", "60917"]
    assert "--clear-groups" in drop
    assert drop[drop.index("--bounding-set") + 1] == "-all"
    assert drop[-1] == "--"
    assert "service-user" in made.enforced


def test_root_shows_the_stage_by_a_relay_that_is_no_parent_of_it() -> None:
    made = plan(host=ROOT, skill="/mnt/disk/stage/abc/skill")

    assert [(relay.source, relay.via) for relay in made.relays] == [
        ("/mnt/disk/stage/abc/skill", "/media")
    ]
    assert [mount.source for mount in made.mounts if mount.target == "/skill"] == ["/media"]


def test_an_interpreter_below_a_private_home_is_relayed_whole() -> None:
    prefix = "/root/.pyenv/versions/3.12.1"
    python = Interpreter(
        f"{prefix}/bin/python3.12", (f"{prefix}/bin/python3.12", f"{prefix}/lib"), prefix, (3, 12)
    )
    made = plan(host=replace(ROOT, python=python, unreachable=frozenset({prefix})))

    assert [relay.source for relay in made.relays] == [SKILL, prefix]
    sources = {mount.target: mount.source for mount in made.mounts}
    assert sources[f"{prefix}/lib"] == "/media/lib"
    assert sources[f"{prefix}/bin/python3.12"] == "/media/bin/python3.12"
    assert made.interpreter == f"{prefix}/bin/python3.12"


def test_no_name_of_a_skill_becomes_a_word_of_the_shell() -> None:
    hostile = "/stage/a b'; rm -rf $HOME; `id` \"/skill"
    made = plan(host=ROOT, skill=hostile)
    prefix = root_prefix(made, ROOT)

    script = prefix[prefix.index("-c") + 1]
    assert hostile not in script
    assert prefix.count(hostile) == 1


def test_root_without_a_free_directory_is_refused() -> None:
    with pytest.raises(SandboxUnavailable, match="no directory is free"):
        plan(host=replace(ROOT, relay_points=()))


# Refusals


@pytest.mark.parametrize(
    ("host", "said"),
    [
        (replace(HOST, bwrap=None), "bubblewrap is not installed"),
        (replace(HOST, machine="riscv64"), "no system call filter for riscv64"),
        (replace(HOST, python=None), "no Python 3.11"),
        (replace(HOST, libraries=()), "shared libraries were not found"),
        (replace(ROOT, root_tools=None), "root can't give up its privileges"),
    ],
)
@pytest.mark.parametrize("level", [Level.ISOLATED, Level.FULL])
def test_a_host_that_lacks_something_is_refused_with_a_remedy(
    host: Host, said: str, level: Level
) -> None:
    with pytest.raises(SandboxUnavailable, match=said) as caught:
        plan(host=host, level=level)

    assert caught.value.hint


def test_level_1_needs_no_carrier() -> None:
    assert plan(host=replace(HOST, bwrap=None), level=Level.DIRECT).tier is Tier.NONE


@pytest.mark.parametrize(
    ("language", "host"),
    [(Language.NODE, replace(HOST, node=None)), (Language.BASH, replace(HOST, bash=None))],
)
def test_a_missing_interpreter_is_named(language: Language, host: Host) -> None:
    with pytest.raises(SandboxUnavailable, match=f"needs {language.value}") as caught:
        plan(language, host=host)

    assert caught.value.hint is not None
    assert caught.value.hint.startswith("apt install")


def test_typescript_is_refused_with_a_way_out() -> None:
    with pytest.raises(SandboxUnavailable, match="TypeScript"):
        plan(Language.TYPESCRIPT)


@pytest.mark.parametrize("level", [Level.DIRECT, Level.ISOLATED])
def test_a_task_from_a_peer_runs_at_level_3_or_not_at_all(level: Level) -> None:
    with pytest.raises(PolicyDenied):
        plan(level=level, origin=Origin.REMOTE)

    assert plan(origin=Origin.REMOTE).tier is Tier.BWRAP


def test_a_memory_limit_that_starts_no_interpreter_is_refused() -> None:
    with pytest.raises(InvalidInput, match="below 32 MiB"):
        plan(limits=replace(DEFAULT_LIMITS, memory_bytes=MIB))


def test_a_plan_can_be_read() -> None:
    text = plan(Language.BASH, host=ROOT).describe()

    assert "seccomp bash, landlock required" in text
    assert "mount ro-bind /mnt /skill" in text
    assert f"relay {SKILL} via /mnt" in text
    assert "not enforced scratch-inodes" in text
