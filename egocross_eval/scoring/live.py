"""A comparison of two runs that are still under way, at planned looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from egocross_eval.scoring.align import align
from egocross_eval.scoring.clusters import layout
from egocross_eval.scoring.difference import differences
from egocross_eval.scoring.matrix import matrix
from egocross_eval.scoring.planned_looks import LOOKS, looks_due, may_stop

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egocross_eval.schema import Question, Sample
    from egocross_eval.scoring.comparison import ComparedRun


class LiveLook(msgspec.Struct, frozen=True, kw_only=True):
    """The second run against the first at the last planned look that is due."""

    look: int
    """1 to 5; 0 while none is due."""
    done: int
    """Clusters that both runs have finished."""
    planned: int
    difference: float | None = None
    """Over the clusters of the look, second less first; None before the first look."""
    p: float | None = None
    stop: bool = False
    """The difference is shown: the runs may stop."""


def live_look(first: ComparedRun, second: ComparedRun, questions: Sequence[Question]) -> LiveLook:
    """What the last look due says of two runs over `questions`.

    A look is at the clusters that were finished first, a fifth more each time, so it says the same however often and
    whenever it's asked for. It holds if whole clusters are asked in random order.
    """
    ends = [_ends(run.samples, questions) for run in (first, second)]
    finished = {name: max(ends[0][name], ends[1][name]) for name in ends[0] if name in ends[1]}
    planned = len({cluster_of(question) for question in questions})
    look = looks_due(len(finished), planned)
    if look == 0:
        return LiveLook(look=0, done=len(finished), planned=planned)
    order = sorted(finished, key=lambda name: (finished[name], name))
    chosen = set(order[: -(-planned * look // LOOKS)])
    found = matrix(align([first, second]), first.record.benchmark)
    both = (found.scored[0] & found.scored[1]).nonzero()[0].tolist()
    places = [place for place in both if found.clusters[place] in chosen]
    if not places:
        return LiveLook(look=look, done=len(finished), planned=planned)
    changes = (found.credit[1] - found.credit[0])[None, places]
    placed = layout([found.clusters[place] for place in places], [found.parts[place] for place in places])
    compared = differences(changes, changes == changes, placed)
    p = float(compared.p()[0])
    return LiveLook(
        look=look,
        done=len(finished),
        planned=planned,
        difference=float(compared.value[0]),
        p=p if p == p else None,
        stop=may_stop(p, look),
    )


def _ends(samples: Iterable[Sample], questions: Sequence[Question]) -> dict[str, str]:
    """When each cluster that is answered altogether was finished."""
    at = {sample.key: sample.finished_at for sample in samples}
    ends: dict[str, str] = {}
    open_ = set()
    for question in questions:
        name = cluster_of(question)
        if question.key in at:
            ends[name] = max(ends.get(name, ""), at[question.key])
        else:
            open_.add(name)
    return {name: end for name, end in ends.items() if name not in open_}


def cluster_of(question: Question) -> str:
    """What the question shares with others, or its own key where it stands alone."""
    return question.cluster or question.key


def live_sentence(found: LiveLook, first: str, second: str, cluster: str) -> str:
    """What the look says, in plain words."""
    next_look = -(-found.planned * (found.look + 1) // LOOKS)
    progress = f"{found.done} of {found.planned} {cluster}s are finished in both runs"
    if found.difference is None:
        return f"{progress}; the first of {LOOKS} looks is at {next_look}."
    ahead, behind = (second, first) if found.difference >= 0 else (first, second)
    text = (
        f"Look {found.look} of {LOOKS}: {ahead} has {100 * abs(found.difference):.1f} points more than {behind} so far"
        f"{'' if found.p is None else f' (p {found.p:.2g})'}; {progress}."
    )
    if found.stop:
        return f"{text} The difference is shown, if {cluster}s are asked in random order: the runs may stop."
    if found.look == LOOKS:
        return f"{text} No difference is shown."
    return f"{text} It isn't shown so far; the next look is at {next_look} {cluster}s."
