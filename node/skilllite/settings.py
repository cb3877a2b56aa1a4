"""The table of settings, and the reference generated from it.

`python -m skilllite.settings` prints `.env.example`; a test keeps the committed one equal to it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from skilllite.home import CACHE_VARIABLE, HOME_VARIABLE

PORT_MAX = 65535

Value = str | int | float | bool | tuple[str, ...]


class Setting:
    """One row of the table."""

    __slots__ = (
        *("choices", "default", "doc", "file_only", "key", "maximum", "minimum"),
        "trusted_only",
    )

    def __init__(
        self,
        key: str,
        default: Value,
        doc: str,
        *,
        minimum: float | None = None,
        maximum: float | None = None,
        choices: tuple[str, ...] = (),
        trusted_only: bool = False,
        file_only: bool = False,
    ) -> None:
        self.key = key
        self.default = default
        self.doc = doc
        self.minimum = minimum
        self.maximum = maximum
        self.choices = choices
        self.trusted_only = trusted_only or file_only
        self.file_only = file_only
        """Whether only config.toml and a flag set it: what is inherited weakens nothing unseen."""

    @property
    def variable(self) -> str:
        """Return the environment variable: `tasks.deadline_s` is SKILLLITE_TASKS_DEADLINE_S."""
        return "SKILLLITE_" + self.key.upper().replace(".", "_").replace("-", "_")

    @property
    def type_name(self) -> str:
        """Return the kind of value, as a person would call it."""
        return {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}.get(
            type(self.default), "a list"
        )

    def parse(self, text: str) -> Value:
        """Return the value that text from a flag, the environment or a .env stands for."""
        text = text.strip()
        if isinstance(self.default, bool):
            return self.check(_boolean(text))
        if isinstance(self.default, (int, float)):
            try:
                number = type(self.default)(text)
            except ValueError:
                raise Unfit(f"must be {self.type_name}, not {text!r}") from None
            return self.check(number)
        if isinstance(self.default, tuple):
            return self.check(tuple(part for part in text.replace(",", " ").split() if part))
        return self.check(text)

    def check(self, value: object) -> Value:
        """Return `value` when it has the right type and lies within the bounds."""
        if isinstance(self.default, float) and type(value) is int:
            value = float(value)
        if isinstance(self.default, tuple) and isinstance(value, list):
            value = tuple(value)
        if type(value) is not type(self.default):
            raise Unfit(f"must be {self.type_name}, not {value!r}")
        if isinstance(value, tuple) and not all(isinstance(part, str) for part in value):
            raise Unfit("must be a list of texts")
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if self.minimum is not None and not value >= self.minimum:
                raise Unfit(f"must be at least {self.minimum:g}, not {value:g}")
            if self.maximum is not None and not value <= self.maximum:
                raise Unfit(f"must be at most {self.maximum:g}, not {value:g}")
        if self.choices and value not in self.choices:
            raise Unfit(f"must be one of {', '.join(self.choices)}, not {value!r}")
        return value


SETTINGS: tuple[Setting, ...] = (
    Setting("node.name", "", "name of this node in the team; empty: the host name"),
    Setting(
        "node.host",
        "",
        "address to listen on; empty: every address of this machine, IPv4 and IPv6",
        trusted_only=True,
    ),
    Setting(
        "node.port",
        7610,
        "port for the team; unless set, any free one when it is taken; 0: any free one",
        minimum=0,
        maximum=PORT_MAX,
        trusted_only=True,
    ),
    Setting(
        "node.join_port",
        7611,
        "port for newcomers with a code; unless set, any free one when it is taken; 0: the same",
        minimum=0,
        maximum=PORT_MAX,
        trusted_only=True,
    ),
    Setting(
        "node.peers",
        (),
        "HOST:PORT of members to dial, where multicast does not reach them",
        trusted_only=True,
    ),
    Setting("node.discovery", True, "find and be found on the LAN by mDNS", trusted_only=True),
    Setting(
        "tasks.concurrency",
        0,
        "skills that run at the same time; 0: one for each processor",
        minimum=0,
        maximum=256,
    ),
    Setting(
        "tasks.queue",
        64,
        "tasks that wait for their turn; one more is refused",
        minimum=1,
        maximum=10_000,
    ),
    Setting(
        "tasks.deadline_s",
        300.0,
        "seconds a task may take, its time in the queue included",
        minimum=0.1,
        maximum=86_400,
    ),
    Setting(
        "sandbox.level",
        3,
        "1: none, 2: isolation, 3: isolation, scan and consent; peers' tasks always run at 3",
        minimum=1,
        maximum=3,
        trusted_only=True,
    ),
    Setting(
        "sandbox.allow_exec",
        (),
        "programs that skills run by hand may execute when they ask for them, like git",
        trusted_only=True,
    ),
    Setting(
        "sandbox.accept_tier",
        "root-chroot",
        "the weakest isolation that this user's own runs get where better isn't to be had; "
        "`landlock` hides no file names and no processes, and is never given to a peer's task",
        choices=("full", "bwrap", "root-chroot", "landlock"),
        file_only=True,
    ),
    Setting(
        "add.host",
        "https://github.com",
        "where `skilllite add owner/repo` looks for the repository: https, ssh or file",
        trusted_only=True,
    ),
    Setting(
        "advisories.source",
        "",
        "where `dependency-audit --update` fetches advisories: an address or a folder laid out as "
        "ECOSYSTEM/all.zip; empty: the public collection of OSV",
        trusted_only=True,
    ),
    Setting(
        "advisories.api",
        "",
        "the service that `dependency-audit --online` asks; empty: the public one of OSV",
        trusted_only=True,
    ),
    Setting(
        "log.level",
        "info",
        "how much the node writes to its log",
        choices=("debug", "info", "warning", "error"),
    ),
)

BY_KEY = {setting.key: setting for setting in SETTINGS}


class Unfit(ValueError):
    """A value breaks its setting's rules; the caller knows where it came from."""


def _boolean(text: str) -> bool:
    folded = text.lower()
    if folded in ("1", "true", "yes", "on"):
        return True
    if folded in ("0", "false", "no", "off"):
        return False
    raise Unfit(f"must be true or false, not {text!r}")


def env_example() -> str:
    """Return the text of `.env.example`, generated from the table."""
    blocks = [
        "# Settings of SkillLite as environment variables.\n"
        "# Generated by `python -m skilllite.settings`: change the table, not this file.\n"
        "# A .env in a project folder never overrides the environment, and what is marked [home]\n"
        "# is not taken from one: set it in the environment or in config.toml of the home.",
        "# directory that holds everything a node owns; default: the XDG folders [home]\n"
        f"#{HOME_VARIABLE}=",
        f"# directory of the caches; default: in the home [home]\n#{CACHE_VARIABLE}=",
    ]
    for setting in SETTINGS:
        if setting.file_only:
            blocks.append(f"# {setting.doc} [config.toml only]\n# config.toml: {setting.key}")
            continue
        mark = " [home]" if setting.trusted_only else ""
        blocks.append(
            f"# {setting.doc}{mark}\n"
            f"# config.toml: {setting.key}\n"
            f"#{setting.variable}={_shown(setting.default)}"
        )
    return "\n\n".join(blocks) + "\n"


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return " ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def main(write: Callable[[str], object] = sys.stdout.write) -> None:
    """Print `.env.example`."""
    write(env_example())


if __name__ == "__main__":
    main()
