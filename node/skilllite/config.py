"""Where the value of each setting comes from, and what happens when it is wrong.

Precedence: flag > environment > `.env` of the project > `config.toml` of the home > default. Every
value keeps its origin, so that a message can say which line to change.

A `.env` belongs to a folder that somebody else may have written. It never overrides, and settings
marked `trusted_only` ignore it: a folder can't lower the sandbox level, add peers or open ports.
A setting that is `file_only` ignores the environment too.

A `config.toml` that can't be read refuses to start. Other damaged files are renamed and replaced;
this one was written by a person, and starting with the defaults instead would silently undo
whatever was made stricter in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from skilllite.errors import ConfigInvalid, UsageError
from skilllite.home import Home
from skilllite.settings import BY_KEY, SETTINGS, Setting, Unfit, Value

TYPE_CHECKING = False  # importing `typing` for it would cost every command 5 ms
if TYPE_CHECKING:
    from pathlib import Path

FILE_BYTES_MAX = 64 * 1024
"""A config or .env larger than this is something else."""

FLAG_ORIGIN = "the flag for"
DEFAULT_ORIGIN = "the default"


class Resolved:
    """A value and where it came from."""

    __slots__ = ("origin", "value")

    def __init__(self, value: Value, origin: str) -> None:
        self.value = value
        self.origin = origin
        """A clause for messages, such as `environment variable SKILLLITE_NODE_NAME`."""


class Config:
    """The resolved settings of one process."""

    def __init__(self, values: Mapping[str, Resolved], notes: tuple[str, ...]) -> None:
        self._values = values
        self.notes = notes
        """What was ignored and why, for the person to see."""

    def origin(self, key: str) -> str:
        """Return where the value of a setting came from."""
        return self._values[key].origin

    def is_default(self, key: str) -> bool:
        """Return whether nobody set it."""
        return self.origin(key) == DEFAULT_ORIGIN

    def value(self, key: str) -> Value:
        """Return a setting of any type."""
        return self._values[key].value

    def text(self, key: str) -> str:
        """Return a text setting."""
        value = self._values[key].value
        assert isinstance(value, str)
        return value

    def integer(self, key: str) -> int:
        """Return a whole-number setting."""
        value = self._values[key].value
        assert isinstance(value, int)
        return value

    def number(self, key: str) -> float:
        """Return a number setting."""
        value = self._values[key].value
        assert isinstance(value, (int, float))
        return value

    def flag(self, key: str) -> bool:
        """Return an on/off setting."""
        value = self._values[key].value
        assert isinstance(value, bool)
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list setting."""
        value = self._values[key].value
        assert isinstance(value, tuple)
        return value


def load_config(
    home: Home,
    *,
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    project: Path | None = None,
) -> Config:
    """Resolve every setting.

    Args:
        home: whose `config.toml` is read.
        flags: what the command line gave, by key; None values count as not given.
        environ: the environment, the process's own by default.
        project: the folder whose `.env` is read; none is read without.

    Raises:
        ConfigInvalid: a value has the wrong type or breaks a bound, or a file can't be read.
    """
    environ = os.environ if environ is None else environ
    notes: list[str] = []
    from_file = _read_config_file(home.config_name)
    from_dotenv = _read_dotenv(f"{project}/.env") if project is not None else {}
    values = {}
    for setting in SETTINGS:
        given = (flags or {}).get(setting.key)
        line = from_dotenv.get(setting.variable)
        if line is not None and setting.trusted_only:
            notes.append(f"{line.where}: {setting.variable} is ignored, a folder may not set it")
            line = None
        in_environment = setting.variable in environ
        if in_environment and setting.file_only:
            notes.append(
                f"environment variable {setting.variable} is ignored, "
                f"{home.config_name} and a flag set it"
            )
            in_environment = False
        if given is not None:
            values[setting.key] = _resolve(setting, given, f"{FLAG_ORIGIN} {setting.key}")
        elif in_environment:
            where = f"environment variable {setting.variable}"
            values[setting.key] = _resolve(setting, environ[setting.variable], where)
        elif line is not None:
            values[setting.key] = _resolve(setting, line.text, line.where)
        elif setting.key in from_file:
            given = from_file[setting.key]
            # TOML has types, so `port = "7610"` is a mistake there and not in the environment.
            values[setting.key] = _resolve(setting, given, home.config_name, typed=True)
        else:
            values[setting.key] = Resolved(setting.default, DEFAULT_ORIGIN)
    return Config(values, tuple(notes))


def _resolve(setting: Setting, given: object, where: str, *, typed: bool = False) -> Resolved:
    try:
        text = isinstance(given, str) and not typed
        return Resolved(setting.parse(str(given)) if text else setting.check(given), where)
    except Unfit as error:
        kind = UsageError if where.startswith(FLAG_ORIGIN) else ConfigInvalid
        raise kind(f"{setting.key} {error}", cause=f"set by {where}", hint=setting.doc) from error


def _read_text(path: str) -> str | None:
    """Return the text of a small file, None when there is none."""
    try:
        with open(path, "rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigInvalid(
            f"{path} can't be read", cause=error.strerror, hint="repair it or move it away"
        ) from error
    if len(data) > FILE_BYTES_MAX:
        raise ConfigInvalid(f"{path} is larger than {FILE_BYTES_MAX} bytes", hint="move it away")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigInvalid(
            f"{path} is not UTF-8 text",
            cause=f"byte {error.start} can't be decoded",
            hint="repair the file or move it away; it is never replaced by itself",
        ) from error


def _read_config_file(path: str) -> dict[str, object]:
    """Return the settings of config.toml by dotted key."""
    text = _read_text(path)
    if text is None:
        return {}
    import tomllib  # costs 10 ms, and most homes have no config file

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigInvalid(
            f"{path} is not valid TOML",
            cause=str(error),
            hint="repair the file or move it away; it is never replaced by itself",
        ) from error
    found = dict(_flatten(document))
    unknown = sorted(set(found) - set(BY_KEY))
    if unknown:
        # A misspelt `sandbox.levl = 3` must not leave the person believing it is in force.
        raise ConfigInvalid(
            f"{path} sets `{unknown[0]}`, which is not a setting",
            hint=_nearest(unknown[0]),
        )
    return found


def _flatten(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _nearest(key: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key, BY_KEY, n=1)
    return f"did you mean `{near[0]}`?" if near else f"known are {', '.join(BY_KEY)}"


class _Line:
    """One assignment of a .env and where it stands."""

    __slots__ = ("text", "where")

    def __init__(self, text: str, where: str) -> None:
        self.text = text
        self.where = where


def _read_dotenv(path: str) -> dict[str, _Line]:
    """Return the assignments of a .env; lines of other programs and comments are skipped."""
    text = _read_text(path)
    found: dict[str, _Line] = {}
    for number, raw in enumerate((text or "").splitlines(), start=1):
        name, equals, value = raw.strip().removeprefix("export ").partition("=")
        name = name.strip()
        if not equals or not name.startswith("SKILLLITE_"):
            continue
        found[name] = _Line(_unquote(value.strip()), f"{path} line {number}")
    return found


def _unquote(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value.partition(" #")[0].rstrip()
