"""What was found, as tables and as JSON, and whether it is what SkillLite promises. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmark.security.campaign import Campaign, Standing, Trial, proves
from benchmark.security.item import Item
from benchmark.security.judgement import Verdict
from benchmark.security.prelude import Language

SCHEMA = 1
HOLDS, EFFECT_SEEN, NOT_PROVEN = 0, 1, 3
"""Exit status: all is shown; something got out at level 2 or 3; something could not be shown."""

_WORDS = {
    Verdict.REFUSED: "refused",
    Verdict.STOPPED: "stopped",
    Verdict.INSIDE_ONLY: "inside only",
    Verdict.EFFECT: "EFFECT",
    Verdict.INCONCLUSIVE: "inconclusive",
}


@dataclass(frozen=True, slots=True)
class Findings:
    """A campaign with what is needed to read it."""

    campaign: Campaign
    items: tuple[Item, ...]
    control: str
    """Name of the subject that has to fail at everything."""
    promised: tuple[str, ...]
    """Subjects of which an effect or an open question is a failure."""
    wanted: tuple[str, ...]
    """Subjects whose well-behaved skills all have to pass."""
    machine: dict[str, Any]
    """What it was measured on."""

    def trials_of(self, subject: str, item: str | None = None) -> list[Trial]:
        """Return the trials of a subject, of one item or of all."""
        return [
            trial
            for trial in self.campaign.trials
            if trial.subject == subject and item in (None, trial.item)
        ]

    def headline(self, subject: str, item: str) -> Trial | None:
        """Return the trial that the table of twenty counts: Python, else what the subject runs."""
        return next(iter(self.trials_of(subject, item)), None)

    @property
    def failed_controls(self) -> list[str]:
        """Attacks that did nothing even without isolation."""
        items = {item.name: item for item in self.items}
        return [
            f"{trial.item} ({trial.variant})"
            for trial in self.trials_of(self.control)
            if not proves(trial, items[trial.item])
        ]

    @property
    def problems(self) -> list[tuple[int, str]]:
        """Everything that keeps the promise from being shown, with its exit status."""
        return [
            *((NOT_PROVEN, f"the control failed: {name}") for name in self.failed_controls),
            *self._unavailable(),
            *(
                (EFFECT_SEEN, f"{_place(trial)}: {trial.judgement.why}")
                for trial in self._promised_trials(Verdict.EFFECT)
            ),
            *(
                (NOT_PROVEN, f"{_place(trial)}: {trial.judgement.why}")
                for trial in self._promised_trials(Verdict.INCONCLUSIVE)
            ),
            *(
                (NOT_PROVEN, f"{answer.subject}, {answer.skill}: wrong: {answer.detail}")
                for answer in self.campaign.answers
                if not answer.right and answer.subject in self.wanted
            ),
        ]

    @property
    def status(self) -> int:
        """The exit status: an effect outweighs an open question."""
        statuses = {status for status, _ in self.problems}
        return EFFECT_SEEN if EFFECT_SEEN in statuses else max(statuses, default=HOLDS)

    def _promised_trials(self, verdict: Verdict) -> list[Trial]:
        return [
            trial
            for trial in self.campaign.trials
            if trial.subject in self.promised and trial.judgement.verdict is verdict
        ]

    def _unavailable(self) -> Iterator[tuple[int, str]]:
        for standing in self.campaign.standings:
            if standing.name in (self.control, *self.wanted) and not standing.runs(Language.PYTHON):
                why = standing.languages.get(Language.PYTHON, "")
                yield NOT_PROVEN, f"{standing.name} is not available: {why}"


def _place(trial: Trial) -> str:
    return f"{trial.subject}, {trial.item} ({trial.variant})"


def to_json(findings: Findings) -> dict[str, Any]:
    """Return everything for machines."""
    return {
        "schema": SCHEMA,
        "machine": findings.machine,
        "subjects": [_subject(findings, each) for each in findings.campaign.standings],
        "items": [
            {
                "name": item.name,
                "title": item.title,
                "results": [
                    _result(trial) for trial in findings.campaign.trials if trial.item == item.name
                ],
            }
            for item in findings.items
        ],
        "benign": [asdict(answer) for answer in findings.campaign.answers],
        "problems": [what for _, what in findings.problems],
        "status": findings.status,
    }


def _subject(findings: Findings, standing: Standing) -> dict[str, Any]:
    return {
        "name": standing.name,
        "how": standing.how,
        "available": standing.works,
        "languages": {str(key): lacks or "ok" for key, lacks in standing.languages.items()},
        "tiers": sorted(standing.tiers),
        "not_enforced": sorted(standing.not_enforced),
        "known_leaks": standing.leaks,
        "twenty": _counts(
            [
                trial
                for item in findings.items
                if (trial := findings.headline(standing.name, item.name)) is not None
            ]
        ),
        "all_variants": _counts(findings.trials_of(standing.name)),
    }


def _counts(trials: Sequence[Trial]) -> dict[str, int]:
    counted = Counter(trial.judgement.verdict for trial in trials)
    return {str(verdict): counted[verdict] for verdict in Verdict}


def _result(trial: Trial) -> dict[str, Any]:
    return {
        "subject": trial.subject,
        "variant": trial.variant,
        "language": str(trial.language),
        "verdict": str(trial.judgement.verdict),
        **dict(zip(_COLUMNS, columns(trial), strict=True)),
        "why": trial.judgement.why,
        "effects": [str(effect.kind) for effect in trial.effects],
        "tier": trial.tier,
        "duration_ms": round(trial.duration_ms, 1),
    }


_COLUMNS = ("refused_before_the_run", "stopped_at_run_time", "effect_outside")


def columns(trial: Trial) -> tuple[str, str, str]:
    """Return the three columns of one attack."""
    verdict, why = trial.judgement.verdict, trial.judgement.why
    if verdict is Verdict.INCONCLUSIVE:
        return ("?", "?", "?")
    return (
        "yes" if verdict is Verdict.REFUSED else "no",
        {Verdict.STOPPED: "yes", Verdict.INSIDE_ONLY: "inside only"}.get(verdict, "no"),
        why if verdict is Verdict.EFFECT else "none",
    )


Table = tuple[str, tuple[str, ...], list[tuple[str, ...]]]
"""Title, headings, rows."""


def tables(findings: Findings) -> Iterator[Table]:
    """Yield everything for people."""
    standings = [each for each in findings.campaign.standings if each.works]
    yield _overview(findings, standings)
    for standing in standings:
        yield _three_columns(findings, standing)
    yield _variants(findings, standings)
    yield _well_behaved(findings, standings)
    yield _leaks(standings)


def _overview(findings: Findings, standings: Sequence[Standing]) -> Table:
    rows = []
    for item in findings.items:
        found = [findings.headline(each.name, item.name) for each in standings]
        rows.append((item.title, *map(_word, found)))
    for verdict in Verdict:
        counts = [
            sum(
                trial is not None and trial.judgement.verdict is verdict
                for trial in (findings.headline(each.name, item.name) for item in findings.items)
            )
            for each in standings
        ]
        rows.append((f"= {_WORDS[verdict]}", *map(str, counts)))
    return ("The items in plain Python", ("item", *map(_named, standings)), rows)


def _three_columns(findings: Findings, standing: Standing) -> Table:
    rows = []
    for item in findings.items:
        trial = findings.headline(standing.name, item.name)
        if trial is not None:
            detail = "" if trial.judgement.verdict is Verdict.EFFECT else trial.judgement.why
            rows.append((item.title, *map(_short, columns(trial)), _short(detail)))
    headings = ("item", "refused before the run", "stopped at run time", "effect outside", "how")
    return (f"{_named(standing)}: {standing.how}", headings, rows)


def _variants(findings: Findings, standings: Sequence[Standing]) -> Table:
    rows = []
    for item in findings.items:
        for attack in item.attacks[1:]:
            found = [
                next(
                    (
                        trial
                        for trial in findings.trials_of(each.name, item.name)
                        if trial.variant == attack.variant
                    ),
                    None,
                )
                for each in standings
            ]
            rows.append((f"{item.title}: {attack.variant}", *map(_word, found)))
    return ("The same otherwise", ("attack", *map(_named, standings)), rows)


def _well_behaved(findings: Findings, standings: Sequence[Standing]) -> Table:
    rows: list[tuple[str, ...]] = []
    for standing in standings:
        answers = [each for each in findings.campaign.answers if each.subject == standing.name]
        wrong = [f"{each.skill}: {each.detail}" for each in answers if not each.right]
        right = sum(answer.right for answer in answers)
        rows.append((standing.name, f"{right} of {len(answers)}", _short("; ".join(wrong))))
    return ("Well-behaved skills", ("subject", "right", "wrong"), rows)


def _leaks(standings: Sequence[Standing]) -> Table:
    names = tuple(dict.fromkeys(name for each in standings for name in each.leaks))
    rows = [
        (standing.name, *(standing.leaks.get(name, "-") for name in names))
        for standing in standings
    ]
    return ("Known leaks, the same kernel and processors being used", ("subject", *names), rows)


def notes(findings: Findings) -> Iterator[str]:
    """Yield what has to be known to read the tables."""
    for standing in findings.campaign.standings:
        lacking = {str(key): lacks for key, lacks in standing.languages.items() if lacks}
        if not standing.works:
            yield f"{standing.name}: not available: {next(iter(lacking.values()), 'no language')}"
        else:
            for language, lacks in lacking.items():
                yield f"{standing.name}: no {language}: {lacks}"
    yield (
        "inside only: it did what it wanted to the sandbox's own things, without an effect on the "
        "host and without information from it"
    )
    for name in findings.promised:
        yield f"{name}: {_promise(findings, name)}"
    for status, what in findings.problems:
        yield f"{'EFFECT' if status == EFFECT_SEEN else 'not shown'}: {what}"


def _promise(findings: Findings, name: str) -> str:
    """Return one line of what the plain attacks came to."""
    found = [findings.headline(name, item.name) for item in findings.items]
    counts = Counter(trial.judgement.verdict for trial in found if trial is not None)
    held = counts[Verdict.REFUSED] + counts[Verdict.STOPPED]
    harmless = held + counts[Verdict.INSIDE_ONLY]
    total = len(findings.items)
    return (
        f"{harmless} of {total} without effect on and information from the host; {held} of {total} "
        "refused or stopped"
    )


def _named(standing: Standing) -> str:
    tiers = "+".join(sorted(standing.tiers - {"none"}))
    return f"{standing.name} ({tiers})" if tiers else standing.name


def _word(trial: Trial | None) -> str:
    return "-" if trial is None else _WORDS[trial.judgement.verdict]


_DETAIL_CHARS = 70  # of a table; the JSON has all


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _DETAIL_CHARS else line[: _DETAIL_CHARS - 1] + "…"


def as_text(table: Table) -> str:
    """Return a table for a terminal."""
    title, headings, rows = table
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (headings, tuple("-" * width for width in widths), *rows)
    ]
    return "\n".join((title, *lines, ""))


def as_markdown(table: Table) -> str:
    """Return a table in Markdown."""
    title, headings, rows = table
    lines = [
        f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"
        for row in (headings, tuple("---" for _ in headings), *rows)
    ]
    return "\n".join((f"### {title}", "", *lines, ""))
