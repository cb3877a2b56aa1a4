"""What may be said of an event: bounded values without secrets and without control characters.

Decides nothing about which facts are told, except that a value under a name like `password` is
never kept, and that a value of another kind than JSON's is told as its text. Facts never make an
event fail: what doesn't fit is cut, and says so.
"""

from __future__ import annotations

import math
import os

from skilllite_sandbox.printable import ONE_LINE

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

KEYS_MAX = 32  # of one object; an event has about ten
ITEMS_MAX = 32  # of one list: the hosts or programs of a grant
DEPTH_MAX = 4
KEY_CHARS_MAX = 48
KEYS_KNOWN_MAX = 256  # names that are remembered
TEXT_CHARS_MAX = 400  # a path, a message; the next bound keeps all of them together in a line
TEXTS_CHARS_MAX = 2048  # of one event; one character may take six bytes of a line
LOOKED_AT_CHARS_MAX = 8192  # of one text, for secrets; the rest is not kept
VALUES_MAX = 256  # of one event
INTEGER_MAX = 2**53
SECRET_CHARS_MIN = 6  # a shorter value of a variable is a flag or a number, and occurs everywhere
HIDDEN = "[redacted]"
CUT = "…"

SECRET_MARKS = (
    *("sk-", "sk_", "pk-", "pk_", "rk-", "rk_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_"),
    *("glpat-", "xox", "akia", "asia", "aiza", "ya29.", "npm_", "pypi-", "hf_", "dop_v1_"),
    *("shpat_", "sg.", "sq0", "eyj", "-----begin", "bearer", "basic", "authorization", "cookie"),
    *("://", "key", "secret", "token", "pass", "pwd", "credential", "sig", "session", "auth"),
    *(
        "code=",
        "jwt",
        "gsk_",
        "xai-",
        "nvapi-",
        "pplx-",
        "dckr_",
        "whsec_",
        "hvs.",
        "atatt",
        "lin_",
    ),
    *("sntry", "webhook", "hooks.", "/bot", " -u", "--user", "sshpass"),
)
"""Where a pattern of `secrets` matches, one of these occurs, in lower case; a test holds them to
that."""

HARMLESS_CHARS_MAX = 12  # one word shorter than anything that a pattern takes for a secret

_DIGITS = frozenset("0123456789abcdef")
_AS_IT_IS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~")

_SECRET_NAMES = (
    *("password", "passwd", "passphrase", "secret", "token", "apikey", "api_key", "authorization"),
    *("credential", "private_key", "access_key", "cookie", "passcode", "pwd", "bearer", "jwt"),
)
_VARIABLES = ("KEY", "TOKEN", "SECRET", "PASS", "PWD", "CREDENTIAL", "AUTH", "COOKIE", "DSN")
_NOT_SECRET = frozenset({"PWD", "OLDPWD", "SSH_AUTH_SOCK", "XAUTHORITY"})


class Redaction:
    """Makes facts fit to be written down. Immutable; one a process is enough."""

    __slots__ = ("_keys", "_values")

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        """Remember what the environment keeps under names like those of secrets."""
        environ = os.environ if environ is None else environ
        self._keys: dict[str, str] = {}
        values = {value for value in _secrets_in(environ) if len(value) >= SECRET_CHARS_MIN}
        values |= {_in_url(value) for value in values}
        self._values = tuple(sorted(values, key=len, reverse=True))

    def clean(self, facts: Mapping[str, object]) -> dict[str, Any]:
        """Return facts that can be written down."""
        return self._object(facts, 1, _Room())

    def text(self, text: str) -> str:
        """Return one text that can be written down."""
        return self._text(text, _Room())

    def _value(self, value: object, depth: int, room: _Room) -> Any:
        if not room.has_place():
            return CUT
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            fits = -INTEGER_MAX <= value <= INTEGER_MAX
            return int(value) if fits else f"{value.bit_length()} bits"
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)
        if isinstance(value, str):
            return self._text(value, room)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return f"{len(value)} bytes"  # never their content
        if depth >= DEPTH_MAX:
            return CUT
        if hasattr(value, "items"):
            return self._object(value, depth + 1, room)
        if isinstance(value, (list, tuple, set, frozenset)):
            kept = [self._value(each, depth + 1, room) for each in list(value)[:ITEMS_MAX]]
            return kept if len(value) <= ITEMS_MAX else [*kept, f"{CUT} {len(value)} in all"]
        if isinstance(value, os.PathLike):
            return self._text(str(value), room)
        return type(value).__name__

    def _object(self, facts: Any, depth: int, room: _Room) -> dict[str, Any]:
        cleaned: dict[str, Any] = {}
        for number, (name, value) in enumerate(facts.items()):
            if number == KEYS_MAX:
                cleaned[CUT] = f"{len(facts)} in all"
                break
            key = room.take(self._key(str(name)))
            cleaned[key] = HIDDEN if _names_secret(key, value) else self._value(value, depth, room)
        return cleaned

    def _key(self, name: str) -> str:
        """Return a name as it may be written; the same few dozen occur in every event."""
        found = self._keys.get(name)
        if found is None:
            found = self._shown(name)[:KEY_CHARS_MAX]
            if len(self._keys) < KEYS_KNOWN_MAX and len(name) <= KEY_CHARS_MAX:
                self._keys[name] = found
        return found

    def _text(self, text: str, room: _Room) -> str:
        return room.take(self._shown(text))

    def _shown(self, text: str) -> str:
        shown = str(text)
        if len(shown) > LOOKED_AT_CHARS_MAX:
            # A secret that was cut in two would not be known for one: leave out the last word.
            head = shown[:LOOKED_AT_CHARS_MAX]
            shown = head[: max(head.rfind(" "), head.rfind("\n"), 0)] + CUT
        for value in self._values:
            if value in shown:
                shown = shown.replace(value, HIDDEN)
        shown = _without_secrets(shown)
        if not shown.isascii() or not shown.isprintable():
            shown = shown.encode("utf-8", "replace").decode("utf-8").translate(ONE_LINE)
        return shown


def _secrets_in(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the values of variables with names like secrets', and the passwords of addresses."""
    for name, value in environ.items():
        if name not in _NOT_SECRET and any(word in name.upper() for word in _VARIABLES):
            yield value
        elif "://" in value:
            user, at, _ = value.partition("://")[2].rpartition("@")
            if at:
                yield user.partition(":")[2]


def _in_url(value: str) -> str:
    """Return a value as it stands in an address; without urllib, which takes 10 ms."""
    data = value.encode("utf-8", "surrogateescape")
    return "".join(chr(each) if each in _AS_IT_IS else f"%{each:02X}" for each in data)


class _Room:
    """What all values of one event may take together."""

    __slots__ = ("_left", "_places")

    def __init__(self) -> None:
        self._left = TEXTS_CHARS_MAX
        self._places = VALUES_MAX

    def has_place(self) -> bool:
        """Take the place of one value, if there is one."""
        self._places -= 1
        return self._places >= 0

    def take(self, text: str) -> str:
        """Return as much of a text as there is room for."""
        most = min(TEXT_CHARS_MAX, self._left)
        if len(text) > most:
            text = text[:most] + CUT
        self._left = max(self._left - len(text), 0)
        return text


def _without_secrets(text: str) -> str:
    if len(text) <= HARMLESS_CHARS_MAX and text.replace("-", "").isalnum():
        return text
    if _DIGITS.issuperset(text.removeprefix("sha256:")):
        return text  # no mark is made of these alone
    lowered = text.lower()
    if not any(mark in lowered for mark in SECRET_MARKS):
        return text
    from skilllite_sandbox.audit.secrets import hide_secrets

    return hide_secrets(text)


def _names_secret(key: str, value: object) -> bool:
    lowered = key.lower()
    return not isinstance(value, (bool, int)) and any(word in lowered for word in _SECRET_NAMES)
