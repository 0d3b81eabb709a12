"""Chooses the examples that stand before questions, and refuses those that could give an answer away."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from egocross_eval.contracts.registry import Registry
from egocross_eval.contracts.task import Benchmark, DataSource, Questions
from egocross_eval.errors import DataError, UsageError
from egocross_eval.frames.roots import DataRoot
from egocross_eval.frames.shared import owners_of
from egocross_eval.prompts.shots import Shot, Shots, ShotSetting
from egocross_eval.schema import Question
from egocross_eval.tasks.select import load_questions


class ChosenShots(NamedTuple):
    """Examples and what a user must know of them."""

    shots: Shots
    files: tuple[Path, ...]
    """The files that they were read from."""
    warnings: tuple[str, ...]


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
) -> ChosenShots:
    """The examples for these questions: of the same cell, in an order drawn by the seed.

    Raises `UsageError` for cells without an example from another cluster.
    """
    alike = benchmark.training.alike if benchmark.training is not None else ()
    root = DataRoot(examples.root) if examples.root is not None else None
    by_cell: dict[tuple[str, ...], list[Question]] = {}
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
    return ChosenShots(shots, examples.files, _few(shots, questions, benchmark))


def _few(shots: Shots, questions: Iterable[Question], benchmark: Benchmark) -> tuple[str, ...]:
    """Says for which cells there are fewer examples than wanted; raises where there is none."""
    least: dict[tuple[str, ...], int] = {}
    asked: Counter[tuple[str, ...]] = Counter()
    for question in questions:
        cell = shots.cell(question)
        asked[cell] += 1
        least[cell] = min(len(shots.of(question)), least.get(cell, shots.setting.count))
    given = f"--shots {shots.setting.count}"
    examples = benchmark.training.examples if benchmark.training is not None else ""
    none = [f"{' / '.join(filter(None, cell)) or 'no labels'} ({asked[cell]})" for cell in asked if not least[cell]]
    if none:
        raise UsageError(
            f"{given}: the {examples} split has no example from another {benchmark.cluster} for these questions: "
            f"{'; '.join(none)}. Ask the others (--tasks), or give these 'shots: 0' by a rule of a strategy file"
        )
    few = [f"{' / '.join(cell)} {least[cell]}" for cell in asked if least[cell] < shots.setting.count]
    return (f"{given}: the {examples} split has fewer examples for {'; '.join(few)}",) if few else ()


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


def refuse_leaks(shots: Shots, questions: Sequence[Question], root: DataRoot | None) -> None:
    """Raises `UsageError` where an example shows a frame of a question that it stands before, told by content.

    Frames whose bytes several clusters have (blank pictures) tell no clip. Examples of the question's own cluster are
    never shown and need no look.
    """
    if root is None or shots.root is None:
        return
    used = {shot.question.key: shot.question for question in questions for shot in shots.of(question)}
    names = {shots.root.resolve_str(frame.name): example for example in used.values() for frame in example.frames}
    owned = ((q.cluster or q.key, root.resolve_str(frame.name)) for q in questions for frame in q.frames)
    owners = owners_of(names, owned)
    for path, found in owners.items():
        example = names[path]
        if len(found) == 1 and example.cluster not in found:
            raise UsageError(
                f"--shots: the example {example.key} shows a frame of {', '.join(found)}, which is asked about "
                f"({path}): are the questions mixed with the examples? See 'egocross-eval data verify'"
            )
