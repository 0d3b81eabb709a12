"""What judges made of a run: progress while they are asked, and their figures."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from egocross_eval.cli.show.made_run import MadeRun, made_run
from egocross_eval.cli.show.reporter import Reporter
from egocross_eval.contracts.event import Event, Started
from egocross_eval.counted import agreed, counted
from egocross_eval.scoring.agreement import PairAgreement
from egocross_eval.scoring.clustered_mean import Estimate

if TYPE_CHECKING:
    from egocross_eval.api import Run
    from egocross_eval.schema import Results, Sample
    from egocross_eval.scoring.agreement import Judged
    from egocross_eval.scoring.corrected import Rates


class JudgedRun(MadeRun, frozen=True, kw_only=True):
    """A judging of a run."""

    by_rates: Estimate | None = None
    """With audits: the accuracy if the judge errs here as it did there; None where that can't be told."""


class JudgePair(msgspec.Struct, frozen=True, kw_only=True):
    """Two judges of a run, one of which may be the people who labelled."""

    first: str
    second: str
    agreement: PairAgreement


class JudgeReporter:
    """Told of the events of a run and of the judgings that follow: a reporter for each."""

    def __init__(self, first: Reporter | None = None) -> None:
        self._reporters: list[Reporter] = []
        self._now = first or Reporter("judge")

    def __call__(self, event: Event) -> None:
        """Shows an event."""
        if isinstance(event, Started) and event.record.judged is not None:
            self._now = Reporter(event.record.model.name, self._now.notes)
            self._reporters.append(self._now)
        self._now(event)

    def print_summaries(self, judgings: Sequence[Run]) -> None:
        """What failed and what came from the cache, of each judging that was begun."""
        for reporter, judging in zip(self._reporters, judgings, strict=False):
            reporter.print_summary(judging.path, judging.results)


def judged_run(judging: Run, audits: Path | None = None) -> JudgedRun:
    """A judging for programs."""
    found = _by_rates(judging, audits)[1] if audits is not None else None
    return JudgedRun(**msgspec.structs.asdict(made_run(judging)), by_rates=found)


def print_judgings(judgings: Sequence[Run], *, cells: bool = False, audits: Path | None = None) -> None:
    """The figures of judgings; with a folder of `audits`, also by the error rates found there."""
    for judging in judgings:
        click.echo(f"\njudged by {judging.record.judge_title}: {judging.path}\n")
        print_judging(judging, cells=cells)
        if audits is not None:
            _print_by_rates(judging, audits)


def print_judging(judging: Run, *, cells: bool) -> None:
    """The figures of one judging, and what a reader must know of them."""
    from egocross_eval.cli.show.figures import figures_table
    from egocross_eval.cli.show.terminal import wrapped

    record, results = judging.record, judging.results
    click.echo(figures_table(results, record.benchmark, combined=cells))
    found = results.judge
    if found is None:
        return
    lines = []
    if found.mean_mark is not None:
        lines.append(f"mean mark: {found.mean_mark:.2f} of 5")
    if found.unasked and record.model.fingerprint:
        lines.append(
            f"{counted(found.unasked, 'answer')} {agreed(found.unasked, 'was', 'were')} told right without "
            "asking the judge"
        )
    if found.not_judged:
        lines.append(
            f"{counted(found.not_judged, 'answer')} not judged, as no reply could be read: neither right nor "
            "wrong, and the score is a lower bound"
        )
    for line in lines:
        click.echo(wrapped(line))
    print_correction(results)


def _by_rates(judging: Run, audits: Path) -> tuple[Rates, Estimate | None]:
    """The accuracy if the judge errs on this run as it did on controls; None where that can't be told."""
    from egocross_eval.auditing import rates_of
    from egocross_eval.scoring.clustered_mean import clustered_mean
    from egocross_eval.scoring.corrected import rogan_gladen
    from egocross_eval.scoring.outcomes import table

    rates = rates_of(audits, judging.path.name, judging.record)
    outcomes = table(judging.results.outcomes)
    known = [place for place, credit in enumerate(outcomes.credits) if credit is not None]
    if not known:
        return rates, None
    judged = clustered_mean(
        [outcomes.credits[place] or 0.0 for place in known],
        [outcomes.clusters[place] for place in known],
        [outcomes.parts[place] for place in known],
    )
    return rates, rogan_gladen(judged, rates)


def _print_by_rates(judging: Run, audits: Path) -> None:
    """That accuracy, named as what it is."""
    from egocross_eval.cli.show.terminal import wrapped

    if judging.results.micro is None:
        return
    rates, found = _by_rates(judging, audits)
    by = f"sensitivity {rates.sensitivity:.1%} and specificity {rates.specificity:.1%}, from the controls of {audits}"
    told = "it can't be told: the judge is no better than chance there"
    if found is not None:
        told = f"micro {found.value:.1%} ({found.low:.1%} to {found.high:.1%})"
    click.echo(wrapped(f"if the judge errs here as it did there ({by}; Rogan and Gladen's estimator): {told}"))


def print_correction(results: Results) -> None:
    """The figures corrected by labels, where there are enough."""
    from egocross_eval.cli.show.terminal import wrapped

    found = results.judge.corrected if results.judge is not None else None
    if found is None:
        return
    shown = (f"{name} {_share(figure)}" for name, figure in (("micro", found.micro), ("macro", found.macro)))
    click.echo(
        wrapped(
            f"corrected by {counted(found.labels, 'label')} (PPI++): {', '.join(shown)}; the judge counts "
            f"{found.trust:.0%} "
            "beside the labels"
        )
    )


def judge_pairs(judgings: Sequence[Run], run: Path) -> list[JudgePair]:
    """How far every two judges of the `run` agree, a person who labelled among them."""
    from egocross_eval.runs.labels import read_labels, verdict
    from egocross_eval.scoring.agreement import Judged, pair_agreement

    verdicts: dict[str, dict[str, Judged]] = {}
    clusters: dict[str, str] = {}
    labels = read_labels(run)
    people: dict[str, Judged] = {}
    for judging in judgings:
        found = verdicts.setdefault(judging.record.judge_title, {})
        for sample in judging.samples:
            clusters[sample.key] = sample.question.cluster
            if sample.outcome in ("right", "wrong"):
                found[sample.key] = Judged(sample.grade.mark, sample.outcome == "right")
            right = verdict(labels.get(sample.key), sample)
            if right is not None:
                people[sample.key] = Judged(None, right)
    if people:
        verdicts["labels by people"] = people
    pairs = [
        (one, other, pair_agreement(verdicts[one], verdicts[other], clusters))
        for one, other in itertools.combinations(verdicts, 2)
    ]
    return [JudgePair(first=one, second=other, agreement=found) for one, other, found in pairs if found is not None]


def print_agreement(judgings: Sequence[Run], run: Path, *, most: int = 10) -> None:
    """How far every two judges agree, and up to `most` answers on which they part."""
    samples = {sample.key: sample for judging in judgings for sample in judging.samples}
    for pair in judge_pairs(judgings, run):
        _print_pair(pair.first, pair.second, pair.agreement, samples, most)


def _print_pair(one: str, other: str, found: PairAgreement, samples: Mapping[str, Sample], most: int) -> None:
    from egocross_eval.cli.show.terminal import wrapped
    from egocross_eval.visible import visible

    measures = {
        "Cohen's kappa": found.kappa,
        "Krippendorff's alpha of verdicts": found.verdict_alpha,
        "of marks": found.alpha,
    }
    told = ", ".join(
        f"{name} {measure.value:.2f} ({measure.low:.2f} to {measure.high:.2f})"
        for name, measure in measures.items()
        if measure is not None
    )
    click.echo(f"\n{one} / {other}")
    click.echo(
        wrapped(f"the same verdict on {found.same:.1%} of {counted(found.n, 'answer')}{f'; {told}' if told else ''}")
    )
    for parting in found.partings[:most]:
        sample = samples[parting.key]
        click.echo(
            wrapped(
                f"  {sample.question.id}: {_said(parting.first)} / {_said(parting.second)}: "
                f"{visible((sample.decision.text or '')[:80])!r}, reference {visible(sample.question.target or '')!r}"
            )
        )
    if len(found.partings) > most:
        click.echo(f"  and {len(found.partings) - most} more (judge agree RUN --most N)")


def _said(one: Judged) -> str:
    word = "right" if one.right else "wrong"
    return word if one.mark is None else f"{word} ({one.mark:g})"


def _share(figure: tuple[float, float, float]) -> str:
    value, low, high = figure
    return f"{value:.1%} ({low:.1%} to {high:.1%})"
