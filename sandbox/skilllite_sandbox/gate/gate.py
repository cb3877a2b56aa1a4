"""Decides whether a staged copy may run at level 3: PASS does, BLOCK never, REVIEW when agreed to.

Everything is about the copy in the stage, by its digest: nothing can change between the look, the
question and the run.
"""

from __future__ import annotations

from contextlib import suppress

from skilllite_sandbox.errors import ConsentRequired, KeyUnusable, PolicyDenied
from skilllite_sandbox.gate.clearance import Clearance
from skilllite_sandbox.gate.verdicts import BLOCK, PASS, REVIEW, Verdicts
from skilllite_sandbox.policy import NOTHING_GRANTED, Grants, Origin, Policy
from skilllite_sandbox.printable import ONE_LINE
from skilllite_sandbox.scan.version import SCANNER_VERSION

TYPE_CHECKING = False  # importing `typing` for it would cost every run 3 ms
if TYPE_CHECKING:
    from collections.abc import Callable

    from skilllite_sandbox.audit_port import Recorder
    from skilllite_sandbox.gate.decisions import Decisions
    from skilllite_sandbox.gate.request import Answer, Ask, ConsentRequest
    from skilllite_sandbox.gate.verdicts import Judgement
    from skilllite_sandbox.stage import StagedSkill

CAUSES_SHOWN_MAX = 3  # findings in an error; the scan shows all


class Gate:
    """Gives clearances. Safe to use from several threads."""

    def __init__(
        self,
        *,
        verdicts: Verdicts | Callable[[], Verdicts] | None = None,
        decisions: Decisions | None = None,
        ask: Ask | None = None,
        asked_by: str = "terminal",
        recorder: Recorder | None = None,
        own_place: Callable[[str], str] = lambda _: "",
    ) -> None:
        """Open a gate; without arguments it lets pass what the scanner passes, and nothing else.

        Args:
            verdicts: What the scanner says, or what gives it as it is configured at this moment.
            decisions: What persons have agreed to before.
            ask: Asks a person, or what answers for the program that embeds this.
            asked_by: Who that is, for the audit log.
            recorder: The audit log.
            own_place: Gives a name to a directory where this user writes a skill, else nothing:
                there grants may be carried over to new content.
        """
        self._given_verdicts = verdicts or Verdicts()
        self._decisions = decisions
        self._ask = ask
        self._asked_by = asked_by
        self._recorder = recorder
        self._own_place = own_place

    def clear(
        self,
        staged: StagedSkill,
        policy: Policy,
        *,
        strict: bool = False,
        peers_at_pass: bool = False,
        file_report: bool = True,
    ) -> Clearance:
        """Return the permission to run a copy within a policy.

        Args:
            staged: The copy.
            policy: What it may do; its grants are part of what is agreed to.
            strict: It was evolved or received: what it doesn't declare blocks it.
            peers_at_pass: Peers may have it run only when there is nothing to ask.
            file_report: Keep the question, so that a person can answer it elsewhere.

        Raises:
            PolicyDenied: nobody may run it.
            ConsentRequired: a person has to agree, and hasn't.
        """
        verdicts = self._verdicts
        judgement = verdicts.of(staged)
        verdict = judgement.verdict_for(strict=strict)
        if verdict == PASS:
            return Clearance(staged.digest, policy)
        if verdict == BLOCK:
            raise _blocked(staged, judgement, strict=strict)
        from skilllite_sandbox.gate.request import make_request

        request = make_request(
            staged, judgement, policy, scanner=SCANNER_VERSION, rules=verdicts.rules
        )
        if policy.origin is Origin.REMOTE:
            return self._clear_for_peer(staged, policy, request, at_pass=peers_at_pass)
        return self._clear_here(staged, policy, request, file_report=file_report)

    @property
    def _verdicts(self) -> Verdicts:
        given = self._given_verdicts
        return given() if callable(given) else given

    def granted(self, staged: StagedSkill, directory: str) -> Grants:
        """Return what a person has granted this content for good.

        Args:
            staged: The copy.
            directory: Of which it is one.
        """
        requests = staged.skill.requests
        if self._decisions is None:
            return NOTHING_GRANTED
        found = self._decisions.grant_record(staged.digest)
        if found is None and (place := self._own_place(directory)):
            from skilllite_sandbox.gate.decisions import asked_by

            found = self._decisions.keep_grants(
                staged.digest, name=staged.skill.name, asked=asked_by(requests), place=place
            )
            if found is not None:
                policy = Policy(grants=found.grants)
                self._tell("grant.kept", staged, policy, durable=True, place=place)
        return NOTHING_GRANTED if found is None else found.grants

    def _clear_for_peer(
        self, staged: StagedSkill, policy: Policy, request: ConsentRequest, *, at_pass: bool
    ) -> Clearance:
        """Nobody is asked for a peer: somebody must have agreed before, for good."""
        agreed = self._decisions is not None and self._decisions.is_agreed(request)
        if agreed and not at_pass:
            return Clearance(staged.digest, policy, verdict=REVIEW, by="decision")
        error = ConsentRequired(
            f"{staged.skill.name} needs the consent of a person at the node that runs it",
            cause=_causes(request),
            hint=(
                "peers can't run a skill that was never installed and has to be agreed to"
                if at_pass
                else f"a person there types `skilllite confirm {staged.skill.name}` and `always`"
            ),
        )
        raise error

    def _clear_here(
        self, staged: StagedSkill, policy: Policy, request: ConsentRequest, *, file_report: bool
    ) -> Clearance:
        decisions = self._decisions
        if decisions is not None:
            if decisions.is_agreed(request):
                return Clearance(staged.digest, policy, verdict=REVIEW, by="decision")
            if decisions.use_once(request):
                self._tell("consent.used", staged, policy, durable=True, codes=request.codes)
                return Clearance(
                    staged.digest, policy, verdict=REVIEW, by="decision", single_use=True
                )
        answer = self._ask(request) if self._ask is not None else None
        if answer is None:
            raise self._needs_consent(request, file_report=file_report)
        return self._act_on(answer, staged, policy, request)

    def _act_on(
        self, answer: Answer, staged: StagedSkill, policy: Policy, request: ConsentRequest
    ) -> Clearance:
        from skilllite_sandbox.gate.request import Answer

        if answer not in (Answer.ONCE, Answer.ALWAYS):
            self._tell("consent.denied", staged, policy, codes=request.codes, by=self._asked_by)
            raise ConsentRequired(
                f"{staged.skill.name} does not run without consent",
                cause="the answer was no",
                hint="`skilllite scan` shows what it was about",
            )
        # Written down before it has an effect: what can't be written down isn't done.
        self._tell(
            "consent.given",
            staged,
            policy,
            durable=True,
            codes=request.codes,
            by=self._asked_by,
            answer=answer.value,
        )
        if answer is Answer.ALWAYS and self._decisions is not None:
            self._decisions.agree(request)
        return Clearance(
            staged.digest,
            policy,
            verdict=REVIEW,
            by=self._asked_by,
            single_use=answer is Answer.ONCE,
        )

    def _needs_consent(self, request: ConsentRequest, *, file_report: bool) -> ConsentRequired:
        hint = "run it at a terminal, which asks"
        report_id = None
        if file_report and self._decisions is not None:
            with suppress(KeyUnusable):  # where nothing can be kept, only the terminal is left
                report_id = self._decisions.file_report(request)
        if report_id is not None:
            hint = (
                f"a person types `skilllite confirm {report_id}` in a terminal, then run it again"
            )
        error = ConsentRequired(
            f"{request.name} needs the consent of a person",
            cause=_causes(request),
            hint=hint,
        )
        error.report_id = report_id
        return error

    def _tell(
        self,
        event: str,
        staged: StagedSkill,
        policy: Policy,
        *,
        durable: bool = False,
        **facts: object,
    ) -> None:
        if self._recorder is None:
            return
        grants = policy.grants
        self._recorder.record(
            event,
            {
                "skill": staged.skill.name,
                "digest": staged.digest,
                "origin": policy.origin.value,
                "network": grants.network,
                "exec": grants.exec,
                "env": grants.env,
                **facts,
            },
            durable=durable,
        )


def _blocked(staged: StagedSkill, judgement: Judgement, *, strict: bool) -> PolicyDenied:
    return PolicyDenied(
        f"{staged.skill.name} is blocked by the scanner, and nobody can agree to it",
        cause=_causes(judgement),
        hint=(
            "a skill that was received has to declare what it does"
            if strict and judgement.verdict != BLOCK
            else "`skilllite scan DIR` shows all of it, `skilllite explain CODE` what it means"
        ),
    )


def _causes(about: Judgement | ConsentRequest) -> str:
    heavy = about.heavy[:CAUSES_SHOWN_MAX]
    said = "; ".join(f"{each.file}:{each.line} {each.message} ({each.code})" for each in heavy)
    more = about.heavy_count - len(heavy)
    return said.translate(ONE_LINE) + (f"; and {more} more" if more > 0 else "")
