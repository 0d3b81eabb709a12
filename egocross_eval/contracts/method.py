"""The contract of a method: how a question is asked, and what is made of the answers.

A method is a pure function of the question and the answers so far. It's called with no answers first and says what to
ask; when all of that is answered it's called again with every answer so far, until it decides. It keeps no state, so a
run that was killed between two rounds replays the answers that are on disk and goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec

from egocross_eval.schema import Answer, Ask, Decision, Question
from egocross_eval.settings import GenerationSettings

Need = Literal["scores", "images", "options"]
"""What a method can't do without: log-probabilities of labels, frames as separate images, questions with options.

An ask is answered by scores where its `answer_mode` is `choose`.
"""


class Method:
    """A way to ask. Override `step`."""

    needs: frozenset[Need] = frozenset()
    """A run is refused, before anything is asked, where the model or the questions don't have it."""

    def step(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        """What to ask next (at least one ask, with names not used before), or the decision.

        `question` carries no target, and of its frames those that the settings show. `answers` are those to all earlier
        asks, in the order asked; none is a failure. The decision's label is the question's own, whatever labels an ask
        showed its options under. Where no answer says anything it has none: nothing is guessed.
        """
        raise TypeError(f"{type(self).__name__} does not define step()")

    def check(self, settings: GenerationSettings, questions: Sequence[Question]) -> None:
        """Raises `UsageError` where the method can't work with these settings or questions, which carry no target.
        Called before anything is asked."""

    def notes(self, questions: Sequence[Question]) -> Sequence[str]:
        """What a user must know of how it asks these questions, which carry no target; said once before they are."""
        return ()

    def most_requests(self, question: Question) -> int | None:
        """Most requests that the question can take in all rounds; None where only the first round is known."""
        return None


class MethodType(msgspec.Struct, frozen=True, kw_only=True):
    """A registered method."""

    name: str
    """The part of `--method` before the colon, e.g. `sample`."""
    description: str
    """One line for help."""
    build: Callable[[str, Any], Method]
    """Called as `build(argument, options)`; raises `UsageError` for an argument that it can't take."""
    argument: str = ""
    """What may stand behind the colon, for help, e.g. `N`; empty: nothing."""
    options: type[msgspec.Struct] | None = None
    """Struct whose fields are the options `key=value`; None: it takes none, and `build` gets None."""
    cost: str = ""
    """Requests that a question takes, in words, e.g. `one for each option`."""
    example: str = ""
    """A `--method` to try."""
