"""What is asked of the engine for a request, and the response within its output."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from egocross_eval.model_adapters.hf.chat import TAIL, letter_tokens
from egocross_eval.model_adapters.hf.sampling import row_seed
from egocross_eval.schema import Response

if TYPE_CHECKING:
    from egocross_eval.schema import Request

LEAST = -9999.0
"""Log-probability in place of minus infinity, which JSON doesn't have; what vLLM's own server sends."""

LONGEST_LETTER = 16
"""Tokens that a constrained answer may take: a letter and the end."""


class Asker:
    """Makes sampling parameters and reads outputs, for one tokenizer."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._letters: dict[tuple[str, ...], dict[str, tuple[int, ...]]] = {}

    def letter_tokens(self, text: str, letters: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
        """Tokens by which an answer to the prompt `text` can begin with each letter; see `hf.chat.letter_tokens`."""
        key = (text[-TAIL:], *letters)
        if key not in self._letters:
            self._letters[key] = letter_tokens(self._tokenizer, text, letters)
        return self._letters[key]

    def sampling(self, request: Request, text: str) -> Any:
        """vLLM's sampling parameters for a request whose rendered prompt is `text`.

        Nothing of the checkpoint's own sampling settings counts: the run's decide alone.
        """
        from vllm.sampling_params import RequestOutputKind, SamplingParams, StructuredOutputsParams

        settings = request.settings
        if settings.answer_mode == "choose":
            tokens = [token for group in self.letter_tokens(text, tuple(request.options)).values() for token in group]
            return SamplingParams(
                temperature=0.0,
                max_tokens=1,
                logprob_token_ids=tokens,
                detokenize=False,
                output_kind=RequestOutputKind.FINAL_ONLY,
            )
        constrained = settings.answer_mode == "constrained"
        return SamplingParams(
            temperature=settings.temperature,
            top_p=settings.top_p,
            seed=row_seed(request) if settings.temperature > 0 else None,
            max_tokens=LONGEST_LETTER if constrained else settings.max_new_tokens,
            structured_outputs=StructuredOutputsParams(choice=list(request.options)) if constrained else None,
            output_kind=RequestOutputKind.FINAL_ONLY,
        )

    def response(self, request: Request, text: str, output: Any, *, input_tokens: int, seconds: float) -> Response:
        """The response within a finished `vllm.RequestOutput`."""
        answer = output.outputs[0]
        scores: dict[str, float] | None = None
        if request.settings.answer_mode == "choose":
            tokens = self.letter_tokens(text, tuple(request.options))
            scores = {letter: _together(answer.logprobs[0], ids) for letter, ids in tokens.items()}
        return Response(
            key=request.key,
            text=answer.text if scores is None else None,
            scores=scores,
            finish_reason=None if scores is not None else answer.finish_reason,
            input_tokens=input_tokens,
            output_tokens=len(answer.token_ids),
            seconds=round(seconds, 4),
        )


def _together(logprobs: Any, ids: tuple[int, ...]) -> float:
    """Log of the summed probabilities of some tokens."""
    values = [max(float(logprobs[token].logprob), LEAST) for token in ids]
    largest = max(values)
    return largest + math.log(sum(math.exp(value - largest) for value in values))
