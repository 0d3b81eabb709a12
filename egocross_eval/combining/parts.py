"""The runs that another is to be made of, and what must be true of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from egocross_eval.counted import agreed, counted
from egocross_eval.errors import UsageError
from egocross_eval.runs.store import RunFolder
from egocross_eval.schema import CombinedPart, Question, RunRecord, RunSettings, Sample


class Part(NamedTuple):
    """A run on disk."""

    name: str
    """Of its folder; unique among the parts."""
    path: Path
    record: RunRecord
    samples: dict[str, Sample]
    """By question key; all of its questions."""

    def noted(self, weight: float = 1.0) -> CombinedPart:
        """As the record of the combined run has it."""
        return CombinedPart(
            name=self.name,
            model=self.record.model.identity,
            fingerprint=self.record.model.fingerprint,
            settings=self.record.settings,
            samples_hash=RunFolder(self.path).samples_hash(),
            weight=weight,
        )


def read_parts(paths: Sequence[Path]) -> list[Part]:
    """The finished runs at `paths`, over the same questions.

    Raises `UsageError` naming the run that is none, isn't finished, was judged, is there twice or has other questions.
    """
    names = _names(paths)
    parts = [_part(path, name) for path, name in zip(paths, names, strict=True)]
    first = parts[0]
    for part in parts[1:]:
        if part.record.questions_hash != first.record.questions_hash:
            raise UsageError(
                f"{first.path} and {part.path} have other questions ({first.record.question_count} and "
                f"{part.record.question_count} of them); runs are combined over the same --tasks, --split and --limit"
            )
        _refuse_other_answers(first, part)
    twice = [
        name for name, count in Counter(RunFolder(part.path).samples_hash() for part in parts).items() if count > 1
    ]
    if twice:
        same = [str(part.path) for part in parts if RunFolder(part.path).samples_hash() == twice[0]]
        raise UsageError(f"{' and '.join(same)} are the same run; name each once, and use --weights")
    return parts


def _names(paths: Sequence[Path]) -> list[str]:
    names = [path.resolve().name for path in paths]
    if len(set(names)) == len(names):
        return names
    return [f"{path.resolve().parent.name}/{path.resolve().name}" for path in paths]


def _part(path: Path, name: str) -> Part:
    folder = RunFolder(path)
    record = folder.record()
    if record.judged is not None:
        raise UsageError(f"{path} is a judging; combine the runs that were judged, and judge what comes out")
    if record.shard is not None:
        raise UsageError(f"{path} is a shard of a run; put the shards together first: egocross-eval merge")
    samples = {sample.key: sample for sample in folder.final_samples()}
    failed = sum(sample.outcome == "errored" for sample in samples.values())
    if open_ := record.question_count - len(samples) + failed:
        raise UsageError(
            f"{path} is not finished: {open_} of {counted(record.question_count, 'question')} "
            f"{agreed(open_, 'has', 'have')} no answer yet"
        )
    return Part(name, path, record, samples)


def _refuse_other_answers(first: Part, other: Part) -> None:
    for key, sample in first.samples.items():
        targets = {sample.question.target, other.samples[key].question.target} - {None}
        if len(targets) > 1:
            raise UsageError(
                f"{first.path} and {other.path} were scored against different answers, e.g. of {key}; "
                "score both against one file: egocross-eval score RUN --answers FILE"
            )


def _refuse_other_model(part: Part, other: Part) -> None:
    """A model with the same fingerprint is the same, wherever its files lie."""
    one, two = part.record.model, other.record.model
    if one.fingerprint and one.fingerprint == two.fingerprint:
        return
    where = f"--chosen-on {other.path} is to go with {part.path}, but"
    if one.identity != two.identity:
        raise UsageError(f"{where} they are of two models: {one.identity} and {two.identity}")
    if one.fingerprint != two.fingerprint:
        raise UsageError(f"{where} the model's weights have changed")


def refuse_other_ways(part: Part, other: Part) -> None:
    """Raises `UsageError` where `other` isn't the same model, asked in the same way, on other questions."""
    _refuse_other_model(part, other)
    if found := _other_settings(part.record.settings, other.record.settings):
        raise UsageError(
            f"--chosen-on {other.path} is to go with {part.path}, but was asked in another way: {', '.join(found)}"
        )
    shared = part.samples.keys() & other.samples.keys()
    clusters = _clusters(part) & _clusters(other)
    if shared or clusters:
        what = f"the question {min(shared)}" if shared else f"the {part.record.benchmark.cluster} {min(clusters)}"
        raise UsageError(
            f"--chosen-on {other.path} has {what} in common with {part.path}: a choice made on what it's measured "
            "on is no measurement; choose on other data, e.g. --split support"
        )


def _other_settings(one: RunSettings, other: RunSettings) -> list[str]:
    """Names of settings that differ, beside those that only decide which questions are asked."""
    pairs = [(one, other), (one.prompt, other.prompt), (one.generation, other.generation)]
    skipped = {"tasks", "split", "limit", "shard", "prompt", "generation", "ways"}
    return [
        field.name
        for left, right in pairs
        for field in msgspec.structs.fields(type(left))
        if field.name not in skipped and getattr(left, field.name) != getattr(right, field.name)
    ]


def _clusters(part: Part) -> set[str]:
    return {sample.question.cluster for sample in part.samples.values() if sample.question.cluster}


def with_target(parts: Sequence[Part], key: str) -> Question:
    """The question, with its right answer if any of the parts knows it."""
    known = [part.samples[key].question for part in parts]
    return next((question for question in known if question.target is not None), known[0])
