"""Is a task one? Its questions are loaded, looked at one by one, asked and scored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from egocross_eval.api import evaluate
from egocross_eval.contracts.model import Capabilities, ModelAdapter
from egocross_eval.contracts.registry import registry
from egocross_eval.contracts.task import DataSource, Questions, Task
from egocross_eval.counted import counted
from egocross_eval.errors import DataError, EgoCrossError, did_you_mean
from egocross_eval.frames.roots import DataRoot
from egocross_eval.schema import Question, Request, Response
from egocross_eval.testing.contract import Check, Contract, NotPromised, Tried

_LOAD = "Reads the questions of one split; raises `DataError` where the split or its files aren't there."
_MACRO = "Name of the grouping whose groups' mean is the macro average; empty: there is no such average."
_ROOT = "Data root that the frame names are relative to; None where there are no frames."
_KEY = "Name of the question that files are joined on, unique within its split."
_ID = "Number within its split, which lists are ordered by."
_GRADER = "Name of the grader of its questions."
_TARGET = "The right answer, the label of an option or a text; None where it isn't known."
_LABELS = "What groups are made of"
_COUNTS = "Number of questions by split where it's known without reading data."


def task_checks(task: Task, data: Path | None) -> Iterator[Check]:
    """The checks of a task; `data` is its data root, where it needs one."""
    contract = Contract(f"task {task.name}", "task")
    tried: Tried = {
        "loads the same questions twice": (_LOAD, _loads_alike),
        "names each question once": (_KEY, _names_once),
        "has targets among its options": (_TARGET, _has_targets),
        "has frames below its root": (_ROOT, _has_frames),
        "has questions in every group": (_LABELS, _has_groups),
        "refuses a split that isn't there": (_LOAD, _refuses_splits),
        "is asked, scored and ranked": (_LOAD, _is_run),
    }
    return contract.checks(tried, task, data)


def _loaded(contract: Contract, task: Task, data: Path | None) -> tuple[str, Questions]:
    """The first split that is there, with its questions."""
    missing = []
    for split in task.benchmark.splits:
        try:
            found = task.load(DataSource(root=data, split=split))
        except DataError as error:
            missing.append(f"{split}: {error}")
            continue
        contract.require(isinstance(found, Questions), _LOAD, f"the split {split} gives {type(found)}, no Questions")
        contract.require(bool(found.questions), _LOAD, f"the split {split} has no question")
        for question in found.questions:
            contract.require_type(question, Question, _LOAD)
        return split, found
    contract.require(False, _LOAD, f"no split can be read ({'; '.join(missing)}); name its data root with data=")
    raise AssertionError


def _loads_alike(contract: Contract, task: Task, data: Path | None) -> None:
    split, found = _loaded(contract, task, data)
    again = task.load(DataSource(root=data, split=split))
    contract.require(again.questions == found.questions, _LOAD, "two loads give different questions")
    expected = task.counts.get(split, len(found.questions))
    contract.require(
        expected == len(found.questions), _COUNTS, f"{split}: {expected} declared, {len(found.questions)} read"
    )


def _names_once(contract: Contract, task: Task, data: Path | None) -> None:
    _, found = _loaded(contract, task, data)
    keys = [question.key for question in found.questions]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    contract.require(not twice, _KEY, f"keys that several questions have: {twice[:5]}")
    ids = [question.id for question in found.questions]
    shared = sorted({number for number in ids if ids.count(number) > 1})
    contract.require(not shared, _ID, f"ids that several questions have: {shared[:5]}")
    marked = [key for key in keys if not key or "#" in key]
    contract.require(
        not marked, _KEY, f"empty keys, or such with '#', which separates a question from its asks: {marked}"
    )


def _has_targets(contract: Contract, task: Task, data: Path | None) -> None:
    _, found = _loaded(contract, task, data)
    for question in found.questions:
        if question.options and question.target is not None:
            known = question.target in question.options
            contract.require(known, _TARGET, f"{question.key}: the target {question.target!r} is no option")


def _has_frames(contract: Contract, task: Task, data: Path | None) -> None:
    _, found = _loaded(contract, task, data)
    frames = [frame for question in found.questions for frame in question.frames]
    if not frames:
        raise NotPromised("its questions have no frames")
    contract.require(found.root is not None, _ROOT, "questions have frames, and there is no root")
    if found.no_frames:
        raise NotPromised(found.no_frames)
    root = DataRoot(found.root or "")
    gone = [frame.name for frame in frames if not root.resolve(frame.name).is_file()]
    contract.require(not gone, _ROOT, f"{counted(len(gone), 'frame')} not below {root.path}: {gone[:3]}")


def _has_groups(contract: Contract, task: Task, data: Path | None) -> None:
    _, found = _loaded(contract, task, data)
    benchmark = task.benchmark
    names = {grouping.name for grouping in benchmark.groupings}
    contract.require(
        not benchmark.macro or benchmark.macro in names, _MACRO, f"no grouping {benchmark.macro!r} in {names}"
    )
    for grouping in benchmark.groupings:
        for label in grouping.labels:
            empty = all(not question.label(label) for question in found.questions)
            contract.require(
                not empty, _LABELS, f"no question has the label {label!r} of the grouping {grouping.name!r}"
            )
        if grouping.name == benchmark.macro:
            apart = [question.key for question in found.questions if not grouping.group(question)]
            said = f"{len(apart)} of {counted(len(found.questions), 'question')}: no group of the macro average"
            contract.require(not apart, _LABELS, f"{said}, {grouping.name!r}, e.g. {', '.join(apart[:3])}")


def _refuses_splits(contract: Contract, task: Task, data: Path | None) -> None:
    try:
        task.load(DataSource(root=data, split="no-such-split"))
    except EgoCrossError:
        return
    except Exception as error:
        contract.require(False, _LOAD, f"a split that isn't there raises {error!r}")
    contract.require(False, _LOAD, "a split that isn't there is read")


class _First(ModelAdapter):
    """Says the first label, or a number."""

    def capabilities(self) -> Capabilities:
        return Capabilities(video=True, needs_content=False)

    def fingerprint(self) -> str:
        return "first"

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for request in requests:
            yield Response(key=request.key, text=next(iter(request.choices), "1"))


def _is_run(contract: Contract, task: Task, data: Path | None) -> None:
    split, _ = _loaded(contract, task, data)
    grader, known = task.benchmark.grader, registry().graders
    contract.require(grader in known, _GRADER, f"no grader {grader!r}{did_you_mean(grader, known)}")
    with TemporaryDirectory(prefix="egocross-conformance-") as folder:
        try:
            run = evaluate(_First(), task.name, split=split, data=data, limit=20, cache=False, output=folder)
        except DataError as error:
            contract.require(False, _LOAD, f"it can't be run: {error}")
        counts = run.results.counts
        contract.require(counts.get("errored", 0) == 0, _LOAD, f"questions that can't be asked: {counts}")
