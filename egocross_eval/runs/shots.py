"""Chooses the examples that stand before questions, and refuses those that could give an answer away."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from egocross_eval.contracts.registry import Registry
from egocross_eval.contracts.task import Benchmark, DataSource, Questions
from egocross_eval.counted import counted
from egocross_eval.errors import DataError, UsageError
from egocross_eval.frames.alike import Alike, alike_clips
from egocross_eval.frames.roots import DataRoot
from egocross_eval.frames.shared import Clip, Told, shared_frames
from egocross_eval.prompts.shots import Shot, Shots, ShotSetting
from egocross_eval.schema import Question
from egocross_eval.tasks.select import load_questions

Cell = tuple[str, ...]


class Cover(NamedTuple):
    """How many examples suit the questions of a cell."""

    fewest: int
    """Before one of them, at most as many as are wanted."""
    without: int
    """Questions that none suits."""


def load_examples(benchmark: Benchmark, root: Path | None, registry: Registry, setting: ShotSetting) -> Questions:
    """All examples of the benchmark that nothing is wrong with.

    Raises `UsageError` where it has none, and `DataError` where they aren't there, saying what to do.
    """
    if benchmark.training is None:
        raise UsageError(f"--shots {setting.count}: {benchmark.title} has no examples to show; leave --shots out")
    tasks = [task for task in registry.tasks.values() if task.benchmark.name == benchmark.name]
    try:
        loaded = load_questions(tasks, DataSource(root=root, split=benchmark.training.examples))
    except DataError as error:
        raise DataError(f"--shots {setting.count} needs the examples of {benchmark.title}: {error}") from error
    usable = tuple(q for q in loaded.questions if q.target is not None and q.key not in loaded.faulty)
    return msgspec.structs.replace(loaded, questions=usable)


def choose_shots(
    examples: Questions, questions: Sequence[Question], benchmark: Benchmark, setting: ShotSetting, seed: int
) -> Shots:
    """The examples for these questions: of the same cell, in an order drawn by the seed.

    Raises `UsageError` for questions without an example from another cluster, unless the setting asks them so.
    """
    alike = benchmark.training.alike if benchmark.training is not None else ()
    root = DataRoot(examples.root) if examples.root is not None else None
    by_cell: dict[Cell, list[Question]] = {}
    for example in sorted(examples.questions, key=lambda q: _draw(seed, q.key)):
        by_cell.setdefault(tuple(example.label(name) for name in alike), []).append(example)
    shots = Shots(
        setting=setting,
        alike=alike,
        by_cell={
            cell: tuple(_shot(example, place, setting, seed) for place, example in enumerate(members))
            for cell, members in by_cell.items()
        },
        root=root,
    )
    without = _without(cover(shots, questions))
    if without and not setting.covered:
        raise UsageError(
            f"--shots {setting}: {_none(benchmark)} these questions: {without}. Ask them without examples "
            f"('{setting.where_covered()}' in place of '{setting}'), or ask the others alone (--tasks)"
        )
    return shots


def cover(shots: Shots, questions: Iterable[Question]) -> dict[Cell, Cover]:
    """How well the questions are covered, by cell."""
    found: dict[Cell, Cover] = {}
    for question in questions:
        number, cell = len(shots.of(question)), shots.cell(question)
        fewest, without = found.get(cell, Cover(shots.setting.count, 0))
        found[cell] = Cover(min(number, fewest), without + (not number))
    return found


def shot_notes(setting: ShotSetting, covers: Mapping[Cell, Cover], benchmark: Benchmark) -> list[str]:
    """What a user must know of the examples: which questions have none, and which cells fewer than wanted."""
    without = _without(covers)
    few = [f"{_named(cell)} {found.fewest}" for cell, found in covers.items() if 0 < found.fewest < setting.count]
    notes = [f"--shots {setting}: {_none(benchmark)} {without}; these are asked without"] if without else []
    if few:
        notes.append(f"--shots {setting}: the {_split(benchmark)} split has fewer examples for {'; '.join(few)}")
    return notes


def _without(covers: Mapping[Cell, Cover]) -> str:
    """The cells of questions without examples, with the number of these; empty where there are none."""
    return "; ".join(f"{_named(cell)} ({found.without})" for cell, found in covers.items() if found.without)


def _named(cell: Cell) -> str:
    return " / ".join(filter(None, cell)) or "no labels"


def _none(benchmark: Benchmark) -> str:
    return f"the {_split(benchmark)} split has no example from another {benchmark.cluster} for"


def _split(benchmark: Benchmark) -> str:
    return benchmark.training.examples if benchmark.training is not None else ""


def _shot(example: Question, place: int, setting: ShotSetting, seed: int) -> Shot:
    """The example with its options shuffled; with feedback, every second answer is a wrong one."""
    draw = random.Random(f"{seed} shot {example.key}")  # noqa: S311 - repeatable, no secret
    shown = _shuffled(example, draw)
    target = shown.target or ""
    if setting.form != "feedback":
        return Shot(question=shown, reply=target)
    wrong = [label for label in shown.options if label not in shown.accepted()]
    if place % 2 == 0 or not wrong:
        return Shot(question=shown, reply=target, feedback="That is right.")
    right = f"{target}: {shown.options[target]}"
    return Shot(question=shown, reply=draw.choice(wrong), feedback=f"That is wrong: the right answer is {right}.")


def _shuffled(example: Question, draw: random.Random) -> Question:
    labels = list(example.options)
    stood = draw.sample(labels, len(labels))
    target = labels[stood.index(example.target)] if example.target in example.options else example.target
    options = {label: example.options[old] for label, old in zip(labels, stood, strict=True)}
    return msgspec.structs.replace(example, options=options, target=target)


def _draw(seed: int, key: str) -> bytes:
    return hashlib.sha256(f"{seed}/{key}".encode()).digest()


class Common(NamedTuple):
    """What examples have in common with questions of other clusters, as far as their frames tell."""

    told: tuple[Told, ...] = ()
    """Frames that both show."""
    alike: tuple[Alike, ...] = ()
    """Clips that look alike."""


def common_frames(
    shown: Iterable[tuple[Shots, Sequence[Question]]], everything: Callable[[], Sequence[Question]], root: DataRoot
) -> Common:
    """Frames of the examples before these questions that questions of another cluster show too, told by content, and
    examples that look as such a question does.

    `everything` gives all questions of the split: which pictures tell a clip is judged by them. Examples of a
    question's own cluster are never shown and need no look.
    """
    used = {
        clip.name: clip
        for shots, questions in shown
        if shots.root is not None
        for clip in clips_of(_used(shots, questions).values(), shots.root)
    }
    if not used:
        return Common()
    examples, tested = list(used.values()), clips_of(everything(), root)
    return Common(shared_frames(examples, tested).told, tuple(alike_clips(examples, tested)))


def alike_notes(alike: Sequence[Alike], asked: Collection[str]) -> list[str]:
    """What a user must know of examples that look as one of the questions `asked` does, by their keys."""
    found = [one for one in alike if one.tested.name in asked]
    if not found:
        return []
    first = found[0]
    more = f", and {counted(len(found) - 1, 'other pair')} alike" if len(found) > 1 else ""
    return [
        f"--shots: the example {first.shown.name} looks as {first.tested.name} does, of another source{more}: were the "
        "frames of one compressed again, scaled, cropped or recoloured? If so, the example may give the answer away"
    ]


def _used(shots: Shots, questions: Sequence[Question]) -> dict[str, Question]:
    return {shot.question.key: shot.question for question in questions for shot in shots.of(question)}


def refuse_leaks(shots: Shots, questions: Sequence[Question], told: Iterable[Told]) -> None:
    """Raises `UsageError` where a frame that is `told` is of an example before these questions and of one of them."""
    used, asked = _used(shots, questions), {question.key for question in questions}
    for path, example, tested in told:
        if example.name in used and tested.name in asked:
            raise UsageError(
                f"--shots: the example {example.name} shows a frame of {tested.owner}, which is asked about "
                f"({path}): are the questions mixed with the examples? See 'egocross-eval data verify'"
            )


def clips_of(questions: Iterable[Question], root: DataRoot) -> list[Clip]:
    """The frames of questions as clips of their clusters."""
    return [
        Clip(q.key, q.cluster or q.key, tuple(root.resolve_str(frame.name) for frame in q.frames)) for q in questions
    ]
