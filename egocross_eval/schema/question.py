"""What is asked about: frames, and the questions of a benchmark."""

from __future__ import annotations

import msgspec

from egocross_eval.schema.noun import Noun


class Frame(Noun, frozen=True, kw_only=True, gc=False):
    """One picture of a clip."""

    name: str
    """Path as written in the data file, without a leading slash, relative to the data root, POSIX separators."""
    time: float | None = None
    """Seconds from the start of the clip by the rule of its dataset; None where no rule is known."""


class Question(Noun, frozen=True, kw_only=True):
    """One item of a benchmark."""

    id: int
    """Number within its split, which lists are ordered by."""
    key: str
    """Name of the question that files are joined on, unique within its split."""
    text: str
    frames: tuple[Frame, ...] = ()
    """All frames of the clip in time order."""
    options: dict[str, str] = {}
    """Option text by label, in the order shown; the label style of the source is removed. Empty: answered freely."""
    target: str | None = None
    """The right answer, the label of an option or a text; None where it isn't known. Graders alone see it: styles,
    methods and model adapters get questions without it."""
    references: dict[str, str] = {}
    """Other wordings of the right answer by name, e.g. `answer_text`. Graders alone see them."""
    hidden_options: dict[str, str] = {}
    """Options of the closed form of a question that is answered freely, by label: what graders know of it, and what
    `show_options` shows."""
    needs_options: bool = False
    """It can't be answered without its `hidden_options`: `show_options` shows them."""
    cluster: str = ""
    """What the question shares with others, e.g. its source video; empty: it stands alone."""
    labels: dict[str, str] = {}
    """What groups are made of, e.g. `domain`, `question_type`; empty where the source doesn't say."""

    def label(self, name: str) -> str:
        """The label of that name; empty where the question has none."""
        return self.labels.get(name, "")

    def accepted(self) -> frozenset[str]:
        """Labels of options that count as right: the target and every option with the very same text."""
        if self.target is None or self.target not in self.options:
            return frozenset()
        right = self.options[self.target]
        return frozenset(label for label, text in self.options.items() if text == right)

    def without_target(self) -> Question:
        """The question as it may be asked: without what is known of its answer."""
        return msgspec.structs.replace(self, target=None, references={})
