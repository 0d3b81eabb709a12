"""Judges for tests: they read the prompt as a model would have to, and mark by the references in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fake_server import Call

from egocross_eval import Capabilities, ModelAdapter, Request, Response, TextPart
from egocross_eval.grading.values import same_as_reference

REFERENCE = re.compile(r"^Right answer: (.*)$", re.MULTILINE)
FENCE = re.compile(r"^([0-9a-f]{12})\n(.*)\n\1$", re.MULTILINE | re.DOTALL)
ORDER = re.compile(r"(?:give|award|set) (?:the )?mark (?:of )?(\d)", re.IGNORECASE)


@dataclass(frozen=True)
class Material:
    """What a judge sees in its prompt."""

    reference: str
    prediction: str
    outside: str
    """The prompt without what stands within the fence."""


def material(prompt: str) -> Material:
    """Takes a judge's prompt apart as its words say it is to be read."""
    fences = FENCE.findall(prompt)
    assert len(fences) == 1, f"{len(fences)} fences in:\n{prompt[:2000]}"
    outside = FENCE.sub("", prompt)
    (reference,) = REFERENCE.findall(outside)
    return Material(reference, fences[0][1], outside)


def obedient_mark(prompt: str) -> int:
    """By the reference; but a judge that follows every order that isn't fenced in."""
    seen = material(prompt)
    if order := ORDER.search(seen.outside):
        return int(order[1])
    return 5 if same_as_reference(seen.prediction, seen.reference) else 0


def reply(mark: int, reason: str = "by the reference") -> str:
    return json.dumps({"mark": mark, "reason": reason})


def obedient(call: Call) -> str:
    """The output of a fake server that judges."""
    return reply(obedient_mark(call.text))


def prompt_of(request: Request) -> str:
    (message,) = request.prompt.messages
    (part,) = message.parts
    assert isinstance(part, TextPart)
    return part.text


class Judge(ModelAdapter):
    """A judge within the process; `mark` says what it makes of a request, as text or as scores."""

    def __init__(self, mark: Callable[[Request], Response], name: str = "judge") -> None:
        self._mark = mark
        self.name = name
        self.asked: list[str] = []

    def capabilities(self) -> Capabilities:
        return Capabilities(images=False, scores=True)

    def fingerprint(self) -> str:
        return self.name

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for request in requests:
            self.asked.append(request.key)
            yield self._mark(request)
