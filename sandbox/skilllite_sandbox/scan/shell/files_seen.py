"""The files that a script reads and writes: what their paths mean, and what they hold."""

from __future__ import annotations

from posixpath import normpath

from skilllite_sandbox.scan.acts import Act, Datum, Sink
from skilllite_sandbox.scan.host_places import (
    ACTS_OF_WRITING,
    UNKNOWN,
    Place,
    holds_variables,
    is_program_folder,
    place_of,
    place_written,
)
from skilllite_sandbox.scan.shell import conditions
from skilllite_sandbox.scan.shell.environment import Variables
from skilllite_sandbox.scan.shell.marks import ENDLESS, FOUND
from skilllite_sandbox.scan.taint import EMPTY, SOMETHING, Taint, Text, joined, unknown_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from skilllite_sandbox.scan.shell.nodes import Node
    from skilllite_sandbox.scan.source import SourceFile

FILE_CHARS_MAX = 65_536  # of a file of the skill that a command reads
_READS = {
    Place.SECRET: Datum.SECRET,
    Place.ENVIRONMENT: Datum.ENVIRONMENT,
    Place.KEYS: Datum.WATCHED,
    Place.HOST: Datum.HOST_FILE,
    Place.SYSTEM: Datum.SYSTEM,
    Place.RIGHTS: Datum.HOST_FILE,
    Place.SETTINGS: Datum.VARIABLE,
    Place.DEVICE: Datum.HOST_FILE,
}
_ENDLESS_DEVICES = ("/dev/zero", "/dev/urandom", "/dev/random", "/dev/full")


class Files(Variables):
    """What is known of the files around a script."""

    if TYPE_CHECKING:
        skill: Mapping[str, SourceFile]
        changes: int

        def run_children(self, node: Node, stdin: Text) -> Text: ...

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, Text] = {}
        self.fetched_folders: dict[str, Text] = {}
        self.folder = ""
        """Where `cd` went, when that is outside the skill."""

    def read(self, path: Text, node: Node) -> Text:
        """Return the content of a file, and write down what its path says."""
        name = path.text
        if name in ("-", "/dev/stdin") or not name:
            return SOMETHING
        if name in _ENDLESS_DEVICES:
            return self.made(Datum.INPUT, node, ENDLESS)
        if name == self.file and name not in self.skill:
            return self.made(Datum.OWN_FILE, node, name)
        if name in self.files:
            return self.files[name]
        if name.startswith(("/dev/tcp/", "/dev/udp/")):
            self.do(Act.CONNECT, node, name)
            return self.made(Datum.FETCHED, node, name)
        datum = _READS.get(place_of(self.absolute(name)))
        if datum is None and any(taint.detail == FOUND for taint in path.taints):
            datum = Datum.HOST_FILE
        if datum is None and holds_variables(name):
            return self.made(Datum.ENVIRONMENT, node, name)
        if datum is None:
            return self._own_file(path, node)
        if datum is Datum.SECRET:
            self.do(Act.READ_SECRET, node, name)
        elif datum is Datum.ENVIRONMENT:
            self.do(Act.READ_ENVIRONMENT, node, name)
        elif datum is Datum.WATCHED:
            self.do(Act.WATCH_USER, node, name)
        elif datum is Datum.SYSTEM:
            conditions.note_detector(self, name, node)
            self.do(Act.READ_SYSTEM, node, name)
        else:
            self.do(Act.READ_HOST_FILE, node, name)
        return Text(UNKNOWN, path.taints | {self.taint(datum, node, name)})

    def absolute(self, name: str) -> str:
        """Return a path as seen from where `cd` went, when that is outside the skill."""
        if self.folder and name[:1] not in ("/", "~"):
            return f"{self.folder.rstrip('/')}/{name}"
        return name

    def _own_file(self, path: Text, node: Node) -> Text:
        found = self.find_own(path.text)
        taints = frozenset(taint for taint in path.taints if taint.datum is not Datum.OWN_FILE)
        if found is None:
            kept = {each for name, each in self.files.items() if _same_name(name, path.text)}
            return unknown_from(path, *kept)
        taint = Taint(Datum.OWN_FILE, found.path, 1, found.path)
        return Text(found.text[:FILE_CHARS_MAX] or UNKNOWN, taints | {taint})

    def content_of(self, path: Text) -> Text | None:
        """Return what is known of a file that the script wrote or fetched; None of any other."""
        for folder, content in self.fetched_folders.items():
            if path.text.removeprefix("./").startswith(folder.rstrip("/") + "/"):
                return content
            beside = folder == "." and path.text[:1] not in ("/", "~", UNKNOWN)
            if beside and self.find_own(path.text) is None:
                return content
        for name, content in self.files.items():
            if _same_name(name, path.text) and (content.taints or content.text):
                return content
        return None

    def find_own(self, path: str) -> SourceFile | None:
        """Return the file of the skill that a path names, by as much of its end as is known."""
        tail = normpath(path.rpartition(UNKNOWN)[2].lstrip("/") or ".")
        while tail.startswith("../"):
            tail = tail.removeprefix("../")
        if tail in ("", ".", ".."):
            return None
        for name, source in self.skill.items():
            if name == tail or name.endswith("/" + tail):
                return source
        return None

    def write(self, path: Text, content: Text, node: Node, *, more: bool = False) -> None:
        """Write down what is written where."""
        name = path.text
        if name.startswith(("/dev/tcp/", "/dev/udp/")):
            self.do(Act.SEND, node, name)
            self.flow(joined([content, path]), Sink.SEND, node, name)
            return
        self.changes += 1
        if name != "/dev/null":
            self.note_endless(content, node)
        before = self.files.get(name, EMPTY) if more else EMPTY
        self.files[name] = joined([before, content]) if more else content
        self.budget.hold(self.files[name].text)
        place = place_written(self.absolute(name))
        if name.endswith("_history") and place_of(name) is Place.SECRET:
            self.do(Act.DISARM, node, name)
        acts = ACTS_OF_WRITING.get(place, ())
        found_later = place_of(name) is Place.SECRET or is_program_folder(name)
        if place is Place.HOST and found_later and content.has(Datum.FETCHED):
            acts = (Act.PERSIST,)
        for act in acts:
            self.do(act, node, name)
        if place in (Place.START_UP, Place.HOST):
            sink = Sink.PERSIST if place is Place.START_UP else Sink.WRITE_HOST_FILE
            self.flow(content, sink, node, name)

    def note_endless(self, content: Text, node: Node) -> None:
        """Write down that a text without an end is kept somewhere."""
        if any(taint.detail == ENDLESS for taint in content.taints):
            self.do(Act.EXHAUST, node, "keeps what never ends")

    def process_file(self, node: Node) -> Text:
        """Return the name that `<(…)` stands for; its file holds what the commands print."""
        name = f"/dev/fd/{node.start_byte}"
        if self.source_of(node).startswith("<"):
            self.files[name] = self.run_children(node, EMPTY)
        else:
            self.files[name] = SOMETHING
            self.pending_outputs.append((name, node))
        return Text(name)


def _same_name(one: str, other: str) -> bool:
    """Tell whether two paths, known in part, may well be the same file."""
    one, other = one.rpartition(UNKNOWN)[2], other.rpartition(UNKNOWN)[2]
    name = one.rpartition("/")[2]
    return len(name) > 1 and name == other.rpartition("/")[2]
