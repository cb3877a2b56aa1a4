"""Which addresses no name may lead to: the explicit list of what isn't the public internet.

Decides by the address alone. That a grant which names an address literally outweighs this list is
decided in rules.py; that an address belongs to this very machine can't be seen in its digits and
is asked of the kernel in resolution.py.

Not `ipaddress.is_global`: it follows a registry that changes with the Python release and calls
addresses private at which a company's package index may live (documentation and benchmark
networks). What is listed here can reach the host, its neighbours, or its cloud account.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

LOCALHOST: tuple[Address, ...] = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
"""What the name `localhost` means, whatever a resolver says (RFC 6761)."""

_METADATA = "cloud metadata address"
_PRIVATE = "private network address"
_LINK_LOCAL = "link-local address"
_MULTICAST = "multicast address"
_UNSPECIFIED = "unspecified address"
_RESERVED = "reserved address"

# The first match names the reason, so single addresses come before the network around them.
_REFUSED_V4 = tuple(
    (IPv4Network(network), reason)
    for network, reason in (
        ("169.254.169.254/32", _METADATA),  # AWS, Azure, GCP, OpenStack and many more
        ("169.254.170.2/32", _METADATA),  # AWS: credentials of a container
        ("100.100.100.200/32", _METADATA),  # Alibaba
        ("192.0.0.192/32", _METADATA),  # Oracle
        ("168.63.129.16/32", _METADATA),  # Azure: looks public, answers only inside
        ("0.0.0.0/8", _UNSPECIFIED),  # Linux connects 0.0.0.0 to loopback
        ("10.0.0.0/8", _PRIVATE),
        ("100.64.0.0/10", "carrier-grade NAT address"),  # also overlay networks between machines
        ("127.0.0.0/8", "loopback address"),
        ("169.254.0.0/16", _LINK_LOCAL),
        ("172.16.0.0/12", _PRIVATE),
        ("192.0.0.0/24", _RESERVED),  # protocol assignments, never a server's address
        ("192.168.0.0/16", _PRIVATE),
        ("224.0.0.0/4", _MULTICAST),
        ("255.255.255.255/32", "broadcast address"),
        ("240.0.0.0/4", _RESERVED),
    )
)
_REFUSED_V6 = tuple(
    (IPv6Network(network), reason)
    for network, reason in (
        ("fd00:ec2::254/128", _METADATA),  # AWS
        ("fd20:ce::254/128", _METADATA),  # GCP
        ("::/128", _UNSPECIFIED),
        ("::1/128", "loopback address"),
        ("::/96", _RESERVED),  # IPv4-compatible: withdrawn, and a second spelling of any IPv4
        ("64:ff9b:1::/48", _PRIVATE),  # NAT64 inside a site: where the IPv4 sits is its choice
        ("100::/64", _RESERVED),  # discard
        ("fc00::/7", _PRIVATE),
        ("fe80::/10", _LINK_LOCAL),
        ("fec0::/10", _PRIVATE),  # site-local, the predecessor of fc00::/7
        ("ff00::/8", _MULTICAST),
    )
)

_NAT64 = IPv6Network("64:ff9b::/96")
_TRANSLATED = IPv6Network("::ffff:0:0:0/96")  # SIIT
_SIX_TO_FOUR = IPv6Network("2002::/16")
_TEREDO = IPv6Network("2001::/32")
_ISATAP = 0x00005EFE  # the upper half of an interface id; its universal bit may be set as well
_ISATAP_MASK = 0xFDFFFFFF
_LOW_32 = 0xFFFFFFFF


def parse_address(text: str) -> Address | None:
    """Return the address that `text` spells in the standard notation, else None.

    Only four decimal octets for IPv4: what `inet_aton` also takes (octal, hexadecimal, fewer
    parts) is read differently by different programs. No zone ids: they name an interface of ours.
    An IPv4-mapped IPv6 address is the IPv4 address, so that no second spelling exists.
    """
    if "%" in text:
        return None
    try:
        address = IPv6Address(text) if ":" in text else IPv4Address(text)
    except ValueError:
        return None
    return unmapped(address)


def unmapped(address: Address) -> Address:
    """Return the IPv4 address for its IPv4-mapped form, any other address as it is."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def refusal(address: Address) -> str | None:
    """Return what kind of address this is if no name may lead to it, None for the public rest."""
    address = unmapped(address)
    if isinstance(address, IPv4Address):
        return next((reason for network, reason in _REFUSED_V4 if address in network), None)
    for network, reason in _REFUSED_V6:
        if address in network:
            return reason
    for inner in embedded(address):
        kind = refusal(inner)
        if kind:
            return f"{kind} inside an IPv6 address"
    return None


def embedded(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses to which a translator or tunnel would pass packets on."""
    value = int(address)
    low = IPv4Address(value & _LOW_32)
    if address in _NAT64 or address in _TRANSLATED:
        return (low,)
    if address in _SIX_TO_FOUR:
        return (IPv4Address(value >> 80 & _LOW_32),)
    if address in _TEREDO:  # the tunnel's server, and the client with all bits inverted
        return (IPv4Address(value >> 64 & _LOW_32), IPv4Address(~value & _LOW_32))
    if value >> 32 & _ISATAP_MASK == _ISATAP:
        return (low,)
    return ()
