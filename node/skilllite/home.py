"""Where a node keeps what it owns, and the check that nobody else can write there.

`SKILLLITE_HOME=DIR` puts everything below DIR, caches too unless `SKILLLITE_CACHE_DIR` says
otherwise; without it the XDG folders are used. Imported by every command, so only cheap modules
here: a dataclass alone would cost the command line half of its start-up time, and pathlib, which
most of them need in the end, a tenth.
"""

# Strings, not pathlib: it is imported when somebody asks for a `Path`.
# ruff: noqa: PTH100, PTH103, PTH111, PTH116

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping

from skilllite.errors import HomeUnsafe

TYPE_CHECKING = False  # importing `typing` for it would cost every command 5 ms
if TYPE_CHECKING:
    from pathlib import Path

HOME_VARIABLE = "SKILLLITE_HOME"
CACHE_VARIABLE = "SKILLLITE_CACHE_DIR"

_CONFIG_NAME = "config.toml"
_SOCKET_NAME = "control.sock"
_STAGE_NAME = "stage"
_INTEGRITY_NAME = "integrity"
_DENYLIST_NAME = "denylist.json"

PRIVATE_DIRECTORY = 0o700
WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class Home:
    """Every path a node owns. Immutable; computing one touches no disk."""

    __slots__ = ("_cache", "_config", "_data", "_root", "_state")

    _config: str
    _data: str
    _state: str
    _cache: str
    _root: str | None

    def __init__(
        self,
        *,
        config_dir: str | Path,
        data_dir: str | Path,
        state_dir: str | Path,
        cache_dir: str | Path,
        root: str | Path | None = None,
    ) -> None:
        for name, value in (
            ("_config", os.fspath(config_dir)),
            ("_data", os.fspath(data_dir)),
            ("_state", os.fspath(state_dir)),
            ("_cache", os.fspath(cache_dir)),
            ("_root", None if root is None else os.fspath(root)),
        ):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a home can't be changed: {name}")

    def __repr__(self) -> str:
        return f"Home({self._data!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Home) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        return (self._root, self._config, self._data, self._state, self._cache)

    @classmethod
    def at(cls, root: str | Path, *, cache_dir: str | Path | None = None) -> Home:
        """Return the home that lives in one directory."""
        return cls(
            root=root,
            config_dir=root,
            data_dir=root,
            state_dir=root,
            cache_dir=root if cache_dir is None else cache_dir,
        )

    @classmethod
    def locate(cls, environ: Mapping[str, str] | None = None) -> Home:
        """Return the home that the environment names, absolute whatever the working directory."""
        environ = os.environ if environ is None else environ
        cache = _absolute(environ.get(CACHE_VARIABLE))
        root = _absolute(environ.get(HOME_VARIABLE))
        if root is not None:
            return cls.at(root, cache_dir=cache)
        user = _user_directory(environ)
        # The socket and the lock live in the state folder, not in XDG_RUNTIME_DIR: that one exists
        # in a desktop session and not below sudo, cron or ssh, and a second shell would then find
        # no node where one runs.
        return cls(
            config_dir=_xdg(environ, "XDG_CONFIG_HOME", f"{user}/.config"),
            data_dir=_xdg(environ, "XDG_DATA_HOME", f"{user}/.local/share"),
            state_dir=_xdg(environ, "XDG_STATE_HOME", f"{user}/.local/state"),
            cache_dir=cache or _xdg(environ, "XDG_CACHE_HOME", f"{user}/.cache"),
        )

    @property
    def label(self) -> str:
        """Return the one directory that names this home to a person."""
        return self._data

    @property
    def root(self) -> Path | None:
        """The one directory everything lives in, None when spread over the XDG folders."""
        return None if self._root is None else _path(self._root)

    @property
    def config_dir(self) -> Path:
        return _path(self._config)

    @property
    def data_dir(self) -> Path:
        return _path(self._data)

    @property
    def state_dir(self) -> Path:
        return _path(self._state)

    @property
    def cache_dir(self) -> Path:
        return _path(self._cache)

    @property
    def config_name(self) -> str:
        """The path of the config file, for who does without pathlib."""
        return f"{self._config}/{_CONFIG_NAME}"

    @property
    def config_file(self) -> Path:
        return self.config_dir / _CONFIG_NAME

    @property
    def keys(self) -> Path:
        return self.data_dir / "keys"

    @property
    def team(self) -> Path:
        return self.data_dir / "team"

    @property
    def peers_file(self) -> Path:
        return self.data_dir / "peers.json"

    @property
    def ledger(self) -> Path:
        return self.data_dir / "ledger.sqlite3"

    @property
    def skills(self) -> Path:
        return self.data_dir / "skills"

    @property
    def skills_name(self) -> str:
        """The path of the skills, for who does without pathlib."""
        return f"{self._data}/skills"

    @property
    def consent_name(self) -> str:
        """The path of what persons agreed to, for who does without pathlib."""
        return f"{self._data}/consent"

    @property
    def integrity(self) -> Path:
        return _path(self.integrity_name)

    @property
    def integrity_name(self) -> str:
        """The path of what is known of installed skills, for who does without pathlib."""
        return f"{self._data}/{_INTEGRITY_NAME}"

    def check(self) -> None:
        """Refuse a home in which somebody else could replace keys, register, rules or denylist."""
        for directory in dict.fromkeys((self._data, self._config)):
            check_directory(directory)

    @property
    def denylist_name(self) -> str:
        """The path of the denylist, for who does without pathlib."""
        return f"{self._config}/{_DENYLIST_NAME}"

    @property
    def data_name(self) -> str:
        """The path of the data, for who does without pathlib."""
        return self._data

    @property
    def audit(self) -> Path:
        return self.data_dir / "audit"

    @property
    def audit_name(self) -> str:
        """The path of the audit log, for who does without pathlib."""
        return f"{self._data}/audit"

    @property
    def rules_name(self) -> str:
        """The path of the folder with the user's own rules for the scanner."""
        return f"{self._config}/rules"

    @property
    def suppressions_name(self) -> str:
        """The path of the file with the findings that the user suppresses."""
        return f"{self._config}/suppressions.toml"

    @property
    def logs(self) -> Path:
        return self.state_dir / "logs"

    @property
    def log_file(self) -> Path:
        return self.logs / "node.log"

    @property
    def run(self) -> Path:
        return self.state_dir / "run"

    @property
    def control_name(self) -> str:
        """The path of the control socket, for who does without pathlib."""
        return f"{self._state}/run/{_SOCKET_NAME}"

    @property
    def cache_name(self) -> str:
        """The path of the caches, for who does without pathlib."""
        return self._cache

    @property
    def stage_name(self) -> str:
        """The path of the stage, for who does without pathlib."""
        return f"{self._cache}/{_STAGE_NAME}"

    @property
    def control_socket(self) -> Path:
        return self.run / _SOCKET_NAME

    @property
    def lock_file(self) -> Path:
        return self.run / "node.lock"

    @property
    def stage(self) -> Path:
        return self.cache_dir / _STAGE_NAME

    @property
    def incoming(self) -> Path:
        return self.cache_dir / "incoming"

    @property
    def env(self) -> Path:
        return self.cache_dir / "env"

    @property
    def advisories_name(self) -> str:
        """`advisories` without pathlib."""
        return f"{self.cache_name}/advisories"

    @property
    def advisories(self) -> Path:
        """What is known against packages; made by the first update."""
        return self.cache_dir / "advisories"

    def directories(self) -> Iterator[Path]:
        """Yield every directory of this home, parents first, each once."""
        yield from dict.fromkeys(
            (
                self.config_dir,
                self.data_dir,
                self.state_dir,
                self.cache_dir,
                self.keys,
                self.team,
                self.skills,
                self.audit,
                self.logs,
                self.run,
                self.stage,
                self.env,
            )
        )

    def prepare(self) -> None:
        """Create what is missing, readable by this user alone, and refuse what others can write."""
        for directory in self.directories():
            prepare_directory(directory)


def prepare_directory(directory: str | Path) -> None:
    """Create `directory` with mode 0700, or check that it belongs to this user alone.

    Raises:
        HomeUnsafe: somebody else owns it or can write to it, or it can't be made.
    """
    try:
        os.makedirs(directory, mode=PRIVATE_DIRECTORY, exist_ok=True)
        status = os.stat(directory)
    except OSError as error:
        raise HomeUnsafe(
            f"{directory} can't be used as a directory of the home",
            cause=error.strerror or str(error),
            hint=f"make it writable for this user, or set {HOME_VARIABLE} to another directory",
        ) from error
    _check(directory, status)


def check_directory(directory: str) -> None:
    """Check a directory that need not exist: whoever can write there can replace what is in it.

    Raises:
        HomeUnsafe: as `prepare_directory`.
    """
    try:
        status = os.stat(directory)
    except OSError:
        return
    _check(directory, status)


def _check(directory: str | Path, status: os.stat_result) -> None:
    if status.st_uid != os.geteuid():
        raise HomeUnsafe(
            f"{directory} belongs to user {status.st_uid}, this is user {os.geteuid()}",
            hint=f"run as its owner, `chown` it, or set {HOME_VARIABLE} to a directory of your own",
        )
    if status.st_mode & WRITABLE_BY_OTHERS:
        raise HomeUnsafe(
            f"{directory} can be written by others (mode {stat.S_IMODE(status.st_mode):04o})",
            cause="whoever can write there can replace keys, skills and settings of this node",
            hint=f"chmod go-w {directory}",
        )


def _path(name: str) -> Path:
    from pathlib import Path  # 4 ms, and who only talks to a node needs none

    return Path(name)


def _absolute(value: str | None) -> str | None:
    """Return a directory from the environment as an absolute path; empty counts as unset."""
    if not value:
        return None
    return os.path.abspath(os.path.expanduser(value))


def _xdg(environ: Mapping[str, str], variable: str, default: str) -> str:
    value = environ.get(variable, "")
    # The XDG specification says to ignore a relative path.
    return f"{value.rstrip('/') if value.startswith('/') else default}/skilllite"


def _user_directory(environ: Mapping[str, str]) -> str:
    value = environ.get("HOME", "")
    if value.startswith("/"):
        return value.rstrip("/")
    found = os.path.expanduser("~")
    if found == "~":
        raise HomeUnsafe(
            "this user has no home directory", hint=f"set {HOME_VARIABLE} to a directory"
        )
    return found
