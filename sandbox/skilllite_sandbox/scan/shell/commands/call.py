"""One command as it is called: its words, what it reads, and where it stands."""

from __future__ import annotations

import re
from collections.abc import Callable

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.taint import EMPTY, Text, joined, unknown_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.shell.machine import Shell
    from skilllite_sandbox.scan.shell.nodes import Node


class Call:
    """A call of a program."""

    __slots__ = ("args", "name", "node", "shell", "stdin")

    def __init__(
        self, shell: Shell, node: Node, name: str, args: list[Text], stdin: Text = EMPTY
    ) -> None:
        self.shell = shell
        self.node = node
        self.name = name
        self.args = args
        self.stdin = stdin

    @property
    def words(self) -> list[str]:
        """The arguments as text."""
        return [arg.text for arg in self.args]

    @property
    def line(self) -> str:
        """The command as people read it."""
        return " ".join((self.name, *self.words))

    def has(self, *options: str) -> bool:
        """Tell whether one of these words is among the arguments."""
        return any(word in options for word in self.words)

    def flag(self, letter: str) -> bool:
        """Tell whether a short option is set, alone or in a group."""
        return any(
            word[:1] == "-" and word[:2] != "--" and letter in word[1:].partition("=")[0]
            for word in self.words
        )

    def value(self, *options: str) -> Text | None:
        """Return the argument of an option, in any of its three spellings."""
        for position, arg in enumerate(self.args):
            for option in options:
                if arg.text == option and position + 1 < len(self.args):
                    return self.args[position + 1]
                if option[:2] == "--" and arg.text.startswith(option + "="):
                    return Text(arg.text[len(option) + 1 :], arg.taints)
                grouped = len(option) == 2 and re.fullmatch(f"-[a-z]+{option[1]}", arg.text)
                if grouped and position + 1 < len(self.args):
                    return self.args[position + 1]
                is_short = len(option) == 2 and option[1] != "-" and len(arg.text) > 2
                if is_short and arg.text.startswith(option):
                    return Text(arg.text[2:], arg.taints)
        return None

    def plain(self, with_value: str = "", long_with_value: tuple[str, ...] = ()) -> list[Text]:
        """Return the arguments that are no options, nor values of those.

        Args:
            with_value: Letters of short options that take the next word.
            long_with_value: The long ones.
        """
        plain: list[Text] = []
        skip = options_end = False
        for arg in self.args:
            word = arg.text
            if skip:
                skip = False
            elif options_end or word in ("", "-") or word[0] != "-":
                plain.append(arg)
            elif word == "--":
                options_end = True
            elif word[:2] == "--":
                skip = word in long_with_value
            else:
                skip = word[-1] in with_value and (len(word) == 2 or word[-2].isalpha())
        return plain

    def do(self, act: Act, detail: str | None = None) -> None:
        """Write down an act of this command."""
        self.shell.do(act, self.node, self.line if detail is None else detail)

    def flow(self, value: Text, sink: Sink, detail: str | None = None) -> None:
        """Write down that a text ends up in this command."""
        self.shell.flow(value, sink, self.node, self.name if detail is None else detail)

    def made(self, datum: Datum, detail: str | None = None) -> Text:
        """Return a text that comes out of this command."""
        return self.shell.made(datum, self.node, self.line if detail is None else detail)

    def read(self, path: Text) -> Text:
        """Return the content of a file."""
        return self.shell.read(path, self.node)

    def inputs(self, paths: list[Text]) -> Text:
        """Return what a filter reads: files when it is given some, else its standard input."""
        if not paths:
            return self.stdin
        parts = [
            self.stdin if path.text in ("-", "/dev/stdin") else self.read(path) for path in paths
        ]
        return joined(parts)

    def passed(self) -> Text:
        """Return what comes out of a program that isn't followed."""
        return unknown_from(self.stdin, *self.args)


Handler = Callable[[Call], Text]
"""Writes down what one call of a program does, and returns what it prints."""
