"""Frozen values that say what a run may do: level, limits and grants. No behaviour."""

from __future__ import annotations

from enum import IntEnum, StrEnum

from skilllite_sandbox.values import dataclass, field, replace

KIB = 1024
MIB = 1024 * KIB


class Level(IntEnum):
    """How much stands between a skill and the host."""

    DIRECT = 1
    """No isolation: limits, deadline and audit only."""
    ISOLATED = 2
    """Full isolation."""
    FULL = 3
    """Full isolation, plus scan and consent."""


def checks_of(level: Level) -> tuple[str, ...]:
    """Return what stood before a run of this level: without them none starts."""
    return ("scan", "consent") if level is Level.FULL else ()


class Tier(StrEnum):
    """What kind of isolation the host was able to give. A closed set, part of the JSON contract."""

    FULL = "full"
    BWRAP = "bwrap"
    ROOT_CHROOT = "root-chroot"
    LANDLOCK = "landlock"
    NONE = "none"


TIERS = (Tier.FULL, Tier.BWRAP, Tier.ROOT_CHROOT, Tier.LANDLOCK)
"""Those that isolate, the strongest first."""

WEAKEST_TIER = Tier.ROOT_CHROOT
"""What a run accepts when nobody chose, and the most that a peer's task accepts."""


def stronger(one: Tier, other: Tier) -> Tier:
    """Return the one of two tiers that isolates better."""
    return min(one, other, key=TIERS.index)


class Bounded(StrEnum):
    """Who holds everything that one run starts at a bound, together."""

    RLIMIT = "rlimit"
    """The bound on its only process."""
    CGROUP = "cgroup"
    SUPERVISED = "supervision"
    """The host looks at the processes again and again."""
    NOT = "not"


@dataclass(frozen=True, slots=True)
class TreeBound:
    """How the memory and the processor time of a whole run are bounded."""

    memory: Bounded
    cpu: Bounded

    @property
    def enforced(self) -> tuple[str, ...]:
        """What stands, each followed by the word for how."""
        return tuple(
            word
            for name, by in (("memory", self.memory), ("cpu", self.cpu))
            if by is not Bounded.NOT
            for word in (f"{name}-of-the-tree", f"{name}-by-{by.value}")
        )

    @property
    def not_enforced(self) -> tuple[str, ...]:
        """What doesn't stand."""
        return tuple(
            f"{name}-of-the-tree"
            for name, by in (("memory", self.memory), ("cpu", self.cpu))
            if by is Bounded.NOT
        )


ONE_PROCESS = TreeBound(Bounded.RLIMIT, Bounded.RLIMIT)
SUPERVISED = TreeBound(Bounded.SUPERVISED, Bounded.SUPERVISED)
UNBOUNDED = TreeBound(Bounded.NOT, Bounded.NOT)


class Origin(StrEnum):
    """Who asked for a run. A remote task never gets a weaker sandbox than a local one."""

    LOCAL = "local"
    REMOTE = "remote"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one run. A person may raise them; a skill may only lower them."""

    wall_s: float = 30.0
    """Deadline; at it the whole process tree is killed."""
    cpu_s: int = 30
    memory_bytes: int = 512 * MIB
    """Private writable memory of a process (RLIMIT_DATA: address space limits break node), and of
    all processes together."""
    processes: int = 32
    """Processes and threads together."""
    open_files: int = 64
    scratch_bytes: int = 64 * MIB
    scratch_inodes: int = 4096
    file_bytes: int = 64 * MIB
    stdout_bytes: int = 4 * MIB
    stderr_bytes: int = 256 * KIB
    input_bytes: int = 4 * MIB

    def tightened(self, other: Limits) -> Limits:
        """Return the smaller of each bound."""
        return replace(
            self, **{name: min(getattr(self, name), getattr(other, name)) for name in _LIMIT_NAMES}
        )


_LIMIT_NAMES = Limits.__match_args__

DEFAULT_LIMITS = Limits()

REMOTE_LIMITS = Limits(
    cpu_s=20,
    memory_bytes=256 * MIB,
    scratch_bytes=32 * MIB,
    scratch_inodes=2048,
    file_bytes=32 * MIB,
    stdout_bytes=2 * MIB,
    stderr_bytes=64 * KIB,
    input_bytes=2 * MIB,
)
"""A peer's task gets less than a local one; input and output fit one 4 MiB wire message."""


@dataclass(frozen=True, slots=True)
class Grants:
    """What a person allowed one skill beyond computing on its input."""

    network: tuple[str, ...] = ()
    exec: tuple[str, ...] = ()
    workspace: bool = False
    """Write access to files of the user."""
    env: tuple[str, ...] = ()
    """Environment variables of the command that runs it, by name."""


NOTHING_GRANTED = Grants()


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that decides what one run may do."""

    level: Level = Level.FULL
    limits: Limits = field(default_factory=Limits)
    origin: Origin = Origin.LOCAL
    grants: Grants = NOTHING_GRANTED
    """What is effective: requested by the skill and granted by a person."""
    accept_tier: Tier = WEAKEST_TIER
    """The weakest tier that a person accepts; for a peer's task see `weakest`."""

    @property
    def weakest(self) -> Tier:
        """The weakest tier that counts: no choice of a person gives a peer's task less."""
        if self.origin is Origin.REMOTE:
            return stronger(self.accept_tier, WEAKEST_TIER)
        return self.accept_tier

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """What may carry the run, the strongest first."""
        return TIERS[: TIERS.index(self.weakest) + 1]
