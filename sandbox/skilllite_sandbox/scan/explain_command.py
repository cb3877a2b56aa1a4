"""`explain CODE`: what a finding of that code means, why it matters, and what to do about it."""

from __future__ import annotations

import json
from difflib import get_close_matches

from skilllite_sandbox.errors import NotFound
from skilllite_sandbox.run_output import OK, write
from skilllite_sandbox.scan.codes import CODES, Code, Risk
from skilllite_sandbox.scan.finding import Severity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

RISKS_PAGE = "https://owasp.org/www-project-agentic-skills-top-10/"
_FOLLOWS = {
    Severity.CRITICAL: "blocks: it doesn't run, whoever agrees",
    Severity.HIGH: "asks: a person has to agree before it runs",
    Severity.MEDIUM: "worth reading; asks nobody",
    Severity.LOW: "asks nobody",
    Severity.INFO: "asks nobody",
}


def run_explain_command(code: str | None, *, as_json: bool) -> int:
    """Explain one code, or list all of them.

    Raises:
        NotFound: there is no such code.
    """
    if code is None:
        if as_json:
            codes = [_code_json(each) for each in CODES.values()]
            write(json.dumps({"schema": 1, "codes": codes}) + "\n")
        else:
            write(
                "".join(f"{each.code}  {each.severity.word:8}  {each.title}\n" for each in _all())
            )
        return OK
    found = _find(code)
    if as_json:
        write(json.dumps({"schema": 1, **_code_json(found)}) + "\n")
    else:
        write(_page(found))
    return OK


def _all() -> list[Code]:
    return sorted(CODES.values(), key=lambda each: each.code)


def _find(code: str) -> Code:
    found = CODES.get(code.upper())
    if found is not None:
        return found
    near = get_close_matches(code.upper(), CODES, n=1)
    hint = f"did you mean {near[0]}?" if near else "`explain` without a code lists all of them"
    if code.upper().startswith("USER:"):
        hint = "that is a rule of your own: the file that has it says what it means"
    raise NotFound(f"there is no code {code}", hint=hint)


def _page(code: Code) -> str:
    lines = [
        f"{code.code}: {code.title}",
        "",
        f"weighs    {code.severity.word}: {_FOLLOWS[code.severity]}",
        f"why       {code.why}",
        f"remedy    {code.remedy}",
    ]
    if code.capability is not None:
        named = code.capability.value
        lines.append(f"declare   {named}: a skill that declares it isn't asked about for this")
    risks = ", ".join(f"{risk.value} {_words(risk)}" for risk in code.risks)
    lines += [f"OWASP     {risks}", f"          {RISKS_PAGE}"]
    return "\n".join(lines) + "\n"


def _code_json(code: Code) -> dict[str, Any]:
    return {
        "code": code.code,
        "severity": code.severity.word,
        "kind": code.kind.value,
        "title": code.title,
        "why": code.why,
        "remedy": code.remedy,
        "capability": None if code.capability is None else code.capability.value,
        "owasp": [{"id": risk.value, "name": _words(risk)} for risk in code.risks],
    }


def _words(risk: Risk) -> str:
    return risk.name.lower().replace("_", " ")
