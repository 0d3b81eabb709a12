"""The requests of a run, as it would make them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from egocross_eval.runs.plan import RunPlan
from egocross_eval.runs.requests import build_request
from egocross_eval.schema import Question, Request


def requests(plan: RunPlan, questions: Iterable[Question], *, hashed: bool = True) -> Iterator[Request]:
    """One for each question; `hashed`: whether its frames are read, so that it names them by content."""
    for question in questions:
        prompt = plan.approach(question).renderer.render(question, plan.root)
        yield build_request(question, prompt, plan.settings.generation, split="testbed", read_frames=hashed)
