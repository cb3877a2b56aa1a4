"""What a person is asked before a run at level 3, and the words for it. Pure."""

from __future__ import annotations

from enum import StrEnum

from skilllite_sandbox.gate.verdicts import Heavy, Judgement
from skilllite_sandbox.plan import BASH_PROGRAMS
from skilllite_sandbox.policy import NOTHING_GRANTED, Grants, Policy
from skilllite_sandbox.printable import ONE_LINE
from skilllite_sandbox.program_powers import warning_about
from skilllite_sandbox.values import dataclass, replace

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from collections.abc import Callable

    from skilllite_sandbox.stage import StagedSkill

    Ask = Callable[["ConsentRequest"], "Answer | None"]  # None: nobody is there to be asked

SHOWN_MAX = 20  # findings: what a person can read before they answer
NAME_CHARS_MAX = 80
MESSAGE_CHARS_MAX = 240
_NEEDS_NO_GRANT = frozenset({*BASH_PROGRAMS, "awk"})


class Answer(StrEnum):
    """What a person says."""

    NO = "no"
    ONCE = "once"
    ALWAYS = "always"
    """For this digest, this much and no more."""


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """What a person is to agree to: this content, for these reasons, with these grants."""

    name: str
    digest: str
    verdict: str
    scanner: int
    """The version that gave the verdict."""
    rules: str
    heavy: tuple[Heavy, ...]
    heavy_count: int
    codes: tuple[str, ...]
    grants: Grants

    def __str__(self) -> str:
        """Return what a person reads, harmless to a terminal."""
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """Return it line by line."""
        shown = self.heavy[:SHOWN_MAX]
        more = self.heavy_count - len(shown)
        return [
            f"{_line(self.name, NAME_CHARS_MAX)} needs your consent",
            f"  digest {self.digest}",
            f"  the scanner says {self.verdict}:",
            *(f"  - {_finding(each)}" for each in shown),
            *([f"  - and {more} more findings; `skilllite scan` lists all"] if more > 0 else []),
            *(f"  {each}" for each in grants_in_words(self.grants)),
        ]


def make_request(
    staged: StagedSkill, judgement: Judgement, policy: Policy, *, scanner: int, rules: str
) -> ConsentRequest:
    """Return what has to be agreed to before this copy runs within this policy."""
    return ConsentRequest(
        name=staged.skill.name,
        digest=staged.digest,
        verdict=judgement.verdict,
        scanner=scanner,
        rules=rules,
        heavy=judgement.heavy,
        heavy_count=judgement.heavy_count,
        codes=judgement.codes,
        grants=beyond_the_base(policy.grants),
    )


def beyond_the_base(grants: Grants) -> Grants:
    """Return the grants without the programs that every bash skill has anyway."""
    if not grants.exec:
        return grants
    return replace(grants, exec=tuple(each for each in grants.exec if each not in _NEEDS_NO_GRANT))


def covers(agreed: Grants, wanted: Grants) -> bool:
    """Return whether somebody who agreed to the one has agreed to the other."""
    return (
        set(wanted.network) <= set(agreed.network)
        and set(wanted.exec) <= set(agreed.exec)
        and set(wanted.env) <= set(agreed.env)
        and (agreed.workspace or not wanted.workspace)
    )


def grants_in_words(grants: Grants) -> list[str]:
    """Return what the grants allow, one clause each, in plain words."""
    if grants == NOTHING_GRANTED:
        return ["it runs without network, without other programs and without your files"]
    said = []
    if grants.network:
        said.append(f"it may send and receive data over the network: {_listed(grants.network)}")
    for name in grants.exec:
        warning = warning_about(name)
        said.append(
            f"it may start the program {_line(name, 64)}" + (f" ({warning})" if warning else "")
        )
    if grants.env:
        said.append(f"it may read these variables of your environment: {_listed(grants.env)}")
    if grants.workspace:
        said.append("it may change your files in the workspace")
    return said


def _finding(heavy: Heavy) -> str:
    where = heavy.file or "the skill as a whole"
    line = f":{heavy.line}" if heavy.line else ""
    said = _line(f"{where}{line} {heavy.message}", MESSAGE_CHARS_MAX)
    return f"{heavy.severity}: {said} ({heavy.code})"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(_line(name, 120) for name in names)


def _line(text: str, limit: int) -> str:
    """Return text that can neither move the cursor, nor reorder, nor begin another line."""
    flat = " ".join(text.split()).translate(ONE_LINE)
    flat = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in flat)
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
