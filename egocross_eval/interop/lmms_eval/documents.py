"""A question as a document of lmms-eval's: one JSON line, with all that is asked and all that grading needs."""

from __future__ import annotations

import msgspec

from egocross_eval.interop.lmms_eval.conversation import conversation
from egocross_eval.runs.plan import RunPlan
from egocross_eval.schema import Question


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a task's file. `question` and `messages` are JSON within it: the reader of `datasets` would give all
    lines the keys of every other."""

    question_id: str
    part: str
    """Group of the macro average."""
    cluster: str
    target: str
    question: str
    """The `Question`."""
    messages: str
    """The conversation as lmms-eval has it, frames by their absolute paths."""
    frames: list[str]
    """Absolute paths of the frames, in the order shown."""
    max_pixels: int
    """Pixel budget of each frame; 0: none."""
    grader: str


def document(plan: RunPlan, question: Question) -> Document:
    """The document of a question as the plan asks it."""
    prompt = plan.approach(question).renderer.render(question, plan.root)
    return Document(
        question_id=question.key,
        part=plan.benchmark.record().part(question),
        cluster=question.cluster,
        target=question.target or "",
        question=msgspec.json.encode(question).decode(),
        messages=msgspec.json.encode(conversation(prompt)).decode(),
        frames=prompt.frame_paths(),
        max_pixels=prompt.max_pixels or 0,
        grader=plan.settings.grader,
    )
