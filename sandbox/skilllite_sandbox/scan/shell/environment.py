"""The variables of a script: those it sets, those it was given, and what some of them switch."""

from __future__ import annotations

import re

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import UNKNOWN
from skilllite_sandbox.scan.shell.words import fields_of, text_of
from skilllite_sandbox.scan.taint import EMPTY, SOMETHING, Taint, Text, joined, unknown_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from skilllite_sandbox.scan.record import Budget
    from skilllite_sandbox.scan.shell.nodes import Node

_SHELLS_OWN = re.compile(
    r"PATH|PWD|OLDPWD|TMPDIR|TMP|TEMP|SHELL|LANG|LC_\w+|LANGUAGE|TERM|COLUMNS|LINES|RANDOM|SECONDS"
    r"|UID|EUID|PPID|BASH\w*|IFS|OSTYPE|MACHTYPE|HOSTTYPE|PIPESTATUS|REPLY|OPTARG|OPTIND|OPTERR"
    r"|FUNCNAME|LINENO|EPOCH\w*|PS\d|SHLVL|SHELLOPTS|GROUPS|DIRSTACK|ZSH\w*|XDG_\w+|EDITOR|PAGER"
    r"|NO_COLOR|COLOR\w*|DEBUG|VERBOSE|SKILLLITE_\w+|VIRTUAL_ENV|MAPFILE|COPROC|HISTFILE|CDPATH"
)
ARRAY_ITEMS_MAX = 4_096  # of one array; lists in scripts have some ten
_FACTS = ("USER", "LOGNAME", "HOSTNAME", "USERNAME")
_WATCH_MARKS = ("CI", "GITHUB_ACTIONS", "JENKINS_URL", "GITLAB_CI", "TRAVIS", "CODESPACES")
_HISTORY = ("HISTFILE", "HISTSIZE", "HISTFILESIZE", "HISTCONTROL", "SAVEHIST")
_LOADERS = ("LD_PRELOAD", "LD_AUDIT", "DYLD_INSERT_LIBRARIES")
_HOOKS = ("PROMPT_COMMAND", "BASH_ENV", "ENV", "GIT_SSH_COMMAND", "GIT_ASKPASS", "SSH_ASKPASS")
_INDEXES = (
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "GOPROXY"),
    *("NPM_CONFIG_REGISTRY", "npm_config_registry", "YARN_REGISTRY", "PIP_FIND_LINKS"),
)
_TRUSTING = {
    "NODE_TLS_REJECT_UNAUTHORIZED": "0",
    "PYTHONHTTPSVERIFY": "0",
    "GIT_SSL_NO_VERIFY": "1",
}
TELLING = frozenset(
    (
        *("curl", "wget", "nc", "ncat", "netcat", "socat", "telnet", "bash", "sh", "zsh", "dash"),
        *("eval", "source", "base64", "openssl", "crontab", "rm", "chmod", "dd", "ssh", "scp"),
        *("python", "python3", "perl", "ruby", "node", "php", "exec", "xxd", "sudo", "mkfifo"),
    )
)
"""Programs whose names are worth hiding: put together from pieces they are taken for hidden."""


class Variables:
    """What a script's variables hold, as far as it is known."""

    if TYPE_CHECKING:
        budget: Budget
        file: str
        files: dict[str, Text]

        @property
        def arguments(self) -> list[Text]: ...

        def taint(self, datum: Datum, node: Node, detail: str = "") -> Taint: ...
        def made(self, datum: Datum, node: Node, detail: str = "") -> Text: ...
        def do(self, act: Act, node: Node, detail: str = "") -> None: ...
        def flow(self, value: Text, sink: Sink, node: Node, detail: str = "") -> None: ...
        def run_text(self, code: Text, node: Node, stdin: Text = EMPTY) -> Text: ...
        @staticmethod
        def source_of(node: Node) -> str: ...

    def __init__(self) -> None:
        self.variables: dict[str, Text] = {"HOME": Text("~"), "IFS": Text(" ")}
        self.arrays: dict[str, list[Text]] = {}
        self.own_arguments: list[Text] = []
        self.pending_outputs: list[tuple[str, Node]] = []

    def set_variable(self, name: str) -> Text | None:
        """Return what the script itself put into a variable; None when it didn't."""
        if name in self.variables:
            return self.variables[name]
        if name in self.arrays:
            return self.arrays[name][0] if self.arrays[name] else EMPTY
        return None

    def variable(self, name: str, node: Node) -> Text:
        """Return what a variable holds, the script's own or one it was given."""
        if name.isdigit() or name in ("@", "*"):
            return self._argument(name, node)
        if name == "BASH_SOURCE":
            return Text(self.file)
        if (known := self.set_variable(name)) is not None:
            return known
        if name == "BASH_COMMAND":
            return self.made(Datum.WATCHED, node, "the command that is about to run")
        if name in ("?", "#", "$", "!", "-", "_"):
            return SOMETHING
        if name in _FACTS:
            return self.made(Datum.SYSTEM, node, f"${name}")
        if name in _WATCH_MARKS:
            return self.made(Datum.SYSTEM, node, f"${name}")
        if _SHELLS_OWN.fullmatch(name) or name != name.upper():
            return SOMETHING
        self.do(Act.READ_VARIABLE, node, name)
        return self.made(Datum.VARIABLE, node, name)

    def _argument(self, name: str, node: Node) -> Text:
        if name.isdigit() and int(name) == 0:
            return Text(self.file)
        given = self.arguments
        if name in ("@", "*"):
            return joined(given, " ") if given else self.made(Datum.INPUT, node)
        position = int(name) - 1
        if position < len(given):
            return given[position]
        return EMPTY if given or position >= 8 else self.made(Datum.INPUT, node)

    def element(self, name: str, index: str, node: Node) -> Text:
        """Return an element of an array, or the array as one text."""
        items = self.arrays.get(name)
        if items is None:
            return self.variable(name, node)
        if index in ("@", "*"):
            between = self.variables.get("IFS", EMPTY).text[:1] if index == "*" else " "
            return joined(items, between) if items else EMPTY
        if (known := self.set_variable(index.lstrip("$"))) is not None:
            index = known.text
        if re.fullmatch(r"-?\d+", index):
            try:
                return items[int(index)]
            except IndexError:
                return EMPTY
        return unknown_from(*items)

    def assign(self, node: Node) -> None:
        """Follow one assignment or several."""
        if node.type == "variable_assignments":
            for child in node.named_children:
                self.assign(child)
            return
        name_node, value_node = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name_node is None:
            return
        more = any(child.type == "+=" for child in node.children)
        name = self.source_of(name_node)
        if value_node is not None and value_node.type == "array":
            items = [each for child in value_node.named_children for each in fields_of(self, child)]  # type: ignore[arg-type]
            items = [*self.arrays.get(name, ()), *items] if more else items
            few = len(items) <= ARRAY_ITEMS_MAX
            self.arrays[name] = items if few else [unknown_from(*items[:ARRAY_ITEMS_MAX])]
            self.variables.pop(name, None)
            return
        if self.set_variable(name) is None and name != name.upper():
            self.variables[name] = EMPTY  # what is added to itself for the first time was empty
        value = text_of(self, value_node) if value_node is not None else EMPTY  # type: ignore[arg-type]
        pieces = self.source_of(value_node).count("$") if value_node is not None else 0
        if pieces >= 2 and value.text in TELLING:
            value = self._assembled(value, node)
        if name_node.type == "subscript":
            name, _, index = name.partition("[")
            items = self.arrays.setdefault(name, [])
            place = index.rstrip("]")
            if place.isdigit() and int(place) == len(items):
                items.append(value)
            else:
                self.arrays[name] = [unknown_from(*items, value)]
            return
        if more:
            before = self.variables.get(name, EMPTY)
            value = joined([before, value])
            first = value.text.split(" ", 1)[0]
            if first in TELLING and before.text and first != before.text.split(" ", 1)[0]:
                value = self._assembled(value, node)
        self.set(name, value, node)

    def _assembled(self, value: Text, node: Node) -> Text:
        """Return a program's name that was put together: whoever does that hides it."""
        hidden = self.taint(Datum.DECODED, node, f"{value.text} put together from pieces")
        return Text(value.text, value.taints | {hidden})

    def set(self, name: str, value: Text, node: Node) -> None:
        """Put a text into a variable, and write down what that switches."""
        self.variables[name] = value
        self.budget.hold(value.text)
        if name in _HISTORY and value.text in ("", "0", "/dev/null", "~/dev/null"):
            self.do(Act.DISARM, node, f"{name}={value.text}")
        elif name in _LOADERS and value.text:
            self.do(Act.LOAD_NATIVE, node, f"{name}={value.text}")
            self.flow(self.files.get(value.text, value), Sink.LOAD_NATIVE, node, name)
        elif name in _HOOKS and value.text and name != "ENV":
            self.run_text(value, node)
        elif name in _INDEXES and "://" in value.text:
            self.do(Act.INSTALL_ELSEWHERE, node, f"{name}={value.text}")
            if value.text.startswith("http:"):
                source = self.made(Datum.FETCHED, node, value.text)
                self.flow(source, Sink.RUN_CODE, node, name)
        elif name in _TRUSTING and value.text in (_TRUSTING[name], "true"):
            self.do(Act.TRUST_ANY, node, name)

    def declare(self, node: Node) -> Text:
        """Follow `export`, `local`, `declare`, `readonly`, `typeset`."""
        named = node.named_children
        for child in named:
            if child.type == "variable_assignment":
                self.assign(child)
        words = [self.source_of(child) for child in named]
        keyword = node.children[0].type
        if keyword in ("export", "declare", "typeset") and words in ([], ["-p"], ["-x"], ["-px"]):
            self.do(Act.READ_ENVIRONMENT, node, keyword)
            return self.made(Datum.ENVIRONMENT, node, keyword)
        return EMPTY

    def unset(self, node: Node) -> None:
        """Follow `unset`."""
        for child in node.named_children:
            name = self.source_of(child)
            if name in _HISTORY:
                self.do(Act.DISARM, node, f"unset {name}")
            self.variables.pop(name, None)
            self.arrays.pop(name, None)


def is_unknown(text: Text) -> bool:
    """Tell whether nothing of a text is known."""
    return not text.text.strip(UNKNOWN)
