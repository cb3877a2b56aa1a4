"""What every sandbox of this kind gives away, because it shares the kernel and the processors.

Reported as it is: a false kernel release or number of processors would break programs and keep no
secret, since both can be measured.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

PROBE = """
import json
import os
import sys

json.load(sys.stdin)


def value(call):
    try:
        return call()
    except (OSError, ValueError, AttributeError) as error:
        return f"{type(error).__name__}"


print(json.dumps({
    "kernel release": value(lambda: os.uname().release),
    "memory size": value(lambda: os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")),
    "processors": value(os.cpu_count),
}))
"""


def host_values() -> dict[str, Any]:
    """Return what is true on the host."""
    return {
        "kernel release": os.uname().release,
        "memory size": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "processors": os.cpu_count(),
    }


def compare(seen: Mapping[str, Any], host: Mapping[str, Any]) -> dict[str, str]:
    """Return for each known leak whether a skill sees the host's value. Pure."""
    return {name: "leaks" if seen.get(name) == host[name] else "differs" for name in host}
