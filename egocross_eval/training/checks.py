"""What is checked of the examples before anything is trained, and what it means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from egocross_eval.contracts.task import DataSource
from egocross_eval.errors import DataError
from egocross_eval.frames.store import FrameError, frame_hash
from egocross_eval.schema import Question
from egocross_eval.tasks.egocross.catalogue import LETTERS
from egocross_eval.tasks.egocross.testbed import read_testbed
from egocross_eval.training.examples import Examples

TESTBED = "egocross_testbed"

MOST_OF_ONE_LETTER, LEAST_OF_ONE_LETTER = 0.40, 0.10
FEWEST_FOR_SKEW = 20
"""A letter's share is remarked on outside these bounds, from so many examples on: a quarter each is expected."""

_NAMED = 5


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing found. An `error` stops the training."""

    level: Literal["error", "warning", "note"]
    check: str
    message: str


def check_frames(questions: Iterable[Question], paths_of: Iterable[Sequence[str]]) -> list[Finding]:
    """Every frame that would be trained on is there, and is a picture."""
    from egocross_eval.model_adapters.hf.media import read_size

    broken: list[str] = []
    seen: set[str] = set()
    for question, paths in zip(questions, paths_of, strict=True):
        for path in paths:
            if path in seen:
                continue
            seen.add(path)
            try:
                read_size(path)
            except FrameError as error:
                broken.append(f"{question.question_id}: {error}")
    if not broken:
        return []
    return [Finding(level="error", check="frames", message=f"{len(broken)} unreadable frames: {_listed(broken)}")]


def check_letters(questions: Sequence[Question]) -> list[Finding]:
    """The right letters are about equally frequent: a model can learn a skew instead of looking."""
    counts = Counter(question.answer for question in questions)
    total = len(questions)
    if total < FEWEST_FOR_SKEW:
        return []
    skewed = [
        f"{letter} {counts[letter]} of {total}"
        for letter in LETTERS
        if not LEAST_OF_ONE_LETTER <= counts[letter] / total <= MOST_OF_ONE_LETTER
    ]
    if not skewed:
        return []
    message = f"the right letters are skewed ({', '.join(skewed)}): a model may learn the letter instead of the answer"
    return [
        Finding(level="warning", check="letters", message=f"{message}; --passes 4 --shuffle-options evens them out")
    ]


def check_clips(examples: Examples) -> list[Finding]:
    """Examples that carry another question's clip."""
    trained = {question.question_id for question in examples.train}
    wrong = [n for n in examples.notices if n.kind == "wrong_clip" and n.question_id in trained]
    if not wrong:
        return []
    listed = _listed([f"{notice.question_id}: {notice.message}" for notice in wrong])
    message = f"{len(wrong)} examples carry another question's clip ({listed}); --drop-wrong-clips leaves them out"
    return [Finding(level="warning", check="clips", message=message)]


def check_tokens(lengths: Sequence[tuple[str, int]], cutoff: int) -> list[Finding]:
    """Every example, its answer included, fits `cutoff` tokens: LLaMA-Factory would cut it off in silence.

    `lengths`: question and its tokens.
    """
    long = [f"{name} ({tokens} tokens)" for name, tokens in lengths if tokens >= cutoff]
    if not long:
        return []
    room = max(tokens for _, tokens in lengths) + 64
    message = (
        f"{len(long)} examples don't fit cutoff_len {cutoff} and would lose their end, the answer first: "
        f"{_listed(long)}; lower --max-pixels, take --frames uniform:N, or --set cutoff_len={room}"
    )
    return [Finding(level="error", check="tokens", message=message)]


def check_leaks(questions: Sequence[Question], paths_of: Sequence[Sequence[str]], root: Path) -> list[Finding]:
    """No question, source video or frame of the testbed is trained on. Frames are compared by content."""
    inside = [q.question_id for q in questions if any(f.name.split("/", 1)[0] == TESTBED for f in q.frames)]
    findings: list[Finding] = []
    if inside:
        message = (
            f"{len(inside)} examples name frames below {TESTBED}/, which must never be trained on: {_listed(inside)}"
        )
        findings.append(Finding(level="error", check="testbed", message=message))
    if not (root / TESTBED).is_dir():
        message = f"there is no {TESTBED}/ below {root}: whether its clips are among the examples could not be checked"
        return [*findings, Finding(level="note", check="testbed", message=message)]
    try:
        testbed = read_testbed(DataSource(root=root)).questions
    except DataError as error:
        message = f"the testbed can't be read, so it could not be compared: {error}"
        return [*findings, Finding(level="note", check="testbed", message=message)]
    videos = {question.video for question in testbed}
    asked = {_asked(question) for question in testbed}
    shared = [q.question_id for q in questions if q.video in videos]
    same = [q.question_id for q in questions if _asked(q) in asked]
    frames, common = _shared_frames(paths_of, testbed, root)
    if common:
        message = (
            f"{common} frames look like those of several testbed videos (blank or stand-in pictures): they tell no clip"
        )
        findings.append(Finding(level="note", check="testbed", message=message))
    for what, found in (("source videos", shared), ("questions", same), ("frames (by content)", frames)):
        if found:
            message = f"the testbed's {what} are among the examples and must never be trained on: {_listed(found)}"
            findings.append(Finding(level="error", check="testbed", message=message))
    return findings


def _asked(question: Question) -> tuple[str, str, tuple[str, ...]]:
    """What makes two questions the same: video, wording and options in whatever order."""
    return question.video, " ".join(question.text.split()).casefold(), tuple(sorted(question.options.values()))


def _shared_frames(trained: Iterable[Sequence[str]], testbed: Iterable[Question], root: Path) -> tuple[list[str], int]:
    """Frames of the examples whose bytes are those of a frame of one testbed video, and the number of those whose bytes
    several testbed videos share, which identify none.

    Only files of equal size are read.
    """
    by_size: dict[int, list[str]] = {}
    for path in dict.fromkeys(path for paths in trained for path in paths):
        if Path(path).is_file():
            by_size.setdefault(Path(path).stat().st_size, []).append(path)
    videos: dict[str, set[str]] = {}
    sizes: set[int] = set()
    for question in testbed:
        for frame in question.frames:
            path = str(root / frame.name)
            try:
                size = Path(path).stat().st_size
            except OSError:
                continue
            if size in by_size:
                sizes.add(size)
                videos.setdefault(frame_hash(path), set()).add(question.video)
    owners = [(path, len(videos.get(frame_hash(path), ()))) for size in sizes for path in by_size[size]]
    return [path for path, count in owners if count == 1], sum(count > 1 for _, count in owners)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return "; ".join(names[:_NAMED]) + more
