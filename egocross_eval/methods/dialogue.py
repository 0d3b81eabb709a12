"""What `reason`, `roles` and `reflect` have in common: turns that are answered in words, then the question's option.

Each ask repeats the conversation so far and adds a turn, so that an engine has computed all but its last words. An
answer that was cut off by the bound of its tokens is gone on with, and where it's still cut, the decision says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal, NamedTuple

import msgspec

from egocross_eval.contracts.method import Method, Need
from egocross_eval.methods.wording import letters_only, said, was_cut
from egocross_eval.schema import Answer, Ask, Decision, Question, Turn

GO_ON = "Go on exactly where you stopped."
NOTHING_SAID = "(no answer)"


class DialogueOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of methods that talk before they decide."""

    letter: Annotated[
        Literal["run", "scores", "text"],
        msgspec.Meta(description="the option at the end: by log-probabilities, from text, or as --answer says"),
    ] = "run"
    tokens: Annotated[
        Annotated[int, msgspec.Meta(ge=1)] | None,
        msgspec.Meta(description="bound of each answer in words; default: --max-new-tokens"),
    ] = None
    go_on: Annotated[
        int, msgspec.Meta(ge=0, le=100, description="how often an answer that was cut off is gone on with")
    ] = 1


class ReasonOptions(DialogueOptions, frozen=True, kw_only=True):
    """Options of `reason`, whose letter comes from log-probabilities where nothing else is said."""

    letter: Annotated[
        Literal["run", "scores", "text"],
        msgspec.Meta(description="the option at the end: by log-probabilities, from text, or as --answer says"),
    ] = "scores"


class Stage(NamedTuple):
    """A turn that is answered in words."""

    name: str
    words: Callable[[Question], str] | None
    """What is asked; None: the question as the run's style words it."""


class Dialogue(Method):
    """Asks the stages one after the other, each by its name (`think`, gone on with as `think+1`), then `letter`."""

    def __init__(self, stages: Sequence[Stage], closing: str, options: DialogueOptions) -> None:
        self._stages = stages
        self._closing = closing
        self._options = options
        if options.letter == "scores":
            self.needs: frozenset[Need] = frozenset({"scores", "options"})
        else:
            self.needs = frozenset({"options"})

    def step(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        """The next turn, or what the last answer says."""
        turns: list[Turn] = []
        for stage in self._stages:
            parts = [a for a in answers if a.ask.name.partition("+")[0] == stage.name]
            if not parts:
                return [self._ask(stage.name, turns, stage.words and stage.words(question))]
            first = Turn(role="user", text=stage.words(question) if stage.words else None)
            turns.append(msgspec.structs.replace(first, frames=question.frames) if not turns and stage.words else first)
            turns.append(_reply(parts[0]))
            for part in parts[1:]:
                turns += [Turn(role="user", text=GO_ON), _reply(part)]
            if was_cut(parts[-1]) and len(parts) <= self._options.go_on:
                return [self._ask(f"{stage.name}+{len(parts)}", turns, GO_ON)]
        last = answers[-1]
        return _decided(last, answers) if last.ask.name == "letter" else [self._letter(question, turns)]

    def most_requests(self, question: Question) -> int:
        """The stages, each gone on with as often as it may be, and the letter."""
        return len(self._stages) * (1 + self._options.go_on) + 1

    def _ask(self, name: str, turns: Sequence[Turn], words: str | None) -> Ask:
        return Ask(
            name=name,
            turns=tuple(turns),
            after=words,
            frames=() if turns else None,
            answer_mode="generate",
            max_new_tokens=self._options.tokens,
        )

    def _letter(self, question: Question, turns: Sequence[Turn]) -> Ask:
        mode: dict[str, Literal["choose", "generate"] | None] = {"run": None, "scores": "choose", "text": "generate"}
        return Ask(
            name="letter",
            turns=tuple(turns),
            after=f"{self._closing} {letters_only(question)}",
            frames=(),
            answer_mode=mode[self._options.letter],
        )


def _reply(answer: Answer) -> Turn:
    return Turn(role="assistant", text=said(answer) or NOTHING_SAID)


def _decided(letter: Answer, answers: Sequence[Answer]) -> Decision:
    """What the last answer says; the rule tells where words before it were cut off."""
    reading = letter.reading
    stages = {answer.ask.name.partition("+")[0]: answer for answer in answers[:-1]}
    cut = [name for name, last_part in stages.items() if was_cut(last_part)]
    rule = f"{reading.rule} ({', '.join(cut)} cut off)" if cut and reading.rule else reading.rule
    return Decision(label=reading.label, scores=letter.response.scores or {}, rule=rule, reason=reading.reason)
