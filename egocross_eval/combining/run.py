"""Writes the run that other runs make together."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from egocross_eval.combining.best import Choice, chosen, grouping_named
from egocross_eval.combining.parts import Part, read_parts, with_target
from egocross_eval.combining.rules import TIE, has_scores, summed, voted
from egocross_eval.contracts.registry import Registry
from egocross_eval.counted import agreed, counted
from egocross_eval.errors import UsageError
from egocross_eval.files import new_folder
from egocross_eval.runs.decide import make_sample, utc_now
from egocross_eval.runs.own import is_own, remember
from egocross_eval.runs.plan import run_versions
from egocross_eval.runs.store import RunFolder, SampleWriter
from egocross_eval.schema import (
    SCHEMA_VERSION,
    Answer,
    Combined,
    Decision,
    ModelRecord,
    Question,
    RunRecord,
    RunSettings,
    Sample,
)

Rule = Literal["sum", "votes", "best"]

_LARGEST_WEIGHT = 1e9
"""Sums of more would be no numbers any more."""


class Together(NamedTuple):
    """What came out."""

    folder: RunFolder
    parts: list[Part]
    ties: int
    """With `votes`, questions that the first of those with equally many decided."""
    without_scores: dict[str, int]
    """With `sum`, by part the number of questions for which it has none."""
    choice: Choice | None
    """With `best`."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """How runs are to be combined."""

    rule: Rule = "sum"
    weights: tuple[float, ...] = ()
    """One for each run; empty: all alike."""
    by: str = ""
    """Grouping within which the best run is chosen."""
    chosen_on: tuple[Path, ...] = ()
    name: str = ""
    """What tables call the run; default: the models' names."""


def combine(paths: Sequence[Path], output: Path, recipe: Recipe, registry: Registry) -> Together:
    """Writes the run that the finished runs at `paths` make into the new folder `output`; derived files are for the
    caller.

    Raises `UsageError` for runs that can't be combined so, naming them.
    """
    _check(paths, output, recipe)
    parts = read_parts(paths)
    benchmark = parts[0].record.benchmark
    by = grouping_named(recipe.by, benchmark) if recipe.by else ""
    choice = chosen(parts, recipe.chosen_on, by) if recipe.rule == "best" else None
    questions = [with_target(parts, question.key) for question in RunFolder(paths[0]).questions()]
    without = _without_scores(parts) if recipe.rule == "sum" else {}
    if choice is None:
        _refuse_free(questions, recipe.rule)
    record = _record(parts, recipe, by, choice, registry)
    decided = _by_choice(choice, parts, by) if choice is not None else _by_evidence(parts, recipe)
    grader = registry.grader(record.settings.grader)
    samples = [make_sample(grader, question, *decided(question)) for question in questions]
    _write(output, record, samples)
    if all(is_own(part.record) for part in parts):
        remember(record)
    ties = sum(sample.decision.rule == TIE for sample in samples)
    return Together(RunFolder(output), parts, ties, without, choice)


_Decided = Callable[[Question], tuple[tuple[Answer, ...], Decision]]


def _by_choice(choice: Choice, parts: Sequence[Part], by: str) -> _Decided:
    """The answers and the decision of the part that was chosen for a question's group."""
    grouping = parts[0].record.benchmark.grouping(by)

    def decided(question: Question) -> tuple[tuple[Answer, ...], Decision]:
        group = grouping.group(question) if grouping is not None else ""
        part = choice.by_group.get(group, choice.by_group[""])
        return _answers([part], question.key), part.samples[question.key].decision

    return decided


def _by_evidence(parts: Sequence[Part], recipe: Recipe) -> _Decided:
    """The answers of all parts, and what their decisions amount to."""
    rule = summed if recipe.rule == "sum" else voted
    weights = recipe.weights or (1.0,) * len(parts)

    def decided(question: Question) -> tuple[tuple[Answer, ...], Decision]:
        own = [part.samples[question.key] for part in parts]
        return _answers(parts, question.key), rule(question, own, weights)

    return decided


def _answers(parts: Sequence[Part], key: str) -> tuple[Answer, ...]:
    """All answers of the parts to a question, each ask under its part's name."""
    return tuple(
        msgspec.structs.replace(
            answer, ask=msgspec.structs.replace(answer.ask, name=f"{part.name} {answer.ask.name}".strip())
        )
        for part in parts
        for answer in part.samples[key].answers
    )


def _check(paths: Sequence[Path], output: Path, recipe: Recipe) -> None:
    if len(paths) < 2:
        raise UsageError("give at least two runs to combine")
    if recipe.rule == "best" and recipe.weights:
        raise UsageError("--weights are for the rules sum and votes; best takes one run for each group")
    if recipe.rule != "best" and (recipe.by or recipe.chosen_on):
        raise UsageError(f"--by and --chosen-on are for --rule best, not for {recipe.rule}")
    if recipe.weights and len(recipe.weights) != len(paths):
        raise UsageError(
            f"--weights: {len(recipe.weights)} for {counted(len(paths), 'run')}; give one for each, in their order"
        )
    if any(not (math.isfinite(weight) and weight > 0) for weight in recipe.weights):
        raise UsageError("--weights: each is a number above 0; leave out the run that is to count nothing")
    if any(weight > _LARGEST_WEIGHT for weight in recipe.weights):
        raise UsageError(f"--weights: none is above {_LARGEST_WEIGHT:g}; what counts is how they compare, e.g. 2,1")
    for path in (*paths, *recipe.chosen_on):
        if output.resolve().is_relative_to(path.resolve()):
            raise UsageError(f"{output} is inside of the run {path}; choose another --output")
    if RunFolder(output).exists() or not RunFolder(output).is_unstarted():
        raise UsageError(f"{output} is not empty; choose another --output")


def _without_scores(parts: Sequence[Part]) -> dict[str, int]:
    """By part, the questions for which it has no scores. Raises `UsageError` for a part that has none at all."""
    without = {part.name: sum(not has_scores(sample) for sample in part.samples.values()) for part in parts}
    for part in parts:
        if without[part.name] == len(part.samples):
            raise UsageError(f"{part.path} has no log-probabilities to sum; {_scored(part)}")
    return {name: count for name, count in without.items() if count}


def _scored(part: Part) -> str:
    """What to do about a part without scores."""
    settings = part.record.settings
    if settings.generation.answer_mode == "choose":
        return f"--method {settings.method} gives none that could be: use --rule votes"
    return "use --rule votes, or run it with --answer choose and a method that compares log-probabilities"


def _refuse_free(questions: Sequence[Question], rule: Rule) -> None:
    if free := sum(not question.options for question in questions):
        raise UsageError(
            f"--rule {rule}: {free} of {counted(len(questions), 'question')} {agreed(free, 'has', 'have')} no "
            "options to agree on; use --rule best"
        )


def _record(parts: Sequence[Part], recipe: Recipe, by: str, choice: Choice | None, registry: Registry) -> RunRecord:
    first = parts[0].record
    weights = recipe.weights or (1.0,) * len(parts)
    combined = Combined(
        rule=recipe.rule,
        parts=tuple(part.noted(weight) for part, weight in zip(parts, weights, strict=True)),
        by=by,
        chosen_on=tuple(run.noted() for run in choice.runs) if choice is not None else (),
        choice={group: part.name for group, part in choice.by_group.items()} if choice is not None else {},
    )
    known = hashlib.sha256(msgspec.json.encode(combined)).hexdigest()
    names = dict.fromkeys(part.record.model.name for part in parts)
    return RunRecord(
        schema_version=SCHEMA_VERSION,
        benchmark=first.benchmark,
        model=ModelRecord(
            spec=f"combined:{recipe.rule}",
            identity=f"combined:{recipe.rule}",
            fingerprint=known,
            name=recipe.name or " + ".join(names),
        ),
        settings=RunSettings(
            tasks=first.settings.tasks,
            split=first.settings.split,
            limit=first.settings.limit,
            grader=first.settings.grader,
            method="combined",
        ),
        data_root=first.data_root,
        data_hashes=first.data_hashes,
        question_count=first.question_count,
        questions_hash=first.questions_hash,
        created_at=utc_now(),
        versions=run_versions(),
        plugins={plugin.distribution: plugin.version for plugin in registry.plugins if plugin.error is None},
        combined=combined,
    )


def _write(output: Path, record: RunRecord, samples: Sequence[Sample]) -> None:
    if output.is_dir():
        output.rmdir()
    with new_folder(output) as scratch:
        folder = RunFolder(scratch)
        folder.start(record, [sample.question for sample in samples])
        with SampleWriter(folder) as writer:
            for sample in samples:
                writer.write(sample)
