"""Runs every attack in every subject, next to its control, and hands each run to the judge."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from benchmark.security import leaks
from benchmark.security.attacks.language import AFTERMATH
from benchmark.security.benign import BENIGN, Benign
from benchmark.security.item import LIMITS, Attack, Item
from benchmark.security.judgement import (
    Attempt,
    Effect,
    EffectKind,
    End,
    Evidence,
    Judgement,
    Verdict,
    judge,
)
from benchmark.security.lab import Lab, Watch
from benchmark.security.prelude import Language, program, read_account
from benchmark.security.skills import SkillShelf
from benchmark.security.subjects.base import Run, Subject, last_line

HELLO = {
    Language.PYTHON: 'attempt("hello", lambda: True)',
    Language.NODE: "await attempt('hello', () => true);",
    Language.BASH: "attempt hello true",
}
_UNPROVEN = Judgement(Verdict.INCONCLUSIVE, "the control did not have the effect it should have")
_UNEXPLAINED = "it ended without a word"


@dataclass(frozen=True, slots=True)
class Trial:
    """One attack in one subject, judged."""

    subject: str
    item: str
    variant: str
    language: Language
    judgement: Judgement
    effects: tuple[Effect, ...]
    tier: str
    duration_ms: float


@dataclass(frozen=True, slots=True)
class Answer:
    """One well-behaved skill in one subject."""

    subject: str
    skill: str
    language: Language
    right: bool
    detail: str


@dataclass(slots=True)
class Standing:
    """What is known about one subject."""

    name: str
    how: str
    languages: dict[Language, str] = field(default_factory=dict)
    """Empty when it runs this language, else why it doesn't."""
    tiers: set[str] = field(default_factory=set)
    not_enforced: set[str] = field(default_factory=set)
    leaks: dict[str, str] = field(default_factory=dict)

    @property
    def works(self) -> bool:
        """Whether it runs anything."""
        return any(not lacks for lacks in self.languages.values())

    def runs(self, language: Language) -> bool:
        """Whether a trial run in this language succeeded."""
        return self.languages.get(language, "not one of its languages") == ""

    def note(self, run: Run) -> None:
        """Remember what a run says about the subject."""
        if run.tier:
            self.tiers.add(run.tier)
        self.not_enforced.update(run.not_enforced)


@dataclass(slots=True)
class Campaign:
    """Everything that was found."""

    standings: list[Standing] = field(default_factory=list)
    trials: list[Trial] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)


def run_campaign(
    lab: Lab,
    control: Subject,
    subjects: Sequence[Subject],
    items: Iterable[Item],
    *,
    benign: Sequence[Benign] = BENIGN,
    progress: Callable[[str], None],
) -> Campaign:
    """Try everything out and return what was found.

    Args:
        lab: The host.
        control: Runs without isolation; each attack has to work there.
        subjects: What is compared, without the control.
        items: Which attacks.
        benign: Which well-behaved skills.
        progress: Called with a line at each step.
    """
    shelf = SkillShelf(lab.root / "skills")
    campaign = Campaign()
    working: list[tuple[Subject, Standing]] = []
    for subject in (control, *subjects):
        progress(f"trying out {subject.name}")
        standing = try_out(lab, shelf, subject)
        campaign.standings.append(standing)
        if standing.works:
            working.append((subject, standing))
    for item in items:
        progress(item.title)
        for attack in item.attacks:
            held = False
            for subject, standing in working:
                if not standing.runs(attack.language):
                    continue
                is_control = subject is control
                trial = attack_once(
                    lab, shelf, (subject, standing), item, attack, control=is_control or held
                )
                if is_control:
                    held = proves(trial, item)
                    trial = trial if held else replace(trial, judgement=_UNPROVEN)
                campaign.trials.append(trial)
    for subject, standing in working:
        progress(f"well-behaved skills in {subject.name}")
        campaign.answers += [
            ask(shelf, subject, skill) for skill in benign if standing.runs(skill.language)
        ]
        if standing.runs(Language.PYTHON):
            standing.leaks = known_leaks(shelf, subject)
    return campaign


def proves(trial: Trial, item: Item) -> bool:
    """Return whether a run of the control shows that the attack and its oracle work."""
    return any(effect.kind is item.proof for effect in trial.effects)


def try_out(lab: Lab, shelf: SkillShelf, subject: Subject) -> Standing:
    """Return which languages a subject really runs, by running a line of each."""
    standing = Standing(subject.name, subject.how)
    lacks = subject.missing()
    try:
        lab.servers_at(subject.address) if subject.address else None
    except OSError as error:
        lacks = lacks or f"its way to the host can't be watched: {error}"
    for language in subject.languages:
        standing.languages[language] = lacks or _greet(shelf, subject, language, standing)
    return standing


def _greet(shelf: SkillShelf, subject: Subject, language: Language, standing: Standing) -> str:
    nonce = secrets.token_hex(16)
    skill = shelf.skill(language, program(language, HELLO[language]))
    run = subject.run(skill, json.dumps({"nonce": nonce}).encode(), LIMITS)
    account = read_account(run.stdout, run.stderr, nonce)
    if run.end is End.EXITED and account.finished and account.found:
        standing.note(run)
        return ""
    # Refused is an answer, and so is every attack then: it is judged, not left out.
    if run.end is End.REFUSED:
        return ""
    return _explained(run)


def _explained(run: Run) -> str:
    """Return why a run came to nothing, in its own words or in those of whoever started it."""
    return ": ".join(filter(None, (run.detail, last_line(run.stderr)))) or _UNEXPLAINED


def attack_once(
    lab: Lab,
    shelf: SkillShelf,
    where: tuple[Subject, Standing],
    item: Item,
    attack: Attack,
    *,
    control: bool,
) -> Trial:
    """Run one attack in one subject and judge it."""
    subject, standing = where
    skill = shelf.skill(attack.language, program(attack.language, attack.body))
    with Watch(lab, item) as watch:
        given = json.dumps(watch.facts(subject.address)).encode()
        run = subject.run(skill, given, item.limits)
    standing.note(run)
    account = read_account(run.stdout, run.stderr, watch.nonce)
    limits = subject.effective(item.limits)
    failed = watch.failed()
    effects = watch.effects(f"{run.stdout}\n{run.stderr}", account, limits)
    attempts = account.attempts
    if item.aftermath and account.started:
        left, attempt = _aftermath(shelf, subject)
        effects += left
        attempts += attempt
    evidence = Evidence(
        end=run.end,
        started=account.started,
        finished=account.finished,
        attempts=attempts,
        effects=effects,
        bound=run.bound,
        detail=run.detail if account.started else _explained(run),
        oracle_failed=failed,
    )
    return Trial(
        subject=subject.name,
        item=item.name,
        variant=attack.variant,
        language=attack.language,
        judgement=judge(evidence, control=control, denials=item.denials, bounds=item.bounds),
        effects=effects,
        tier=run.tier,
        duration_ms=run.duration_ms,
    )


def _aftermath(
    shelf: SkillShelf, subject: Subject
) -> tuple[tuple[Effect, ...], tuple[Attempt, ...]]:
    """Return what a run after an attack finds changed; an attempt that broke if it can't tell."""
    if Language.PYTHON not in subject.languages:
        return (), ()
    run = subject.run(shelf.skill(Language.PYTHON, AFTERMATH.lstrip()), b"{}", LIMITS)
    left = _value(run.stdout).get("left") if run.end is End.EXITED else None
    if not isinstance(left, list):
        return (), (Attempt("the run after it", did=False, error=_explained(run)),)
    if left:
        what = f"left in the next run: {', '.join(map(str, left))}"
        return (Effect(EffectKind.NEXT_RUN_CHANGED, what),), ()
    return (), ()


def ask(shelf: SkillShelf, subject: Subject, benign: Benign) -> Answer:
    """Run one well-behaved skill and compare its answer."""
    skill = shelf.skill(benign.language, benign.source, benign.description)
    run = subject.run(skill, json.dumps(benign.given).encode(), LIMITS)
    try:
        right = run.end is End.EXITED and json.loads(run.stdout) == benign.answer
    except ValueError:
        right = False
    detail = "" if right else f"{_explained(run)}; it said {last_line(run.stdout)[:80]!r}"
    return Answer(subject.name, benign.name, benign.language, right, detail)


def known_leaks(shelf: SkillShelf, subject: Subject) -> dict[str, str]:
    """Return which of the known leaks a subject has."""
    run = subject.run(shelf.skill(Language.PYTHON, leaks.PROBE.lstrip()), b"{}", LIMITS)
    seen = _value(run.stdout)
    return leaks.compare(seen, leaks.host_values()) if seen else {}


def _value(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
