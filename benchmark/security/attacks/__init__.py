"""The twenty items, in the order of the comparison table."""

from __future__ import annotations

from benchmark.security.attacks import (
    execution,
    files,
    information,
    language,
    network,
    processes,
    resources,
)
from benchmark.security.item import Item

ITEMS: tuple[Item, ...] = (
    *files.ITEMS,
    *network.ITEMS,
    *execution.ITEMS,
    *processes.ITEMS,
    *resources.ITEMS,
    *language.ITEMS,
    *information.ITEMS,
)
