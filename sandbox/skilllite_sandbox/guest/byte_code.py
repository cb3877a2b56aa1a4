"""Python byte code is used of the interpreter and of installed packages, never of a skill.

A skill can bring byte code that says something else than the source beside it, and that the import
system would prefer without a look at the source. What was read and scanned is the source.
"""

import os
from _frozen_importlib_external import SourceFileLoader, SourcelessFileLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import CodeType
    from typing import Any

_trusted: tuple[str, ...] = ()
_path_stats = SourceFileLoader.path_stats
_get_code = SourcelessFileLoader.get_code


def trust_byte_code(directories: "Iterable[str]") -> None:
    """Let every import of this process use byte code below these directories, and no other."""
    global _trusted
    _trusted = tuple(f"{each}/" for each in directories if each.startswith("/"))
    if SourceFileLoader.path_stats is not _stats_of_trusted:
        SourceFileLoader.path_stats = _stats_of_trusted  # type: ignore[method-assign]
        SourcelessFileLoader.get_code = _code_of_trusted  # type: ignore[method-assign]


def _is_trusted(path: object) -> bool:
    # Through `..` a path leads elsewhere than it says. There are no links to skills in the others.
    return isinstance(path, str) and path.startswith(_trusted) and "/../" not in path


def _stats_of_trusted(self: SourceFileLoader, path: str) -> "Mapping[str, Any]":
    # This is how a loader says that it keeps no byte code.
    if not _is_trusted(path):
        raise OSError
    return _path_stats(self, path)


def _code_of_trusted(self: SourcelessFileLoader, fullname: str) -> "CodeType | None":
    path = os.fspath(self.path)
    if not _is_trusted(path):
        raise ImportError(f"{path} has no source: a skill's byte code is not used", name=fullname)
    return _get_code(self, fullname)
