"""Reads the testbed: `egocross_testbed_imgs.json` and, if it's there, the answers file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from egocross_eval.contracts.task import DataSource, Questions
from egocross_eval.counted import counted
from egocross_eval.documents import cited, read_json
from egocross_eval.errors import DataError, unknown
from egocross_eval.frames.roots import DataRoot
from egocross_eval.schema import Frame, Question
from egocross_eval.tasks.egocross.answers_file import AnswerOfId, read_answer_list
from egocross_eval.tasks.egocross.catalogue import DATASET_DOMAINS, QUESTION_TYPES, find_cell
from egocross_eval.tasks.egocross.clips import clip_names, in_time_order, parse_clip, parse_options
from egocross_eval.tasks.egocross.layout import TESTBED_FOLDER, Prefix, frame_prefix, no_frames, testbed_files
from egocross_eval.tasks.egocross.notices import Notice, common_notices, notice, summarise
from egocross_eval.tasks.egocross.source import root_of, with_root
from egocross_eval.tasks.egocross.times import frame_times, missing_frames, time_rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class TestbedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the testbed file, as it's written; the answer stands in some copies of it only."""

    __test__ = False  # not a test class, whatever pytest thinks of the name

    id: int
    dataset: str
    primary_category: str
    question_type: str
    question_text: str
    options: list[str]
    video_path: list[str]
    original_video_fps: float | None = None
    question_id: str | None = None
    correct_option_letter: str | None = None
    answer: str | None = None
    answer_text: str | None = None
    detailed_answer: str | None = None


def read_testbed(source: DataSource) -> Questions:
    """The questions of the testbed (or of a benchmark in its form, such as the demo) in file order.

    Questions, answers and frames are found as `layout` does it; the answers may be absent, or stand in the questions
    file. Raises `DataError` naming the file, the id and the field for whatever isn't as it should be.
    """
    return read_testbed_with_notices(source)[0]


def read_testbed_with_notices(source: DataSource) -> tuple[Questions, list[Notice]]:
    """As `read_testbed`, with what is remarkable about single questions."""
    source = with_root(source)
    root = DataRoot(root_of(source)).path
    path, answers_path = testbed_files(root, source)
    items = read_json(path, list[TestbedItem])
    if not items:
        raise DataError(f"{path} has no questions")
    prefix = frame_prefix(root, path, TESTBED_FOLDER, [item.video_path for item in items])
    answers = {} if answers_path is None else {record.id: record for record in read_answer_list(answers_path)}
    notices: list[Notice] = []
    questions = tuple(
        _question(item, f"{path}: question {item.id}", prefix or Prefix(), answers.get(item.id), notices)
        for item in items
    )
    _refuse_duplicates(path, questions)
    warnings = summarise(notices)
    if answers_path is not None:
        warnings += _answer_gaps(answers_path, questions, answers)
    files = (path,) if answers_path is None else (path, answers_path)
    return Questions(
        root=root,
        questions=questions,
        files=files,
        warnings=warnings,
        no_frames="" if prefix else no_frames(root, TESTBED_FOLDER, questions),
    ), notices


def _question(
    item: TestbedItem, owner: str, prefix: Prefix, answer: AnswerOfId | None, notices: list[Notice]
) -> Question:
    if item.dataset not in DATASET_DOMAINS:
        raise DataError(f"{owner}: {unknown('dataset', item.dataset, DATASET_DOMAINS)}")
    cell = find_cell(item.dataset, item.question_type)
    if item.question_type not in QUESTION_TYPES:
        raise DataError(f"{owner}: {unknown('question_type', item.question_type, QUESTION_TYPES)}")
    if cell is None:
        raise DataError(f"{owner}: EgoCross has no {item.question_type!r} questions on {item.dataset}")
    if item.primary_category != cell.category:
        raise DataError(
            f"{owner}: primary_category is {item.primary_category!r}, but {item.question_type!r} is {cell.category!r}"
        )
    names = [prefix.name(name) for name in clip_names(item.video_path, owner)]
    clip = parse_clip(names, owner)
    if clip.dataset != item.dataset:
        raise DataError(f"{owner}: dataset is {item.dataset!r}, but the frames are of {clip.dataset!r}")
    question_id = f"{clip.dataset}_{clip.video}_q{clip.number}_{cell.slug}"
    if item.question_id is not None and item.question_id != question_id:
        raise DataError(f"{owner}: question_id is {item.question_id!r}, but its frames are those of {question_id!r}")
    if answer is not None and answer.question_id is not None and answer.question_id != question_id:
        raise DataError(
            f"{owner} is {question_id!r}, but the answers file has {answer.question_id!r} for that id; "
            "the two files don't belong together"
        )
    options = parse_options(item.options, owner)
    letter = _own_letter(item, options, owner)
    if answer is not None and letter not in (None, answer.correct_option_letter):
        raise DataError(f"{owner}: its answer is {letter}, but the answers file has {answer.correct_option_letter}")
    ordered = in_time_order(names, clip)
    rule = time_rule(clip.dataset, ordered[0])
    times = frame_times(ordered, rule)
    if answer is None and letter is not None:
        answer = AnswerOfId(
            id=item.id,
            correct_option_letter=letter,
            answer_text=item.answer_text,
            detailed_answer=item.detailed_answer,
        )
    known = answer.target() if answer is not None else None
    question = Question(
        id=item.id,
        key=question_id,
        labels={
            "domain": cell.domain,
            "dataset": item.dataset,
            "category": cell.category,
            "question_type": item.question_type,
        },
        text=item.question_text.strip(),
        options=options,
        frames=tuple(map(_frame, ordered, times)),
        cluster=clip.cluster,
        target=known.target if known else None,
        references=known.references if known else {},
    )
    if ordered != names:
        notices.append(
            notice("unsorted_frames", question, f"the list of {counted(len(names), 'frame')} is out of order")
        )
    missing = missing_frames(ordered, rule)
    if missing:
        notices.append(notice("dropped_frames", question, f"{missing} missing among {counted(len(names), 'frame')}"))
    if clip.abbreviation not in (cell.abbreviation, cell.support_abbreviation):
        folder = clip.folder.rpartition("/")[2]
        notices.append(notice("wrong_clip", question, f"{cell.question_type!r} with the frames of {folder!r}"))
    notices.extend(common_notices(question, rule))
    return question


def _own_letter(item: TestbedItem, options: Mapping[str, str], owner: str) -> str | None:
    """The right letter where it, or the text of the right option, stands in the questions file."""
    written = item.correct_option_letter or item.answer
    if not written:
        return None
    found = [letter for letter, text in options.items() if written.strip() in (letter, text)]
    if not found:
        raise DataError(f"{owner}: its answer is {cited(written)}, neither a letter nor the text of an option")
    return found[0]


def _frame(name: str, time: float | None) -> Frame:
    return Frame(name=name, time=time)


def _refuse_duplicates(path: Path, questions: Sequence[Question]) -> None:
    for field, name in (("id", "id"), ("key", "question_id")):
        seen = set()
        for question in questions:
            value = getattr(question, field)
            if value in seen:
                raise DataError(f"{path}: the {name} {value!r} occurs twice")
            seen.add(value)


def _answer_gaps(path: Path, questions: Sequence[Question], answers: dict[int, AnswerOfId]) -> tuple[str, ...]:
    """Warnings where answers and questions don't cover each other."""
    lines = []
    without = sum(question.target is None for question in questions)
    if without:
        lines.append(f"{path} has no answer for {without} of {counted(len(questions), 'question')}")
    others = len(answers.keys() - {question.id for question in questions})
    if others:
        lines.append(f"{path} has answers for {others} ids that are no questions here")
    return tuple(lines)
