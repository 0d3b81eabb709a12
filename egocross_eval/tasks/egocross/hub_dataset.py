"""Questions as a `datasets.Dataset`, for people who want to filter, map and push them with what they know."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from egocross_eval.contracts.task import DataSource
from egocross_eval.frames.roots import DataRoot
from egocross_eval.tasks.egocross.splits import read_split
from egocross_eval.tasks.egocross.times import segment_end

if TYPE_CHECKING:
    import os

    from datasets import Dataset

    from egocross_eval.contracts.task import Questions
    from egocross_eval.schema import Question

_LABELS = ("domain", "dataset", "category", "question_type")


def as_dataset(
    root: str | os.PathLike[str],
    split: str = "testbed",
    *,
    questions_file: str | os.PathLike[str] | None = None,
    answers_file: str | os.PathLike[str] | None = None,
) -> Dataset:
    """Reads a split below `root` and hands it out by `to_dataset`. Raises `DataError` as the readers do."""
    source = DataSource(
        root=Path(root),
        split=split,
        questions_file=None if questions_file is None else Path(questions_file),
        answers_file=None if answers_file is None else Path(answers_file),
    )
    return to_dataset(read_split(source))


def to_dataset(questions: Questions) -> Dataset:
    """One row per question, in order.

    Columns: `id`; `question_id`, `domain`, `dataset`, `category`, `question_type`, `text`; `options`, the four texts;
    `frames`, images not decoded: dicts of `path` and `bytes` (`cast_column("frames", List(Image()))` decodes them);
    `frame_names` below the data root; `frame_times` in seconds (null where unknown); `video`; `clip_end` in seconds;
    `answer` (a letter), `answer_text`, `detailed_answer`, null where not known. Nothing is read from the frame files;
    `save_to_disk` and `push_to_hub` take their bytes along unchanged.
    """
    from datasets import Dataset, Features, Image, List, Value

    text, number = Value("string"), Value("float64")
    features = Features(
        {
            "id": Value("int64"),
            **dict.fromkeys(("question_id", *_LABELS, "text"), text),
            "options": List(text),
            "frames": List(Image(decode=False)),
            "frame_names": List(text),
            "frame_times": List(number),
            "video": text,
            "clip_end": number,
            "answer": text,
            "answer_text": text,
            "detailed_answer": text,
        }
    )
    root = DataRoot(questions.root or Path())
    rows = [_row(question, root) for question in questions.questions]
    return Dataset.from_dict({name: [row[name] for row in rows] for name in features}, features=features)


def _row(question: Question, root: DataRoot) -> dict[str, Any]:
    owner = f"question {question.id}"
    return {
        "id": question.id,
        "question_id": question.key,
        **{name: question.label(name) for name in _LABELS},
        "text": question.text,
        "options": list(question.options.values()),
        "frames": [{"path": root.resolve_str(frame.name, owner=owner), "bytes": None} for frame in question.frames],
        "frame_names": [frame.name for frame in question.frames],
        "frame_times": [frame.time for frame in question.frames],
        "video": question.cluster,
        "clip_end": segment_end(question.text),
        "answer": question.target,
        "answer_text": question.references.get("answer_text"),
        "detailed_answer": question.references.get("detailed_answer"),
    }
