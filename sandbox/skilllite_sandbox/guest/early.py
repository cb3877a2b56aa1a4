"""Imports packages in a warm worker before its job comes, confined as its skill will be.

From here on code that nobody vouches for has run in this process. So it begins only when nothing is
left to be taken away, and what the process says afterwards is believed about this one run alone.
"""

import os
import sys

from skilllite_sandbox.guest.byte_code import trust_byte_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def import_early(early: "dict[str, Any]") -> None:
    """Import modules as the script would.

    One that fails is left to the script, which then meets the same failure and may handle it. A
    skill with a module of its own that hides one of Python's or of these packages gets none early:
    what is imported already could not be hidden any more.
    """
    modules: list[str] = early["modules"]
    known = sys.stdlib_module_names | {name.partition(".")[0] for name in modules}
    if any(
        name.partition(".")[0] in known for name in os.listdir(os.path.dirname(early["script"]))
    ):
        return
    trust_byte_code([*sys.path, *early["paths"]])
    before = list(sys.path)
    sys.path += early["paths"]
    try:
        for name in modules:
            __import__(name)
    except BaseException:
        pass  # also an exit: the script decides whether it imports this at all
    sys.path[:] = before
