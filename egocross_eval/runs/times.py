"""Frames of unknown time in a run that shows times: which questions and examples have them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from egocross_eval.errors import UsageError
from egocross_eval.prompts.renderer import Renderer
from egocross_eval.prompts.untimed import untimed, untimed_note
from egocross_eval.schema import Question


def refuse_video(questions: Sequence[Question], renderer: Renderer) -> None:
    """A video says when each of its frames was taken: raises `UsageError` naming all that can't be one."""
    if renderer.settings.media != "video":
        return
    for shown, what in ((_shown(questions, renderer), "questions"), (_examples(questions, renderer), "examples")):
        note = untimed_note(shown, what)
        if note:
            raise UsageError(
                f"--media video: the frame times of {note} are not known, and a video says when each frame was taken; "
                f"use --media images"
            )


def times_left_off(groups: Iterable[tuple[Renderer, Sequence[Question]]]) -> tuple[dict[str, int], list[str]]:
    """Of the questions and examples that are to be shown with times, those that have none: counts by name, as the
    record keeps them, and what to say of them. `groups` are questions with what renders them."""
    asked: list[Question] = []
    examples: dict[str, Question] = {}
    for renderer, questions in groups:
        if renderer.settings.timestamps:
            asked += _shown(questions, renderer)
            examples.update({example.key: example for example in _examples(questions, renderer)})
    before = list(examples.values())
    counts = untimed(asked)
    counts.update({f"examples{f' of {name}' if name else ''}": count for name, count in untimed(before).items()})
    notes = [
        f"--timestamps: the frame times of {note} are not known, so they are shown without"
        for note in (untimed_note(asked), untimed_note(before, "examples"))
        if note
    ]
    return counts, notes


def _shown(questions: Sequence[Question], renderer: Renderer) -> list[Question]:
    return [renderer.as_shown(question) for question in questions]


def _examples(questions: Sequence[Question], renderer: Renderer) -> list[Question]:
    """The examples that stand before any of the questions with their frames."""
    shots = renderer.shots
    if shots is None or shots.setting.form == "text":
        return []
    used = {shot.question.key: shot.question for question in questions for shot in shots.of(question)}
    return _shown(list(used.values()), renderer)
