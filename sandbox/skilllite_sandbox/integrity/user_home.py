"""The guard of this user's home, for who knows nothing of the node that owns it.

Paths as the node has them: `SKILLLITE_HOME`, else the XDG folders.
"""

# ruff: noqa: PTH100, PTH111

from __future__ import annotations

import os
from collections.abc import Mapping

from skilllite_sandbox.integrity.denylist import DENYLIST_NAME
from skilllite_sandbox.integrity.guard import Guard

PLACE_NAME = "integrity"


def open_user_guard(environ: Mapping[str, str]) -> Guard:
    """Return the guard of the home that an environment names; nothing has to be there."""
    root = environ.get("SKILLLITE_HOME", "")
    if root:
        data = config = os.path.abspath(os.path.expanduser(root))
    else:
        data = _xdg(environ, "XDG_DATA_HOME", ".local/share")
        config = _xdg(environ, "XDG_CONFIG_HOME", ".config")
    return Guard(
        place=f"{data}/{PLACE_NAME}",
        keys=f"{data}/keys",
        skills=f"{data}/skills",
        denylist=f"{config}/{DENYLIST_NAME}",
    )


def _xdg(environ: Mapping[str, str], variable: str, otherwise: str) -> str:
    value = environ.get(variable, "")
    if value.startswith("/"):
        return f"{value.rstrip('/')}/skilllite"
    user = environ.get("HOME", "")
    user = user.rstrip("/") if user.startswith("/") else os.path.expanduser("~")
    return f"{user}/{otherwise}/skilllite"
