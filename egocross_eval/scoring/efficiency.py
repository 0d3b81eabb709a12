"""What a run's answers took: tokens, times, and what an engine used again."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from egocross_eval.schema import Efficiency, Response, Sample

_SUMS = ("questions", "requests", "input_tokens", "output_tokens", "right")


class EfficiencyCounter:
    """Adds up samples, one at a time."""

    def __init__(self) -> None:
        self._questions = self._requests = self._right = 0
        self._tokens = {"input": 0, "output": 0}
        self._reused: int | None = None
        self._first: list[float] = []
        self._each: list[float] = []

    def add(self, sample: Sample) -> None:
        """Counts a sample; answers from the response cache count with what they took once."""
        self._questions += sample.failure is None
        self._right += sample.outcome == "right"
        for answer in sample.answers:
            self._count(answer.response)

    def _count(self, response: Response) -> None:
        self._requests += 1
        self._tokens["input"] += response.input_tokens or 0
        self._tokens["output"] += response.output_tokens or 0
        if response.reused_tokens is not None:
            self._reused = (self._reused or 0) + response.reused_tokens
        if response.first_token_seconds is not None:
            self._first.append(response.first_token_seconds)
        if response.token_seconds is not None:
            self._each.append(response.token_seconds)

    def figures(self, rate: float | None, details: Mapping[str, Any]) -> Efficiency | None:
        """The figures, with the rate of the run and what the adapter said of its frames; None without any answer."""
        if not self._questions:
            return None
        pixels, tokens = (details.get(name) for name in ("frame_pixels", "frame_tokens"))
        return Efficiency(
            questions=self._questions,
            requests=self._requests,
            input_tokens=self._tokens["input"],
            output_tokens=self._tokens["output"],
            right=self._right,
            reused_tokens=self._reused,
            questions_a_second=rate,
            first_token_seconds=statistics.median(self._first) if self._first else None,
            token_seconds=statistics.median(self._each) if self._each else None,
            frame_pixels=pixels if isinstance(pixels, int) else None,
            frame_tokens=tokens if isinstance(tokens, int) else None,
        )


def joined_efficiency(figures: Sequence[Efficiency | None]) -> Efficiency | None:
    """Of several runs: counts are sums, the rate is that of all together, other figures are means; None unless all
    are known."""
    known = [one for one in figures if one is not None]
    if not known or len(known) < len(figures):
        return None
    rates = [one.questions_a_second for one in known if one.questions_a_second]
    reused = [one.reused_tokens for one in known if one.reused_tokens is not None]
    means = {name: _mean(known, name) for name in ("first_token_seconds", "token_seconds")}
    return msgspec.structs.replace(
        known[0],
        **{name: sum(getattr(one, name) for one in known) for name in _SUMS},
        reused_tokens=sum(reused) if len(reused) == len(known) else None,
        questions_a_second=statistics.harmonic_mean(rates) if len(rates) == len(known) else None,
        price=sum(one.price or 0.0 for one in known) if all(one.price is not None for one in known) else None,
        **means,
    )


def _mean(figures: Sequence[Efficiency], name: str) -> float | None:
    values = [getattr(one, name) for one in figures]
    return statistics.fmean(values) if None not in values else None


def efficiency_problem(found: Efficiency | None) -> str:
    """What is wrong with figures of others; empty if nothing is."""
    values = [value for value in msgspec.structs.astuple(found) if isinstance(value, int | float)] if found else []
    return (
        "" if all(math.isfinite(value) and value >= 0 for value in values) else "its efficiency has impossible figures"
    )
