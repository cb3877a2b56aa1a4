"""Two names of one file system that change places in one step, so that neither is ever missing."""

from __future__ import annotations

import os

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def exchange(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    """Swap what two paths name; return False, and change nothing, where that can't be done.

    Some network file systems and old kernels can't.
    """
    import ctypes  # 6 ms, for what happens when something is installed

    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)
    if renameat2 is None:
        return False
    names = [ctypes.c_char_p(os.fsencode(each)) for each in (one, other)]
    done = renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], ctypes.c_uint(_RENAME_EXCHANGE))
    return bool(done == 0)
