"""Which packages a warm worker imports before its job comes. Pure.

Importing numpy takes longer than everything else that a run of it costs. It can't be imported once
for all, in the zygote: what a wheel does at its import would then be part of every worker, before
anything confines one, and would see the inputs of all skills with the same packages. So each worker
imports it for itself, after every protection of its run stands: its skill's rule in Landlock, the
closing filter, the limits. Such a worker is good for this skill and these packages alone, and the
package can do nothing there that it couldn't in a run: it only begins earlier.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from collections.abc import Iterable

    from skilllite_sandbox.environment.installed import Environment
    from skilllite_sandbox.environment.lock import LockedPackage

MODULES = {"numpy": ("numpy", "numpy.random", "numpy.linalg")}
"""By the name in the lock. Each costs a warm worker memory of its own: numpy 13 MB."""

VARIABLES = {"numpy": (("OPENBLAS_NUM_THREADS", "1"),)}
"""What these packages find in the environment of every run. OpenBLAS starts a thread for each
processor when it is loaded, on a large machine more than a run may have, and then fails."""


def modules_of(environment: Environment | None) -> tuple[str, ...]:
    """Return the modules to be imported early, of those that an environment has installed."""
    return tuple(name for each in _known(environment) for name in MODULES[each])


def variables_of(environment: Environment | None) -> tuple[tuple[str, str], ...]:
    """Return what an environment adds to the variables of a run."""
    return tuple(pair for each in _known(environment) for pair in VARIABLES[each])


def _known(environment: Environment | None) -> list[str]:
    if environment is None or environment.ecosystem.value != "python":
        return []
    packages: Iterable[LockedPackage] = environment.packages
    return [each.name for each in packages if each.name in MODULES]
