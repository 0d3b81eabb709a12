"""Requests that are made one after the other share what they have in common, and are what each would be by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from egocross_eval import Decision, Question, RunKeywords
from egocross_eval.contracts.registry import registry
from egocross_eval.runs.options import options_from
from egocross_eval.runs.plan import RunPlan, plan_run
from egocross_eval.runs.requests import RequestMaker, build_request, request_of
from egocross_eval.schema import Ask


def planned(demo: Path, **keywords: object) -> RunPlan:
    given: RunKeywords = {"data": demo, "split": "demo", "limit": 6, **keywords}  # type: ignore[typeddict-item]
    return plan_run(options_from(**given), registry())


def asks(plan: RunPlan, question: Question) -> list[Ask]:
    step = plan.step(plan.approach(question).renderer.as_shown(question), ())
    assert not isinstance(step, Decision)
    return list(step)


@pytest.mark.parametrize(
    "keywords",
    [
        {"method": "pairwise"},
        {"method": "pairwise", "shots": "1:feedback", "frames": "uniform:4"},
        {"method": "verify:say=Y/N,chunks=2", "timestamps": True, "tasks": "xsports"},
        {"method": "sample:3", "temperature": 0.7, "media": "video", "tasks": "xsports"},
        {"method": "roles", "shuffled": True},
    ],
)
def test_they_are_equal_however_questions_alternate(keywords: dict[str, object], demo: Path) -> None:
    plan = planned(demo, **keywords)
    rows = [[(question, ask) for ask in asks(plan, question)] for question in plan.questions]
    in_a_row = [pair for row in rows for pair in row]
    alternating = [pair for turn in zip(*rows, strict=True) for pair in turn]
    for pairs in (in_a_row, alternating):
        maker = RequestMaker(plan)
        for question, ask in pairs:
            made, sent = maker.made(question, ask, read_frames=True)
            assert made == request_of(plan, question, ask, read_frames=True)
            assert [frame.hash for frame in sent.frames] == list(made.frame_hashes)
            assert sent.content_hash == made.content_hash


def test_they_are_what_the_renderer_gives(demo: Path) -> None:
    plan = planned(demo, method="pairwise")
    maker = RequestMaker(plan)
    for question in plan.questions:
        approach = plan.approach(question)
        for ask in asks(plan, question):
            prompt, settings = approach.renderer.render(question, plan.root, ask), approach.options.generation
            alone = build_request(question, prompt, settings, ask=ask, split="demo", read_frames=True)
            made, _ = maker.made(question, ask, read_frames=True)
            assert (made.key, made.content_hash) == (alone.key, alone.content_hash)


def test_frames_are_looked_up_once_for_all_asks(demo: Path) -> None:
    plan = planned(demo, method="pairwise")
    maker = RequestMaker(plan)
    question = plan.questions[0]
    made = [maker.made(question, ask, read_frames=True) for ask in asks(plan, question)]
    assert len(made) == 12
    assert len({id(request.frame_hashes) for request, _ in made}) == 1
    assert len({id(part) for request, _ in made for part in request.prompt.images()}) == len(question.frames)
