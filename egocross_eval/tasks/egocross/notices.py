"""What is remarkable about single questions, in a form that can be counted, listed and summed up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from egocross_eval.tasks.egocross.times import segment_end

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egocross_eval.schema import Question
    from egocross_eval.tasks.egocross.times import TimeRule

NoticeKind = Literal[
    "segment_beyond_frames",
    "unsorted_frames",
    "dropped_frames",
    "identical_options",
    "wrong_clip",
    "shared_frames",
    "unknown_times",
]

WORDING: dict[NoticeKind, str] = {
    "segment_beyond_frames": "a segment end beyond the frames supplied",
    "unsorted_frames": "frames listed out of temporal order (put right)",
    "dropped_frames": "frames missing within the clip (times follow the file numbers)",
    "identical_options": "identical options (either letter counts)",
    "wrong_clip": "the frames of another question's clip",
    "shared_frames": "a frame file that is listed more than once",
    "unknown_times": "frames of unknown time (--timestamps shows them without, --media video can't show them)",
}
"""How each kind reads after "N questions with"."""

_LISTED = 3
"""Most questions of a kind that a warning names."""

_WARNED: tuple[NoticeKind, ...] = ("segment_beyond_frames", "unsorted_frames", "wrong_clip")


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something about one question that is no error."""

    kind: NoticeKind
    id: int
    question_id: str
    dataset: str
    message: str


def notice(kind: NoticeKind, question: Question, message: str) -> Notice:
    """A notice about `question`."""
    name = question.key
    return Notice(kind=kind, id=question.id, question_id=name, dataset=question.label("dataset"), message=message)


def common_notices(question: Question, rule: TimeRule | None) -> list[Notice]:
    """Notices that the question itself bears out; `rule` says how far the last frame reaches (None: not known)."""
    found = []
    if any(frame.time is None for frame in question.frames):
        found.append(notice("unknown_times", question, "no rule says when its frames were taken"))
    last = question.frames[-1].time
    end = segment_end(question.text)
    if end is not None and last is not None and rule is not None and end > last + rule.step:
        message = f"ends at {end:g} s, the last frame is at {last:g} s"
        found.append(notice("segment_beyond_frames", question, message))
    texts = list(question.options.values())
    if len(set(texts)) < len(texts):
        same = "=".join(letter for letter, text in question.options.items() if texts.count(text) > 1)
        found.append(notice("identical_options", question, f"options {same} have the same text"))
    return found


def summarise(notices: Iterable[Notice]) -> tuple[str, ...]:
    """One line on what a person should know of before trusting a figure; empty where there is nothing."""
    ids: dict[NoticeKind, list[str]] = {}
    for entry in notices:
        ids.setdefault(entry.kind, []).append(str(entry.id))
    told = [f"{len(ids[kind])} with {WORDING[kind]}{_named(ids[kind])}" for kind in _WARNED if kind in ids]
    if not told:
        return ()
    return (f"of the questions, {', '.join(told)}: 'egocross-eval data verify' says more",)


def _named(ids: list[str]) -> str:
    return f" (id {', '.join(ids)})" if len(ids) <= _LISTED else ""
