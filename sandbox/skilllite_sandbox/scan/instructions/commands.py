"""What commands do that stand in instructions: a small reader for one-liners. Pure.

The engines for shell, Python and JavaScript read whole blocks; this one also sees commands inside
of sentences and of other languages' shells, and knows which of them are ordinary in manuals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from skilllite_sandbox.scan.clock import Clock
from skilllite_sandbox.scan.finding import Severity
from skilllite_sandbox.scan.known_sources import fetches_from_known_sources
from skilllite_sandbox.scan.lazy_pattern import LazyPattern
from skilllite_sandbox.supply.names import is_public_index
from skilllite_sandbox.values import dataclass

COMMAND_CHARS_MAX = 49_152  # of lines with commands in one file; manuals have a tenth of that
LARGE_CHARS = 131_072  # of one text; larger ones are read line by line, as long as there is time
LINES_UNSEEN = 512  # between two looks at the clock: a millisecond
LINE_CHARS_MAX = 4_096  # of one line; the patterns are bounded, but not cheap

_FETCH = r"(?:curl|wget|fetch|aria2c|http|xh|lwp-request|nscurl)"
_SHELL = r"(?:sudo\s+(?:-\S+\s+)*)?(?:/usr/bin/|/bin/|env\s+)?(?:ba|z|da|k|a|fi)?sh\b"
_INTERPRETER = (
    rf"(?:{_SHELL}|(?:sudo\s+)?(?:python[\d.]*|perl|ruby|node|php|osascript|deno\s+run)\b)"
)
_REST = r"[^\n|;&]{0,400}"

_FETCH_AND_RUN = (
    LazyPattern(rf"\b{_FETCH}\s{_REST}\|[^\n]{{0,200}}?\b{_INTERPRETER}", re.IGNORECASE),
    LazyPattern(
        rf"\b{_INTERPRETER}\s+(?:-\w+\s+)*[\"']?(?:<\(|\$\(|`)\s*{_FETCH}\b", re.IGNORECASE
    ),
    LazyPattern(
        rf"(?:\beval|\bsource|^\.|\s\.)\s+[\"']?(?:<\(|\$\(|`)\s*{_FETCH}\b", re.IGNORECASE
    ),
    LazyPattern(
        rf"\b{_FETCH}\s[^\n]{{0,300}}(?:&&|;)\s*(?:sudo\s+)?(?:chmod\s+\S{{1,20}}\s+[^\n]{{1,100}}(?:&&|;)\s*)"
        r"(?:sudo\s+)?(?:\./|/|~|sh\b|bash\b|open\b)",
        re.IGNORECASE,
    ),
    LazyPattern(
        rf"\b{_FETCH}\s[^\n]{{0,300}}(?:&&|;)\s*{_INTERPRETER}\s+[^\n]{{1,100}}", re.IGNORECASE
    ),
    LazyPattern(
        r"\b(?:iwr|irm|invoke-webrequest|invoke-restmethod|downloadstring|curl)\b[^\n]{0,300}\|\s*"
        r"(?:iex|invoke-expression)\b|\b(?:iex|invoke-expression)\b[^\n]{0,60}\(?\s*(?:\(?new-object|iwr|irm"
        r"|invoke-)",
        re.IGNORECASE,
    ),
    LazyPattern(
        r"\bmshta\s+[\"']?(?:https?|vbscript|javascript):|\bregsvr32\b[^\n]{0,80}https?:|\bmsiexec\b[^\n]{0,60}"
        r"https?:|\brundll32\b[^\n]{0,80}(?:javascript|https?):|\bcertutil\b[^\n]{0,60}-urlcache",
        re.IGNORECASE,
    ),
    LazyPattern(
        r"\bpython[\d.]*\s+-c\s[^\n]{0,200}(?:urlopen|requests\.get|urllib)[^\n]{0,200}\bexec\b"
        r"|\bpython[\d.]*\s+-c\s[^\n]{0,100}\bexec\b[^\n]{0,200}(?:urlopen|requests\.get|urllib)"
        r"|\bexec\([^\n]{0,80}(?:urlopen|requests\.get)\(|\beval\([^\n]{0,60}(?:await\s+)?fetch\(",
    ),
)
_DECODE_AND_RUN = (
    LazyPattern(
        rf"\b(?:base64|openssl\s+(?:enc|base64)|xxd|uudecode|base32)\s+[^\n|]{{0,80}}?(?:-d|-D|--decode|-r)\b"
        rf"[^\n]{{0,200}}\|[^\n]{{0,60}}?\b{_INTERPRETER}",
    ),
    LazyPattern(rf"\|\s*rev\s*\|[^\n]{{0,80}}?\b{_SHELL}"),
    LazyPattern(
        r"(?:\beval|\b(?:ba|z)?sh\s+-c)\s+[\"']?(?:\$\(|`)[^\n]{0,400}\b(?:base64|xxd|openssl)\b",
        re.IGNORECASE,
    ),
    LazyPattern(r"<\([^\n]{0,400}\bbase64\s+(?:-d|-D|--decode)"),
    LazyPattern(
        r"\bpowershell(?:\.exe)?\s[^\n]{0,80}-e(?:nc|ncodedcommand|c)?\s+[A-Za-z0-9+/=]{20,}", re.I
    ),
    LazyPattern(r"\bexec\([^\n]{0,80}\bb(?:64|32|85|16)decode\(|\beval\([^\n]{0,30}\batob\("),
)
_SECRET_PLACE = (
    r"(?:\.ssh/|id_(?:rsa|ed25519|ecdsa)|\.aws/|\.gnupg|\.netrc|\.git-credentials|\.kube/config|\.docker/config"
    r"|/etc/(?:passwd|shadow)|\.npmrc|\.pypirc|login\.keychain|wallet\.dat|\.config/gcloud|\.env\b|\.bash_history"
    r"|\.zsh_history|Login Data|Cookies\b|printenv|\benv\b(?!\s+\w+=)|\.config/gh/)"
)
_SENDERS = (
    r"(?:curl|wget|nc|ncat|netcat|socat|scp|sftp|rsync|ftp|mail|sendmail|http|xh|rclone|aws\s+s3)"
)
_SEND_SECRETS = (
    LazyPattern(rf"{_SECRET_PLACE}[^\n]{{0,300}}\|[^\n]{{0,200}}?\b{_SENDERS}\b"),
    LazyPattern(
        rf"\b(?:curl|wget|http|xh)\s[^\n]{{0,300}}(?:@|<|\$\(|`)[^\n]{{0,80}}?{_SECRET_PLACE}"
    ),
    LazyPattern(
        rf"\b(?:scp|rsync|sftp|rclone\s+copy|aws\s+s3\s+cp|nc|ncat)\s[^\n]{{0,200}}{_SECRET_PLACE}"
    ),
)
_SHELLS_OUT = (
    LazyPattern(r"/dev/(?:tcp|udp)/[^\s/]{1,100}/\d"),
    LazyPattern(r"\b(?:nc|ncat|netcat)\b[^\n]{0,80}\s-(?:\w*[ec])\s*[\"']?\S{0,20}(?:sh|cmd)"),
    LazyPattern(r"\bmkfifo\b[^\n]{0,200}\|\s*(?:nc|ncat|openssl|telnet)\b"),
    LazyPattern(r"\bsocat\b[^\n]{0,120}\bexec:", re.IGNORECASE),
)
_DESTROYS = (
    LazyPattern(
        r"\brm\s+(?:-\w+\s+|--\S+\s+){1,4}[\"']?(?:/|~/?|\$\{?HOME\}?[\"']?/?"
        r"|/(?:etc|usr|var|home|root|boot)\b/?)(?=[\s*`\"';&|)]|$)"
    ),
    LazyPattern(r"\bdd\b[^\n]{0,100}\bof=/dev/(?:sd|nvme|disk|hd|mmc)"),
    LazyPattern(r"\bmkfs(?:\.\w+)?\s+[^\n]{0,60}/dev/"),
    LazyPattern(r":\(\)\s*\{\s*:\s*\|\s*:\s*&\s*\}\s*;\s*:"),
)
_DISARMS = (
    LazyPattern(r"\bspctl\s+--(?:master|global)-disable|\bcsrutil\s+disable|\bsetenforce\s+0\b"),
    LazyPattern(r"\bxattr\s+-\w*[dc]\w*\s+[^\n]{0,60}"),
    LazyPattern(
        r"\bSet-MpPreference\b[^\n]{0,120}-Disable|\bAdd-MpPreference\b[^\n]{0,80}-Exclusion", re.I
    ),
    LazyPattern(
        r"\bufw\s+disable|\biptables\s+-F\b|\bsystemctl\s+(?:stop|disable)\s+(?:firewalld|auditd|apparmor)"
    ),
    LazyPattern(r"NOPASSWD\s*:\s*ALL|\bchmod\s+(?:-R\s+)?(?:0?777|u\+s|[246]755)\s+/"),
    LazyPattern(
        r"\bset-executionpolicy\s+(?:unrestricted|bypass)|-ExecutionPolicy\s+Bypass", re.IGNORECASE
    ),
)
_PERSISTS = (
    LazyPattern(r">>\s*[\"']?\S{0,80}authorized_keys"),
    LazyPattern(
        r"\|\s*crontab\s+-|\bcrontab\s+-\s*<|>>?\s*/etc/cron|/etc/rc\.local|/etc/ld\.so\.preload"
    ),
    LazyPattern(
        r">\s*[\"']?\S{0,80}(?:LaunchAgents|LaunchDaemons|/systemd/(?:user|system)|autostart)/"
    ),
    LazyPattern(
        r"(?:curl|wget|\bnc\b|base64|https?:)[^\n]{0,200}>>\s*[\"']?\S{0,60}\.(?:bashrc|zshrc|profile"
        r"|bash_profile|zshenv)"
    ),
    LazyPattern(
        r">>?\s*[\"']?\S{0,80}(?:CLAUDE\.md|AGENTS\.md|\.cursorrules|\.claude/|\.git/hooks/)"
    ),
)
_FOREIGN_INDEX = (
    LazyPattern(r"\b(?:pip[\d.]*|uv\s+pip|uv)\s[^\n]{0,200}--(?:extra-)?index-url[ =]\S+"),
    LazyPattern(r"\bpip[\d.]*\s+install\s[^\n]{0,200}(?:git\+|https?://)\S+"),
    LazyPattern(
        r"\b(?:(?:npm|pnpm|yarn)\s+(?:install|i|add|ci|exec|dlx)|npx|bunx)\s[^\n]{0,100}?"
        r"(?:--registry[ =]https?:\S+|(?<=\s)(?:git\+)?https?://\S+)"
    ),
)
_ORDINARY_INDEX = re.compile(r"download\.pytorch\.org")
_ADDRESS = re.compile(r"https://[^\s'\"]+")


@dataclass(frozen=True, slots=True)
class Harm:
    """What a command in a text would do."""

    code: str
    severity: Severity
    detail: str
    offset: int


class CommandReader:
    """Finds harmful commands in the texts of one file, within a bound for all of them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left = COMMAND_CHARS_MAX

    @property
    def exhausted(self) -> bool:
        """Whether the bound was reached, so that something was not read."""
        return self._left <= 0

    def harms_of(self, text: str) -> Iterator[Harm]:
        """Yield the harmful commands of a text, by its lines; a joined line counts as one."""
        if len(text) < LARGE_CHARS and WORTH.search(text) is None:
            return
        offset = 0
        for number, line in enumerate(text.replace("\\\n", "  ").split("\n")):
            if number % LINES_UNSEEN == 0 and self._clock.is_over():
                return  # whoever asked looks at the clock as well
            if self._left > 0 and WORTH.search(line[:LINE_CHARS_MAX]) is not None:
                self._left -= min(len(line), LINE_CHARS_MAX)
                for harm in _harms_of_line(line[:LINE_CHARS_MAX]):
                    yield Harm(harm.code, harm.severity, harm.detail, offset + harm.offset)
            offset += len(line) + 1


def _harms_of_line(text: str) -> Iterator[Harm]:
    for pattern in _FETCH_AND_RUN:
        if (match := pattern.search(text)) is not None:
            if fetches_from_known_sources(text):
                yield Harm("SL506", Severity.LOW, "an installer of a known vendor", match.start())
            else:
                detail = "fetches a program and runs it"
                yield Harm("SL522", Severity.CRITICAL, detail, match.start())
            break
    for patterns, detail, severity in _KINDS:
        for pattern in patterns:
            if (match := pattern.search(text)) is not None:
                code = "SL522" if severity is Severity.CRITICAL else "SL507"
                yield Harm(code, severity, detail, match.start())
                break
    for pattern in _FOREIGN_INDEX:
        if (match := pattern.search(text)) is not None:
            named = _ADDRESS.search(match.group())
            ordinary = _ORDINARY_INDEX.search(match.group()) is not None
            ordinary = ordinary or (named is not None and is_public_index(named.group()))
            forge = "github.com/" in match.group() or "gitlab.com/" in match.group()
            severity = Severity.LOW if ordinary else Severity.MEDIUM if forge else Severity.HIGH
            yield Harm("SL506", severity, "installs from elsewhere", match.start())
            break


_KINDS: tuple[tuple[tuple[LazyPattern, ...], str, Severity], ...] = (
    (_DECODE_AND_RUN, "decodes a program and runs it", Severity.CRITICAL),
    (_SEND_SECRETS, "sends secrets away", Severity.CRITICAL),
    (_SHELLS_OUT, "opens a shell to elsewhere", Severity.CRITICAL),
    (_DESTROYS, "destroys files", Severity.CRITICAL),
    (_DISARMS, "switches a protection off", Severity.HIGH),
    (_PERSISTS, "makes something run again later", Severity.HIGH),
)
WORTH = re.compile(
    r"\b(?:curl|wget|base64|iex|iwr|irm|invoke-\w+|powershell|mshta|nc|ncat|socat|rm|dd|mkfs|xattr|spctl|crontab"
    r"|pip|npm|npx|exec|eval|scp|rsync|chmod|mkfifo|certutil|osascript|csrutil|setenforce|rev|xxd|openssl|fetch"
    r"|set-\w+|add-mppreference|ufw|iptables|regsvr32|msiexec|rundll32|http|uv|pnpm|yarn|bunx|rclone)\b"
    r"|/dev/tcp|NOPASSWD|authorized_keys|:\(\)|>>",
    re.IGNORECASE,
)
