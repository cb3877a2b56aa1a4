"""What a skill asks for beyond its own files, and what it does without in this version.

These are the values and the rules about them; declarations.py and dependencies.py find out what a
skill asks for. Requests are only that: what a run gets is decided by grants.
"""

from __future__ import annotations

from skilllite_sandbox.entry import Language
from skilllite_sandbox.policy import NOTHING_GRANTED as NOTHING_GRANTED
from skilllite_sandbox.policy import Grants as Grants
from skilllite_sandbox.values import dataclass


@dataclass(frozen=True, slots=True)
class Package:
    """One package that a skill asks for."""

    ecosystem: str
    """`python` or `node`."""
    requirement: str
    """As it was written: a name, with a version range when one was given."""
    source: str
    """Where it is asked for: `compatibility` or the path of a file."""

    @property
    def name(self) -> str:
        """The name without the version range."""
        name = self.requirement.partition(" @ ")[0].strip()
        if "://" in name:
            return name  # a bare URL has no name
        scope = "@" if name.startswith("@") else ""
        end = min(
            (i for mark in "<>=!~[;@( " if (i := name.find(mark, len(scope))) > 0), default=None
        )
        return name[:end]


@dataclass(frozen=True, slots=True)
class Requests:
    """What a skill asks for."""

    network: tuple[str, ...] = ()
    """Hosts, each with an optional port, as the metadata names them."""
    network_mentioned: bool = False
    """The compatibility text asks for network without saying which hosts."""
    packages: tuple[Package, ...] = ()
    exec: tuple[str, ...] = ()
    """Programs to start."""
    bash_tools: tuple[str, ...] = ()
    """The rules of `Bash(…)` in allowed-tools; `*` for a bare `Bash`."""
    writable_code: bool = False
    """Memory may become executable after it was written: compilers at run time, callbacks in C."""
    env: tuple[str, ...] = ()
    """Environment variables of whoever runs it, by name."""
    idempotent: bool = False
    """The author says that running it twice does no more than running it once."""


def is_idempotent(requests: Requests, grants: Grants) -> bool:
    """Whether a lost run may be repeated without asking anybody.

    A run that reaches nothing but its own scratch can be repeated whatever the skill does; only
    with a grant does the author's word matter.
    """
    reaches_out = bool(grants.network or grants.exec or grants.workspace)
    return requests.idempotent or not reaches_out


def missing_clauses(
    requests: Requests, languages: frozenset[Language], grants: Grants = NOTHING_GRANTED
) -> tuple[str, ...]:
    """Return what the skill asks for and doesn't get with these grants, one clause each."""
    clauses: list[str] = []
    if requests.network and not grants.network:
        hosts = _listed(requests.network)
        clauses.append(f"network ({hosts}) is not granted, --allow-network HOST does that")
    elif requests.network_mentioned and not grants.network:
        clauses.append("network is not granted, --allow-network HOST does that")
    if withheld := tuple(name for name in requests.exec if name not in grants.exec):
        clauses.append(
            f"programs ({_listed(withheld)}) are not granted, --allow-exec NAME does that"
        )
    if withheld := tuple(name for name in requests.env if name not in grants.env):
        clauses.append(
            f"variables ({_listed(withheld)}) are not granted, --allow-env NAME does that"
        )
    if Language.TYPESCRIPT in languages:
        clauses.append("TypeScript is not supported yet")
    return tuple(clauses)


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(name[:60] for name in names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
