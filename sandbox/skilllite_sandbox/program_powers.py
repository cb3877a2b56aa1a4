"""What programs can themselves run or change, beyond what their arguments look like.

A grant of a program is a grant of all that it does. The sandbox bounds it: whatever it starts is
held like the skill, and nothing but the granted programs can be executed. Still, a person who is
asked for one has to know that `Bash(git:*)` allows what git itself can run.
"""

from __future__ import annotations

_ANY_CODE = "any code it is given: it is an interpreter"
_ITS_ARGUMENTS = "the program that its arguments name"
_PROJECT = "whatever the project's own files tell it to"
_POWERS = {
    "hooks, aliases, pagers, editors, filters, and what `-c core.…` names": ("git",),
    "programs by `-exec`, and remove files by `-delete`": ("find",),
    "programs by `system()` and pipes, and write files": ("awk", "gawk", "mawk", "nawk"),
    "programs by its `e` command, and write files by `w`": ("sed",),
    "programs by --to-command, --checkpoint-action and -I": ("tar",),
    "programs by --compress-program": ("sort",),
    "programs by --filter": ("split",),
    "programs by ProxyCommand and -e": ("ssh", "scp", "sftp", "rsync"),
    "a shell by `!`": ("vi", "vim", "ed", "ex", "less", "more", "man", "gdb"),
    _ITS_ARGUMENTS: (
        *("env", "xargs", "nice", "nohup", "setsid", "stdbuf", "timeout", "time", "parallel"),
        *("watch", "strace", "unshare", "chroot", "script", "flock", "setpriv"),
    ),
    _PROJECT: (
        *("make", "cmake", "ninja", "meson", "npm", "npx", "yarn", "pnpm", "pip", "uv", "cargo"),
        *("go", "mvn", "gradle", "pytest", "tox"),
    ),
    _ANY_CODE: (
        *("python", "node", "nodejs", "deno", "bun", "perl", "ruby", "php", "lua", "tclsh", "R"),
        *("sh", "bash", "dash", "zsh", "ksh", "fish", "busybox", "java", "guile", "sqlite3"),
    ),
}
_BY_PROGRAM = {name: power for power, names in _POWERS.items() for name in names}


def power_of(program: str) -> str | None:
    """Return what a program can itself run, as a clause after its name; None if nothing is known.

    >>> power_of("python3.11")
    'can run any code it is given: it is an interpreter'
    """
    power = _BY_PROGRAM.get(program) or _BY_PROGRAM.get(program.rstrip("0123456789.-"))
    return f"can run {power}" if power else None


def warning_about(program: str) -> str:
    """Return a sentence for whoever is asked to grant a program."""
    power = power_of(program)
    said = f"{program} {power}" if power else f"what {program} itself can run is not known"
    return f"{said}; all of it stays in the sandbox, where only granted programs can be executed"
