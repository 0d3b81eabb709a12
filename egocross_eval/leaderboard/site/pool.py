"""The questions of all runs, each once, and what became of each in each run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from egocross_eval.schema import Grouping

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egocross_eval.leaderboard.site.inputs import SiteRun
    from egocross_eval.schema import BenchmarkRecord, Question, Sample

_NONE = Grouping(name="", title="", labels=())

_Identity = tuple[str, str, str, tuple[tuple[str, str], ...]]


class Pool(NamedTuple):
    """Questions in order, and the sample of each run for each (None: that run wasn't asked or isn't so far)."""

    questions: list[Question]
    keys: list[str]
    """Names in links: the key, followed by `~2` and so on where different questions share one."""
    samples: list[list[Sample | None]]
    """By run, then by question."""


def pool(runs: Sequence[SiteRun]) -> Pool:
    """Brings the runs' questions together.

    Two runs' questions are the same where benchmark, split, key, text, options and target are; a question whose answer
    isn't known in one run is the one whose answer is known in another, if there's just one.
    """
    known: dict[_Identity, set[str]] = {}
    for run in runs:
        for sample in run.samples:
            if sample.question.target is not None:
                known.setdefault(_identity(run, sample.question), set()).add(sample.question.target)
    found: dict[tuple[_Identity, str], Question] = {}
    asked: list[dict[tuple[_Identity, str], Sample]] = []
    for run in runs:
        own = {}
        for sample in run.samples:
            identity = _identity(run, sample.question)
            answers = known.get(identity, set())
            answer = sample.question.target or (next(iter(answers)) if len(answers) == 1 else "")
            key = (identity, answer)
            own[key] = sample
            if key not in found or found[key].target is None:
                found[key] = sample.question
        asked.append(own)
    order = sorted(found, key=lambda key: (key[0][0], found[key].id, key))
    return Pool(
        [found[key] for key in order],
        _link_names([key[0][1] for key in order]),
        [[own.get(k) for k in order] for own in asked],
    )


def _identity(run: SiteRun, question: Question) -> _Identity:
    return (
        f"{run.record.benchmark.name} {run.record.settings.split}",
        question.key,
        question.text,
        tuple(question.options.items()),
    )


def _link_names(names: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}~{seen[name]}")
    return unique


def axis_of(benchmark: BenchmarkRecord, place: int) -> Grouping:
    """What the page divides questions by: the macro axis (0), then the benchmark's other groupings of one label, those
    with declared groups first. One without labels, of which nothing is a member, where there are fewer."""
    single = [g for g in benchmark.groupings if len(g.labels) == 1 and g.name != benchmark.macro]
    ordered = sorted(single, key=lambda grouping: not grouping.groups)
    first = benchmark.grouping(benchmark.macro)
    known = [first or _NONE, *ordered]
    return known[place] if place < len(known) else _NONE


def groups_of(questions: Iterable[Question], grouping: Grouping) -> list[str]:
    """Names of the groups that occur, in the order shown."""
    return grouping.ordered({grouping.group(question) for question in questions} - {""})


def clip_seconds(question: Question) -> float | None:
    """Time of the last frame less that of the first, in seconds; None where times aren't known."""
    times = [frame.time for frame in question.frames if frame.time is not None]
    return max(times) - min(times) if times and len(times) == len(question.frames) else None
