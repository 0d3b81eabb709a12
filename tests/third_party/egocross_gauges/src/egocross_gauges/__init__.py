"""Another benchmark: reading gauges. Some questions want a number, some have six options; its data come with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from egocross_eval import (
    Benchmark,
    CommandType,
    DataSource,
    Decision,
    Frame,
    Grade,
    Grader,
    Grouping,
    LetterGrader,
    Question,
    Questions,
    Task,
    hookimpl,
)

if TYPE_CHECKING:
    from click import Command

DATA = Path(__file__).parent / "data"
NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")


class GaugeGrader(Grader):
    """A number counts within 5 % of the target, and for half within 10 %; options are graded by their letter."""

    name = "gauge"
    description = "numbers with a tolerance, options by their letter"

    def grade(self, question: Question, decision: Decision) -> Grade:
        if question.options:
            return LetterGrader().grade(question, decision)
        numbers = NUMBER.findall(decision.text or "")
        if not numbers:
            return Grade(outcome="not_parsed", reason=decision.reason or "no_number")
        if question.target is None:
            return Grade(outcome="unscored", prediction=numbers[-1])
        said, right = float(numbers[-1].replace(",", ".")), float(question.target)
        off = abs(said - right) / abs(right)
        if off <= 0.05:
            return Grade(outcome="right", credit=1.0, prediction=numbers[-1])
        return Grade(
            outcome="wrong", credit=0.5 if off <= 0.1 else 0.0, prediction=numbers[-1], reason=f"off by {off:.0%}"
        )


GAUGES = Benchmark(
    name="gauges",
    title="Gauges",
    splits=("bench", "field"),
    groupings=(
        Grouping(
            name="instrument", title="instrument", labels=("instrument",), groups={"dial": "Dials", "bar": "Bars"}
        ),
        Grouping(name="light", title="light", labels=("light",)),
    ),
    macro="instrument",
    cluster="machine",
    grader="gauge",
)


def load(source: DataSource) -> Questions:
    path = DATA / f"{source.split}.json"
    questions = tuple(
        Question(frames=tuple(Frame(name=name, time=None) for name in entry.pop("pictures")), **entry)
        for entry in json.loads(path.read_text())
    )
    return Questions(questions=questions, root=DATA, files=(path,))


@hookimpl
def egocross_graders() -> Iterable[Grader]:
    return [GaugeGrader()]


@hookimpl
def egocross_tasks() -> Iterable[Task]:
    return [Task(name="gauges", benchmark=GAUGES, description="what an instrument shows", load=load)]


def load_verb() -> Command:
    from egocross_gauges.verb import command

    return command


@hookimpl
def egocross_commands() -> Iterable[CommandType]:
    return [CommandType(name="gauges", description="Count the gauges of a split.", load=load_verb)]
