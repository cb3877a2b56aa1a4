"""Where packages come from: the settings that a person made on this host for uv, pip and npm.

Reads what belongs to the user and to the system, never a file of a project: a skill or the folder
it lies in may not choose an index. What no setting says is what the tools themselves default to,
asked of the tools, so that no host name stands here.

A setting names the index, but an index may keep its files elsewhere; which hosts that are is read
from the index's own page of a package. Those and the index are all that installing may reach. An
index that somebody configured may live at a private address: then that very address is allowed.
"""

from __future__ import annotations

import configparser
import contextlib
import json
import os
import re
import socket
import ssl
import subprocess
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

from skilllite_sandbox.egress.addresses import parse_address, refusal
from skilllite_sandbox.egress.rules import GRANTS_MAX, show
from skilllite_sandbox.environment.requirements import Ecosystem
from skilllite_sandbox.errors import EnvironmentUnavailable, IndexUnreachable
from skilllite_sandbox.policy import KIB, MIB

INDEXES_MAX = 8  # beside the default one; somebody has to have typed them
CERTIFICATES_BYTES_MAX = 4 * MIB  # the whole of a usual bundle is 0.25 MiB
PAGE_BYTES = 256 * KIB  # of an index page: files of one project lie on one host, so a part says it
ASK_S = 15.0  # for an index to answer, and for a tool to say what it is set to

_SYSTEM_CERTIFICATES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
)
_PYTHON_CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "CURL_CA_BUNDLE")
_NODE_CERTIFICATES = ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE")
# What a name may not lead to, but an index that a person chose may. None is the public rest, which
# matters for an index on an address of this very machine.
_WHERE_AN_INDEX_MAY_BE = frozenset(
    {None, "private network address", "carrier-grade NAT address", "loopback address"}
)
_PORTS = {"https": 443, "http": 80}
_LINK = re.compile(rb"""["']url["']\s*:\s*"([^"]+)"|href\s*=\s*["']([^"'#]+)""")
_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"


@dataclass(frozen=True, slots=True)
class Index:
    """One package index."""

    url: str
    """May hold credentials: never shown, logged or put on a command line."""
    configured: bool
    """Whether a person chose it; else it is the tool's own default."""

    @property
    def shown(self) -> str:
        """The address without credentials."""
        parts = urlsplit(self.url)
        return parts._replace(netloc=_authority(parts)).geturl()

    @property
    def has_credentials(self) -> bool:
        """Whether the address holds a user name or a password."""
        return "@" in urlsplit(self.url).netloc

    @property
    def target(self) -> str:
        """Host and port, as a network grant names them."""
        parts = urlsplit(self.url)
        return _authority(parts) if parts.port else f"{_authority(parts)}:{_PORTS[parts.scheme]}"


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """What installing has to know about this host, for one ecosystem."""

    default: Index
    extra: tuple[Index, ...] = ()
    certificates: bytes = b""
    """The bundle of authorities to trust; empty for the tool's own."""
    ignored: tuple[str, ...] = ()
    """Settings that can't be followed inside a sandbox, as clauses."""

    @property
    def all(self) -> tuple[Index, ...]:
        """Every index, the default one first."""
        return (self.default, *self.extra)


def python_settings(
    environ: Mapping[str, str], configured: Mapping[str, Sequence[str]], default: str
) -> IndexSettings:
    """Return the settings for uv. Pure, but for the certificates.

    Args:
        environ: The environment variables of the user.
        configured: From files: `index-url`, `extra-index-url` and `cert`.
        default: What uv uses when nothing is set.

    Raises:
        EnvironmentUnavailable: an index address can't be used.
    """
    chosen = _first(
        environ.get("UV_DEFAULT_INDEX"),
        environ.get("UV_INDEX_URL"),
        environ.get("PIP_INDEX_URL"),
        *configured.get("index-url", ()),
    )
    names = ("UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL")
    wanted = [word for name in names for word in environ.get(name, "").split()]
    wanted += [word for text in configured.get("extra-index-url", ()) for word in text.split()]
    extra = list(dict.fromkeys(re.sub(r"^[\w.-]+=(?=https?:)", "", each) for each in wanted))
    remote = [each for each in extra if each.startswith(("https://", "http://"))]
    local = len(extra) - len(remote)
    paths = [*(environ.get(name) for name in _PYTHON_CERTIFICATES), *configured.get("cert", ())]
    return IndexSettings(
        default=_index(chosen or default, configured=chosen is not None),
        extra=tuple(_index(each, configured=True) for each in remote[:INDEXES_MAX]),
        certificates=read_certificates(paths),
        ignored=(
            *_unused_proxy(environ),
            *([f"indexes on this machine's disk are left out: {local}"] if local else []),
        ),
    )


def node_settings(environ: Mapping[str, str], said: Mapping[str, object]) -> IndexSettings:
    """Return the settings for npm, from what `npm config list --json` said.

    Raises:
        EnvironmentUnavailable: the registry's address can't be used.
    """
    registry = said.get("registry")
    if not isinstance(registry, str):
        raise EnvironmentUnavailable(
            "npm doesn't say which registry it uses", hint="npm config set registry URL"
        )
    own = said.get("cafile")
    paths = [
        own if isinstance(own, str) else None,
        *(environ.get(name) for name in _NODE_CERTIFICATES),
    ]
    # npm doesn't tell whether somebody set it. Then it is trusted no further than a default.
    named = "npm_config_registry" in {name.lower() for name in environ}
    return IndexSettings(
        default=_index(registry, configured=named),
        certificates=read_certificates(paths),
        ignored=_unused_proxy(environ),
    )


def _unused_proxy(environ: Mapping[str, str]) -> tuple[str, ...]:
    names = [name for name in environ if name.lower() == "https_proxy" and environ[name]]
    return ("packages are fetched directly, not through HTTPS_PROXY",) if names else ()


def read_python_settings(uv: str, environ: Mapping[str, str] | None = None) -> IndexSettings:
    """Return the settings for uv on this host.

    Raises:
        EnvironmentUnavailable: an index address can't be used, or uv doesn't run.
    """
    environ = os.environ if environ is None else environ
    return python_settings(environ, _configured(environ), _default_of_uv(uv))


def read_node_settings(
    command: Sequence[str], environ: Mapping[str, str] | None = None
) -> IndexSettings:
    """Return the settings for npm on this host; `command` starts npm.

    Raises:
        EnvironmentUnavailable: npm doesn't run, or its registry can't be used.
    """
    environ = os.environ if environ is None else environ
    text = _said([*command, "config", "list", "--json"], environ)
    try:
        said = json.loads(text)
    except ValueError:
        said = None
    return node_settings(environ, said if isinstance(said, dict) else {})


def read_certificates(paths: Sequence[str | None]) -> bytes:
    """Return the first bundle that is there, the system's after those that were set."""
    for path in (*paths, *_SYSTEM_CERTIFICATES):
        with contextlib.suppress(OSError, ValueError):
            if path and Path(path).stat().st_size <= CERTIFICATES_BYTES_MAX:
                return Path(path).read_bytes()
    return b""


def reachable_targets(
    settings: IndexSettings,
    ecosystem: Ecosystem,
    project: str,
    *,
    addresses_of: Callable[[str, int], Sequence[str]],
    page_of: Callable[[Index, str, bytes], bytes],
) -> tuple[str, ...]:
    """Return the hosts and ports, as network grants, that installing may reach.

    Args:
        settings: The indexes.
        ecosystem: Only Python's indexes keep their files elsewhere.
        project: A package that is asked for, whose page says where files are.
        addresses_of: A resolver.
        page_of: Fetches the beginning of the page of a package; empty when there is none.

    Raises:
        IndexUnreachable: the default index didn't answer.
    """
    targets: list[str] = []
    for index in settings.all:
        own = [index.target]
        if ecosystem is Ecosystem.PYTHON:
            page = page_of(index, project, settings.certificates)
            own += file_targets(index, project, page)
        targets += own
        if index.configured:
            targets += _own_addresses(own, addresses_of)
    return tuple(dict.fromkeys(targets))[:GRANTS_MAX]


def file_targets(index: Index, project: str, page: bytes) -> list[str]:
    """Return the hosts and ports that the page of a package links to."""
    base = f"{index.shown.rstrip('/')}/{project}/"
    found: dict[str, None] = {}
    for match in _LINK.finditer(page):
        link = (match[1] or match[2]).decode("utf-8", "replace")
        with contextlib.suppress(EnvironmentUnavailable, ValueError):
            found[Index(_checked(urljoin(base, link)), configured=False).target] = None
    return list(found)[:INDEXES_MAX]


def fetch_page(index: Index, project: str, certificates: bytes) -> bytes:
    """Return the beginning of an index's page of a package; empty when it has none.

    Raises:
        IndexUnreachable: it didn't answer.
    """
    request = urllib.request.Request(f"{index.shown.rstrip('/')}/{project}/")
    request.add_header("Accept", _ACCEPT)
    parts = urlsplit(index.url)
    if index.has_credentials:
        request.add_header("Authorization", _basic(parts))
    context = ssl.create_default_context(
        cadata=certificates.decode("ascii", "ignore") if certificates else None
    )
    try:
        # Without a proxy of the environment: what installs in the box doesn't have one either.
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        with opener.open(request, timeout=ASK_S) as answer:
            page: bytes = answer.read(PAGE_BYTES)
            return page
    except urllib.error.HTTPError as error:
        with error:
            if error.code in (404, 410):
                return b""
            raise unreachable(index, f"it answered {error.code}") from None
    except (OSError, ValueError) as error:
        raise unreachable(index, str(getattr(error, "reason", error))) from None


def resolve_addresses(host: str, port: int) -> list[str]:
    """Return the addresses of a host; none when it can't be resolved."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return [str(entry[4][0]) for entry in found]


def unreachable(index: Index, cause: str) -> IndexUnreachable:
    """Return the error for an index that doesn't answer."""
    return IndexUnreachable(
        f"the package index {index.shown} can't be reached",
        cause=cause,
        hint="check the network; UV_DEFAULT_INDEX or `npm config set registry` names another index",
    )


def _own_addresses(
    targets: Sequence[str], addresses_of: Callable[[str, int], Sequence[str]]
) -> Iterator[str]:
    """Yield the addresses of an index that its name alone could not open.

    Not those of a cloud's metadata service or of a link: no index is there.
    """
    for target in targets:
        host, _, port = target.rpartition(":")
        for text in addresses_of(host.strip("[]"), int(port)):
            address = parse_address(text)
            if address is not None and refusal(address) in _WHERE_AN_INDEX_MAY_BE:
                yield show(address, int(port))


def _index(url: str, *, configured: bool) -> Index:
    return Index(_checked(url), configured)


def _checked(url: str) -> str:
    """Return an address that is one."""
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise EnvironmentUnavailable(
            "the setting for the package index is not an http or https address",
            hint="see UV_DEFAULT_INDEX, PIP_INDEX_URL, the files of uv and pip, or npm's registry",
        )
    return url.strip()


def _authority(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2].lower()


def _basic(parts: SplitResult) -> str:
    from base64 import b64encode
    from urllib.parse import unquote

    pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def _first(*values: str | None) -> str | None:
    return next((value for value in values if value), None)


def _default_of_uv(uv: str) -> str:
    text = _said([uv, "pip", "compile", "--help"], {})
    found = re.search(r"--default-index[\s\S]{0,200}?(https://[^\s>\])]+)", text)
    if found is None:
        raise EnvironmentUnavailable(
            "uv doesn't say which package index it uses by default",
            hint="set UV_DEFAULT_INDEX to the address of your package index",
        )
    return found[1]


def _said(command: Sequence[str], environ: Mapping[str, str]) -> str:
    """Return what a tool of this host prints. It runs in `/`, so that no project speaks up."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_with_home(environ),
            cwd="/",
            timeout=ASK_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentUnavailable(
            f"{command[0]} can't be run", cause=str(error), hint="install it again"
        ) from None
    return done.stdout.decode("utf-8", "replace")


def _with_home(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which npm finds a home, without which it doesn't start.

    A user of a service or a container may have neither the variable nor an account. In `/`, only
    root can have put settings.
    """
    import pwd

    with contextlib.suppress(KeyError):
        pwd.getpwuid(os.getuid())
        return dict(environ)  # the account's, if the variable isn't there
    return {"HOME": "/", **environ}


def _configured(environ: Mapping[str, str]) -> dict[str, list[str]]:
    """Return what the files of the user and of the system set, the user's first."""
    found: dict[str, list[str]] = {"index-url": [], "extra-index-url": [], "cert": []}
    home = environ.get("HOME", "")
    user = environ.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else "")
    for path in (f"{user}/uv/uv.toml", "/etc/uv/uv.toml"):
        for name, value in _of_uv(path):
            found[name].append(value)
    named = environ.get("PIP_CONFIG_FILE", "")
    paths = (named, f"{user}/pip/pip.conf", f"{home}/.pip/pip.conf", "/etc/xdg/pip/pip.conf")
    for path in (*paths, "/etc/pip.conf"):
        for name, value in _of_pip(path):
            found[name].append(value)
    return found


def _of_pip(path: str) -> Iterator[tuple[str, str]]:
    parser = configparser.RawConfigParser()
    try:
        if not parser.read(path, encoding="utf-8") or not parser.has_section("global"):
            return
    except (OSError, UnicodeDecodeError, configparser.Error):
        return  # pip itself will tell
    for name in ("index-url", "extra-index-url", "cert"):
        if value := parser.get("global", name, fallback=""):
            yield name, value


def _of_uv(path: str) -> Iterator[tuple[str, str]]:
    try:
        document = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    # The same names exist at the top and below `pip`.
    for table in (document, document.get("pip", {})):
        if not isinstance(table, dict):
            continue
        if isinstance(url := table.get("index-url"), str):
            yield "index-url", url
        for url in table.get("extra-index-url", ()):
            yield "extra-index-url", str(url)
        for entry in table.get("index", ()):
            if isinstance(entry, dict) and isinstance(url := entry.get("url"), str):
                yield ("index-url" if entry.get("default") else "extra-index-url"), url
