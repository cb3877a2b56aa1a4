"""What the addresses in a lock say about where its packages come from."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from skilllite_sandbox.supply.dependency import IndexSetting, Leaves
from skilllite_sandbox.supply.names import is_public_index, leads_away

HOSTS_MAX = 64  # hosts of one lock that are told; honest ones have two


def settings_of_hosts(
    file: str, addresses: Iterable[tuple[str, str, int]]
) -> tuple[IndexSetting, ...]:
    """Return the indexes of a lock that are not public ones, each host once.

    Args:
        file: The lock.
        addresses: Address, name of the package, line.
    """
    hosts: dict[str, tuple[str, str, int]] = {}
    public = False
    for address, name, line in addresses:
        if is_public_index(address):
            public = True
        elif address:
            hosts.setdefault(_host(address), (address, name, line))
    alone = not public and len(hosts) == 1
    leaves = Leaves.OTHER_INDEX if alone else Leaves.EXTRA_INDEX
    found: list[IndexSetting] = []
    for address, name, line in list(hosts.values())[:HOSTS_MAX]:
        for each in leads_away(leaves, address, file, line):
            detail = f"{_host(address)} for {name}" if name else address
            found.append(IndexSetting(each.leaves, detail, file, line))
    return tuple(found)


def _host(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    return (
        f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower() if parts.netloc else address
    )
