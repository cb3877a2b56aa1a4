"""What the scanner says: severities, findings and verdicts. Values and their order, no rules."""

from __future__ import annotations

from enum import IntEnum, StrEnum

from skilllite_sandbox.values import dataclass


class Severity(IntEnum):
    """How much a finding weighs. Its name in lower case is part of the JSON contract."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    """Worth reading; asks nobody."""
    HIGH = 3
    """A person has to agree: REVIEW."""
    CRITICAL = 4
    """Nobody can agree: BLOCK."""

    @property
    def word(self) -> str:
        """The name as it is written in reports and on the command line."""
        return self.name.lower()


class Kind(StrEnum):
    """What sort of statement a finding makes."""

    INTENT = "intent"
    """Something that ordinary skills have no reason to do: only this may be critical."""
    CAPABILITY = "capability"
    """Something that ordinary skills do as well, but have to declare."""
    INSTRUCTION = "instruction"
    """Text that tries to steer the reader, a model or a person."""
    HYGIENE = "hygiene"
    """Careless, not hostile."""
    OPAQUE = "opaque"
    """It could not be looked at."""
    DEPENDENCY = "dependency"
    """About something the skill has installed."""


class Verdict(StrEnum):
    """What follows from all findings together."""

    PASS = "PASS"
    REVIEW = "REVIEW"
    """A person has to agree before it runs."""
    BLOCK = "BLOCK"
    """It doesn't run, whoever agrees."""


class Capability(StrEnum):
    """What a skill can declare that its code does. The declared ones are no finding."""

    NETWORK = "network"
    EXEC = "exec"
    """Starts other programs."""
    ENVIRONMENT = "environment"
    """Reads environment variables by name."""
    FILES = "files"
    """Reads or writes files outside the skill, its input and its scratch."""
    NATIVE = "native"
    """Loads machine code by hand: ctypes, cffi, add-ons."""
    DYNAMIC_CODE = "dynamic_code"
    """Runs code that is not in its files as such: eval, exec, unpickling."""
    SYSTEM = "system"
    """Asks about the machine: users, processes, addresses."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the scanner has to say about one place."""

    code: str
    """Stable, like `SL301`; `skilllite explain CODE` tells the rest."""
    severity: Severity
    kind: Kind
    file: str
    """Relative to the skill, with `/`; empty for the skill as a whole."""
    line: int
    """From 1; 0 for a file as a whole."""
    message: str
    """What it does there: one clause, plain text without control characters."""
    remedy: str = ""
    capability: Capability | None = None
    """The capability that would have to be declared, of a finding of that kind."""
