"""What a run keeps of its benchmark, and how questions are grouped."""

from __future__ import annotations

from collections.abc import Iterable

from egocross_eval.schema.noun import Noun
from egocross_eval.schema.question import Question


class Grouping(Noun, frozen=True, kw_only=True):
    """A way to divide a benchmark's questions for tables."""

    name: str
    title: str
    """What tables call it, e.g. `question type`."""
    labels: tuple[str, ...]
    """Labels whose values make a group's name, joined by ` / `."""
    groups: dict[str, str] = {}
    """Titles of groups by name, in the order shown; others follow by name, under it."""

    def group(self, question: Question) -> str:
        """The group that a question belongs to; empty where it lacks one of the labels."""
        values = [question.label(label) for label in self.labels]
        return " / ".join(values) if values and all(values) else ""

    def ordered(self, groups: Iterable[str]) -> list[str]:
        """Names of groups in the order shown."""
        places = {name: place for place, name in enumerate(self.groups)}
        return sorted(groups, key=lambda name: (places.get(name, len(places)), name))


class BenchmarkRecord(Noun, frozen=True, kw_only=True):
    """What a run keeps of its benchmark, so that its figures can be derived without the plugin."""

    name: str
    title: str
    groupings: tuple[Grouping, ...] = ()
    macro: str = ""
    """Name of the grouping whose groups' mean is the macro average; empty: there is none."""
    cluster: str = "cluster"
    """What questions with the same `cluster` share, e.g. `source video`."""
    sizes: dict[str, int] = {}
    """Number of questions by split, where it's fixed: a row over so many questions is over the whole split."""
    prediction_labels: tuple[str, ...] = ()
    """Labels that the entries of a predictions file carry beside id, question_id and answer."""

    def grouping(self, name: str) -> Grouping | None:
        """The grouping of that name."""
        return next((grouping for grouping in self.groupings if grouping.name == name), None)

    def part_titles(self, names: Iterable[str]) -> dict[str, str]:
        """Titles of groups of the macro axis by name, in the order shown."""
        grouping = self.grouping(self.macro)
        if grouping is None:
            return {}
        return {name: grouping.groups.get(name, name) for name in grouping.ordered(names)}

    def part(self, question: Question) -> str:
        """The group of the macro average that a question belongs to; empty where there is none."""
        grouping = self.grouping(self.macro)
        return grouping.group(question) if grouping is not None else ""
