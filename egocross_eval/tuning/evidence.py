"""What the runs of a choice say: what each question is worth in each way to ask, and what each way costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from egocross_eval.errors import UsageError
from egocross_eval.runs.judging import JUDGES_FOLDER, judged_samples
from egocross_eval.runs.store import RunFolder
from egocross_eval.schema import Question, Sample
from egocross_eval.scoring.results import SCORED
from egocross_eval.tuning.file import Tuning

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Evidence(NamedTuple):
    """Ways to ask and questions. Ways are in the order of the runs."""

    questions: list[Question]
    groups: list[str]
    """By question."""
    clusters: list[str]
    credits: Floats
    """Ways x questions."""
    requests: list[float]
    """A question, on average, by way."""
    tokens: list[float] | None
    """Read and written for a question, on average, by way; None where an engine doesn't count them."""
    left_out: int
    """Questions without a known answer, or that some way has none for."""

    @property
    def costs(self) -> list[float]:
        """What the ways cost: their tokens where these are known, else their requests."""
        return self.requests if self.tokens is None else self.tokens


def read_evidence(tuning: Tuning) -> Evidence:
    """The evidence of finished runs. Raises `UsageError` where no right answer is known, or those of one
    source video alone."""
    import numpy as np

    runs = [{sample.key: sample for sample in _samples(run.folder, tuning.judge)} for run in tuning.sweep.runs]
    keys = [key for key in runs[0] if all(key in run and _is_scored(run[key]) for run in runs)]
    if not keys:
        raise UsageError(
            "no question has a known answer in all of these runs, so nothing can be chosen; give 'answers: FILE' under "
            "'options', or a split whose answers are known"
        )
    questions = [runs[0][key].question for key in keys]
    clusters = [question.cluster or question.key for question in questions]
    if len(set(clusters)) == 1:
        raise UsageError(
            f"all questions that every run has an answer to are on one source video, {clusters[0]}, which says nothing "
            "of others; the same command asks again what failed"
        )
    grouping = tuning.benchmark.record().grouping(tuning.by)
    return Evidence(
        questions=questions,
        groups=[grouping.group(question) if grouping is not None else "" for question in questions],
        clusters=clusters,
        credits=np.array([[run[key].grade.credit for key in keys] for run in runs]),
        requests=[_mean([run[key].cost.requests for key in keys]) for run in runs],
        tokens=_tokens(runs, keys),
        left_out=max(len(run) for run in runs) - len(keys),
    )


def _samples(folder: Path, judge: str) -> Iterable[Sample]:
    return judged_samples(RunFolder(folder / JUDGES_FOLDER / judge)) if judge else RunFolder(folder).final_samples()


def _is_scored(sample: Sample) -> bool:
    return sample.outcome in SCORED and sample.question.target is not None


def _tokens(runs: Sequence[dict[str, Sample]], keys: Sequence[str]) -> list[float] | None:
    found = []
    for run in runs:
        costs = [run[key].cost for key in keys]
        read = [cost.input_tokens for cost in costs]
        if None in read:
            return None
        found.append(_mean([(cost.input_tokens or 0) + (cost.output_tokens or 0) for cost in costs]))
    return found


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
