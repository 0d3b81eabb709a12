"""No question, source video or frame of the testbed is trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from egocross_eval.contracts.registry import registry
from egocross_eval.contracts.task import Benchmark
from egocross_eval.counted import agreed, counted
from egocross_eval.errors import DataError
from egocross_eval.frames.alike import alike_clips
from egocross_eval.frames.roots import DataRoot
from egocross_eval.frames.shared import Clip, shared_frames
from egocross_eval.runs.shots import clips_of
from egocross_eval.schema import Question
from egocross_eval.training.example_checks import Finding, listed
from egocross_eval.training.examples import load_split, trainable


def check_leaks(
    questions: Sequence[Question], paths_of: Sequence[Sequence[str]], root: Path, benchmark: Benchmark | None = None
) -> list[Finding]:
    """No question, source video or frame of the tested split is trained on. Frames are compared by content.

    `root` is the data root, or several of them as `DataSource.root` has them.
    """
    benchmark = benchmark or trainable(registry())
    folder = benchmark.training.tested_folder if benchmark.training is not None else ""
    inside = [q.key for q in questions if folder and any(f.name.split("/", 1)[0] == folder for f in q.frames)]
    findings: list[Finding] = []
    if inside:
        message = (
            f"{counted(len(inside), 'example')} {agreed(len(inside), 'names', 'name')} frames below "
            f"{folder}/, which must never be trained on: {listed(inside)}"
        )
        findings.append(Finding(level="error", check="testbed", message=message))
    try:
        loaded = load_split(benchmark, "tested", root)
    except DataError as error:
        message = f"whether clips of the testbed are among the examples could not be checked: {error}"
        return [*findings, Finding(level="note", check="testbed", message=message)]
    testbed = loaded.questions
    videos = {question.cluster for question in testbed}
    asked = {_asked(question) for question in testbed}
    shared = [q.key for q in questions if q.cluster in videos]
    same = [q.key for q in questions if _asked(q) in asked]
    trained = [Clip(q.key, q.cluster or q.key, tuple(paths)) for q, paths in zip(questions, paths_of, strict=True)]
    tested = clips_of(testbed, DataRoot(loaded.root or root))
    same_frames = shared_frames(trained, tested)
    frames = list(dict.fromkeys(told.path for told in same_frames.told))
    if common := same_frames.common:
        message = (
            f"{counted(common, 'frame')} {agreed(common, 'looks', 'look')} as in several testbed videos "
            "(blank or stand-in pictures), which tells no clip"
        )
        findings.append(Finding(level="note", check="testbed", message=message))
    if pairs := [f"{one.shown.name} as {one.tested.name}" for one in alike_clips(trained, tested)]:
        message = (
            "examples look as the testbed's clips of other videos do; were frames compressed again, scaled, cropped or "
            f"recoloured? If so, they must never be trained on: {listed(pairs)}"
        )
        findings.append(Finding(level="warning", check="testbed", message=message))
    for what, found in (("source videos", shared), ("questions", same), ("frames (by content)", frames)):
        if found:
            message = f"the testbed's {what} are among the examples and must never be trained on: {listed(found)}"
            findings.append(Finding(level="error", check="testbed", message=message))
    return findings


def _asked(question: Question) -> tuple[str, str, tuple[str, ...]]:
    """What makes two questions the same: video, wording and options in whatever order."""
    return question.cluster, " ".join(question.text.split()).casefold(), tuple(sorted(question.options.values()))
