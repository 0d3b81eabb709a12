"""The files of a run folder that are derived from its samples: predictions, leaderboard, results."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

import msgspec

from egocross_eval.contracts.grader import Grader
from egocross_eval.contracts.registry import Registry
from egocross_eval.contracts.task import Target
from egocross_eval.errors import UsageError
from egocross_eval.files import writing
from egocross_eval.leaderboard.judged import JudgedSamples
from egocross_eval.leaderboard.render import render
from egocross_eval.leaderboard.rows import row_from_run, source_name
from egocross_eval.methods.rotate import count_rotations
from egocross_eval.reading.response import read_response
from egocross_eval.runs.activity import pace, read_activity
from egocross_eval.runs.decide import grade
from egocross_eval.runs.decide_again import Decider, asked_by, refuse_missing
from egocross_eval.runs.store import (
    LEADERBOARD_FILE,
    PREDICTIONS_FILE,
    RunFolder,
    SampleWriter,
    write_atomically,
)
from egocross_eval.schema import Answer, BenchmarkRecord, Decision, Question, Results, RunRecord, Sample
from egocross_eval.scoring.efficiency import EfficiencyCounter
from egocross_eval.scoring.results import judged_sample, not_asked, results_of


def derive(folder: RunFolder, registry: Registry) -> Results:
    """Writes what is derived from the samples that are there, `results.json` last: where it is, all are.

    A kill at any instant leaves a folder that the same call puts right.
    """
    record = folder.record()
    with writing(folder.path / PREDICTIONS_FILE) as file:
        samples = _noted(folder.final_samples(), record.benchmark, file)
        results = _results(folder, record, registry, samples)
    row = row_from_run(record, results, source=source_name(folder.path, record), origin_hash=results.samples_hash)
    write_atomically(folder.path / LEADERBOARD_FILE, render([row], "md", intervals="half-width").encode())
    folder.write_results(results)
    return results


def _noted(samples: Iterable[Sample], benchmark: BenchmarkRecord, file: BinaryIO) -> Iterator[Sample]:
    """Writes each sample's entry of the predictions file, a JSON list, as it passes."""
    mark = b"["
    for sample in samples:
        entry = msgspec.json.format(msgspec.json.encode(prediction_entry(sample, benchmark)), indent=2)
        file.write(mark + b"\n  " + entry.replace(b"\n", b"\n  "))
        mark = b","
        yield sample
    file.write(b"[]\n" if mark == b"[" else b"\n]\n")


def compute_results(
    folder: RunFolder,
    registry: Registry,
    samples: Iterable[Sample] | None = None,
    *,
    record: RunRecord | None = None,
) -> Results:
    """The results of what is in the folder now, without writing them; of `samples`, or by `record`, in place of its
    own."""
    samples = folder.final_samples() if samples is None else samples
    return _results(folder, record or folder.record(), registry, samples)


def _results(folder: RunFolder, record: RunRecord, registry: Registry, samples: Iterable[Sample]) -> Results:
    """Questions that were not asked yet count as missing, in every group."""
    # Without the plugin that brings it, a grader's chance level is what can be told from the options.
    grader = registry.graders.get(record.settings.grader) or Grader()
    judged, seen, targets = [], set(), []
    shared: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
    tokens: Counter[str] = Counter(input=0, output=0)
    seconds = 0.0
    rotates = record.settings.strategy is not None or record.settings.method == "rotate"
    rotations: Counter[str] = Counter()
    judgements, took = JudgedSamples(folder, record), EfficiencyCounter()
    for sample in samples:
        cost = sample.cost
        tokens.update(input=cost.input_tokens or 0, output=cost.output_tokens or 0)
        seconds += cost.seconds or 0.0
        own = shared.setdefault(tuple(sample.question.labels.items()), sample.question.labels)
        judged.append(judged_sample(sample, grader.chance(sample.question), own))
        seen.add(sample.key)
        if sample.question.target is not None:
            targets.append((sample.key, sample.question.target))
        if rotates and asked_by(record.settings, sample.question).method == "rotate":
            rotations.update(count_rotations([sample]))
        judgements.add(sample)
        took.add(sample)
    missing = folder.questions_without(seen)
    judged += [not_asked(question, grader.chance(question)) for question in missing]
    results = results_of(
        judged,
        record.benchmark,
        total=record.question_count,
        tokens=dict(tokens),
        seconds=seconds,
        waits=grader.waits and record.judged is None,
    )
    return msgspec.structs.replace(
        results,
        samples_hash=folder.samples_hash(),
        answers_hash=targets_hash(targets),
        rotations=dict(rotations),
        judge=judgements.figures(),
        efficiency=took.figures(pace(read_activity(folder.path)), record.model.details),
    )


def targets_hash(targets: Iterable[tuple[str, str]]) -> str:
    """SHA-256 of the known right answers by key; empty where none is known."""
    known = sorted(targets)
    return hashlib.sha256(msgspec.json.encode(known)).hexdigest() if known else ""


def prediction_entry(sample: Sample, benchmark: BenchmarkRecord) -> dict[str, Any]:
    """An entry of a predictions file. Where nothing was read, or the question failed, the answer is empty: none is
    made up."""
    question = sample.question
    judged = {} if sample.grade.mark is None else {"mark": sample.grade.mark, "reason": sample.grade.reason or ""}
    return {
        "id": question.id,
        "question_id": question.key,
        **{label: question.label(label) for label in benchmark.prediction_labels},
        "answer": sample.grade.prediction or "",
        **judged,
    }


def known_targets(questions: Iterable[Question]) -> dict[str, Target]:
    """The right answers that questions carry, by key."""
    return {
        question.key: Target(target=question.target, references=question.references)
        for question in questions
        if question.target is not None
    }


def grade_again(folder: RunFolder, targets: Mapping[str, Target], registry: Registry) -> int:
    """Reads every kept output again with the present rules and grades it, by the given answers where there are any.

    What changed is appended to `samples.jsonl`; returns how many changed. Where other readings would make the method
    ask on, its decision stays.
    """
    if folder.record().judged is not None:
        raise UsageError(
            f"{folder.path} is a judging: score its run, and judge that again; a judge is only asked what is new"
        )
    changed = 0
    with SampleWriter(folder) as writer:
        for sample, again in graded_again(folder, targets, registry):
            if again != sample:
                writer.write(again)
                changed += 1
    return changed


def graded_again(
    folder: RunFolder, targets: Mapping[str, Target], registry: Registry
) -> Iterator[tuple[Sample, Sample]]:
    """Each sample as it is in the folder, and as `grade_again` has it. Nothing is written."""
    record = folder.record()
    refuse_missing(record, folder.path, registry)
    decider = Decider(record.settings, registry) if record.combined is None else None
    grader = registry.grader(record.settings.grader)
    for sample in folder.final_samples():
        known = targets.get(sample.key)
        question = sample.question
        if known is not None:
            question = msgspec.structs.replace(question, target=known.target, references=known.references)
        answers = [_read_again(question, answer) for answer in sample.answers]
        decision: object = sample.decision
        if sample.failure is None and decider is not None:
            decision = decider.decide(question, answers)
        kept = decision if isinstance(decision, Decision) else sample.decision
        graded = grade(grader, question, answers, kept)
        yield (
            sample,
            msgspec.structs.replace(sample, question=question, answers=tuple(answers), decision=kept, grade=graded),
        )


def _read_again(question: Question, answer: Answer) -> Answer:
    options = question.options if answer.ask.options is None else answer.ask.options
    choices = tuple(options) if answer.ask.choices is None else answer.ask.choices
    return msgspec.structs.replace(answer, reading=read_response(answer.response, options, choices))
