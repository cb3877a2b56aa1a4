"""Tries what discovery needs: multicast on each interface, and the ports of the node.

Most complaints about meshes on a LAN are silent discovery failures, so multicast is really used:
a question for our own service type (RFC 6762) goes out on each interface and must come back, looped
by the kernel; what other machines answer within the same moment is counted.
"""

from __future__ import annotations

import errno
import select
import socket
import struct
import time
from collections.abc import Sequence
from contextlib import ExitStack

from skilllite.doctor.checks import Check, Status

MDNS_GROUP = "224.0.0.251"
MDNS_PORT = 5353
SERVICE = "_skilllite-swarm._tcp.local"
LISTEN_S = 0.4
"""Long enough for answers of a LAN (RFC 6762: 20 to 120 ms of random delay)."""
PACKET_BYTES_MAX = 9000
_TYPE_PTR = 12
_CLASS_IN = 1
_FLAG_RESPONSE = 0x8000


def check_multicast(interfaces: Sequence[tuple[str, str]]) -> list[Check]:
    """Try mDNS on each (name, IPv4 address); loopback should be left out by the caller."""
    if not interfaces:
        return [
            Check(
                "network",
                "interfaces",
                Status.WARNING,
                "no network interface but loopback is up",
                "connect this machine, or use `skilllite node start --peer HOST:PORT`",
            )
        ]
    return [_check_interface(name, address) for name, address in interfaces]


def _check_interface(name: str, address: str) -> Check:
    title = f"multicast on {name} ({address})"
    try:
        heard_self, others = _ask(address)
    except OSError as error:
        return Check("network", title, Status.FAILED, _reason(error), _remedy(error, name))
    if not heard_self:
        return Check(
            "network",
            title,
            Status.FAILED,
            f"a question to {MDNS_GROUP}:{MDNS_PORT} went out and never came back",
            f"a firewall drops multicast: allow UDP {MDNS_PORT} in and out on {name}, "
            "or use `skilllite node start --peer HOST:PORT`",
        )
    found = f"{others} node(s) answered" if others else "no node answered in that moment"
    return Check("network", title, Status.OK, f"looped back; {found}")


def _ask(address: str) -> tuple[bool, int]:
    """Return whether our own question was heard, and how many others answered it."""
    question = _question()
    with ExitStack() as stack:
        receiver = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Other responders of this machine hold the port too; all of them share it by this option.
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        receiver.bind((MDNS_GROUP, MDNS_PORT))
        membership = socket.inet_aton(MDNS_GROUP) + socket.inet_aton(address)
        receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        sender = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sender.bind((address, MDNS_PORT))
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
        sender.sendto(question, (MDNS_GROUP, MDNS_PORT))
        return _listen(receiver, question)


def _listen(receiver: socket.socket, question: bytes) -> tuple[bool, int]:
    heard_self, others = False, set()
    deadline = time.monotonic() + LISTEN_S
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([receiver], [], [], left)[0]:
            break
        packet, source = receiver.recvfrom(PACKET_BYTES_MAX)
        if packet == question:
            heard_self = True
        elif _answers_service(packet):
            others.add(source[0])
    return heard_self, len(others)


def _question() -> bytes:
    """Return an mDNS query for our service type."""
    header = struct.pack("!6H", 0, 0, 1, 0, 0, 0)
    return header + _encoded_name() + struct.pack("!2H", _TYPE_PTR, _CLASS_IN)


def _encoded_name() -> bytes:
    labels = (bytes([len(label)]) + label.encode("ascii") for label in SERVICE.split("."))
    return b"".join(labels) + b"\0"


def _answers_service(packet: bytes) -> bool:
    if len(packet) < 12 or not struct.unpack("!H", packet[2:4])[0] & _FLAG_RESPONSE:
        return False
    return _encoded_name() in packet


def check_port(label: str, host: str, port: int, *, chosen: bool) -> Check:
    """Try to listen where the node would; a port nobody chose may be taken, the node takes another.

    Not for a port that this home's own node holds: ask the node first.
    """
    title = f"{label} {port}"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As the node does: a port in TIME_WAIT is free for it.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            probe.listen(1)
    except OSError as error:
        return Check(
            "network",
            title,
            Status.FAILED if chosen else Status.WARNING,
            f"{host} port {port}: {_reason(error)}",
            f"stop what listens there (`ss -ltnp 'sport = :{port}'`) or choose another port"
            + ("" if chosen else "; unless you do, the node takes any free one"),
        )
    return Check("network", title, Status.OK, "free")


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _remedy(error: OSError, name: str) -> str:
    if error.errno in (errno.ENETUNREACH, errno.ENODEV, errno.EHOSTUNREACH):
        return f"add a multicast route: ip route add 224.0.0.0/4 dev {name}"
    if error.errno == errno.EADDRINUSE:
        return (
            f"another program holds UDP {MDNS_PORT} for itself: `ss -lunp 'sport = :{MDNS_PORT}'`"
        )
    return "use `skilllite node start --peer HOST:PORT` where multicast is not possible"
