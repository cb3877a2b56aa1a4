"""What of a person's grants takes effect: only what the skill asks for as well.

Pure. A request grants nothing, and a grant that nobody asked for is no request: both have to name
the same thing. Prose that asks for network names no host, so there the person's word is all there
is.
"""

from __future__ import annotations

from skilllite_sandbox.capabilities import Requests
from skilllite_sandbox.policy import NOTHING_GRANTED, Grants

PROXY_PORT = 3128  # inside the sandbox, where nothing else listens
_PROXY = f"http://127.0.0.1:{PROXY_PORT}"
PROXY_ENVIRONMENT = tuple(
    (name, _PROXY)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy")
)
"""How a program of a skill with network finds its way out; there is no other."""


def effective_grants(requests: Requests, granted: Grants) -> tuple[Grants, tuple[str, ...]]:
    """Return what takes effect, and one clause for everything that doesn't.

    Raises:
        InvalidInput: a grant can't be read.
    """
    if granted == NOTHING_GRANTED:
        return NOTHING_GRANTED, ()
    network, unasked = _effective_network(requests, granted.network)
    programs = tuple(dict.fromkeys(name for name in granted.exec if name in requests.exec))
    unasked += tuple(name for name in granted.exec if name not in requests.exec)
    variables = tuple(dict.fromkeys(name for name in granted.env if name in requests.env))
    unasked += tuple(name for name in granted.env if name not in requests.env)
    notes = tuple(f"it does not ask for {each}, so that grant has no effect" for each in unasked)
    return Grants(network=network, exec=programs, workspace=granted.workspace, env=variables), notes


def united(one: Grants, other: Grants) -> Grants:
    """Return what either grants."""
    if other == NOTHING_GRANTED:
        return one
    return Grants(
        network=tuple(dict.fromkeys((*one.network, *other.network))),
        exec=tuple(dict.fromkeys((*one.exec, *other.exec))),
        workspace=one.workspace or other.workspace,
        env=tuple(dict.fromkeys((*one.env, *other.env))),
    )


def _effective_network(
    requests: Requests, granted: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if not granted:
        return (), ()
    from skilllite_sandbox.egress.rules import parse_rules, show  # 10 ms that few runs need

    wanted = parse_rules(requests.network)
    effective: list[str] = []
    unasked: list[str] = []
    for grant in granted:
        rules = parse_rules([grant])
        targets = [*rules.names, *rules.addresses]
        if not (requests.network_mentioned and not requests.network):
            targets = [each for each in targets if each in wanted.names | wanted.addresses]
        if targets:
            effective += sorted(show(host, port) for host, port in targets)
        else:
            unasked.append(grant)
    return tuple(dict.fromkeys(effective)), tuple(unasked)
