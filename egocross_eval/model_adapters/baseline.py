"""Baselines that look at no frame: what a score means is known by what they reach."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from egocross_eval.contracts.model import Capabilities, ModelAdapter
from egocross_eval.errors import UsageError, unknown
from egocross_eval.schema import Request, Response
from egocross_eval.tasks.egocross.catalogue import LETTERS

SUPPORT_LETTERS: dict[str, dict[str, int]] = {
    "animal": {"A": 7, "B": 7, "C": 3, "D": 3},
    "industry": {"A": 6, "B": 2, "C": 2, "D": 10},
    "xsports": {"A": 3, "B": 7, "C": 5, "D": 5},
    "surgery": {"A": 3, "B": 4, "C": 8, "D": 5},
}
"""How often each letter is the answer in the real support set (20 examples a domain), counted from its `train.json`."""


class BaselineOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of `baseline:`."""

    letter: Annotated[str | None, msgspec.Meta(description="constant: the letter to answer, e.g. B")] = None
    support: Annotated[
        str | None,
        msgspec.Meta(description="position: a train.json to take the prior from instead of the real one"),
    ] = None


KINDS = ("chance", "constant", "longest", "position")


class BaselineAdapter(ModelAdapter):
    """Answers from the options and labels alone, as text in generate mode and as scores in choose mode."""

    capabilities = Capabilities(images=True, video=True, scores=True, needs_content=False)

    def __init__(self, kind: Literal["chance", "constant", "longest", "position"], options: BaselineOptions) -> None:
        self._kind = kind
        self._letter = (options.letter or "").upper()
        self._counts = SUPPORT_LETTERS
        if kind == "constant" and not self._letter:
            raise UsageError("baseline:constant needs a letter, e.g. baseline:constant,letter=B")
        if kind == "constant" and self._letter not in LETTERS:
            raise UsageError(f"baseline:constant: {options.letter!r} is none of the letters {', '.join(LETTERS)}")
        if kind != "constant" and options.letter:
            raise UsageError(f"baseline:{kind} takes no letter=")
        if options.support is not None:
            if kind != "position":
                raise UsageError(f"baseline:{kind} takes no support=")
            self._counts = count_letters(Path(options.support))

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        """One response for each request, at once."""
        for request in requests:
            letter = self._answer(request)
            if request.settings.answer_mode == "choose":
                scores = {option: 0.0 if option == letter else -math.inf for option in request.options}
                # JSON has no infinity; any finite distance says the same.
                finite = {option: max(score, -100.0) for option, score in scores.items()}
                yield Response(key=request.key, scores=finite, seconds=0.0)
            else:
                yield Response(key=request.key, text=letter, finish_reason="stop", seconds=0.0)

    def _answer(self, request: Request) -> str:
        letters = list(request.options)
        if self._kind == "constant":
            return self._letter
        if self._kind == "longest":
            # Of equally long options the first: max keeps it.
            return max(letters, key=lambda letter: len(request.options[letter]))
        if self._kind == "position":
            counts = self._counts.get(request.labels.get("domain", "")) or sum_counts(self._counts)
            return max(letters, key=lambda letter: counts.get(letter, 0))
        # A draw that depends on the question and the seed alone, so that a resumed run draws the same.
        digest = hashlib.sha256(f"{request.settings.seed}\0{request.key}".encode()).digest()
        return letters[int.from_bytes(digest[:8], "big") % len(letters)]

    def details(self) -> dict[str, Any]:
        """The prior, for the position baseline."""
        return {"letter_counts": self._counts} if self._kind == "position" else {}


def sum_counts(counts: dict[str, dict[str, int]]) -> dict[str, int]:
    """Letter counts over all domains."""
    total: Counter[str] = Counter()
    for domain in counts.values():
        total.update(domain)
    return dict(total)


def count_letters(path: Path) -> dict[str, dict[str, int]]:
    """Answer letters by domain of a support file (ShareGPT form). Raises `DataError` where it can't be read."""
    from egocross_eval.contracts.task import DataSource
    from egocross_eval.tasks.egocross.support import read_support

    counts: dict[str, Counter[str]] = {}
    source = DataSource(root=path.resolve().parent, split="support", questions_file=path)
    for question in read_support(source).questions:
        if question.answer is not None:
            counts.setdefault(question.domain, Counter())[question.answer] += 1
    return {domain: dict(counter) for domain, counter in counts.items()}


def build(target: str, options: BaselineOptions) -> ModelAdapter:
    """The baseline of that kind; an unknown kind is a `UsageError`."""
    if target not in KINDS:
        raise unknown("baseline", target, KINDS)
    return BaselineAdapter(target, options)  # type: ignore[arg-type]
