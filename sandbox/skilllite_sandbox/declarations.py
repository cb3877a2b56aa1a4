"""What a skill declares that it needs: our keys in the metadata, the prose of `compatibility`.

Reading prose errs towards hearing a request, which costs one line of notice. Nothing is ever
granted because of prose.
"""

from __future__ import annotations

import re

from skilllite_sandbox.capabilities import Package, Requests
from skilllite_sandbox.manifest import Manifest, Problem

NETWORK_KEY = "skilllite.network"
EXEC_KEY = "skilllite.exec"
ENV_KEY = "skilllite.env"
IDEMPOTENT_KEY = "skilllite.idempotent"
WRITABLE_CODE_KEY = "skilllite.writable-code"
REQUESTED_MAX = 64  # hosts or programs of one skill; a person has to read them before granting

_SEPARATORS = re.compile(r"[\s,]+")
_CLAUSES = re.compile(r"[,;\n]|\.(?:\s|$)|\b(?:but|and|yet)\b", re.IGNORECASE)
_HOST = re.compile(
    r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
)
_PROGRAM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,63}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_BASH_TOOL = re.compile(r"Bash(?:\((?P<rule>.*)\))?", re.IGNORECASE | re.DOTALL)

_STEERING = frozenset({"HOME", "PATH", "TMPDIR", "LANG", "SHELL", "USER", "IFS", "ENV"})
_STEERING_PREFIXES = ("LD_", "PYTHON", "NODE_", "BASH", "SKILLLITE_", "GIT_", "HTTP", "ALL_PROXY")
"""Variables that say how programs behave, not what a skill works on; the sandbox sets its own."""

_NETWORK_WORDS = re.compile(
    r"\b(?:internet|online)\b"
    r"|\b(?:web|https?|api)\s+(?:access|calls?|requests?|connection|connectivity)\b"
    r"|(?<!neural )(?<!social )(?<!bayesian )(?<!petri )\bnetwork(?:ing)?\b"
    r"(?!\s+(?:analysis|graphs?|diagrams?|theory|models?|topology|science|flow))",
    re.IGNORECASE,
)
_NEGATIONS = re.compile(
    r"\b(?:no|not|non|none|never|without|neither|nor|offline|zero|free of|isn't|doesn't|don't"
    r"|needn't|disabled|unnecessary|air-?gapped)\b",
    re.IGNORECASE,
)


def read_requests(
    manifest: Manifest, packages: tuple[Package, ...]
) -> tuple[Requests, tuple[Problem, ...]]:
    """Collect what a skill asks for, and what in it makes no sense."""
    problems: list[Problem] = []
    bash_tools = _bash_tools(manifest.allowed_tools, problems)
    hosts = _split(manifest, NETWORK_KEY, problems)
    programs = _split(manifest, EXEC_KEY, problems)
    variables = _split(manifest, ENV_KEY, problems)
    requests = Requests(
        network=tuple(host.lower() for host in hosts if _valid_host(host.lower(), problems)),
        network_mentioned=mentions_network(manifest.compatibility),
        packages=packages,
        exec=tuple(program for program in programs if _valid_program(program, problems)),
        env=tuple(name for name in variables if _valid_variable(name, problems)),
        bash_tools=bash_tools,
        writable_code=_flag(manifest, WRITABLE_CODE_KEY, problems),
        idempotent=_flag(manifest, IDEMPOTENT_KEY, problems),
    )
    return requests, tuple(problems)


def mentions_network(prose: str) -> bool:
    """Whether some clause asks for network and doesn't negate it."""
    return any(
        _NETWORK_WORDS.search(clause) and not _NEGATIONS.search(clause)
        for clause in _CLAUSES.split(prose)
    )


def _split(manifest: Manifest, key: str, problems: list[Problem]) -> list[str]:
    words = [word for word in _SEPARATORS.split(manifest.metadata.get(key, "")) if word]
    unique = list(dict.fromkeys(words))
    if len(unique) > REQUESTED_MAX:
        text = f"names {len(unique)}, only the first {REQUESTED_MAX} count"
        problems.append(Problem("error", f"metadata.{key}", text))
    return unique[:REQUESTED_MAX]


def _valid_host(text: str, problems: list[Problem]) -> bool:
    host, colon, port = text.rpartition(":") if re.search(r":\d*$", text) else (text, "", "")
    if text.startswith("[") and text.endswith("]"):
        host, colon, port = text, "", ""
    good_port = not colon or (port.isdecimal() and len(port) <= 5 and 0 < int(port) < 65536)
    if good_port and (_HOST.fullmatch(host) or _is_ipv6(host)):
        return True
    problems.append(
        Problem(
            "error",
            f"metadata.{NETWORK_KEY}",
            f"{text[:80]!r} is not a host name with an optional port",
            'write for example "api.example.com cdn.example.com:8443"',
        )
    )
    return False


def _is_ipv6(text: str) -> bool:
    if not (text.startswith("[") and text.endswith("]")):
        return False
    import ipaddress  # 5 ms, and hardly any skill asks for an address

    try:
        ipaddress.IPv6Address(text[1:-1])
    except ValueError:
        return False
    return True


def _valid_program(text: str, problems: list[Problem]) -> bool:
    if _PROGRAM.fullmatch(text):
        return True
    message = f"{text[:80]!r} is not the name of a program"
    problems.append(
        Problem("error", f"metadata.{EXEC_KEY}", message, 'names without a path, like "git jq"')
    )
    return False


def _valid_variable(text: str, problems: list[Problem]) -> bool:
    if not _VARIABLE.fullmatch(text):
        what = "is not the name of an environment variable"
    elif text.upper() in _STEERING or text.upper().startswith(_STEERING_PREFIXES):
        what = "steers programs and is never passed on"
    else:
        return True
    hint = 'names like "WEATHER_API_KEY"'
    problems.append(Problem("error", f"metadata.{ENV_KEY}", f"{text[:80]!r} {what}", hint))
    return False


def _flag(manifest: Manifest, key: str, problems: list[Problem]) -> bool:
    value = manifest.metadata.get(key, "false").strip().lower()
    if value not in ("true", "false", ""):
        problems.append(
            Problem("error", f"metadata.{key}", f"is {value[:40]!r}", 'write "true" or "false"')
        )
    return value == "true"


def _bash_tools(allowed: tuple[str, ...], problems: list[Problem]) -> tuple[str, ...]:
    found = (match["rule"] for tool in allowed if (match := _BASH_TOOL.fullmatch(tool)))
    rules = tuple(dict.fromkeys((rule or "*").strip() for rule in found))
    if rules:
        from skilllite_sandbox.bash_tool.patterns import read_patterns  # few skills have any

        _, clauses = read_patterns(rules)
        hint = "write for example Bash(git:*) or Bash(git log:*)"
        problems += (Problem("warning", "allowed-tools", clause, hint) for clause in clauses)
    return rules
