"""`skilllite confirm`: a person at the terminal answers what a run was refused for.

There is no flag, no field and no socket that answers instead: only what is typed at /dev/tty.
"""

from __future__ import annotations

import os

from skilllite import errors
from skilllite.cli import output
from skilllite.cli.project_trust import locate_or_ask
from skilllite.gating import HomeAudit, open_decisions
from skilllite.home import Home
from skilllite.scanning import open_verdicts
from skilllite.sdk import open_stage
from skilllite.shadowing import hiding_question, let_hide
from skilllite_sandbox.errors import ConsentRequired, NotFound, PolicyDenied
from skilllite_sandbox.gate.decisions import Decisions
from skilllite_sandbox.gate.request import Answer, ConsentRequest, make_request
from skilllite_sandbox.gate.terminal import ask_at_terminal, ask_to_run
from skilllite_sandbox.gate.verdicts import BLOCK, PASS
from skilllite_sandbox.policy import Policy
from skilllite_sandbox.scan.version import SCANNER_VERSION
from skilllite_sandbox.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from skilllite_sandbox.gate.verdicts import Verdicts
    from skilllite_sandbox.stage import Stage, StagedSkill


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "what",
        metavar="REPORT_ID|NAME|DIR",
        help="the report that a refused run named, or a skill, to agree to it beforehand",
    )


def run(args: argparse.Namespace) -> int:
    """Ask, and keep the answer."""
    home = Home.locate()
    home.prepare()
    stage, decisions = open_stage(home), open_decisions(home)
    found = decisions.report(args.what)
    if found is not None:
        return _answer_report(args.what, found, home, stage, decisions)
    if not os.path.exists(args.what) and _looks_like_report(args.what):  # noqa: PTH110
        raise NotFound(
            "there is no such report",
            cause="it was answered, it is older than 15 minutes, or it is of another home",
            hint="run the skill again: it names a new one",
        )
    return _agree_beforehand(args.what, home, stage, decisions)


def _looks_like_report(text: str) -> bool:
    from skilllite_sandbox.gate.decisions import ID_CHARS

    return len(text) == ID_CHARS and text.isalnum()


def _answer_report(
    report_id: str, asked: ConsentRequest, home: Home, stage: Stage, decisions: Decisions
) -> int:
    staged = stage.get(asked.digest)
    if staged is None:
        raise NotFound(
            f"the copy of {asked.name} that the report is about is gone",
            hint="run the skill again: it names a new report",
        )
    request = _request(staged, open_verdicts(home))
    if request is None or not set(request.codes) <= set(asked.codes):
        decisions.close_report(report_id)
        raise NotFound(
            "the scanner says something else by now", hint="run the skill again and read that"
        )
    answer = _ask(replace(request, grants=asked.grants))
    # Whoever takes the report away has its answer; another confirmation of it comes to nothing.
    if not decisions.close_report(report_id):
        raise NotFound("somebody else has answered this report", hint="run the skill again")
    return _keep(answer, replace(request, grants=asked.grants), home, decisions)


def _agree_beforehand(skill: str, home: Home, stage: Stage, decisions: Decisions) -> int:
    directory, _ = locate_or_ask(skill, home)
    staged = stage.put(directory)
    request = _request(staged, open_verdicts(home))
    if request is not None:
        status = _keep(_ask(request), request, home, decisions)
        if status != errors.OK:
            return status
    elif not _hides(directory, staged, home):
        output.note("the scanner passes it: it needs no consent")
    if _hides(directory, staged, home):
        return _let_hide(directory, staged, home)
    return errors.OK


def _hides(directory: str, staged: StagedSkill, home: Home) -> bool:
    """Return whether a skill isn't used by its name because it would hide another one."""
    from pathlib import Path

    from skilllite.catalog import SkillCatalog

    listing = SkillCatalog.for_project(Path.cwd(), home).list()
    return any(
        each.entry.name == staged.skill.name
        and each.entry.directory.samefile(directory)
        and any(other.name == each.entry.name for other in listing.entries)
        for each in listing.withheld
    )


def _let_hide(directory: str, staged: StagedSkill, home: Home) -> int:
    name = output.printable(staged.skill.name)
    said = ask_at_terminal(hiding_question(name, directory, staged.digest), {"yes": "yes"})
    if said is None:
        raise _nobody_here()
    if said != "yes":
        output.note("nothing was confirmed")
        return errors.NEEDS_CONFIRMATION
    let_hide(home, staged.skill.name, staged.digest)
    output.note(f"{name} is this one from now on, as long as its content stays the same")
    return errors.OK


def _request(staged: StagedSkill, verdicts: Verdicts) -> ConsentRequest | None:
    """Return what there is to be agreed to, None when there is nothing.

    Raises:
        PolicyDenied: nobody can agree to it.
    """
    judgement = verdicts.of(staged)
    if judgement.verdict == BLOCK:
        raise PolicyDenied(
            f"{staged.skill.name} is blocked by the scanner, and nobody can agree to it",
            hint="`skilllite scan DIR` shows why",
        )
    if judgement.verdict == PASS:
        return None
    return make_request(staged, judgement, Policy(), scanner=SCANNER_VERSION, rules=verdicts.rules)


def _ask(request: ConsentRequest) -> Answer:
    answer = ask_to_run(request)
    if answer is None:
        raise _nobody_here()
    return answer


def _nobody_here() -> ConsentRequired:
    return ConsentRequired(
        "only a person can confirm, and there is no terminal to ask at",
        hint="type the same command in a terminal of your own",
    )


def _keep(answer: Answer, request: ConsentRequest, home: Home, decisions: Decisions) -> int:
    if answer is Answer.NO:
        output.note("nothing was confirmed")
        return errors.NEEDS_CONFIRMATION
    facts = {
        "skill": request.name,
        "digest": request.digest,
        "codes": request.codes,
        "network": request.grants.network,
        "exec": request.grants.exec,
        "env": request.grants.env,
        "answer": answer.value,
        "by": "terminal",
    }
    HomeAudit(home).record("consent.given", facts, durable=True)
    if answer is Answer.ALWAYS:
        decisions.agree(request)
        output.note("kept for this digest; `skilllite grants revoke` takes it back")
    else:
        decisions.agree_once(request)
        output.note("kept for one run in the next 15 minutes")
    return errors.OK
