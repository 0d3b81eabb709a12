"""Words that were chosen for a run and that no question is asked in: some methods word their requests themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from egocross_eval.counted import agreed
from egocross_eval.methods.select import method_name
from egocross_eval.runs.approaches import Approach
from egocross_eval.runs.decide import decide
from egocross_eval.schema import Decision, Question, Strategy


def unused_words(
    groups: Iterable[tuple[Approach, Sequence[Question]]], strategy: Strategy | None, *, style_given: bool
) -> list[str]:
    """What is to be said of a rule's style or template, or of the run's own style if it was given, whose words no first
    request of the questions asked by it shows, nor an example or a system message."""
    by_source: dict[int | None, list[tuple[Approach, Sequence[Question]]]] = {}
    for approach, questions in groups:
        source = next((approach.sources[name] for name in ("text", "style") if name in approach.sources), None)
        if source is not None or style_given:
            by_source.setdefault(source, []).append((approach, questions))
    return [
        f"{_named(source, strategy, asked)} not shown: {_own(asked)}"
        for source, asked in by_source.items()
        if not any(_is_worded(*one) for one in asked)
    ]


def _is_worded(approach: Approach, questions: Sequence[Question]) -> bool:
    """Whether the words of the style reach the model for one of the questions."""
    return approach.renderer.shots is not None or any(_is_asked_in(approach, question) for question in questions)


def _is_asked_in(approach: Approach, question: Question) -> bool:
    shown = approach.renderer.as_shown(question)
    step = decide(approach.method, approach.options.method, shown, ())
    if isinstance(step, Decision):
        return False
    own = all(ask.after is not None and all(turn.text is not None for turn in ask.turns) for ask in step)
    return not own or bool(approach.renderer.styled(shown).system)


def _named(source: int | None, strategy: Strategy | None, asked: Sequence[tuple[Approach, Sequence[Question]]]) -> str:
    if source is None or strategy is None:
        return f"--style {asked[0][0].renderer.style.name}: its words are"
    return f"strategy {strategy.name}: the words of the rule in line {strategy.rules[source].line} are"


def _own(asked: Sequence[tuple[Approach, Sequence[Question]]]) -> str:
    names = list(dict.fromkeys(method_name(approach.options.method) for approach, _ in asked))
    return f"--method {' and '.join(names)} {agreed(len(names), 'has words of its own', 'have words of their own')}"
