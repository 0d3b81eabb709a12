"""The open format: the same questions answered in free words, without their options, as a benchmark of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from egocross_eval.contracts.task import Benchmark, Questions, Target
from egocross_eval.errors import DataError
from egocross_eval.schema import Grouping, Question
from egocross_eval.tasks.egocross.benchmark_record import HUB_DATASET, RECORD, SPLITS, TRAINING
from egocross_eval.tasks.egocross.catalogue import worded_as
from egocross_eval.tasks.egocross.known_questions import open_questions

NEEDS_OPTIONS = "object not visible identification"
"""The question type that asks which of the options isn't there: 72 questions of the testbed."""

_ANSWERABLE = {"without options": "Answerable without options", "with options": "Needs its options"}


def _read_targets(path: Path) -> Mapping[str, Target]:
    from egocross_eval.tasks.egocross.answers_file import read_answers

    found = {}
    for name, record in read_answers(path).items():
        if not record.answer_text:
            raise DataError(f"{path}: id {record.id} has no answer_text, which open answers are graded by")
        found[name] = Target(target=record.answer_text, references=record.target().references)
    return found


EGOCROSS_OPEN = Benchmark(
    name="egocross-open",
    title="EgoCross OpenQA",
    splits=SPLITS,
    groupings=(
        *RECORD.groupings,
        Grouping(name="answerable", title="answerable", labels=("answerable",), groups=_ANSWERABLE),
    ),
    macro=RECORD.macro,
    cluster=RECORD.cluster,
    grader="open",
    style="open",
    sizes=RECORD.sizes,
    prediction_labels=RECORD.prediction_labels,
    read_targets=_read_targets,
    known_questions=open_questions,
    training=msgspec.structs.replace(TRAINING, by_default=False),
    hub_dataset=HUB_DATASET,
    hub_task="open",
)


def opened(loaded: Questions) -> Questions:
    """The questions of a split in the open format."""
    return msgspec.structs.replace(loaded, questions=tuple(map(_open_question, loaded.questions)))


def _open_question(question: Question) -> Question:
    """The question without its options, which graders still see.

    Its target is the answer in words, or where the source has none, as the support set, the text of the right option.
    """
    needs = (question.label("question_type") or worded_as(question.text)) == NEEDS_OPTIONS
    in_words = question.references.get("answer_text") or question.options.get(question.target or "")
    return msgspec.structs.replace(
        question,
        options={},
        hidden_options=question.options,
        needs_options=needs,
        target=in_words,
        labels={**question.labels, "answerable": "with options" if needs else "without options"},
    )
