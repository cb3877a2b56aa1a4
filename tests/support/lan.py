"""A LAN on one machine: hosts in network namespaces on one bridge, each with its own host name.

Needs root, iproute2 and util-linux. Nothing of it touches the machine's own network: the bridge
lives in a namespace too. Names carry a random prefix, so that two runs don't meet.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

COMMAND_TIMEOUT_S = 20.0


def missing_feature() -> str | None:
    """Return why a LAN can't be made here, or None when it can."""
    if os.geteuid() != 0:
        return "needs root to make network namespaces"
    for command in ("ip", "unshare", "hostname"):
        if shutil.which(command) is None:
            return f"needs the command {command}"
    probe = f"sl{secrets.token_hex(3)}"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True)
    if made.returncode:
        return f"can't make network namespaces: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", probe], check=True)
    return None


def _ip(*args: str) -> None:
    subprocess.run(
        ["ip", *args], check=True, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S
    )


@dataclass(frozen=True, slots=True)
class Host:
    """One machine of the LAN."""

    name: str
    namespace: str
    bridge: str
    port: str
    address: str

    def command(self, argv: Sequence[str]) -> list[str]:
        """Return the argv that runs `argv` on this host; the pid is that of `argv` itself."""
        return [
            *("ip", "netns", "exec", self.namespace),
            *("unshare", "--uts", "/bin/sh", "-c", 'hostname "$0" && exec "$@"', self.name),
            *argv,
        ]

    def link_down(self) -> None:
        """Pull the cable: packets vanish without a word, as on a real switch."""
        _ip("-n", self.bridge, "link", "set", self.port, "down")

    def link_up(self) -> None:
        """Plug the cable in again."""
        _ip("-n", self.bridge, "link", "set", self.port, "up")


@contextmanager
def open_lan(*names: str) -> Iterator[tuple[Host, ...]]:
    """Make one host a name, all on one switch, and remove everything at the end."""
    prefix = f"sl{secrets.token_hex(2)}"
    bridge = f"{prefix}br"
    namespaces = [bridge]
    try:
        _ip("netns", "add", bridge)
        _ip("-n", bridge, "link", "set", "lo", "up")
        _ip("-n", bridge, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
        _ip("-n", bridge, "link", "set", "br0", "up")
        hosts = []
        for number, name in enumerate(names, start=1):
            host = Host(
                name=name,
                namespace=f"{prefix}h{number}",
                bridge=bridge,
                port=f"{prefix}p{number}",
                address=f"10.77.0.{number}",
            )
            _ip("netns", "add", host.namespace)
            namespaces.append(host.namespace)
            _connect(host)
            hosts.append(host)
        yield tuple(hosts)
    finally:
        for namespace in reversed(namespaces):
            subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)


def _connect(host: Host) -> None:
    inside = ("-n", host.namespace)
    _ip(*inside, "link", "set", "lo", "up")
    _ip(
        *("link", "add", "eth0", "netns", host.namespace, "type", "veth"),
        *("peer", "name", host.port, "netns", host.bridge),
    )
    _ip("-n", host.bridge, "link", "set", host.port, "master", "br0", "up")
    _ip(*inside, "addr", "add", f"{host.address}/24", "dev", "eth0")
    _ip(*inside, "link", "set", "eth0", "up")
    _ip(*inside, "route", "add", "default", "dev", "eth0")
