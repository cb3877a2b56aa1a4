"""The plan of a run without namespaces, for the tiers `root-chroot` and `landlock`. Pure.

Root without user namespaces still has users and root directories: a run gets one of each for
itself. Everybody else has Landlock and the filter, for Python only: who may make processes could
outlive its run there, since nothing but the user's own number tells them from other processes.
"""

from __future__ import annotations

from skilllite_sandbox.entry import EntryPoint, Language
from skilllite_sandbox.errors import PolicyDenied, SandboxUnavailable
from skilllite_sandbox.host import Host
from skilllite_sandbox.plan import (
    BASH_PROGRAMS,
    BY_THE_HOST,
    DEVICES,
    ENVIRONMENT,
    EXECUTES,
    EXECUTION,
    NODE_MODULES,
    PROFILES,
    SCRATCH,
    SITE_PACKAGES,
    SKILL_MOUNT,
    STDIN_BY_NAME,
    BarePart,
    Landlock,
    Mount,
    Plan,
    check_policy,
    command_for,
    interpreter_for,
    require_python,
    resource_limits,
    tree_bound,
)
from skilllite_sandbox.policy import NOTHING_GRANTED, Level, Origin, Policy, Tier, checks_of
from skilllite_sandbox.seccomp.filters import MACHINES, Profile

LANDLOCK_LEAST = {
    Tier.ROOT_CHROOT: 1,  # the user and the root directory hold what older versions don't
    Tier.LANDLOCK: 3,  # older ones let a file of this user be cut off
}
OWN_SCRATCH = "SCRATCH"
"""Stands in a plan of tier `landlock` for the directory that is made when the run starts."""

_ENFORCED = (
    *("no-capabilities", "no-new-privileges", "seccomp", "clean-environment"),
    *("memory", "cpu", "open-files", "file-size", "no-network"),
    *("scratch-watched", "scratch-inodes-watched"),
)
_ROOT_ALONE = ("private-root", "own-user", "processes", "whole-tree-killed")
_LANDLOCK_ALONE = ("processes-watched", "whole-tree-killed")
_NOT_ENFORCED = (
    *("namespaces", "scratch-size", "scratch-inodes", "hidden-processes", "hidden-host-name"),
    # No mount of its own, so none that is noexec: a library that it writes it can load.
    "scratch-noexec",
)
_LANDLOCK_LACKS = ("private-root", "processes", "hidden-file-names", "own-user")


def can_be_bare(tier: Tier, host: Host, language: Language) -> bool:
    """Return whether a tier without namespaces is for this kind of user and skill."""
    if tier is Tier.ROOT_CHROOT:
        return host.is_root
    return tier is Tier.LANDLOCK and not host.is_root and language is Language.PYTHON


def make_bare_plan(
    tier: Tier,
    policy: Policy,
    host: Host,
    entry: EntryPoint,
    skill_directory: str,
    *,
    writable_code: bool = False,
    packages: str = "",
) -> Plan:
    """Return the plan of one run.

    Args:
        tier: `root-chroot` or `landlock`.
        policy: Level, limits, origin and grants; the level is 2 or 3.
        host: What this machine has.
        entry: What to run.
        skill_directory: Absolute host path of the staged copy.
        writable_code: Whether memory may become executable after it was writable.
        packages: Absolute host path of what is installed for the skill; empty for nothing.

    Raises:
        SandboxUnavailable: this host, or this tier, can't give what the run needs.
        PolicyDenied: nobody may have this combination.
        InvalidInput: a limit is below what an interpreter needs.
    """
    check_policy(policy)
    _check_tier(tier, policy, host, entry.language)
    language = entry.language
    python = require_python(host)
    own_root = tier is Tier.ROOT_CHROOT
    skill = SKILL_MOUNT if own_root else skill_directory
    scratch = SCRATCH if own_root else OWN_SCRATCH
    shown_packages = packages
    if packages and own_root:
        shown_packages = SITE_PACKAGES if language is Language.PYTHON else NODE_MODULES
    script = f"{skill}/{entry.path}"
    profile = PROFILES[language]
    if writable_code and profile is Profile.PYTHON:
        profile = Profile.PYTHON_JIT
    mounts = _copies(host, language, skill_directory, packages, shown_packages) if own_root else ()
    executables = _executables(host, language)
    rules = _rules(host, language, mounts, executables, skill, shown_packages)
    is_python = language is Language.PYTHON
    return Plan(
        tier=tier,
        level=policy.level,
        language=language,
        limits=policy.limits,
        machine=host.machine,
        interpreter=python.path,
        script=script,
        command=command_for(host, language, script, policy.limits),
        environment=tuple(
            (name, scratch if value == SCRATCH else value) for name, value in ENVIRONMENT
        ),
        resource_limits=resource_limits(policy.limits, counted_here=own_root),
        enforced=(*_enforced(tier, language), *checks_of(policy.level)),
        not_enforced=_not_enforced(tier, language),
        tree=tree_bound(profile, EXECUTES[language]),
        profile=profile,
        mounts=mounts,
        executables=executables,
        landlock=Landlock.REQUIRED,
        executes=EXECUTES[language],
        stdin_file=own_root and language in STDIN_BY_NAME,
        import_paths=(shown_packages,) if packages and is_python else (),
        bare=BarePart(scratch=scratch, rules=(*rules, (scratch, "scratch"))),
    )


def _check_tier(tier: Tier, policy: Policy, host: Host, language: Language) -> None:
    """Refuse what this tier must not or can't run."""
    assert tier in LANDLOCK_LEAST
    if policy.level is Level.DIRECT:
        raise PolicyDenied("level 1 has no tier")
    if tier is Tier.LANDLOCK and (
        policy.origin is Origin.REMOTE or policy.weakest is not Tier.LANDLOCK
    ):
        raise PolicyDenied(
            "tier landlock was not accepted for this run",
            cause="it hides no file names and no processes, and is never given to a task of a peer",
            hint="sandbox.accept_tier = 'landlock' in config.toml, or --accept-tier landlock",
        )
    if tier is Tier.LANDLOCK and host.is_root:
        raise SandboxUnavailable(
            "tier landlock is not for root",
            cause="a skill would be root, whose files and processes Landlock doesn't all protect",
            hint="start as an unprivileged user",
        )
    if tier is Tier.LANDLOCK and language is not Language.PYTHON:
        raise SandboxUnavailable(
            f"tier landlock runs Python only, not {language.value}",
            cause="nothing there ends the processes that such a skill may leave behind",
            hint="run it on a host that allows user namespaces; `skilllite doctor` says what lacks",
        )
    if tier is Tier.ROOT_CHROOT and not host.is_root:
        raise SandboxUnavailable("tier root-chroot needs root")
    if policy.grants != NOTHING_GRANTED:
        raise SandboxUnavailable(
            f"tier {tier.value} can't give a skill what it was granted",
            cause="network and programs need namespaces of their own",
            hint="run it without the grant, or on a host that allows user namespaces",
        )
    if host.machine not in MACHINES or not host.libraries or host.loader is None:
        raise SandboxUnavailable(f"there is no filter for this {host.machine} system")


def _copies(
    host: Host, language: Language, skill_directory: str, packages: str, shown_packages: str
) -> tuple[Mount, ...]:
    """Return what the root directory of a run holds; nothing is mounted, all of it are copies."""
    runs = interpreter_for(host, language)
    programs = [path for path in (host.loader, runs.path) if path is not None]
    data = [path for path in (*runs.trees, *host.shared) if path != runs.path]
    return (
        *(Mount("symlink", target, name) for target, name in host.links),
        *(Mount("copy-program", path, path) for path in programs),
        *(Mount("copy", path, path) for path in data),
        *(_bash_programs(host) if language is Language.BASH else ()),
        *(Mount("device", path, path) for path in DEVICES),
        Mount("symlink", "urandom", "/dev/random"),
        Mount("symlink", SCRATCH, "/dev/shm"),
        *([Mount("file", "input", "/dev/stdin")] if language in STDIN_BY_NAME else []),
        Mount("file", "passwd", "/etc/passwd"),
        Mount("copy-run", skill_directory, SKILL_MOUNT),
        *([Mount("copy-run", packages, shown_packages)] if packages else []),
    )


def _bash_programs(host: Host) -> tuple[Mount, ...]:
    awk = [Mount("symlink", host.awk, "/usr/bin/awk")] if host.awk else []
    paths = (f"/usr/bin/{name}" for name in BASH_PROGRAMS)
    return (*(Mount("copy-program-try", path, path) for path in paths), *awk)


def _executables(host: Host, language: Language) -> tuple[str, ...]:
    if language is Language.PYTHON:
        return ()
    programs = BASH_PROGRAMS if language is Language.BASH else ()
    loader = (host.loader,) if host.loader else ()
    own = interpreter_for(host, language).path
    return (own, *loader, *(f"/usr/bin/{name}" for name in programs))


def _rules(
    host: Host,
    language: Language,
    mounts: tuple[Mount, ...],
    executables: tuple[str, ...],
    skill: str,
    packages: str,
) -> tuple[tuple[str, str], ...]:
    """Return (path, rights) of what may be read, written and executed beside the scratch."""
    trees = (*interpreter_for(host, language).trees, *host.libraries, *host.shared)
    files = [mount.target for mount in mounts if mount.kind == "file"]
    readable = (*trees, *files, skill, *((packages,) if packages else ()))
    return (
        *((path, "read") for path in dict.fromkeys(readable)),
        *((path, "write") for path in DEVICES),
        *((path, "execute") for path in executables),
    )


def _enforced(tier: Tier, language: Language) -> tuple[str, ...]:
    alone = _ROOT_ALONE if tier is Tier.ROOT_CHROOT else _LANDLOCK_ALONE
    once = ("exec-once",) if language is Language.NODE else ()
    listed = ("listed-programs",) if language is Language.BASH else ()
    return (*_ENFORCED, *alone, *EXECUTION[language], *once, *listed, *BY_THE_HOST)


def lacks_of(tier: Tier) -> tuple[str, ...]:
    """Return what a tier holds for no skill."""
    return (*_NOT_ENFORCED, *(_LANDLOCK_LACKS if tier is Tier.LANDLOCK else ()))


def _not_enforced(tier: Tier, language: Language) -> tuple[str, ...]:
    # The loader is a program of the list, and runs any file that can be read.
    own = ("own-executables",) if language is Language.BASH else ()
    return (*lacks_of(tier), *own)
