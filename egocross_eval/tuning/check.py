"""What is wrong with a choice before anything is asked: its questions, and its ways to ask."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from egocross_eval.contracts.registry import registry
from egocross_eval.contracts.task import Benchmark
from egocross_eval.counted import counted
from egocross_eval.documents import Place
from egocross_eval.errors import EgoCrossError, UsageError
from egocross_eval.model_adapters.spec import parse_spec
from egocross_eval.prompts.shots import ShotSetting
from egocross_eval.runs.plan import RunPlan, check_model
from egocross_eval.schema import Question, Way
from egocross_eval.sweeps.planned import Plans
from egocross_eval.tuning.file import Tuning


def checked(tuning: Tuning, plans: Plans) -> Tuning:
    """The choice with the same questions for all ways; every way is planned by `plans`.

    Raises `UsageError`, with file, line and way, for a way that can't be asked so, for two ways that ask alike, for
    questions whose answers aren't known, and for those of the split that results are reported on.
    """
    tuning = _on_one_draw(tuning, plans)
    planned = [plans(run.options, run.way_at) for run in tuning.sweep.runs]
    _check_questions(tuning, planned[0].questions)
    _refuse_equal_ways(tuning, planned)
    return tuning


def unknown_note(tuning: Tuning, plans: Plans) -> str:
    """How many questions will be asked and left out, as their answers aren't known; empty where none is."""
    first = tuning.sweep.runs[0]
    questions = plans(first.options, first.way_at).questions
    unknown = sum(question.target is None for question in questions)
    if not unknown:
        return ""
    return (
        f"the right answers to {unknown} of {counted(len(questions), 'question')} aren't known; these are asked and "
        "left out of the choice"
    )


def check_models(tuning: Tuning, plans: Plans) -> None:
    """Raises `UsageError`, with file, line and way, for a model that can't be built or can't be asked so: without its
    run nothing could be chosen, whatever the others cost."""
    for run in tuning.sweep.runs:
        try:
            check_model(plans(run.options, run.way_at), parse_spec(run.model), registry())
        except EgoCrossError as error:
            raise UsageError(f"{run.model_at}, for {run.way_at.rpartition(': ')[2]}: {error}") from error


def _on_one_draw(tuning: Tuning, plans: Plans) -> Tuning:
    """The questions that the first way's seed draws for all ways, where these differ in the seed."""
    runs = tuning.sweep.runs
    if runs[0].options.limit is None or len({run.options.generation.seed for run in runs}) == 1:
        return tuning
    drawn = ",".join(str(question.id) for question in plans(runs[0].options, runs[0].way_at).questions)
    alike = tuple(
        msgspec.structs.replace(run, options=msgspec.structs.replace(run.options, limit=None, ids=drawn))
        for run in runs
    )
    return msgspec.structs.replace(tuning, sweep=msgspec.structs.replace(tuning.sweep, runs=alike))


def _check_questions(tuning: Tuning, questions: Sequence[Question]) -> None:
    place = tuning.place
    if tuning.sweep.runs[0].options.data.questions_file is not None:
        _refuse_tested(questions, tuning.benchmark, place)
    if all(question.target is None for question in questions):
        raise UsageError(
            f"{_at_questions(place)}: the right answer to none of "
            f"{counted(len(questions), 'question')} is known, so nothing can be chosen; give 'answers: FILE' under "
            "'options', or a split whose answers are known"
        )
    if len({question.cluster or question.key for question in questions if question.target is not None}) == 1:
        raise UsageError(
            f"{_at_questions(place)}: all questions with a known answer are on one source video, which says nothing of "
            "others; take questions on two at least"
        )


def _refuse_tested(questions: Sequence[Question], benchmark: Benchmark, place: Place) -> None:
    """Refuses questions of a file that results are reported on, told by their names and those of their clusters."""
    training = benchmark.training
    if training is None:
        return
    keys = benchmark.known_questions(training.tested) if benchmark.known_questions is not None else {}
    clusters = training.tested_clusters() if training.tested_clusters is not None else frozenset()
    found = [question for question in questions if question.key in keys or question.cluster in clusters]
    if found:
        raise UsageError(
            f"{place.at('options', 'questions')}: {len(found)} of {counted(len(questions), 'question')} bear names of "
            f"the {training.tested} split or of its {benchmark.cluster}s, e.g. {found[0].key} of {found[0].cluster}; "
            f"results are reported on these, and a choice made on them would report its own luck. Choose on "
            f"'split: {training.examples}', or on questions about other {benchmark.cluster}s"
        )


def _at_questions(place: Place) -> str:
    """The file, and the line that says which questions are asked."""
    said = (name for name in ("answers", "questions", "split") if ("options", name) in place.lines)
    return place.at("options", next(said, ""))


def _refuse_equal_ways(tuning: Tuning, planned: Sequence[RunPlan]) -> None:
    """Each way counts as a look, and one that is there twice would be two."""
    known: dict[tuple[str, frozenset[tuple[Way, frozenset[str]]]], str] = {}
    for run, label, plan in zip(tuning.sweep.runs, tuning.labels, planned, strict=True):
        asked = (run.model, _asked(plan))
        if asked in known:
            raise UsageError(
                f"{run.way_at}: it asks every question as {known[asked]!r} does; leave one of "
                "them out, as each way counts as a look"
            )
        known[asked] = label


def _asked(plan: RunPlan) -> frozenset[tuple[Way, frozenset[str]]]:
    """Each way in which questions are asked, and which."""
    found: dict[Way, set[str]] = {}
    for approach, questions in plan.approaches.groups(plan.questions):
        way = approach.way()
        setting = ShotSetting.parse(way.shots)
        way = msgspec.structs.replace(way, shots=str(setting) if setting.count else "")
        found.setdefault(way, set()).update(question.key for question in questions)
    return frozenset((way, frozenset(keys)) for way, keys in found.items())
