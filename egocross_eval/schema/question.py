"""What is asked about: frames, and the questions of a benchmark."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from egocross_eval.schema.noun import Noun


def asked_hash(digests: Iterable[str]) -> str:
    """SHA-256 of the digests of questions, in whatever order: equal where the same is asked and counted alike."""
    import hashlib

    return hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest()


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

    def digest(self) -> str:
        """Hash of what it asks and of how it's counted: key, words, options, cluster and labels. The same wherever its
        frames lie, and whether or not its answer is known. 32 hexadecimal digits."""
        import hashlib

        options = [list(found.items()) for found in (self.options, self.hidden_options)]
        content = (self.key, self.text, options, self.needs_options, self.cluster, sorted(self.labels.items()))
        return hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:32]

    def without_target(self) -> Question:
        """The question as it may be asked: without what is known of its answer."""
        return msgspec.structs.replace(self, target=None, references={})
