"""Baselines that look at no frame: what a score means is known by what they reach."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import msgspec

from egocross_eval.contracts.model import Capabilities, ModelAdapter
from egocross_eval.errors import UsageError, unknown
from egocross_eval.model_adapters.requests import choices, failed
from egocross_eval.schema import Request, Response

FAR = -100.0
"""Log-probability of what isn't answered: JSON has no infinity, and any distance says the same."""

Pick = Callable[[Request, tuple[str, ...]], str]
"""The label that a baseline answers, given a request and the labels to choose among (at least one)."""

KINDS = ("chance", "constant", "longest")


class BaselineOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of `baseline:`."""

    letter: Annotated[str | None, msgspec.Meta(description="constant: the label to answer, e.g. B")] = None
    text: Annotated[str | None, msgspec.Meta(description="constant: the answer where there are no options")] = None


class BaselineAdapter(ModelAdapter):
    """Answers by a rule on options and labels alone, as text, or as scores in choose mode.

    A question without options gets the `text`, and in choose mode the failure `labels`.
    """

    def __init__(self, pick: Pick, details: Mapping[str, Any] | None = None, *, text: str = "") -> None:
        self._pick = pick
        self._text = text
        self._details = dict(details or {})

    def capabilities(self) -> Capabilities:
        """All but constrained decoding, and without looking at frames."""
        return Capabilities(images=True, video=True, scores=True, needs_content=False)

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        """One response for each request, at once."""
        for request in requests:
            labels = choices(request)
            label = self._pick(request, labels) if labels else self._text
            if request.settings.answer_mode != "choose" and (label or not labels):
                yield Response(key=request.key, text=label, finish_reason="stop", seconds=0.0)
            elif label in labels:
                scores = {one: 0.0 if one == label else FAR for one in labels}
                yield Response(key=request.key, scores=scores, seconds=0.0)
            else:
                offered = f"the question offers {', '.join(labels)}" if labels else "the question has no options"
                yield failed(request, "labels", f"{label or 'nothing'} can't be chosen: {offered}")

    def details(self) -> dict[str, Any]:
        """What the rule goes by, where that is worth keeping."""
        return self._details


def by_position(counts: Callable[[Mapping[str, str]], Mapping[str, int]]) -> Pick:
    """Answers the label that is most often right among examples; `counts` gives their numbers for a request's labels.

    Of labels that are right equally often, the first.
    """

    def pick(request: Request, labels: tuple[str, ...]) -> str:
        known = counts(request.labels)
        return max(labels, key=lambda label: known.get(label, 0)) if known else ""

    return pick


def _constant(label: str) -> Pick:
    def pick(request: Request, labels: tuple[str, ...]) -> str:
        return next((one for one in labels if one.casefold() == label.casefold()), label)

    return pick


def _longest(request: Request, labels: tuple[str, ...]) -> str:
    """Of equally long options the first: max keeps it."""
    return max(labels, key=lambda label: len(request.options.get(label, "")))


def _chance(request: Request, labels: tuple[str, ...]) -> str:
    """A draw that depends on the question and the seed alone, so that a resumed run draws the same."""
    digest = hashlib.sha256(f"{request.settings.seed}\0{request.key}".encode()).digest()
    return labels[int.from_bytes(digest[:8], "big") % len(labels)]


def build(target: str, options: BaselineOptions) -> ModelAdapter:
    """The baseline of that kind; an unknown kind is a `UsageError`."""
    if target not in KINDS:
        from egocross_eval.contracts.registry import registry

        named = [scheme.partition(":")[2] for scheme in registry().model_adapters if scheme.startswith("baseline:")]
        raise unknown("baseline", target, [*KINDS, *named])
    if target != "constant":
        if options.letter or options.text:
            raise UsageError(f"baseline:{target} takes no {'letter' if options.letter else 'text'}=")
        return BaselineAdapter(_longest if target == "longest" else _chance)
    if not (options.letter or options.text):
        raise UsageError("baseline:constant needs a letter, e.g. baseline:constant,letter=B, or a text")
    return BaselineAdapter(_constant(options.letter or ""), text=options.text or "")
