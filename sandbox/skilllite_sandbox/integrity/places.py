"""Which installed skill a path means: the keys of the register.

A skill of the home is known by its folder alone, so that a home can be moved. Any other is known by
its path. A path counts as it was typed and as it really is: putting a link where an installed
skill was, or where a folder above it was, doesn't make another skill of it.
"""

# Strings, not pathlib: every run asks.
# ruff: noqa: PTH100, PTH118, PTH119, PTH120

from __future__ import annotations

import os

HOME_PREFIX = "home/"
REGISTER_NAME = "register"
"""The file of the register, in its directory."""
MARK_NAME = "register.mark"
"""The file with the number of the latest register, beside the key."""


class Places:
    """The keys of the skills of one home and of everything else."""

    __slots__ = ("_skills",)

    def __init__(self, skills: str) -> None:
        """Take the directory that holds the skills of the home."""
        self._skills = os.path.abspath(skills)

    def key_of(self, directory: str) -> str:
        """Return the key under which a skill in this directory is installed."""
        parent, folder = os.path.split(os.path.abspath(directory))
        real = os.path.realpath(parent)
        if real == os.path.realpath(self._skills):
            return HOME_PREFIX + folder
        return os.path.join(real, folder)

    def keys_of(self, directory: str) -> tuple[str, ...]:
        """Return every key that an installed skill in this directory may have."""
        typed = os.path.abspath(directory)
        real = os.path.realpath(typed)
        keys = [self.key_of(typed), self.key_of(real), typed]
        if os.path.dirname(typed) == self._skills:
            keys.append(HOME_PREFIX + os.path.basename(typed))
        return tuple(dict.fromkeys(keys))

    def directory_of(self, key: str) -> str:
        """Return where the skill of a key is."""
        if key.startswith(HOME_PREFIX):
            return os.path.join(self._skills, key.removeprefix(HOME_PREFIX))
        return key

    def is_in_home(self, directory: str) -> bool:
        """Whether a directory is where only installed skills should be."""
        return any(key.startswith(HOME_PREFIX) for key in self.keys_of(directory))
