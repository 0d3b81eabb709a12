"""Compares two runs on the questions that they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec.structs import replace

from egocross_eval.errors import UsageError
from egocross_eval.schema import BenchmarkRecord, Question, RunRecord, Sample
from egocross_eval.scoring.paired import difference_interval, holm, mcnemar_exact, questions_needed
from egocross_eval.scoring.results import SCORED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LEVEL = 0.05
Verdict = Literal["shown", "unclear", "not shown"]


class ComparedRun(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison needs of a run."""

    label: str
    """How tables and sentences call it; unique within a comparison."""
    record: RunRecord
    samples: tuple[Sample, ...]


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """The second run against the first on one group of shared questions. Shares are fractions; differences are second
    - first."""

    name: str
    n: int
    first_right: int
    second_right: int
    gained: int
    """Questions that only the second has right."""
    lost: int
    """Questions that only the first has right."""
    difference: float
    low: float
    high: float
    """Ends of the 95 % interval of the difference."""
    interval: str
    p: float
    """McNemar's exact test; takes questions as independent."""
    p_adjusted: float
    """`p` corrected for all looks of the same kind in the table (Holm)."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing in which the two runs were made differently."""

    what: str
    first: str
    second: str


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two runs, paired by question."""

    first: str
    second: str
    micro: Look
    macro: float
    """Difference of the macro accuracies over the shared questions."""
    macro_low: float
    macro_high: float
    looks: dict[str, tuple[Look, ...]]
    """Looks by the benchmark's groupings of one label."""
    gained: tuple[str, ...]
    """Keys of questions that only the second has right."""
    lost: tuple[str, ...]
    """Keys of questions that only the first has right."""
    same_letter: int
    """Shared questions to which both gave the same answer."""
    same_outcome: int
    """Shared questions that both have right, or both not."""
    verdict: Verdict
    """`shown`: the clustered interval of micro leaves out 0 and McNemar's corrected p is below 0.05. `not shown`: the
    interval holds 0. `unclear`: it leaves out 0, but the test doesn't confirm it."""
    needed: int | None
    """About how many questions would show the difference found; None where there's none."""
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]
    """What is left out of the comparison, and why."""


def _compare(first: ComparedRun, second: ComparedRun, *, seed: int = 0) -> Comparison:
    """Compares `second` with `first` on the questions that both answered and that are the same in both.

    P-values are not corrected yet. Raises `UsageError` if there are none.
    """
    pairs, notes = _shared(first, second)
    overall = _look("all", pairs, first.record.benchmark, seed)
    macro = _macro(pairs, first.record.benchmark)
    macro_interval = difference_interval(_changes(pairs, first.record.benchmark), macro=True, seed=seed)
    benchmark = first.record.benchmark
    looks = {
        grouping.name: _looks(pairs, grouping.group, benchmark, seed)
        for grouping in benchmark.groupings
        if len(grouping.labels) == 1
    }
    return Comparison(
        first=first.label,
        second=second.label,
        micro=overall,
        macro=macro,
        macro_low=macro_interval.low,
        macro_high=macro_interval.high,
        looks=looks,
        gained=tuple(a.question.key for a, b in pairs if _right(b) and not _right(a)),
        lost=tuple(a.question.key for a, b in pairs if _right(a) and not _right(b)),
        same_letter=sum(a.grade.prediction is not None and a.grade.prediction == b.grade.prediction for a, b in pairs),
        same_outcome=sum(_right(a) == _right(b) for a, b in pairs),
        verdict=_verdict(overall),
        needed=_needed(overall),
        differences=tuple(differing(first.record, second.record)),
        notes=tuple(notes),
    )


def compare_all(runs: Sequence[ComparedRun], *, seed: int = 0) -> list[Comparison]:
    """Every later run against the first, with p-values corrected for all of these comparisons together.

    Raises `UsageError` if there are fewer than two runs, or two that share no scored question.
    """
    if len(runs) < 2:
        raise UsageError("give at least two runs to compare")
    found = [_compare(runs[0], run, seed=seed) for run in runs[1:]]
    overall = holm([comparison.micro.p for comparison in found])
    inner = iter(holm([look.p for comparison in found for group in comparison.looks.values() for look in group]))
    return [
        replace(
            comparison,
            micro=replace(comparison.micro, p_adjusted=p),
            verdict=_verdict(replace(comparison.micro, p_adjusted=p)),
            looks={
                name: tuple(replace(look, p_adjusted=next(inner)) for look in group)
                for name, group in comparison.looks.items()
            },
        )
        for comparison, p in zip(found, overall, strict=True)
    ]


def verdict_sentence(comparison: Comparison) -> str:
    """The comparison in one plain sentence."""
    look = comparison.micro
    interval = f"95 % interval {100 * look.low:.1f} to {100 * look.high:.1f}"
    if look.gained == look.lost:
        both = f"{comparison.second} and {comparison.first}"
        return f"{both} have equally many of {look.n:,} questions right, {interval} points: no difference is shown."
    ahead, behind, sign = comparison.second, comparison.first, 1
    if look.difference < 0:
        ahead, behind, sign = behind, ahead, -1
    low, high = sorted((sign * look.low, sign * look.high))
    text = (
        f"{ahead} is better than {behind} by {100 * abs(look.difference):.1f} points, "
        f"95 % interval {100 * low:.1f} to {100 * high:.1f}: "
    )
    if comparison.verdict == "shown":
        return f"{text}shown by these data."
    if comparison.verdict == "unclear":
        return f"{text}not sure, for McNemar's exact test doesn't confirm it (p {look.p_adjusted:.2f})."
    needed = f"; about {_rounded(comparison.needed):,} questions would be needed" if comparison.needed else ""
    return f"{text}not shown by these data{needed}."


def _rounded(count: int | None) -> int:
    """Two significant digits: more would pretend to a precision that isn't there."""
    if not count:
        return 0
    return int(float(f"{count:.1e}"))


Pair = tuple[Sample, Sample]


def _right(sample: Sample) -> bool:
    return sample.outcome == "right"


def _shared(first: ComparedRun, second: ComparedRun) -> tuple[list[Pair], list[str]]:
    """Pairs of samples on the same question, both scored, and notes on what is left out."""
    ours = {sample.key: sample for sample in first.samples}
    theirs = {sample.key: sample for sample in second.samples}
    common = [name for name in ours if name in theirs]
    same = [name for name in common if _same_question(ours[name].question, theirs[name].question)]
    pairs = [(ours[name], theirs[name]) for name in same]
    scored = [pair for pair in pairs if all(s.outcome in SCORED and s.question.target is not None for s in pair)]
    notes = []
    for run, samples in ((first, ours), (second, theirs)):
        if len(samples) > len(common):
            notes.append(f"left out, as only {run.label} has them: {len(samples) - len(common)}")
    if len(common) > len(same):
        notes.append(f"left out, as their text, options or answer differ: {len(common) - len(same)}")
    if len(pairs) > len(scored):
        notes.append(f"left out, as they failed or have no known answer in one of the runs: {len(pairs) - len(scored)}")
    if not scored:
        detail = "; ".join(notes) or "one of them has no samples"
        raise UsageError(f"{first.label} and {second.label} share no scored question: {detail}")
    alike = sum(_sent(a) == _sent(b) for a, b in scored)
    if 0 < alike < len(scored):
        notes.append(f"{len(scored) - alike} of {len(scored)} shared questions were sent differently")
    elif not alike:
        notes.append("every shared question was sent differently (see what differs)")
    return scored, notes


def _sent(sample: Sample) -> list[str]:
    return [answer.sent.content_hash for answer in sample.answers]


def _same_question(first: Question, second: Question) -> bool:
    return (first.text, first.options, first.target) == (second.text, second.options, second.target)


def _changes(pairs: Sequence[Pair], benchmark: BenchmarkRecord) -> dict[str, dict[str, list[int]]]:
    """+1 gained, -1 lost, 0 otherwise, by group of the macro axis and cluster."""
    changes: dict[str, dict[str, list[int]]] = {}
    for a, b in pairs:
        clusters = changes.setdefault(benchmark.part(a.question), {})
        clusters.setdefault(a.question.cluster or a.key, []).append(_right(b) - _right(a))
    return changes


def _look(name: str, pairs: Sequence[Pair], benchmark: BenchmarkRecord, seed: int) -> Look:
    gained = sum(_right(b) and not _right(a) for a, b in pairs)
    lost = sum(_right(a) and not _right(b) for a, b in pairs)
    interval = difference_interval(_changes(pairs, benchmark), seed=seed)
    return Look(
        name=name,
        n=len(pairs),
        first_right=sum(_right(a) for a, _ in pairs),
        second_right=sum(_right(b) for _, b in pairs),
        gained=gained,
        lost=lost,
        difference=(gained - lost) / len(pairs),
        low=interval.low,
        high=interval.high,
        interval=interval.method,
        p=(p := mcnemar_exact(gained, lost)),
        p_adjusted=p,
    )


def _looks(
    pairs: Sequence[Pair], key: Callable[[Question], str], benchmark: BenchmarkRecord, seed: int
) -> tuple[Look, ...]:
    groups: dict[str, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(key(pair[0].question), []).append(pair)
    return tuple(_look(name, members, benchmark, seed) for name, members in sorted(groups.items()) if name)


def _verdict(look: Look) -> Verdict:
    if look.low <= 0 <= look.high:
        return "not shown"
    return "shown" if look.p_adjusted < LEVEL else "unclear"


def _macro(pairs: Sequence[Pair], benchmark: BenchmarkRecord) -> float:
    domains = [
        [change for values in videos.values() for change in values] for videos in _changes(pairs, benchmark).values()
    ]
    return sum(sum(values) / len(values) for values in domains) / len(domains)


def _needed(look: Look) -> int | None:
    from egocross_eval.scoring.intervals import Interval

    return questions_needed(look.gained, look.lost, look.n, Interval(look.low, look.high, look.interval))


def differing(first: RunRecord, second: RunRecord) -> list[Difference]:
    """In which settings, questions, data and versions two runs were made differently. The model is meant to differ."""
    found = []
    before, after = _flat(first), _flat(second)
    for what in dict.fromkeys((*before, *after)):
        a, b = before.get(what, "–"), after.get(what, "–")
        if a != b:
            found.append(Difference(what=what, first=a, second=b))
    return found


def _flat(record: RunRecord) -> dict[str, str]:
    """Settings, questions, data files and our own version (which decides the parsing) by the name to show."""
    settings = record.settings
    parts = {"prompt", "generation"}
    fields: list[tuple[object, str]] = [(settings, name) for name in settings.__struct_fields__ if name not in parts]
    for part in (settings.prompt, settings.generation):
        fields += [(part, name) for name in part.__struct_fields__]
    shown: dict[str, object] = {name.replace("_", " "): getattr(owner, name) for owner, name in fields}
    shown["questions"] = f"{record.question_count} ({record.questions_hash[:12]})"
    shown |= {f"file {name}": digest[:12] for name, digest in record.data_hashes.items()}
    shown |= {f"version of {name}": version for name, version in record.versions.items() if "egocross" in name}
    return {name: _text(value) for name, value in shown.items()}


def _text(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
