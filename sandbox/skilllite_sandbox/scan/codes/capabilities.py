"""SL4xx: what ordinary skills do as well, and have to declare."""

from __future__ import annotations

from skilllite_sandbox.scan.codes.code import Code, Risk
from skilllite_sandbox.scan.finding import Capability, Kind, Severity

_RISKS = (Risk.OVER_PRIVILEGE, Risk.METADATA)


def _capability(code: str, capability: Capability, title: str, why: str, remedy: str) -> Code:
    return Code(
        code, Severity.HIGH, Kind.CAPABILITY, title, why, remedy, _RISKS, capability=capability
    )


CODES = (
    _capability(
        "SL401",
        Capability.NETWORK,
        "uses the network",
        "whoever runs it should know where it connects before it does",
        "name the hosts in metadata `skilllite.network`, or network access in `compatibility`",
    ),
    _capability(
        "SL402",
        Capability.EXEC,
        "starts other programs",
        "a program does whatever that program can do",
        "name the programs in metadata `skilllite.exec`, or in `compatibility`",
    ),
    _capability(
        "SL403",
        Capability.ENVIRONMENT,
        "reads environment variables",
        "variables hold keys; the sandbox passes none unless a person grants it",
        "name the variables in metadata `skilllite.env`, or in `compatibility`",
    ),
    _capability(
        "SL404",
        Capability.FILES,
        "uses files outside the skill",
        "the sandbox shows none of them",
        "take files as input, or name the folders in `compatibility`",
    ),
    _capability(
        "SL405",
        Capability.NATIVE,
        "loads machine code by hand",
        "machine code can't be read by a scanner and isn't held by the language's own rules",
        "say in `compatibility` which library it loads and why",
    ),
    _capability(
        "SL406",
        Capability.DYNAMIC_CODE,
        "makes code while it runs",
        "what it runs then can't be read beforehand",
        "call functions by name; read data with a parser",
    ),
    _capability(
        "SL407",
        Capability.SYSTEM,
        "asks about the machine",
        "users, processes and addresses are the machine's, not the task's",
        "say in `compatibility` what it reads",
    ),
)
