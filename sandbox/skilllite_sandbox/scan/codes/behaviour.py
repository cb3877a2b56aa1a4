"""SL3xx: what code does that ordinary skills have no reason to do."""

from __future__ import annotations

from skilllite_sandbox.scan.codes.code import Code, Risk
from skilllite_sandbox.scan.finding import Kind, Severity

_MALICIOUS = (Risk.MALICIOUS_SKILL,)


def _intent(
    code: str,
    severity: Severity,
    title: str,
    why: str,
    remedy: str,
    risks: tuple[Risk, ...] = _MALICIOUS,
) -> Code:
    return Code(code, severity, Kind.INTENT, title, why, remedy, risks)


CODES = (
    _intent(
        "SL301",
        Severity.CRITICAL,
        "sends secrets away",
        "keys, credentials or browser data that it reads on this machine leave over the network",
        "ask the user for the one credential that the skill needs, by a variable that it declares",
    ),
    _intent(
        "SL302",
        Severity.CRITICAL,
        "sends the environment away",
        "the variables of a process hold its passwords and keys, of other programs too",
        "read the variables that the skill needs by their names, and send none of the others",
    ),
    _intent(
        "SL303",
        Severity.CRITICAL,
        "sends files of this machine away",
        "files outside the skill and its input are not the skill's to send",
        "work on files that the caller hands over",
    ),
    _intent(
        "SL304",
        Severity.HIGH,
        "sends facts about this machine away",
        "host name, user, processes and addresses tell an attacker where to go on",
        "leave it out, or say in the description what is sent where",
    ),
    _intent(
        "SL305",
        Severity.CRITICAL,
        "records what people type or see, or what other code works on",
        "keys, screen, clipboard and other programs' secrets are no business of a skill",
        "leave it out",
    ),
    _intent(
        "SL306",
        Severity.CRITICAL,
        "prints secrets",
        "what a skill prints is read by a model and may be passed on from there",
        "print no credentials",
    ),
    _intent(
        "SL307",
        Severity.HIGH,
        "prints the environment",
        "what a skill prints is read by a model; variables hold the passwords of other programs",
        "print the variables that are asked for, by their names",
    ),
    _intent(
        "SL308",
        Severity.HIGH,
        "reads secrets and reaches out elsewhere",
        "whether what it reads goes where it connects to can't be told from the code",
        "ask the user for the one credential that the skill needs, by a variable that it declares",
    ),
    _intent(
        "SL309",
        Severity.HIGH,
        "sends files that it looks around for",
        "nobody named these files, and what else lies in a folder leaves with them",
        "send the files that the caller names, and declare the host",
    ),
    _intent(
        "SL313",
        Severity.HIGH,
        "copies secrets to other places",
        "a copy isn't protected as the original is, and goes on with the files around it",
        "leave keys and credentials where they are",
    ),
    _intent(
        "SL310",
        Severity.CRITICAL,
        "tells a stranger which machine this is and whose",
        "several such facts sent without a log-in to any service tell an attacker whom it has hit",
        "leave it out, or send it to a service that the user chose and logs in to",
    ),
    _intent(
        "SL311",
        Severity.CRITICAL,
        "runs what it fetched",
        "whoever controls that address decides later what runs, unseen by any check",
        "put the code into the skill, where it can be read",
    ),
    _intent(
        "SL312",
        Severity.HIGH,
        "writes what it fetched to other places of this machine",
        "whoever controls that address decides what is written there",
        "write into the folder that the caller names, and check every name of an archive",
    ),
    _intent(
        "SL321",
        Severity.CRITICAL,
        "runs code that it hides",
        "code that has to be decoded before it can be read was meant not to be read",
        "write the code as code",
    ),
    _intent(
        "SL331",
        Severity.CRITICAL,
        "makes itself run again later",
        "start-up files, timers, services, hooks and keys outlive the run that was agreed to",
        "leave scheduling to the user",
    ),
    _intent(
        "SL332",
        Severity.CRITICAL,
        "changes an agent's instructions or other skills",
        "what an agent is told to do is its user's to decide",
        "describe the change and let the user make it",
    ),
    _intent(
        "SL341",
        Severity.CRITICAL,
        "destroys files",
        "removing or overwriting what it didn't make can't be undone",
        "change only files that the caller hands over",
    ),
    _intent(
        "SL342",
        Severity.CRITICAL,
        "uses up the machine",
        "processes, memory or disk without a bound stop everything else",
        "bound the work",
    ),
    _intent(
        "SL351",
        Severity.HIGH,
        "asks for more rights",
        "a skill runs with the rights it was given",
        "leave it out",
        (Risk.OVER_PRIVILEGE,),
    ),
    _intent(
        "SL352",
        Severity.CRITICAL,
        "switches a protection off",
        "quarantine, firewalls, audit and history are there to notice what it does next",
        "leave protections as they are",
    ),
    _intent(
        "SL353",
        Severity.HIGH,
        "changes the interpreter under other code",
        "traces, import hooks and replaced functions see and alter what other code does",
        "call what it needs by its own name",
    ),
    _intent(
        "SL354",
        Severity.CRITICAL,
        "listens in on other code and reaches out",
        "what passes through replaced functions and traces, passwords too, can leave that way",
        "call what it needs by its own name",
    ),
    _intent(
        "SL361",
        Severity.HIGH,
        "behaves otherwise when it is watched",
        "code that looks for debuggers, sandboxes, hosts or dates hides what it does elsewhere",
        "do the same everywhere",
    ),
    _intent(
        "SL391",
        Severity.HIGH,
        "installs packages from elsewhere",
        "what an index or address of the author's own hands out can change after every check",
        "declare packages by name and version, from the index that everyone uses",
        (Risk.SUPPLY_CHAIN,),
    ),
    Code(
        "SL392",
        Severity.MEDIUM,
        Kind.HYGIENE,
        "believes whoever answers",
        "without a check of certificates or signatures anyone in between can answer instead",
        "leave the check on",
        (Risk.SUPPLY_CHAIN,),
    ),
    _intent(
        "SL393",
        Severity.HIGH,
        "hides what it sends, or where",
        "an address or a message that has to be decoded was meant not to be read",
        "write addresses as they are",
    ),
    Code(
        "SL394",
        Severity.MEDIUM,
        Kind.HYGIENE,
        "unpacks an archive to wherever it says",
        "names and links in an archive can lead out of the folder that it is unpacked to",
        'pass filter="data" to extractall',
        (Risk.SUPPLY_CHAIN,),
    ),
)
