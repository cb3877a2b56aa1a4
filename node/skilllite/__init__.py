"""SkillLite: a team of nodes that run skills in a sandbox.

    from skilllite import run_skill

    result = run_skill("calculator", {"operation": "add", "a": 1, "b": 2})

Importing this package costs nothing: each name is loaded when it is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing `typing` would cost what the laziness saves
if TYPE_CHECKING:
    from skilllite.code_runs import execute_code as execute_code
    from skilllite.code_runs import scan_code as scan_code
    from skilllite.sdk import run_skill as run_skill
    from skilllite.version import VERSION as __version__

__all__ = ["__version__", "execute_code", "run_skill", "scan_code"]

_HOME_OF = {
    "execute_code": ("skilllite.code_runs", "execute_code"),
    "run_skill": ("skilllite.sdk", "run_skill"),
    "scan_code": ("skilllite.code_runs", "scan_code"),
    "__version__": ("skilllite.version", "VERSION"),
}


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(home[0]), home[1])
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
