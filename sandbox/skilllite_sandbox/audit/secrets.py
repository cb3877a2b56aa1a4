"""What secrets look like in text. Every pattern takes time linear in the text.

Only asked about text that has one of the marks in `facts`, since the patterns take longer to
compile than all else that the log does for a run. A key with neither a prefix of its issuer nor a
name beside it looks like any other word and isn't found.
"""

from __future__ import annotations

import re

HIDDEN = "[redacted]"

# Possessive, or bounded, throughout: nothing is tried twice.
_PREFIXED = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"[srp]k[-_][A-Za-z0-9_\-]{12,}+"  # OpenAI, Anthropic, Stripe
    r"|gh[pousr]_[A-Za-z0-9]{12,}+|github_pat_[A-Za-z0-9_]{12,}+|glpat-[A-Za-z0-9_\-]{12,}+"
    r"|xox[a-z]-[A-Za-z0-9\-]{8,}+"  # Slack
    r"|A(?:KIA|SIA)[A-Z0-9]{12,}+|AIza[A-Za-z0-9_\-]{16,}+|ya29\.[A-Za-z0-9_\-]{12,}+"
    r"|npm_[A-Za-z0-9]{12,}+|pypi-[A-Za-z0-9_\-]{12,}+|hf_[A-Za-z0-9]{12,}+"
    r"|dop_v1_[a-f0-9]{12,}+|shpat_[a-fA-F0-9]{12,}+|SG\.[A-Za-z0-9_\-.]{12,}+"
    r"|sq0[a-z]{3}-[A-Za-z0-9_\-]{12,}+|(?:gsk|whsec|dckr_pat|lin_api|sntrys|sntryu)_[\w\-]{12,}+"
    r"|(?:xai|nvapi|pplx|tskey-[a-z]{2,12})-[A-Za-z0-9_\-]{12,}+|hvs\.[A-Za-z0-9_\-]{12,}+"
    r"|ATATT3[A-Za-z0-9_\-=]{12,}+|AGE-SECRET-KEY-1[A-Z0-9]{12,}+"
    r"|eyJ[A-Za-z0-9_\-]{8,}+(?:\.[A-Za-z0-9_\-]*+)*+"  # a JWT, whole or cut off
    r")"
)
_PEM = re.compile(r"-----BEGIN[ A-Z0-9]*+-----(?:[^-]|-(?!----))*+(?:-----END[ A-Z0-9]*+-----)?+")
_BEARER = re.compile(r"\b(bearer)([ \t:]++|%20)[A-Za-z0-9_\-.~+/=]{4,}+", re.IGNORECASE)
# An upper-case letter, a digit or `=` in it: "basic arithmetic" is no password.
_BASIC = re.compile(
    r"\b([Bb]asic|BASIC)([ \t:]++|%20)(?=[a-z+/]{0,64}+[A-Z0-9=])[A-Za-z0-9+/=_\-]{4,}+"
)
_HEADER = re.compile(
    r"((?:proxy-)?+authorization|(?:set-)?+cookie)([\"']?+[ \t]*+[:=][ \t]*+)[^\r\n]++",
    re.IGNORECASE,
)
_USER = re.compile(r"(://)[^\s/?#\"'<>]*@")
# Addresses that are a secret themselves.
_WEBHOOK = re.compile(
    r"(hooks\.slack\.com/(?:services|workflows)/|discord(?:app)?\.com/api/webhooks/"
    r"|webhook\.office\.com/|/bot(?=\d{5}))[^\s\"'<>?#]{8,}+",
    re.IGNORECASE,
)
_LOGIN = re.compile(r"(\s(?:-u|--user)[ =]?[\"']?[^\s\"':]{1,64}+:)[^\s\"']++")
_SSHPASS = re.compile(r"(\bsshpass\s++-p\s*+)[^\s]++")
_SAID = re.compile(
    r"(\b(?:password|passphrase|token|secret)(?: is|\s*+->)\s++)[^\s]{6,}+", re.IGNORECASE
)
_WORDS = (
    r"jwt|api[_\-]?key|access[_\-]?key|private[_\-]?key|secret|token|pass(?:word|wd|phrase|code)?|pwd"
    r"|credential|signature|session|auth"
)
_NAMED = re.compile(
    rf"((?:{_WORDS}|key|sig|[?&]code)[A-Za-z0-9_\-]{{0,32}}+[\"']?+[ \t]*+[:=]\s{{0,4}}+)"
    r"(?:\"[^\"\r\n]*+\"?+|'[^'\r\n]*+'?+|[^\s&\"';,<>)\]}]++)",
    re.IGNORECASE,
)
_OPTION = re.compile(
    rf"(?<![\w\-])(--?[a-z\-]{{0,24}}?(?:{_WORDS}|key)[ \t]++)[^\s\"']++", re.IGNORECASE
)


def hide_secrets(text: str) -> str:
    """Return text with everything that looks like a secret replaced."""
    text = _PEM.sub(HIDDEN, text)
    text = _HEADER.sub(rf"\1\2{HIDDEN}", text)
    text = _PREFIXED.sub(HIDDEN, text)
    text = _BEARER.sub(rf"\1\2{HIDDEN}", text)
    text = _BASIC.sub(rf"\1\2{HIDDEN}", text)
    text = _USER.sub(rf"\1{HIDDEN}@", text)
    for pattern in (_WEBHOOK, _LOGIN, _SSHPASS, _SAID):
        text = pattern.sub(rf"\1{HIDDEN}", text)
    text = _NAMED.sub(rf"\1{HIDDEN}", text)
    return _OPTION.sub(rf"\1{HIDDEN}", text)
