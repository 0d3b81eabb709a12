"""What a server does in reply after reply: where that makes all answers worthless, it's said, with what to change."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from egocross_eval.counted import counted
from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.openai.faults import AttemptFault
from egocross_eval.model_adapters.openai.first_tokens import likeliest_other
from egocross_eval.model_adapters.requests import choices
from egocross_eval.schema import ImagePart, Request, Response, TextPart

FIRST_LOOK = 8
"""Replies after which most of them tell something."""

MOST_REFUSALS = 3
"""Alike, before anything was answered: what was refused doesn't lie in the question."""

SHORTEST_CONTEXT = 1024
CONTEXT_STEP = 128
"""Tokens: contexts are cut to lengths of at least that, in such steps; other equal counts are made up by a proxy."""

MOST_CHARACTERS = 10
"""Of a token, on average over a prompt: every tokenizer's are shorter."""

LEAST_OF_A_FRAME = 16
"""Tokens, of a model that shows frames one by one; servers that don't count frames say less than a context's length."""

_SAME = 4
"""Prompts of as many tokens, that are no coincidence if their lengths differ."""

_LONGER = "Give it a longer context (Ollama: num_ctx), or ask with fewer (--frames) or smaller frames (--max-pixels)"

_SHOWN = 40
"""Characters of a token in a message."""

_VARYING = re.compile(r"[0-9a-fA-F-]{6,}|\d+")
"""What differs between two messages that say the same: numbers and names of requests."""


class Habits:
    """What replies had in common so far. Whatever raises UsageError ends the run."""

    def __init__(self) -> None:
        self._has_answered = False
        self._refusals: Counter[str] = Counter()
        self._chosen = 0
        self._others: list[str] = []
        self._most_tokens = 0
        self._sizes: set[tuple[int, int]] = set()
        """Characters and frames of the prompts that had so many."""

    def answered(self, request: Request, response: Response, logprobs: Any) -> None:
        """A reply was read. Raises `AttemptFault` and UsageError as below."""
        self._had_text(response)
        self._was_read_whole(request, response)
        if response.scores is not None:
            self._chose(request, logprobs)

    def refused(self, fault: AttemptFault) -> None:
        """A request was refused. Raises UsageError where others were in the same words and none was answered."""
        if self._has_answered or fault.retryable or not fault.kind.startswith("http_"):
            return
        said = _VARYING.sub("#", fault.message)
        self._refusals[said] += 1
        if self._refusals[said] > MOST_REFUSALS:
            raise UsageError(
                f"openai: the server refuses every question in the same words, and more wouldn't be answered either: "
                f"{fault.message}"
            )

    def _had_text(self, response: Response) -> None:
        """Raises `AttemptFault` where the answer can only lie in the field for reasoning.

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

    def _was_read_whole(self, request: Request, response: Response) -> None:
        """Raises UsageError where the longest prompts, of different lengths, have as many tokens as a context, and
        `AttemptFault` where one has fewer than its frames and words need."""
        tokens = response.input_tokens
        if tokens is None or tokens < SHORTEST_CONTEXT:
            return
        parts = [part for message in request.prompt.messages for part in message.parts]
        characters = sum(len(part.text) for part in parts if isinstance(part, TextPart))
        images = sum(isinstance(part, ImagePart) for part in parts)
        if tokens < characters / MOST_CHARACTERS + LEAST_OF_A_FRAME * images:
            raise AttemptFault(
                "context_length",
                f"the server counts {counted(tokens, 'token')} for {counted(images, 'frame')} and "
                f"{characters} characters: it cut them. "
                f"{_LONGER}",
                retryable=False,
            )
        if tokens > self._most_tokens:
            self._most_tokens, self._sizes = tokens, set()
        if tokens == self._most_tokens:
            self._sizes.add((characters, len(request.frame_hashes)))
        if tokens % CONTEXT_STEP == 0 and _differ(self._sizes):
            raise UsageError(
                f"openai: {len(self._sizes)} prompts of different lengths all have {self._most_tokens} tokens by the "
                f"server's count, and none has more: it cuts longer ones, so frames or words are missing. {_LONGER}"
            )

    def _chose(self, request: Request, logprobs: Any) -> None:
        """Raises UsageError where most answers would begin with no label at all."""
        self._chosen += 1
        other = likeliest_other(logprobs, choices(request))
        if other is not None:
            self._others.append(other[:_SHOWN])
        if self._chosen >= FIRST_LOOK and 2 * len(self._others) > self._chosen:
            seen = ", ".join(repr(token) for token in dict.fromkeys(self._others[:20]))
            raise UsageError(
                f"openai: in {len(self._others)} of {self._chosen} replies the likeliest first token is none of the "
                f"labels ({seen}), so that their chances say little of the answer; use --answer generate, or a prompt "
                f"style that asks for the letter alone"
            )


def _differ(sizes: set[tuple[int, int]]) -> bool:
    """Whether prompts of these numbers of characters and frames can't all have as many tokens."""
    if len(sizes) < _SAME:
        return False
    characters = [size[0] for size in sizes]
    return len({frames for _, frames in sizes}) > 1 or max(characters) > 1.2 * min(characters)
