"""Reads the files of version 0.1 (`schema_version` 1), which knew one benchmark and one kind of answer."""

from __future__ import annotations

from typing import Any

import msgspec

from egocross_eval.contracts.registry import registry
from egocross_eval.schema import FILTERED, BenchmarkRecord, Question, Results, Row, RunRecord, Sample

BENCHMARK = "egocross"
"""The one that version 0.1 measured."""

OTHER_FORM = (msgspec.DecodeError, LookupError, TypeError, ValueError, AttributeError, RecursionError)
"""What reading something of another form raises."""

_LABELS = ("domain", "dataset", "category", "question_type")
_PROMPT = ("style", "frames", "shuffled", "media", "timestamps", "max_pixels")


def _benchmark() -> BenchmarkRecord:
    return registry().benchmark(BENCHMARK).record()


def question(line: bytes) -> Question:
    """A line of `questions.jsonl`."""
    return msgspec.convert(_question(msgspec.json.decode(line)), Question)


def _question(old: dict[str, Any]) -> dict[str, Any]:
    references = {name: old[name] for name in ("answer_text", "detailed_answer") if old.get(name) is not None}
    return {
        "id": old["id"],
        "key": old["question_id"],
        "text": old["text"],
        "frames": old["frames"],
        "options": old["options"],
        "target": old.get("answer"),
        "references": references,
        "cluster": old["video"],
        "labels": {name: old[name] for name in _LABELS},
    }


def sample(line: bytes) -> Sample:
    """A line of `samples.jsonl`. A voted question keeps the text of its first ask alone: no other was written."""
    old = msgspec.json.decode(line)
    for answered in (old, *old.get("votes", ())):
        _name_filter(answered["response"])
    response, outcome = old["response"], old["outcome"]
    if outcome == "errored" and (response.get("failure") or {}).get("kind") == FILTERED:
        outcome = FILTERED
    # A letter beside a failure is no answer, whoever wrote it there.
    prediction = {"reason": outcome} if outcome in ("errored", FILTERED) else old["prediction"]
    letter, reason = prediction.get("letter"), prediction.get("reason")
    votes = sorted(old.get("votes", ()), key=_vote_number)
    once = {"ask": {}, "sent": _sent(old), "response": response, "reading": _reading(prediction)}
    return msgspec.convert(
        {
            "key": old["key"],
            "question": _question(old["question"]),
            "answers": [_vote(old, vote) for vote in votes] or [once],
            "decision": {
                "label": letter,
                "rule": prediction.get("rule"),
                "reason": reason,
                "scores": (not votes and letter and response.get("scores")) or {},
            },
            "grade": {
                "outcome": outcome,
                "credit": float(outcome == "right"),
                "prediction": letter,
                "reason": (response.get("failure") or {}).get("kind", reason),
            },
            "finished_at": old["finished_at"],
        },
        Sample,
    )


def _name_filter(response: dict[str, Any]) -> None:
    """The kind of failure that is called `filtered` now."""
    failure = response.get("failure")
    if failure and failure["kind"] == "content_filter":
        failure["kind"] = FILTERED


def _sent(old: dict[str, Any]) -> dict[str, Any]:
    # Without its hash, which was made in another way: hashes are compared between runs.
    return {"messages": old["sent"]["messages"], "frames": old["sent"]["frames"]}


def _ask_name(vote: dict[str, Any]) -> str:
    return str(vote["key"].rpartition("#")[2])


def _vote_number(vote: dict[str, Any]) -> int:
    return int(_ask_name(vote)[1:])


def _vote(old: dict[str, Any], vote: dict[str, Any]) -> dict[str, Any]:
    name, number = _ask_name(vote), _vote_number(vote)
    ask: dict[str, Any] = {"name": name}
    if name.startswith("r"):
        letters, texts = list(old["question"]["options"]), list(old["question"]["options"].values())
        ask["options"] = dict(zip(letters, texts[number:] + texts[:number], strict=True))
    else:
        ask["seed"] = number
    return {
        "ask": ask,
        "sent": {} if number else _sent(old),
        "response": vote["response"],
        "reading": {"label": vote.get("shown"), "reason": None if vote.get("shown") else "no_answer"},
    }


def _reading(prediction: dict[str, Any]) -> dict[str, Any]:
    return {("label" if name == "letter" else name): value for name, value in prediction.items()}


def record(content: bytes) -> RunRecord:
    """`run.json`."""
    old = msgspec.json.decode(content)
    settings = old["settings"]
    return msgspec.convert(
        {
            **old,
            "benchmark": msgspec.to_builtins(_benchmark()),
            "settings": {
                "tasks": settings["tasks"],
                "split": settings["split"],
                "prompt": {name: settings[name] for name in _PROMPT if name in settings},
                "style_hash": settings.get("style_hash", ""),
                "generation": settings.get("generation", {}),
                "method": settings.get("votes") or "once",
                "limit": settings.get("limit"),
            },
        },
        RunRecord,
    )


def results(content: bytes) -> Results:
    """`results.json`, whose fields are the same."""
    return msgspec.json.decode(content, type=Results)


def row(old: dict[str, Any]) -> Row:
    """A row of an exported leaderboard."""
    kept = {name: value for name, value in old.items() if name != "domains"}
    return msgspec.convert({**kept, "benchmark": msgspec.to_builtins(_benchmark()), "parts": old["domains"]}, Row)
