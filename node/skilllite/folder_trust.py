"""Whether the skills of a project folder are used: after a person has said so, once.

A folder may come from anybody: a download, a repository. Until it is trusted its skills are listed
with the reason and neither run by name nor hide others; its `.env` weakens nothing either way (see
config.py). A skill that is named by its path needs no trust of the folder.
"""

# Strings, not pathlib: a run by name may come through here.
# ruff: noqa: PTH116

from __future__ import annotations

import os
import stat

from skilllite.home import Home

TYPE_CHECKING = False  # importing `typing` for it would cost every command 5 ms
if TYPE_CHECKING:
    from collections.abc import Sequence

    from skilllite_sandbox.gate.decisions import Decisions


class FolderTrust:
    """The trust of one home. Asks the disk when it is asked."""

    def __init__(self, home: Home) -> None:
        self._home = home

    @property
    def _decisions(self) -> Decisions:
        from skilllite.gating import open_decisions  # most commands meet no project skill

        return open_decisions(self._home)

    def trusts(self, folder: str) -> bool:
        """Return whether a person trusted this very folder, and not everybody can write there."""
        found = _seen(folder)
        return found is not None and self._decisions.is_trusted(*found)

    def may_hide(self, directory: str, name: str, others: Sequence[str]) -> bool:
        """Return whether a skill may take the place of bundled or installed ones of its name.

        It may when they are the same as it, or a person lets its content. Of an installed skill
        what was installed counts: once changed it is still the one that is meant, and refused.
        """
        from skilllite.trust import open_guard
        from skilllite_sandbox.digest import compute_digest
        from skilllite_sandbox.errors import SandboxError

        try:
            registered = open_guard(self._home).record_of(directory)
            digest = compute_digest(directory) if registered is None else registered.digest
            return self._decisions.may_hide(digest, name) or all(
                compute_digest(each) == digest for each in others
            )
        except SandboxError:
            return False

    def trust(self, folder: str, *, by: str) -> bool:
        """Trust a folder from now on; return whether it could be.

        Args:
            folder: The folder that holds `.skills` or the like.
            by: How the person said it: `terminal`, `flag`, `node start`, `init`.
        """
        found = _seen(folder)
        if found is None:
            return False
        if not self._decisions.is_trusted(*found):
            facts = {"folder": found[0], "by": by}
            from skilllite.gating import HomeAudit

            HomeAudit(self._home).record("trust.folder", facts, durable=True)
            self._decisions.trust(*found)
        return True


def ask_to_trust(folder: str, skills: Sequence[str], trust: FolderTrust) -> bool | None:
    """Ask the person at the terminal; return the answer, None when nobody is there."""
    from skilllite.cli.output import printable
    from skilllite_sandbox.gate.terminal import TERMINAL, ask_at_terminal

    shown = ", ".join(printable(name) for name in skills[:16])
    lines = [
        "Use the skills of this folder? Whoever wrote them decides what they tell an agent to do.",
        f"  folder {printable(os.path.realpath(folder))}{_owner(folder)}",
        f"  skills {shown}{' …' if len(skills) > 16 else ''}",
    ]
    said = ask_at_terminal(lines, {"yes": "yes"})
    if said is None:
        return None
    return said == "yes" and trust.trust(folder, by=TERMINAL)


def _owner(folder: str) -> str:
    try:
        owner = os.stat(folder).st_uid
    except OSError:
        return ""
    return "" if owner == os.geteuid() else f", which belongs to user {owner}"


def _seen(folder: str) -> tuple[str, str] | None:
    """Return the real path and the mark of a folder; None of one where anybody can put skills.

    The mark tells it from another that is put or mounted in its place: the root of every ext4 has
    the same inode.
    """
    from skilllite.catalog import PROJECT_FOLDERS

    place = os.path.realpath(folder)
    try:
        facts = os.stat(place)
        mark = f"{os.statvfs(place).f_fsid:x}-{facts.st_ino:x}-{facts.st_uid}"
    except OSError:
        return None
    if not stat.S_ISDIR(facts.st_mode) or facts.st_mode & stat.S_IWOTH:
        return None
    if any(_everybody_writes(f"{place}/{each}") for each in PROJECT_FOLDERS):
        return None
    return place, mark


def _everybody_writes(folder: str) -> bool:
    try:
        return bool(os.stat(folder).st_mode & stat.S_IWOTH)
    except OSError:
        return False  # none, or none that can be used
