"""Whether it matters that one skill hides others of its name, and a person's consent to it.

A copy of the same content, such as `init` makes of every starter skill, hides nothing: whoever runs
the name gets the same code. Only a different one is worth a line on the terminal, and only a person
lets it take the place of a bundled or installed one.
"""

from __future__ import annotations

from skilllite.catalog import CatalogEntry

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from collections.abc import Sequence

    from skilllite.home import Home


def hides_another(entry: CatalogEntry) -> bool:
    """Return whether a hidden skill of the same name has other content; reads both."""
    if not entry.shadows:
        return False
    from skilllite_sandbox.digest import compute_digest
    from skilllite_sandbox.errors import SandboxError

    try:
        mine = compute_digest(entry.directory)
    except SandboxError:
        return True  # what can't be compared isn't known to be the same
    return others_than(mine, entry.shadows)


def others_than(digest: str, entries: Sequence[CatalogEntry]) -> bool:
    """Return whether one of these skills isn't of this content; reads them."""
    from skilllite_sandbox.digest import compute_digest
    from skilllite_sandbox.errors import SandboxError

    try:
        return any(compute_digest(each.directory) != digest for each in entries)
    except SandboxError:
        return True  # as above


def look_of(name: str) -> str:
    """Return the same text for names that a person takes for one another."""
    import unicodedata

    from skilllite_sandbox.scan.lookalikes import INVISIBLE, LOOKALIKES

    plain = unicodedata.normalize("NFKC", INVISIBLE.sub("", name)).translate(LOOKALIKES)
    plain = "".join(char if char.isalnum() else "-" for char in plain.casefold())
    return plain.translate(_ALIKE).strip("-")


_ALIKE = str.maketrans({"1": "l", "i": "l", "0": "o"})


def shadow_note(entry: CatalogEntry) -> str:
    """Return the sentence about what this skill hides, or what is not used in its favour."""
    if entry.passed_over:
        return f"{entry.name} is the {entry.origin} one, {entry.passed_over}"
    return entry.shadow_note() if hides_another(entry) else ""


def hiding_question(name: str, place: str, digest: str) -> list[str]:
    """Return what a person is asked before a skill hides a bundled or installed one."""
    from skilllite.cli.output import printable

    return [
        f"Have {printable(name)} mean this skill, in place of the bundled or installed one of that "
        "name?",
        f"  from   {printable(place)}",
        f"  digest {digest}",
    ]


def let_hide(home: Home, name: str, digest: str) -> None:
    """Keep that a person at the terminal lets a content hide others of its name."""
    from skilllite.gating import HomeAudit, open_decisions

    facts = {"skill": name, "digest": digest, "by": "terminal"}
    HomeAudit(home).record("trust.name", facts, durable=True)
    open_decisions(home).let_hide(digest, name)
