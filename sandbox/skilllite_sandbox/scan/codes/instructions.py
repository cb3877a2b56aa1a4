"""SL5xx: what text asks its reader, a model or a person, to do.

Words alone never block: public skills are full of "silently" and "do not mention". What blocks is
text that hides itself and asks, commands that would block in a script, and strong signs of harm
next to strong signs of a disguise.
"""

from __future__ import annotations

from skilllite_sandbox.scan.codes.code import Code, Risk
from skilllite_sandbox.scan.finding import Kind, Severity

_RISKS = (Risk.MALICIOUS_SKILL, Risk.EXTERNAL_INSTRUCTIONS)


def _asks(code: str, title: str, why: str, remedy: str, risks: tuple[Risk, ...] = _RISKS) -> Code:
    return Code(code, Severity.HIGH, Kind.INSTRUCTION, title, why, remedy, risks)


def _hides(code: str, title: str, why: str, remedy: str) -> Code:
    return Code(code, Severity.CRITICAL, Kind.INTENT, title, why, remedy, _RISKS)


_SAY_WHAT = "say what the skill does, and leave the reader's other instructions alone"

CODES = (
    _asks(
        "SL501",
        "asks to set earlier instructions aside",
        "what the user and the client told the model comes before a skill",
        _SAY_WHAT,
    ),
    _asks(
        "SL502",
        "asks to keep something from the user",
        "what is done for a person is that person's to know",
        "let the model say what it does",
    ),
    _asks(
        "SL503",
        "asks to act without asking",
        "whether to agree is for a person to say, not for a text",
        "leave confirmations to the client",
        (Risk.OVER_PRIVILEGE,),
    ),
    _asks(
        "SL504",
        "asks for secrets",
        "keys and passwords that a model reads end up in its context and its answers",
        "name the one variable that the skill's script reads by itself",
    ),
    _asks(
        "SL505",
        "asks to send the user's words or files somewhere",
        "the conversation and the project belong to the user",
        "say in the description what is sent where and why, and let the user start it",
    ),
    _asks(
        "SL506",
        "asks to fetch a program and run it",
        "what is fetched later was seen by nobody",
        "name published packages with their versions",
        (Risk.SUPPLY_CHAIN, Risk.MALICIOUS_SKILL),
    ),
    _asks(
        "SL507",
        "asks to switch a protection off",
        "a skill works within the permissions that it is given",
        "say what the skill needs, and let the user grant it",
        (Risk.OVER_PRIVILEGE, Risk.WEAK_ISOLATION),
    ),
    _asks(
        "SL508",
        "asks to change an agent's memory, settings or other skills",
        "it would go on steering after the skill is gone",
        "describe the change and let the user make it",
        (Risk.MALICIOUS_SKILL, Risk.UPDATE_DRIFT),
    ),
    _asks(
        "SL509",
        "asks for the model's own instructions",
        "they are the client's, and tell an attacker what to write next",
        "leave it out",
    ),
    _asks(
        "SL510",
        "claims every request, or a place before other skills",
        "a skill that is always chosen decides what all the others get to see",
        "say for which tasks it is",
        (Risk.METADATA, Risk.MALICIOUS_SKILL),
    ),
    _asks(
        "SL511",
        "speaks to whoever checks it",
        "a text that asks for a good verdict has a reason to",
        "leave the verdict to the checker",
        (Risk.POOR_SCANNING, Risk.MALICIOUS_SKILL),
    ),
    _asks(
        "SL512",
        "imitates a message of the system or of another speaker",
        "marks that begin and end turns make text look as if somebody else had written it",
        "write plain text",
    ),
    _asks(
        "SL513",
        "asks to follow instructions that are kept elsewhere",
        "whoever controls that address decides later what is done",
        "put the instructions into the skill",
        (Risk.EXTERNAL_INSTRUCTIONS,),
    ),
    _asks(
        "SL514",
        "asks to destroy data",
        "files, histories and backups of the user can't be had back",
        "work on what the user names",
    ),
    _asks(
        "SL515",
        "asks to slip something into the user's work",
        "links, copies, recommendations and weaknesses that nobody asked for serve somebody else",
        "leave it out",
    ),
    _asks(
        "SL516",
        "asks to free the model from its rules",
        "another role or mode is a way round what the model was told",
        _SAY_WHAT,
    ),
    _asks(
        "SL517",
        "asks to decode something and act on it",
        "instructions that have to be decoded were meant not to be read",
        "write them as text",
    ),
    _asks(
        "SL518",
        "asks to pay or to transfer",
        "money that a text sends away doesn't come back",
        "leave it out",
    ),
    _asks(
        "SL519",
        "claims an authority or a consent of its own",
        "a skill can't agree in the user's place, nor rank itself above what the model was told",
        "let the user decide, and leave the reader's other instructions alone",
        (Risk.OVER_PRIVILEGE, Risk.MALICIOUS_SKILL),
    ),
    _asks(
        "SL520",
        "gives tools, words or answers another meaning",
        "who says “no” or calls a tool has to get what they asked for",
        "name things what they are",
    ),
    _hides(
        "SL521",
        "hides instructions from people",
        "comments, invisible elements and encoded words reach the model and not the person who "
        "looks at the page",
        "write them where people see them, or leave them out",
    ),
    _hides(
        "SL522",
        "tells the reader to run a command that does harm",
        "a command in instructions is run by the model, like a script of the skill",
        "leave it out",
    ),
    Code(
        "SL523",
        Severity.MEDIUM,
        Kind.INSTRUCTION,
        "speaks to the model where people don't look",
        "comments and invisible elements are for people's tools, not for instructions",
        "write it where people see it",
        _RISKS,
    ),
    Code(
        "SL524",
        Severity.MEDIUM,
        Kind.HYGIENE,
        "may use any tool",
        "a skill should name the tools it needs",
        "list the tools in `allowed-tools`",
        (Risk.OVER_PRIVILEGE,),
    ),
    Code(
        "SL525",
        Severity.MEDIUM,
        Kind.INSTRUCTION,
        "steers its reader in several small ways",
        "secrecy, claims, triggers and data that leaves are each ordinary now and then; together "
        "they are how a reader is led astray",
        _SAY_WHAT,
        _RISKS,
    ),
    _hides(
        "SL526",
        "puts together what honest skills keep apart",
        "a text that asks for something harmful and for silence, obedience or a disguise as well "
        "knows what it does",
        "leave it out",
    ),
)
