"""What `Bash(…)` in `allowed-tools` allows: the words that a simple command begins with.

`Bash(git:*)` allows `git` and `git status`, not `gitx`; `Bash(git log:*)` allows `git log -3`, not
`git logs`; without `:*` the words have to be all of the command. `Bash` alone, and `Bash(*)`, allow
any program that is granted. A rule that isn't understood allows nothing.
"""

from __future__ import annotations

from skilllite_sandbox.bash_tool.command import Command, program_name
from skilllite_sandbox.bash_tool.words import Word, split_words
from skilllite_sandbox.errors import PolicyDenied
from skilllite_sandbox.values import dataclass

ANYTHING = "*"
RULES_MAX = 64  # of one skill; a person has to be able to read them
_ANY_END = (":*", " *")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One rule; with no words it matches every command."""

    words: tuple[str, ...]
    is_prefix: bool

    @property
    def program(self) -> str | None:
        """The program that it is about; None for all."""
        return self.words[0] if self.words else None

    def matches(self, command: tuple[str, ...]) -> bool:
        """Return whether a simple command begins with these words, or is just them."""
        if self.is_prefix:
            return command[: len(self.words)] == self.words
        return command == self.words


def parse_pattern(rule: str) -> Pattern:
    """Return the pattern of a rule, which is what stands between the parentheses.

    Raises:
        PolicyDenied: it is not understood.
    """
    rule = rule.strip()
    if rule in (ANYTHING, ":*"):
        return Pattern((), is_prefix=True)
    is_prefix = rule.endswith(_ANY_END)
    tokens = split_words(rule[:-2] if is_prefix else rule)
    words = [token for token in tokens if isinstance(token, Word)]
    if not words or len(words) != len(tokens):
        raise PolicyDenied(f"`Bash({rule[:80]})` is not the beginning of one command")
    return Pattern((program_name(words[0]), *(word.text for word in words[1:])), is_prefix)


def read_patterns(rules: tuple[str, ...]) -> tuple[tuple[Pattern, ...], tuple[str, ...]]:
    """Return the patterns that are understood, and one clause for every rule that isn't."""
    patterns: list[Pattern] = []
    clauses: list[str] = []
    for rule in rules[:RULES_MAX]:
        try:
            patterns.append(parse_pattern(rule))
        except PolicyDenied as error:
            clauses.append(f"Bash({rule[:80]}) allows nothing: {error.message}")
    if len(rules) > RULES_MAX:
        clauses.append(f"of its {len(rules)} rules for Bash only the first {RULES_MAX} count")
    return tuple(patterns), tuple(clauses)


def check_allowed(command: Command, patterns: tuple[Pattern, ...]) -> None:
    """Refuse a command unless each simple command in it is allowed.

    Raises:
        PolicyDenied: one isn't.
    """
    for words in command.simple_commands:
        if not any(pattern.matches(words) for pattern in patterns):
            raise PolicyDenied(
                f"the skill does not allow `{' '.join(words)[:120]}`",
                cause=f"it allows {', '.join(map(show, patterns)) or 'no command'}",
                hint="every command of a pipeline or list has to be allowed",
            )


def show(pattern: Pattern) -> str:
    """Return a pattern as it is written."""
    if not pattern.words:
        return f"Bash({ANYTHING})"
    return f"Bash({' '.join(pattern.words)}{':*' if pattern.is_prefix else ''})"
