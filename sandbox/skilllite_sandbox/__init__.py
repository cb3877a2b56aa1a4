"""The ground floor: the skill format, isolation, and running a skill in it.

    with Sandbox(level=2) as sandbox:
        outcome = sandbox.run("skills/calculator", {"operation": "add", "a": 1, "b": 2})

Importing this package costs nothing: each name is loaded when it is first used.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing `typing` would cost what the laziness saves
if TYPE_CHECKING:
    from skilllite_sandbox.errors import (
        ConsentRequired as ConsentRequired,
    )
    from skilllite_sandbox.errors import (
        InvalidInput as InvalidInput,
    )
    from skilllite_sandbox.errors import (
        InvalidSkill as InvalidSkill,
    )
    from skilllite_sandbox.errors import (
        NotFound as NotFound,
    )
    from skilllite_sandbox.errors import (
        PolicyDenied as PolicyDenied,
    )
    from skilllite_sandbox.errors import (
        SandboxError as SandboxError,
    )
    from skilllite_sandbox.errors import (
        SandboxUnavailable as SandboxUnavailable,
    )
    from skilllite_sandbox.execution import Execution as Execution
    from skilllite_sandbox.outcome import Outcome as Outcome
    from skilllite_sandbox.outcome import Reason as Reason
    from skilllite_sandbox.policy import DEFAULT_LIMITS as DEFAULT_LIMITS
    from skilllite_sandbox.policy import REMOTE_LIMITS as REMOTE_LIMITS
    from skilllite_sandbox.policy import Level as Level
    from skilllite_sandbox.policy import Limits as Limits
    from skilllite_sandbox.policy import Origin as Origin
    from skilllite_sandbox.policy import Policy as Policy
    from skilllite_sandbox.policy import Tier as Tier
    from skilllite_sandbox.probe import HostReport as HostReport
    from skilllite_sandbox.probe import probe_host as probe_host
    from skilllite_sandbox.sandbox import Job as Job
    from skilllite_sandbox.sandbox import Sandbox as Sandbox
    from skilllite_sandbox.scan.finding import Finding as Finding
    from skilllite_sandbox.scan.finding import Severity as Severity
    from skilllite_sandbox.scan.finding import Verdict as Verdict
    from skilllite_sandbox.scan.opinion import Opinion as Opinion
    from skilllite_sandbox.scan.opinion import OpinionAnswer as OpinionAnswer
    from skilllite_sandbox.scan.opinion import OpinionRequest as OpinionRequest
    from skilllite_sandbox.scan.report import ScanReport as ScanReport
    from skilllite_sandbox.scan.scanner import scan_skill as scan_skill
    from skilllite_sandbox.scan.yara_rules import RulePack as RulePack
    from skilllite_sandbox.scan.yara_rules import load_rule_pack as load_rule_pack
    from skilllite_sandbox.skill import Skill as Skill
    from skilllite_sandbox.skill import load_skill as load_skill
    from skilllite_sandbox.skill import validate_skill as validate_skill
    from skilllite_sandbox.stage import Stage as Stage
    from skilllite_sandbox.stage import StagedSkill as StagedSkill
    from skilllite_sandbox.stage import open_temporary_stage as open_temporary_stage

_HOMES = {
    "errors": (
        "ConsentRequired InvalidInput InvalidSkill NotFound PolicyDenied SandboxError "
        "SandboxUnavailable"
    ),
    "execution": "Execution",
    "outcome": "Outcome Reason",
    "policy": "DEFAULT_LIMITS REMOTE_LIMITS Level Limits Origin Policy Tier",
    "probe": "HostReport probe_host",
    "sandbox": "Job Sandbox",
    "scan.finding": "Finding Severity Verdict",
    "scan.opinion": "Opinion OpinionAnswer OpinionRequest",
    "scan.report": "ScanReport",
    "scan.scanner": "scan_skill",
    "scan.yara_rules": "RulePack load_rule_pack",
    "skill": "Skill load_skill validate_skill",
    "stage": "Stage StagedSkill open_temporary_stage",
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
