"""What a server does in reply after reply: where that makes all answers worthless, it's said, with what to change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.openai.faults import AttemptFault
from egocross_eval.model_adapters.openai.first_tokens import likeliest_other
from egocross_eval.schema import Response

FIRST_LOOK = 8
"""Replies after which most of them tell something."""


class Habits:
    """What replies had in common so far."""

    def __init__(self) -> None:
        self._has_answered = False
        self._chosen = 0
        self._others: list[str] = []

    def answered(self, response: Response) -> None:
        """A reply was read. Raises `AttemptFault` where its answer can only lie in the field for reasoning.

        So it does if no reply had any text so far; a model that answers as a rule may end within its thinking.
        """
        if response.scores is not None or response.text or response.finish_reason == "length":
            self._has_answered = True
        elif response.reasoning and not self._has_answered:
            raise AttemptFault(
                "answer_in_reasoning",
                "the whole output lies in the reply's field for reasoning, and the answer is empty: the server takes "
                "all of it for thinking. Start it without its reasoning parser (vLLM: --reasoning-parser), or tell the "
                'template that there is none: extra={"chat_template_kwargs":{"enable_thinking":false}}',
                retryable=False,
            )

    def chose(self, logprobs: Any, labels: Sequence[str]) -> None:
        """A reply of choose mode was read. Raises UsageError where most answers would begin with no label at all."""
        self._chosen += 1
        other = likeliest_other(logprobs, labels)
        if other is not None:
            self._others.append(other)
        if self._chosen >= FIRST_LOOK and 2 * len(self._others) > self._chosen:
            seen = ", ".join(repr(token) for token in dict.fromkeys(self._others[:20]))
            raise UsageError(
                f"openai: in {len(self._others)} of {self._chosen} replies the likeliest first token is none of the "
                f"labels ({seen}), so that their chances say little of the answer; use --answer generate, or a prompt "
                f"style that asks for the letter alone"
            )
