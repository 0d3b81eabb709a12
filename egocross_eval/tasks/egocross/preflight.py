"""The preflight: is every frame of every question there and whole, and are the counts those of the benchmark?"""

from __future__ import annotations

import os
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from egocross_eval.counted import counted
from egocross_eval.errors import DataError, UnsafePathError
from egocross_eval.frames.check import FrameCheck, FrameTrouble, check_frame
from egocross_eval.frames.roots import DataRoot
from egocross_eval.tasks.egocross.catalogue import CELLS, DATASET_DOMAINS, SUPPORT_COUNT
from egocross_eval.tasks.egocross.layout import split_files
from egocross_eval.tasks.egocross.notices import Notice, notice
from egocross_eval.tasks.egocross.source import root_of, with_root
from egocross_eval.tasks.egocross.splits import SPLITS, read_split_with_notices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from egocross_eval.contracts.task import DataSource, Questions
    from egocross_eval.schema import Question

Progress: TypeAlias = "Callable[[int, int], None]"
"""Called with the number of distinct files checked and their total."""


class FrameProblem(msgspec.Struct, frozen=True, kw_only=True):
    """A frame that can't be sent."""

    frame: str
    """Name below the data root."""
    trouble: FrameTrouble
    message: str


class QuestionReport(msgspec.Struct, frozen=True, kw_only=True):
    """A question that there is something to say about."""

    id: int
    question_id: str
    dataset: str
    frames: int
    problems: list[FrameProblem]
    """Errors: the question can't be asked as it is."""
    notices: list[Notice]
    """No errors, but worth knowing."""


class DatasetReport(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over one source dataset."""

    dataset: str
    domain: str
    questions: int
    expected: int | None
    """Questions that the benchmark has, or None where the file isn't the benchmark's own."""
    frames: int
    troubles: dict[FrameTrouble, int]
    """Frames by what is wrong with them."""
    notices: dict[str, int]
    """Questions by kind of notice."""
    largest: tuple[int, int] | None
    """Width and height in pixels of the frame with the most pixels."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What `egocross-eval data verify` found."""

    ok: bool
    """No error: every question can be asked with all of its frames, and the counts are right."""
    root: str
    split: str
    files: list[str]
    """The question and answer files read."""
    taken: dict[str, str]
    """Where `questions`, `answers` and `frames` were found, below the root where they lie there."""
    decoded: bool
    """Whether every picture was decoded in full."""
    questions: int
    answered: int
    """Questions whose answer is known."""
    videos: int
    """Source videos: the clusters that questions come in."""
    frames: int
    distinct_files: int
    """Frame files that aren't links to the same data."""
    identical_files: int | None
    """Distinct files with the bytes of another one; None unless all were read."""
    bytes: int
    """Sum of the sizes of all frames, links counted each time: what a run sends."""
    errors: list[str]
    """Malformed files and wrong counts."""
    warnings: list[str]
    troubles: dict[FrameTrouble, int]
    datasets: list[DatasetReport]
    details: list[QuestionReport]
    """Only the questions with problems or notices, in file order."""


class _Frames(msgspec.Struct, kw_only=True):
    """What became of the frames, by name."""

    checks: dict[str, FrameCheck]
    distinct: int
    identical: int | None


def verify(source: DataSource, *, decode: bool = False, progress: Progress | None = None) -> Report:
    """Checks the questions of `source` and all their frames.

    Frames are looked at by header and end marker, which takes seconds for the whole testbed; `decode` decodes each
    in full. A malformed questions file ends up in the report's errors; a `DataError` is raised where the data root or
    the file isn't there at all.
    """
    source = with_root(msgspec.structs.replace(source, split=source.split or SPLITS[0]))
    root = DataRoot(root_of(source))
    files = split_files(root.path, source)
    try:
        read, notices = read_split_with_notices(source)
    except DataError as error:
        return _malformed(root, source, [str(path) for path in files], decode, str(error))
    frames = _check_frames(root, read.questions, decode, progress)
    notices = [*notices, *_shared(read.questions)]
    expected = _expected(read.questions, source)
    wrong = _wrong_counts(read.questions, expected)
    # A testbed file that was named by hand may well be a part of the whole.
    count_errors, count_warnings = ([], wrong[:1]) if source.questions_file else (wrong, [])
    details = _details(read.questions, frames.checks, notices)
    troubles = Counter(problem.trouble for detail in details for problem in detail.problems)
    names = [frame.name for question in read.questions for frame in question.frames]
    return Report(
        ok=not count_errors and not troubles,
        root=str(root.path),
        split=source.split,
        files=[str(path) for path in read.files],
        taken=_taken(root, read, source),
        decoded=decode,
        questions=len(read.questions),
        answered=sum(question.target is not None for question in read.questions),
        videos=len({question.cluster for question in read.questions}),
        frames=len(names),
        distinct_files=frames.distinct,
        identical_files=frames.identical,
        bytes=sum(frames.checks[name].size for name in names),
        errors=count_errors,
        warnings=[*read.warnings, *filter(None, [read.no_frames]), *count_warnings],
        troubles=dict(troubles),
        datasets=_datasets(read.questions, details, frames.checks, expected),
        details=details,
    )


def _taken(root: DataRoot, read: Questions, source: DataSource) -> dict[str, str]:
    files = [str(path.relative_to(root.path) if path.is_relative_to(root.path) else path) for path in read.files]
    answers = "in the questions file"
    if source.split != "support" and len(files) > 1:
        *files, answers = files
    elif all(question.target is None for question in read.questions):
        answers = "none found"
    first = read.questions[0]
    folder = first.frames[0].name.split(f"{first.label('dataset')}/")[0]
    return {"questions": ", ".join(files), "answers": answers, "frames": f"{folder}DATASET/..."}


def _malformed(root: DataRoot, source: DataSource, files: list[str], decode: bool, message: str) -> Report:
    return Report(
        ok=False,
        root=str(root.path),
        split=source.split,
        files=files,
        taken={},
        decoded=decode,
        questions=0,
        answered=0,
        videos=0,
        frames=0,
        distinct_files=0,
        identical_files=None,
        bytes=0,
        errors=[message],
        warnings=[],
        troubles={},
        datasets=[],
        details=[],
    )


def _check_frames(root: DataRoot, questions: Sequence[Question], decode: bool, progress: Progress | None) -> _Frames:
    """Checks each distinct file once, in threads: what takes time is reading and decoding, which run side by side."""
    checks: dict[str, FrameCheck] = {}
    files: dict[tuple[int, int], str] = {}
    names: dict[tuple[int, int], list[str]] = {}
    for question in questions:
        for frame in question.frames:
            if frame.name in checks:
                continue
            try:
                path = root.resolve_str(frame.name, owner=f"question {question.id}")
                state = os.stat(path)  # noqa: PTH116 - a string already
            except UnsafePathError as error:
                checks[frame.name] = FrameCheck(trouble="unsafe", message=str(error))
            except OSError as error:
                gone = isinstance(error, (FileNotFoundError, NotADirectoryError))
                message = error.strerror or str(error)
                checks[frame.name] = FrameCheck(trouble="missing" if gone else "unreadable", message=message)
            else:
                key = (state.st_dev, state.st_ino)
                files.setdefault(key, path)
                names.setdefault(key, []).append(frame.name)
    contents = set()
    with warnings.catch_warnings(), ThreadPoolExecutor(max_workers=min(8, (os.cpu_count() or 1) + 4)) as pool:
        # Pillow's warning about large pictures: their size is reported, and nothing is decoded unasked.
        warnings.simplefilter("ignore")
        results = pool.map(lambda path: check_frame(path, decode=decode), files.values(), chunksize=1)
        for done, (key, check) in enumerate(zip(files, results, strict=True), 1):
            checks.update(dict.fromkeys(names[key], check))
            contents.add(check.content or key)
            if progress is not None:
                progress(done, len(files))
    return _Frames(checks=checks, distinct=len(files), identical=len(files) - len(contents) if decode else None)


def _shared(questions: Iterable[Question]) -> list[Notice]:
    """A notice for each question that lists a frame which was listed before, by itself or by another one."""
    first: dict[str, int] = {}
    found = []
    for question in questions:
        others: dict[int, int] = {}
        for frame in question.frames:
            owner = first.setdefault(frame.name, question.id)
            if owner != question.id:
                others[owner] = others.get(owner, 0) + 1
        repeated = len(question.frames) - len({frame.name for frame in question.frames})
        words = [f"{counted(count, 'frame')} of question {owner}" for owner, count in others.items()]
        if repeated:
            words.append(f"{counted(repeated, 'frame')} twice")
        if words:
            found.append(notice("shared_frames", question, ", ".join(words)))
    return found


def _expected(questions: Sequence[Question], source: DataSource) -> dict[tuple[str, str], int]:
    """How many questions the benchmark has by dataset and question type (empty: any); nothing for other questions."""
    if source.split == "support":
        if source.questions_file is not None:
            return {}  # a training file of the user's
        shares = Counter(DATASET_DOMAINS.values())
        return {(dataset, ""): SUPPORT_COUNT // shares[domain] for dataset, domain in DATASET_DOMAINS.items()}
    counts = Counter((question.label("dataset"), question.label("question_type")) for question in questions)
    # Equally many in every cell: that is the demo, in the place of the testbed.
    if source.split == "demo" or (len(counts) == len(CELLS) and len(set(counts.values())) == 1):
        return {}
    return {(cell.dataset, cell.question_type): cell.count for cell in CELLS}


def _wrong_counts(questions: Sequence[Question], expected: dict[tuple[str, str], int]) -> list[str]:
    """What is not as many as in the benchmark, the total first."""
    lines = []
    for (dataset, question_type), count in expected.items():
        found = sum(
            q.label("dataset") == dataset and question_type in ("", q.label("question_type")) for q in questions
        )
        if found != count:
            cell = f"{dataset}, {question_type}" if question_type else dataset
            lines.append(f"{cell}: {counted(found, 'question')} instead of {count}")
    if lines:
        lines.insert(0, f"{counted(len(questions), 'question')}; the whole split has {sum(expected.values())}")
    return lines


def _details(
    questions: Sequence[Question], checks: dict[str, FrameCheck], notices: Iterable[Notice]
) -> list[QuestionReport]:
    by_question: dict[int, list[Notice]] = {}
    for entry in notices:
        by_question.setdefault(entry.id, []).append(entry)
    details = []
    for question in questions:
        problems = []
        for frame in question.frames:
            check = checks[frame.name]
            if check.trouble is not None:
                problems.append(FrameProblem(frame=frame.name, trouble=check.trouble, message=check.message))
        if problems or question.id in by_question:
            details.append(
                QuestionReport(
                    id=question.id,
                    question_id=question.key,
                    dataset=question.label("dataset"),
                    frames=len(question.frames),
                    problems=problems,
                    notices=by_question.get(question.id, []),
                )
            )
    return details


def _datasets(
    questions: Sequence[Question],
    details: Sequence[QuestionReport],
    checks: dict[str, FrameCheck],
    expected: dict[tuple[str, str], int],
) -> list[DatasetReport]:
    reports = []
    for dataset, domain in DATASET_DOMAINS.items():
        own = [question for question in questions if question.label("dataset") == dataset]
        due = sum(count for (name, _), count in expected.items() if name == dataset) if expected else None
        if not own and not due:
            continue
        reported = [detail for detail in details if detail.dataset == dataset]
        seen = [checks[frame.name] for question in own for frame in question.frames]
        largest = max(seen, key=lambda check: check.width * check.height, default=None)
        reports.append(
            DatasetReport(
                dataset=dataset,
                domain=domain,
                questions=len(own),
                expected=due,
                frames=len(seen),
                troubles=dict(Counter(problem.trouble for detail in reported for problem in detail.problems)),
                notices=dict(Counter(entry.kind for detail in reported for entry in detail.notices)),
                largest=(largest.width, largest.height) if largest is not None and largest.width else None,
            )
        )
    return reports
