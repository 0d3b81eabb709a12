"""What the explorer shows: a list of all questions, and in parts to be loaded when needed what each model said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from egocross_eval.leaderboard.site.pool import axis_json, axis_of, clip_seconds, groups_of
from egocross_eval.leaderboard.site.scripts import utf16_span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from egocross_eval.leaderboard.site.inputs import SiteRun
    from egocross_eval.leaderboard.site.pool import Pool
    from egocross_eval.schema import Answer, Question, Sample

_OUTCOME_CODES = {"right": "r", "wrong": "w", "not_parsed": "n", "filtered": "f", "errored": "e", "unscored": "u"}
_PARTLY_RIGHT = "p"
_NOT_ASKED = "-"
_LONGEST_SAID = 80
"""Characters of an answer that lists and filters know; all of it is with the question."""
_PART_BYTES = 400_000
"""About how large a part of answers is: small enough to load at once, large enough that there are few."""


class Part(NamedTuple):
    """Answers of the questions from `start` on, already encoded, one JSON text for each question."""

    start: int
    questions: list[msgspec.Raw]


def question_list(runs: Sequence[SiteRun], pool: Pool, starts: Sequence[int]) -> dict[str, Any]:
    """All questions in short, and for each run a string with the outcomes and a list of what was said.

    `starts` says at which question each part of the answers begins.
    """
    benchmark = runs[0].record.benchmark
    axes = [axis_of(benchmark, place) for place in range(3)]
    groups = [groups_of(pool.questions, axis) for axis in axes]
    return {
        "axes": [axis_json(pool.questions, axis) for axis in axes],
        "cluster": benchmark.cluster,
        "runs": [{"slug": run.slug, "label": run.label} for run in runs],
        "outcomes": ["".join(_outcome(s) for s in row) for row in pool.samples],
        "said": [[_said(s) for s in row] for row in pool.samples],
        "parts": list(starts),
        "items": [
            [
                key,
                question.id,
                [_place(axis.group(question), names) for axis, names in zip(axes, groups, strict=True)],
                question.text,
                list(question.options.items()),
                _right(question),
                len(question.frames),
                clip_seconds(question),
                question.cluster,
            ]
            for key, question in zip(pool.keys, pool.questions, strict=True)
        ],
    }


def _place(group: str, groups: Sequence[str]) -> int:
    return groups.index(group) if group in groups else -1


def _right(question: Question) -> list[str]:
    """Labels of the right options, or the right answer in words; empty where it isn't known."""
    if question.options:
        return sorted(question.accepted())
    return [] if question.target is None else [question.target]


def _outcome(sample: Sample | None) -> str:
    """One character."""
    if sample is None:
        return _NOT_ASKED
    partly = sample.outcome == "wrong" and sample.grade.credit > 0
    return _PARTLY_RIGHT if partly else _OUTCOME_CODES[sample.outcome]


def _said(sample: Sample | None) -> str | None:
    said = sample.grade.prediction if sample else None
    return said if said is None or len(said) <= _LONGEST_SAID else f"{said[: _LONGEST_SAID - 1]}…"


def parts(pool: Pool, thumbnails: Mapping[str, str]) -> list[Part]:
    """The answers to all questions, cut into parts of about equal size. `thumbnails` holds files by frame name."""
    found: list[Part] = []
    size = _PART_BYTES
    for place, question in enumerate(pool.questions):
        encoded = msgspec.json.encode(_detail(question, [row[place] for row in pool.samples], thumbnails))
        if size >= _PART_BYTES:
            found.append(Part(place, []))
            size = 0
        found[-1].questions.append(msgspec.Raw(encoded))
        size += len(encoded)
    return found


def _detail(question: Question, samples: Sequence[Sample | None], thumbnails: Mapping[str, str]) -> dict[str, Any]:
    """Frames and answers to one question; prompts that runs share are written once."""
    prompts: _Prompts = {}
    for sample in samples:
        for answer in sample.answers if sample else ():
            prompts.setdefault(answer.sent.messages, len(prompts))
    answers = [_answer(sample, question, prompts) if sample else None for sample in samples]
    return {
        "frames": [[frame.name, frame.time, thumbnails.get(frame.name)] for frame in question.frames],
        "references": [[name.replace("_", " "), text] for name, text in question.references.items()],
        "prompts": list(prompts),
        "answers": answers,
    }


_Prompts = dict[tuple[tuple[str, str], ...], int]
"""Places of prompts by what was asked."""


def _answer(sample: Sample, question: Question, prompts: _Prompts) -> dict[str, Any]:
    first, cost, failure = sample.answers[0], sample.cost, sample.failure
    single = len(sample.answers) == 1
    response = first.response
    span = first.reading.span if single and response.text is not None else None
    shown = {
        "outcome": _outcome(sample),
        "credit": sample.grade.credit if _outcome(sample) == _PARTLY_RIGHT else None,
        "said": sample.grade.prediction,
        "mark": sample.grade.mark,
        "rule": sample.decision.rule,
        "reason": sample.grade.reason,
        "span": utf16_span(response.text or "", span) if span else None,
        "text": response.text if single else None,
        "reasoning": response.reasoning if single else None,
        "scores": response.scores if single else None,
        "failure": [failure.kind, failure.message] if failure else None,
        "finish": response.finish_reason if single else None,
        "tokens": [cost.input_tokens, cost.output_tokens],
        "seconds": cost.seconds,
        "cached": (cost.cached == cost.requests) or None,
        "asks": None if single else [_ask(answer, question, prompts) for answer in sample.answers],
        "prompt": prompts[first.sent.messages] if single else None,
        "sent": _sent(sample, question),
    }
    return {name: value for name, value in shown.items() if value is not None}


def _ask(answer: Answer, question: Question, prompts: _Prompts) -> dict[str, Any]:
    """One of several answers: the ask's name, the label read and the option that it stood for there, and the output."""
    options = question.options if answer.ask.options is None else answer.ask.options
    label, response = answer.reading.label, answer.response
    shown = {
        "name": answer.ask.name,
        "label": label,
        "option": options.get(label or ""),
        "text": response.text,
        "reasoning": response.reasoning,
        "scores": response.scores,
        "failure": response.failure.message if response.failure else None,
        "prompt": prompts[answer.sent.messages],
    }
    return {name: value for name, value in shown.items() if value is not None}


def _sent(sample: Sample, question: Question) -> list[int] | None:
    """Places of the frames that were sent, as sent; None where it was all of them in order."""
    places = {frame.name: place for place, frame in enumerate(question.frames)}
    sent = [places[frame.name] for frame in sample.answers[0].sent.frames if frame.name in places]
    return None if sent == list(range(len(question.frames))) else sent
