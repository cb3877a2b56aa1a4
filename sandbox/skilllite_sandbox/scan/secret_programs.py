"""Programs whose output is a secret: what password stores and log-ins print when they are asked."""

from __future__ import annotations

import re

from skilllite_sandbox.scan.lazy_pattern import LazyPattern

_PRINTS_SECRETS = LazyPattern(
    r"(?:^|[\s;|&(`/])(?:"
    r"git\s+credential(?:-\w+)?\s+(?:fill|get)\b|git-credential-\w+\s+get\b"
    r"|gh\s+auth\s+(?:token|status\s+.*(?:-t|--show-token)\b)|hub\s+api\s+--show-token"
    r"|gcloud\s+(?:beta\s+)?auth\s+(?:application-default\s+)?print-(?:access|identity)-token"
    r"|aws\s+configure\s+(?:get|export-credentials)|aws\s+sts\s+get-session-token"
    r"|aws\s+secretsmanager\s+get-secret-value|az\s+account\s+get-access-token"
    r"|security\s+(?:find-(?:generic|internet)-password|dump-keychain|export)\b"
    r"|secret-tool\s+(?:lookup|search)\b|kwallet-query\b|pass\s+(?:show|ls|grep)\b|gopass\s+show\b"
    r"|op\s+(?:read|item\s+get|signin)\b|bw\s+(?:get|list|export|unlock)\b|lpass\s+(?:show|export)\b"
    r"|vault\s+(?:read|kv\s+get|token\s+lookup)\b|keyring\s+get\b|docker-credential-[\w-]+\s+get\b"
    r"|kubectl\s+config\s+view\s+.*--raw|kubectl\s+get\s+secrets?\b.*(?:-o|--output)"
    r"|gpg2?\s+.*--export-secret-(?:sub)?keys|ssh-add\s+-L\b|heroku\s+auth:token|doctl\s+auth\s+token"
    r"|npm\s+token\s+list|cmdkey\s+/list|netsh\s+wlan\s+show\s+profile.*key=clear"
    r"|defaults\s+read\s+.*(?:password|token))",
    re.IGNORECASE,
)


_VENDORS = (
    ("gh ", re.compile(r"(?:^|\.)(?:github\.com|githubusercontent\.com)$")),
    ("hub ", re.compile(r"(?:^|\.)github\.com$")),
    ("git", re.compile(r"(?:^|\.)(?:github\.com|gitlab\.com|bitbucket\.org)$")),
    ("gcloud ", re.compile(r"(?:^|\.)googleapis\.com$")),
    ("az ", re.compile(r"(?:^|\.)(?:azure\.com|microsoft\.com|windows\.net)$")),
    ("aws ", re.compile(r"(?:^|\.)amazonaws\.com$")),
)


def belongs_to(asked: str, host: str) -> bool:
    """Tell whether a log-in that a program printed is for this host: there it may be sent."""
    host = host.partition(":")[0].lower()
    return any(asked.startswith(name) and hosts.search(host) for name, hosts in _VENDORS)


def is_own_login(asked: str) -> bool:
    """Tell whether a program printed the log-in that it keeps for its own service."""
    return any(asked.startswith(name) for name, _ in _VENDORS if name != "git")


def prints_secrets(command: str) -> str:
    """Return the part of a command line that has a secret printed; empty when there is none."""
    match = _PRINTS_SECRETS.search(command)
    return match.group().strip(" ;|&(`/") if match is not None else ""
