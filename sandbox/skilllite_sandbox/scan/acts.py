"""The words in which engines say what code does, whatever language it is written in.

An engine looks at code and reports acts (something happens at a line), flows (what comes from one
act ends up in another) and what it couldn't look at. It judges nothing: rules.py does.
"""

from __future__ import annotations

from enum import StrEnum

from skilllite_sandbox.values import dataclass


class Act(StrEnum):
    """Something that code does."""

    # Reaches out
    SEND = "send"
    """Something leaves the machine: a request with a body, a datagram, a mail, a push."""
    FETCH = "fetch"
    """Something is asked from elsewhere; a URL that was put together may carry data out as well."""
    CONNECT = "connect"
    """A connection whose use isn't seen."""
    LISTEN = "listen"
    LOOK_UP = "look-up"
    """A host name is resolved, which tells the name to others."""

    # Runs something
    RUN_PROGRAM = "run-program"
    RUN_SHELL = "run-shell"
    """A command line is given to a shell."""
    RUN_CODE = "run-code"
    """eval, exec, compile, new Function, source: text becomes code."""
    UNPICKLE = "unpickle"
    """Data is read in a form that can carry code: pickle, marshal, shelve, unsafe YAML."""
    LOAD_NATIVE = "load-native"
    """Machine code or a shared library is loaded by hand."""
    INSTALL = "install"
    """Packages are fetched and installed while the skill runs."""
    INSTALL_ELSEWHERE = "install-elsewhere"
    """Packages come from an index, a repository or an address that isn't everyone's."""
    IMPORT_COMPUTED = "import-computed"
    """A module whose name is put together at run time."""

    # Reads
    READ_VARIABLE = "read-variable"
    """One environment variable, by a name that is written there."""
    READ_ENVIRONMENT = "read-environment"
    """The environment as a whole."""
    READ_SECRET = "read-secret"
    """A place where secrets are kept: keys, credentials, browser profiles, shell histories."""
    READ_HOST_FILE = "read-host-file"
    """A file outside the skill, by a path that is written there."""
    READ_OWN_FILE = "read-own-file"
    READ_SYSTEM = "read-system"
    """Host name, users, processes, addresses."""
    WATCH_USER = "watch-user"
    """Keys, screen, clipboard, microphone, prompts."""

    # Changes
    PERSIST = "persist"
    """Something will run by itself later: start-up files, timers, services, hooks, keys to log in
    with."""
    WRITE_HOST_FILE = "write-host-file"
    CHANGE_AGENT = "change-agent"
    """Instructions, settings or skills of an agent are changed."""
    DESTROY = "destroy"
    """Files of others are removed, overwritten or encrypted."""
    EXHAUST = "exhaust"
    """Processes, memory or disk are used up on purpose."""
    KILL = "kill"
    """Processes that it didn't start are signalled."""
    GAIN_RIGHTS = "gain-rights"
    """sudo, setuid, capabilities, policy kits."""

    # Hides
    DECODE = "decode"
    """A constant that can't be read as it stands is decoded."""
    DETECT = "detect"
    """It behaves otherwise when it is watched: debuggers, sandboxes, hosts, dates."""
    TAMPER = "tamper"
    """The interpreter, other modules or the log are changed underneath other code."""
    DISARM = "disarm"
    """A protection is switched off: quarantine, firewalls, TLS checks, audit, history."""
    UNPACK_ANYWHERE = "unpack-anywhere"
    """An archive decides by its names and links where its files go."""
    TRUST_ANY = "trust-any"
    """Whoever answers is believed: certificates or signatures aren't checked."""
    WALK_OBJECTS = "walk-objects"
    """Ways round the ordinary names: __subclasses__, frames, gc."""


class Datum(StrEnum):
    """Where something came from that flows on."""

    SECRET = "secret"
    ENVIRONMENT = "environment"
    """The environment as a whole, or a dozen of its variables."""
    VARIABLE = "variable"
    """One variable by name; a skill that calls a service sends its key there, and may."""
    HOST_FILE = "host-file"
    SYSTEM = "system"
    IDENTITY = "identity"
    """Facts that together tell which machine this is and who works there."""
    FETCHED = "fetched"
    """It came over the network."""
    DECODED = "decoded"
    """It was a constant nobody can read."""
    FOUND = "found"
    """Files of the caller's folders that it looked around for: nobody named them."""
    FOUND_NAMES = "found-names"
    OWN_FILE = "own-file"
    INPUT = "input"
    """The caller's words: what the skill was given to work on."""
    WATCHED = "watched"


class Sink(StrEnum):
    """Where something that flows ends up."""

    SEND = "send"
    RUN_CODE = "run-code"
    RUN_SHELL = "run-shell"
    RUN_PROGRAM = "run-program"
    LOAD_NATIVE = "load-native"
    UNPICKLE = "unpickle"
    OUTPUT = "output"
    """What the skill prints, which a model reads."""
    PERSIST = "persist"
    WRITE_HOST_FILE = "write-host-file"
    COPY = "copy"
    """Another file than the one that was protected."""


@dataclass(frozen=True, slots=True)
class Doing:
    """One act at one place."""

    act: Act
    file: str
    line: int
    detail: str = ""
    """What it is about, for people: a host, a path, a program, a name. Bounded, printable."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Something that came from `datum` reaches `sink`."""

    datum: Datum
    sink: Sink
    file: str
    line: int
    """Of the sink."""
    source_file: str = ""
    source_line: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Opaque:
    """A place that an engine could not look at, and why: at least REVIEW."""

    file: str
    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """What an engine says about some files."""

    doings: tuple[Doing, ...] = ()
    flows: tuple[Flow, ...] = ()
    opaque: tuple[Opaque, ...] = ()

    def __add__(self, other: Analysis) -> Analysis:
        """Return what both say."""
        return Analysis(
            self.doings + other.doings, self.flows + other.flows, self.opaque + other.opaque
        )
