"""Discovery over multicast DNS (RFC 6762, 6763): the only module that imports zeroconf.

Zeroconf runs on the bridge's asyncio loop; one trio task watches the interfaces and looks again
every few seconds. That is needed: a browser asks less and less often, and announcements are made
once, so that two hosts which start while their link is down would never find each other.
A host without any multicast is no error: the reason is kept for `statistics`, and others may come
by static or remembered addresses.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address

import trio
from zeroconf import Error as ZeroconfError
from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from skilllite_swarm.addresses import Interface, list_interfaces
from skilllite_swarm.bridge import Bridge
from skilllite_swarm.discovery import (
    Announcement,
    DiscoveryEvent,
    DiscoveryStatistics,
    Found,
    FoundTable,
    decode_found,
    encode_txt,
)
from skilllite_swarm.service_nursery import open_service_nursery

log = logging.getLogger(__name__)

SERVICE_TYPE = "_skilllite-swarm._tcp.local."
"""RFC 6763: at most 15 characters, _tcp because the service is."""

INSTANCE_CHARS = 16
"""Of the node id: 80 random bits, so that the costly probing for a free name can be left out."""

BROWSE_PERIOD_S = 10.0
"""Bounds how long two hosts stay unaware of each other after their link comes up."""

BROWSE_JITTER = 0.2
"""Part of the period by which it varies, so that hosts started together don't ask together."""

POLL_PERIOD_S = 3.0
"""How soon a new interface or address is used; listing them takes 0.4 ms."""

RETRY_PERIOD_S = 30.0
"""After multicast could not be opened at all."""

RESOLVE_TIMEOUT_MS = 3_000
"""For one instance; the next browse tries again."""

RESOLVES_MAX = 64
"""At the same time; the rest waits for the next browse."""

CLOSE_TIMEOUT_S = 2.0
"""For a goodbye, which normally takes 0.3 s."""

INTERFACES_MAX = 16
"""Addresses used for multicast; a host full of container bridges has hundreds."""

HOSTS_MAX = 16
"""Addresses read from one announcement."""

_GROUP_V4 = "224.0.0.251"
_GROUP_V6 = "ff02::fb"


def probe_multicast(interface: Interface) -> str | None:
    """Return why mDNS can't be heard on the interface, or None when it can join the group."""
    version = ip_address(interface.ip).version
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            if version == 4:
                member = socket.inet_aton(_GROUP_V4) + socket.inet_aton(interface.ip)
                probe.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            else:
                group = socket.inet_pton(socket.AF_INET6, _GROUP_V6)
                member = group + struct.pack("@I", interface.index)
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, member)
    except OSError as error:
        return error.strerror or str(error)
    return None


def pick_interfaces(
    interfaces: Sequence[Interface], *, hosts: Sequence[str] = ()
) -> tuple[Interface, ...]:
    """Return the addresses to send and listen on: every IPv4 one, one IPv6 one per interface.

    127.0.0.1 is always among them, so that two nodes on one laptop find each other with its Wi-Fi
    off. Nodes that listen on certain addresses only are announced only there.
    """
    picked: list[Interface] = []
    with_v6: set[int] = set()
    for interface in sorted(interfaces, key=lambda one: (one.index, not one.is_link_local_v6)):
        if hosts and interface.ip not in hosts:
            continue
        if ip_address(interface.ip).version == 6:
            # Multicast on ::1 reaches nobody, not even this host (Linux 6.1).
            if interface.is_loopback or interface.index in with_v6:
                continue
            with_v6.add(interface.index)
        picked.append(interface)
    return tuple(picked[:INTERFACES_MAX])


def announced_hosts(interfaces: Sequence[Interface], *, hosts: Sequence[str]) -> list[str]:
    """Return the IP addresses to announce: loopback only when there is nothing else."""
    if hosts:
        return list(hosts[:HOSTS_MAX])
    outside = [interface.ip for interface in interfaces if not interface.is_loopback]
    return sorted(set(outside or [one.ip for one in interfaces]))[:HOSTS_MAX]


class _Link:
    """Zeroconf on a fixed set of interfaces. Every method runs on the asyncio loop."""

    def __init__(self, tell: Callable[[Found], None], drop: Callable[[str], None]) -> None:
        self._tell = tell
        self._drop = drop
        self._zeroconf: AsyncZeroconf | None = None
        self._browser: AsyncServiceBrowser | None = None
        self._info: AsyncServiceInfo | None = None
        self._resolving: dict[str, asyncio.Task[None]] = {}

    async def open(self, interfaces: Sequence[Interface]) -> None:
        versions = {ip_address(interface.ip).version for interface in interfaces}
        ip_version = {
            frozenset({4}): IPVersion.V4Only,
            frozenset({6}): IPVersion.V6Only,
            frozenset({4, 6}): IPVersion.All,
        }[frozenset(versions)]
        self._zeroconf = AsyncZeroconf(
            interfaces=[interface.ip for interface in interfaces], ip_version=ip_version
        )
        await self.browse()

    async def browse(self) -> None:
        """Ask again. The new browser reports everything that is known, too."""
        assert self._zeroconf is not None
        old = self._browser
        # Before the old one goes, so that nothing is missed in between.
        self._browser = AsyncServiceBrowser(
            self._zeroconf.zeroconf, SERVICE_TYPE, handlers=[self._on_change]
        )
        if old is not None:
            await old.async_cancel()

    async def announce(self, announcement: Announcement, hosts: Sequence[str]) -> None:
        assert self._zeroconf is not None
        instance = announcement.node_id[:INSTANCE_CHARS]
        info = AsyncServiceInfo(
            SERVICE_TYPE,
            f"{instance}.{SERVICE_TYPE}",
            port=announcement.port,
            properties=encode_txt(announcement),
            # A name of its own: that of the host is nobody's business.
            server=f"{instance}.local.",
            parsed_addresses=list(hosts),
        )
        if self._info is None:
            sent = await self._zeroconf.async_register_service(info, cooperating_responders=True)
        else:
            sent = await self._zeroconf.async_update_service(info)
        self._info = info
        await sent

    async def withdraw(self) -> None:
        info, self._info = self._info, None
        if info is not None and self._zeroconf is not None:
            await (await self._zeroconf.async_unregister_service(info))

    async def close(self) -> None:
        for task in self._resolving.values():
            task.cancel()
        if self._browser is not None:
            await self._browser.async_cancel()
        if self._zeroconf is not None:
            await self._zeroconf.async_close()

    def _on_change(
        self,
        zeroconf: Zeroconf,
        service_type: str,
        name: str,
        state_change: ServiceStateChange,
    ) -> None:
        instance = name.removesuffix(f".{service_type}")
        if state_change is ServiceStateChange.Removed:
            self._drop(instance)
        elif name not in self._resolving and len(self._resolving) < RESOLVES_MAX:
            task = asyncio.get_running_loop().create_task(self._resolve(zeroconf, name, instance))
            self._resolving[name] = task
            task.add_done_callback(lambda _: self._resolving.pop(name, None))

    async def _resolve(self, zeroconf: Zeroconf, name: str, instance: str) -> None:
        info = AsyncServiceInfo(SERVICE_TYPE, name)
        try:
            if not await info.async_request(zeroconf, RESOLVE_TIMEOUT_MS) or not info.port:
                return
        except (ZeroconfError, OSError) as error:
            log.debug("could not resolve %s: %s", name, error)
            return
        txt = {
            key.decode("utf-8", "replace"): (value or b"").decode("utf-8", "replace")
            for key, value in info.properties.items()
        }
        hosts = tuple(info.parsed_scoped_addresses()[:HOSTS_MAX])
        if (found := decode_found(instance, hosts, info.port, txt)) is not None:
            self._tell(found)


class MdnsDiscovery:
    """Made by `open_mdns`. Its methods run on trio."""

    def __init__(
        self,
        bridge: Bridge,
        interfaces: Callable[[], tuple[Interface, ...]],
        rng: random.Random,
    ) -> None:
        self._bridge = bridge
        self._list_interfaces = interfaces
        self._rng = rng
        self._table = FoundTable()
        self._link: _Link | None = None
        self._seen: tuple[Interface, ...] = ()
        self._used: tuple[Interface, ...] = ()
        self._announcement: Announcement | None = None
        self._problem: str | None = None
        # Opening, announcing and closing take several steps on the other thread.
        self._lock = trio.Lock()

    async def announce(self, announcement: Announcement) -> None:
        async with self._lock:
            old_hosts = self._announcement.hosts if self._announcement is not None else ()
            moved = old_hosts != announcement.hosts
            self._table.own_team = announcement.team_hash
            self._announcement = announcement
            if moved or self._link is None:
                await self._reopen()
            else:
                await self._announce()

    async def withdraw(self) -> None:
        async with self._lock:
            if self._announcement is not None and self._link is not None:
                with trio.move_on_after(CLOSE_TIMEOUT_S):
                    await self._try("say goodbye", self._link.withdraw)
            self._announcement = None

    def subscribe(self) -> trio.MemoryReceiveChannel[DiscoveryEvent]:
        return self._table.subscribe()

    def found(self) -> tuple[Found, ...]:
        return self._table.all()

    def statistics(self) -> DiscoveryStatistics:
        return DiscoveryStatistics(
            interfaces=tuple(interface.ip for interface in self._used),
            found=len(self._table.all()),
            announced=self._announcement is not None and self._link is not None,
            problem=self._problem,
        )

    async def run(self) -> None:
        """Follow the interfaces and look again from time to time, until cancelled."""
        try:
            next_browse = 0.0
            retry_at = 0.0
            while True:
                now = trio.current_time()
                async with self._lock:
                    changed = self._list_interfaces() != self._seen
                    if changed or (self._link is None and now >= retry_at):
                        await self._reopen()
                        retry_at = now + RETRY_PERIOD_S
                        next_browse = self._next_browse()
                    elif self._link is not None and now >= next_browse:
                        await self._try("look again", self._link.browse)
                        next_browse = self._next_browse()
                await trio.sleep(POLL_PERIOD_S * self._rng.uniform(0.9, 1.1))
        finally:
            self._table.close()
            with trio.move_on_after(CLOSE_TIMEOUT_S, shield=True):
                await self._close()

    def _next_browse(self) -> float:
        spread = self._rng.uniform(1 - BROWSE_JITTER, 1 + BROWSE_JITTER)
        # The poll adds up to its own period on top.
        return trio.current_time() + max(0.0, BROWSE_PERIOD_S * spread - POLL_PERIOD_S)

    async def _reopen(self) -> None:
        with trio.move_on_after(CLOSE_TIMEOUT_S):
            await self._close()
        self._table.clear()
        self._seen = self._list_interfaces()
        hosts = self._announcement.hosts if self._announcement is not None else ()
        picked = pick_interfaces(self._seen, hosts=hosts)
        problems = {interface: probe_multicast(interface) for interface in picked}
        self._used = tuple(interface for interface in picked if problems[interface] is None)
        if not self._used:
            said = [f"{one.name} {one.ip}: {why}" for one, why in problems.items()]
            self._report("; ".join(said) or "no interface has an address to send from")
            return
        link = _Link(
            lambda found: self._bridge.to_trio(self._table.put, found),
            lambda instance: self._bridge.to_trio(self._table.remove, instance),
        )
        try:
            await self._bridge.run_aio(link.open, self._used)
        except (ZeroconfError, OSError, RuntimeError) as error:
            self._used = ()
            self._report(str(error))
            with trio.move_on_after(CLOSE_TIMEOUT_S):
                await self._try("close", link.close)
            return
        self._link = link
        self._problem = None
        log.info("mDNS on %s", ", ".join(interface.ip for interface in self._used))
        if self._announcement is not None:
            await self._announce()

    async def _announce(self) -> None:
        assert self._announcement is not None and self._link is not None
        hosts = announced_hosts(self._seen, hosts=self._announcement.hosts)
        await self._try("announce", self._link.announce, self._announcement, hosts)

    async def _close(self) -> None:
        link, self._link = self._link, None
        self._used = ()
        if link is not None:
            await self._try("close", link.close)

    async def _try(self, what: str, function: Callable[..., object], *args: object) -> None:
        try:
            await self._bridge.run_aio(function, *args)  # type: ignore[arg-type]
        except (ZeroconfError, OSError, RuntimeError, trio.ClosedResourceError) as error:
            self._report(f"could not {what}: {error}")

    def _report(self, problem: str) -> None:
        if problem != self._problem:
            log.warning("mDNS: %s", problem)
        self._problem = problem


@asynccontextmanager
async def open_mdns(
    bridge: Bridge,
    *,
    interfaces: Callable[[], tuple[Interface, ...]] = list_interfaces,
    rng: random.Random | None = None,
) -> AsyncIterator[MdnsDiscovery]:
    """Browse at once; announce nothing until told to. At the end a goodbye is sent, and bounded."""
    # Without any handler of the program's own, its warnings about single packets would go to
    # standard error.
    logging.getLogger("zeroconf").addHandler(logging.NullHandler())
    discovery = MdnsDiscovery(bridge, interfaces, rng or random.Random())
    async with open_service_nursery() as nursery:
        nursery.start_soon(discovery.run)
        yield discovery
