"""Programs whose output is a secret: what password stores and log-ins print when they are asked."""

from __future__ import annotations

import re

_PRINTS_SECRETS = re.compile(
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


def prints_secrets(command: str) -> str:
    """Return the part of a command line that has a secret printed; empty when there is none."""
    match = _PRINTS_SECRETS.search(command)
    return match.group().strip(" ;|&(`/") if match is not None else ""
