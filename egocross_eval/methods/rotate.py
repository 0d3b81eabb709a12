"""`rotate`: the question is asked under all cyclic rotations of its options, so that a habit for a place cancels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from egocross_eval.contracts.method import Method, MethodType, Need
from egocross_eval.methods.evidence import decide
from egocross_eval.schema import Answer, Ask, Decision, Question, Sample


class Rotate(Method):
    """One ask for each rotation, named `r0`, `r1`, ... by how many places the options are moved up."""

    needs: frozenset[Need] = frozenset({"options"})

    def step(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        """All rotations, then the option with most evidence."""
        if not answers:
            return [
                Ask(name=f"r{places}", options=rotated(question, places)) for places in range(len(question.options))
            ]
        return decide(question, answers, [_stood(question, places_moved(answer)) for answer in answers])

    def most_requests(self, question: Question) -> int:
        """As many as there are options."""
        return len(question.options)


def rotated(question: Question, places: int) -> dict[str, str]:
    """The options moved up by `places`: label i shows option i + places."""
    texts = list(question.options.values())
    return dict(zip(question.options, texts[places:] + texts[:places], strict=True))


def places_moved(answer: Answer) -> int:
    """By how many places the options of a rotation's ask were moved up."""
    return int(answer.ask.name.removeprefix("r"))


def _stood(question: Question, places: int) -> dict[str, str]:
    """By label as shown, the label of the option that stood there."""
    labels = list(question.options)
    return dict(zip(labels, labels[places:] + labels[:places], strict=True))


def count_rotations(samples: Iterable[Sample]) -> dict[str, int]:
    """How many questions were asked in all rotations (`asked`), and on how many of them the model kept to the place
    (`position`) or to the option (`content`)."""
    counts: Counter[str] = Counter(asked=0, position=0, content=0)
    for sample in samples:
        shown = [answer.reading.label for answer in sample.answers]
        if sample.failure is not None or None in shown:
            continue
        question = sample.question
        options = [
            question.options[_stood(question, places_moved(answer))[answer.reading.label or ""]]
            for answer in sample.answers
        ]
        counts["asked"] += 1
        counts["position"] += len(set(shown)) == 1
        counts["content"] += len(set(options)) == 1
    return dict(counts)


METHOD = MethodType(
    name="rotate",
    description="asks under all rotations of the options and sums the evidence for each option",
    build=lambda argument, options: Rotate(),
    cost="one for each option",
    example="rotate",
)
