"""The questions of all runs, each once, and what became of each in each run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from egocross_eval.schema import Grouping
from egocross_eval.scoring.align import align

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egocross_eval.leaderboard.site.inputs import SiteRun
    from egocross_eval.schema import BenchmarkRecord, Question, Sample

_NONE = Grouping(name="", title="", labels=())


class Pool(NamedTuple):
    """Questions in order, and the sample of each run for each (None: that run wasn't asked or isn't so far)."""

    questions: list[Question]
    keys: list[str]
    """Names in links: the key, followed by `~2` and so on where different questions share one."""
    samples: list[list[Sample | None]]
    """By run, then by question."""


def pool(runs: Sequence[SiteRun]) -> Pool:
    """Brings the runs' questions together, as `scoring.align` does."""
    found = align(runs)
    return Pool(found.questions, _link_names([question.key for question in found.questions]), found.samples)


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


def axis_json(questions: Iterable[Question], grouping: Grouping) -> dict[str, Any]:
    """How the page calls a grouping and its groups, as (name, title) pairs in order; no groups where there is none."""
    return {
        "title": grouping.title,
        "groups": [[name, grouping.groups.get(name, name)] for name in groups_of(questions, grouping)],
    }


def clip_seconds(question: Question) -> float | None:
    """Time of the last frame less that of the first, in seconds; None where times aren't known."""
    times = [frame.time for frame in question.frames if frame.time is not None]
    return max(times) - min(times) if times and len(times) == len(question.frames) else None
