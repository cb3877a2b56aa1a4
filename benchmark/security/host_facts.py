"""What is secret about this host, and whether an attack brought it home.

A sandbox that shows a file of its own with the content that every host has gives nothing away, so
only what is peculiar to this host counts: accounts that no distribution creates, names beside the
usual ones in `/`, addresses, identifiers, paths. What is said of them names no value: a report is
made to be shown. Kernel release, memory size and number of
processors are no part of it: see `leaks.py`.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import pwd
import re
import socket
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import skilllite_sandbox
from benchmark.security.judgement import Effect, EffectKind

# Debian's base-passwd: in every image, so that finding one says nothing.
_BASE_ACCOUNTS = """
root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats _apt
nobody
"""
_EVERYBODYS_ACCOUNTS = frozenset(_BASE_ACCOUNTS.split())
_BASE_NAMES = """
bin boot dev etc home lib lib32 lib64 libx32 lost+found media mnt opt proc root run sbin srv sys tmp
usr var
"""
_EVERYBODYS_NAMES = frozenset(_BASE_NAMES.split())
_EVERYBODYS_IDS = frozenset({0, 1000, 65534})
_EVERYBODYS_HOMES = frozenset({"/", "/root", "/nonexistent"})


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What an attack may not learn, apart from what was planted for it."""

    accounts_file: str
    accounts: frozenset[str]
    names: frozenset[str]
    """All names in `/`."""
    host_name: str
    user_id: int
    addresses: frozenset[str]
    identifiers: frozenset[str]
    paths: frozenset[str]

    @property
    def unusual_names(self) -> frozenset[str]:
        """Names in `/` that not every system has."""
        return self.names - _EVERYBODYS_NAMES


def read_host_facts(*, paths: frozenset[str]) -> HostFacts:
    """Return the facts about this host, with some paths that only it has."""
    accounts_file = _text("/etc/passwd")
    own_paths = {
        str(Path.cwd()),
        str(Path(skilllite_sandbox.__file__).parent),
        account_home(),
        f"{tempfile.gettempdir()}/skilllite-",
    }
    return HostFacts(
        accounts_file=accounts_file,
        accounts=frozenset(
            name
            for line in accounts_file.splitlines()
            if (name := line.partition(":")[0]) and name not in _EVERYBODYS_ACCOUNTS
        ),
        names=frozenset(path.name for path in Path("/").iterdir()),
        host_name=socket.gethostname(),
        user_id=os.getuid(),
        addresses=_addresses(),
        identifiers=frozenset(
            filter(None, map(_line, ("/etc/machine-id", "/proc/sys/kernel/random/boot_id")))
        ),
        paths=frozenset((paths | own_paths) - _EVERYBODYS_HOMES),
    )


def learned(facts: HostFacts, found: Mapping[str, Any]) -> tuple[Effect, ...]:
    """Return what an attack found out about the host, judged by what it says it found where.

    Args:
        facts: About the host.
        found: By what names start with: accounts, directory, hostname, users, addresses,
            identifiers, paths.
    """
    effects = []
    for name, value in found.items():
        subject, text = name.partition(":")[0], "\n".join(_strings(value))
        for what in _LEARNED[subject](facts, text) if subject in _LEARNED else ():
            kind = _KINDS.get(subject, EffectKind.IDENTITY_READ)
            effects.append(Effect(kind, f"{what} ({name})"))
    return tuple(dict.fromkeys(effects))


def _accounts(facts: HostFacts, text: str) -> Iterator[str]:
    known = {line.partition(":")[0] for line in text.splitlines()} & facts.accounts
    if known:
        yield "accounts of the host"
    elif facts.accounts_file and text.strip() == facts.accounts_file.strip():
        yield "the host's list of accounts"


def _directory(facts: HostFacts, text: str) -> Iterator[str]:
    names = set(text.split())
    known = names & facts.unusual_names
    if known or names >= facts.names:
        yield "the host's top directory"


def _host_name(facts: HostFacts, text: str) -> Iterator[str]:
    if facts.host_name in text.split():
        yield "host name"


def _users(facts: HostFacts, text: str) -> Iterator[str]:
    words = set(re.split(r"[\s:=()]+", text))
    if words & facts.accounts:
        yield "users of the host"
    if str(facts.user_id) in words and facts.user_id not in _EVERYBODYS_IDS:
        yield "user id on the host"


def _known_addresses(facts: HostFacts, text: str) -> Iterator[str]:
    words = set(re.split(r"[^0-9a-fA-F.:]+", text.lower()))
    if words & facts.addresses:
        yield "addresses of the host"


def _identifiers(facts: HostFacts, text: str) -> Iterator[str]:
    if any(identifier in text for identifier in facts.identifiers):
        yield "machine or boot id"


def _paths(facts: HostFacts, text: str) -> Iterator[str]:
    if any(path in text for path in facts.paths):
        yield "paths of the host"


_LEARNED = {
    "accounts": _accounts,
    "directory": _directory,
    "hostname": _host_name,
    "users": _users,
    "addresses": _known_addresses,
    "identifiers": _identifiers,
    "paths": _paths,
}
_KINDS = {"accounts": EffectKind.ACCOUNTS_READ, "directory": EffectKind.DIRECTORY_READ}


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)
    elif value is not None:
        yield str(value)


def account_home() -> str:
    """Return the home of the account: HOME itself is planted."""
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return "/"


def _addresses() -> frozenset[str]:
    """Return addresses other than loopback, in each form that the kernel or a runtime prints."""
    found = set(re.findall(r"([\d.]+)\n\s+/32 host LOCAL", _text("/proc/net/fib_trie")))
    found = {address for address in found if not address.startswith("127.")}
    for line in _text("/proc/net/if_inet6").splitlines():
        digits = line.split()[0]
        address = ipaddress.IPv6Address(int(digits, 16))
        if not address.is_loopback:
            found |= {digits, str(address)}
    for device in Path("/sys/class/net").glob("*"):
        address_text = _line(f"{device}/address")
        if address_text.strip("0:"):
            found.add(address_text)
    return frozenset(found)


def _text(path: str) -> str:
    with contextlib.suppress(OSError):
        return Path(path).read_text(encoding="utf-8", errors="replace")
    return ""


def _line(path: str) -> str:
    return _text(path).strip()
