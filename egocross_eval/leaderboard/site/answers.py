"""What the explorer shows: a list of all questions, and in parts to be loaded when needed what each model said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from egocross_eval.leaderboard.site.pool import axis_of, clip_seconds, groups_of
from egocross_eval.leaderboard.site.scripts import utf16_span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from egocross_eval.leaderboard.site.inputs import SiteRun
    from egocross_eval.leaderboard.site.pool import Pool
    from egocross_eval.schema import Answer, Question, Sample

OUTCOME_CODES = {"right": "r", "wrong": "w", "not_parsed": "n", "errored": "e", "unscored": "u"}
NOT_ASKED = "-"
_PART_BYTES = 400_000
"""About how large a part of answers is: small enough to load at once, large enough that there are few."""


class Part(NamedTuple):
    """Answers of the questions from `start` on, already encoded, one JSON text for each question."""

    start: int
    questions: list[msgspec.Raw]


def question_list(runs: Sequence[SiteRun], pool: Pool, starts: Sequence[int]) -> dict[str, Any]:
    """All questions in short, and for each run a string with the outcome and one with the letter of each question.

    `starts` says at which question each part of the answers begins.
    """
    axes = [axis_of(runs[0].record.benchmark, place) for place in range(3)]
    domains, types, datasets = (groups_of(pool.questions, axis) for axis in axes)
    return {
        "domains": domains,
        "types": types,
        "datasets": datasets,
        "runs": [{"slug": run.slug, "label": run.label} for run in runs],
        "outcomes": ["".join(OUTCOME_CODES[s.outcome] if s else NOT_ASKED for s in row) for row in pool.samples],
        "letters": ["".join(_letter(s) for s in row) for row in pool.samples],
        "parts": list(starts),
        "items": [
            [
                key,
                question.id,
                _place(axes[0].group(question), domains),
                _place(axes[2].group(question), datasets),
                _place(axes[1].group(question), types),
                question.text,
                list(question.options.items()),
                "".join(sorted(question.accepted())),
                len(question.frames),
                clip_seconds(question),
                question.cluster,
            ]
            for key, question in zip(pool.keys, pool.questions, strict=True)
        ],
    }


def _place(group: str, groups: Sequence[str]) -> int:
    return groups.index(group) if group in groups else -1


def _letter(sample: Sample | None) -> str:
    """One character: the letter read, or a space. Keeps the string aligned with the questions whatever a file says."""
    letter = sample.grade.prediction if sample else None
    return letter if letter and len(letter) == 1 and letter.isascii() else " "


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
    prompts: dict[tuple[tuple[str, str], ...], int] = {}
    answers = []
    for sample in samples:
        if sample is not None:
            prompts.setdefault(sample.answers[0].sent.messages, len(prompts))
        answers.append(_answer(sample, question, prompts[sample.answers[0].sent.messages]) if sample else None)
    return {
        "frames": [[frame.name, frame.time, thumbnails.get(frame.name)] for frame in question.frames],
        "answer": question.references.get("answer_text"),
        "detailed": question.references.get("detailed_answer"),
        "prompts": list(prompts),
        "answers": answers,
    }


def _answer(sample: Sample, question: Question, prompt: int) -> dict[str, Any]:
    first, cost, failure = sample.answers[0], sample.cost, sample.failure
    single = len(sample.answers) == 1
    response = first.response
    span = first.reading.span if single and response.text is not None else None
    shown = {
        "outcome": sample.outcome,
        "letter": sample.grade.prediction,
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
        "votes": None if single else [_vote(answer, question) for answer in sample.answers],
        "prompt": prompt,
        "sent": _sent(sample, question),
    }
    return {name: value for name, value in shown.items() if value is not None}


def _vote(answer: Answer, question: Question) -> list[object]:
    """One of several answers: the ask's name, the label as shown, the text of the option that it stood for."""
    options = question.options if answer.ask.options is None else answer.ask.options
    label = answer.reading.label
    return [answer.ask.name, label, options.get(label or ""), answer.response.text]


def _sent(sample: Sample, question: Question) -> list[int] | None:
    """Places of the frames that were sent, as sent; None where it was all of them in order."""
    places = {frame.name: place for place, frame in enumerate(question.frames)}
    sent = [places[frame.name] for frame in sample.answers[0].sent.frames if frame.name in places]
    return None if sent == list(range(len(question.frames))) else sent
