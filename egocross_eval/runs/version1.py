"""Reads the files of version 0.1 (`schema_version` 1), which knew one benchmark and one kind of answer."""

from __future__ import annotations

from typing import Any

import msgspec

from egocross_eval.contracts.registry import registry
from egocross_eval.schema import BenchmarkRecord, Question, Results, Row, RunRecord, Sample

BENCHMARK = "egocross"
"""The one that version 0.1 measured."""

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
    votes, prediction = old.get("votes", ()), old["prediction"]
    answers = [_vote(old, vote) for vote in votes] or [
        {"ask": {}, "sent": old["sent"], "response": old["response"], "reading": _reading(prediction)}
    ]
    if votes and old["response"].get("failure") and not any(vote["response"].get("failure") for vote in votes):
        answers[0]["response"] = old["response"]
    outcome = old["outcome"]
    return msgspec.convert(
        {
            "key": old["key"],
            "question": _question(old["question"]),
            "answers": answers,
            "decision": {
                "label": prediction.get("letter"),
                "rule": prediction.get("rule"),
                "reason": prediction.get("reason"),
                "scores": (not votes and old["response"].get("scores")) or {},
            },
            "grade": {
                "outcome": outcome,
                "credit": float(outcome == "right"),
                "prediction": prediction.get("letter"),
                "reason": prediction.get("reason"),
            },
            "finished_at": old["finished_at"],
        },
        Sample,
    )


def _vote(old: dict[str, Any], vote: dict[str, Any]) -> dict[str, Any]:
    name = vote["key"].rpartition("#")[2]
    options = None
    if name.startswith("r"):
        texts, places = list(old["question"]["options"].values()), vote["rotation"]
        options = dict(zip(old["question"]["options"], texts[places:] + texts[:places], strict=True))
    seed = int(name[1:]) if name.startswith("s") else 0
    return {
        "ask": {"name": name, "options": options, "seed": seed},
        "sent": old["sent"] if vote is old["votes"][0] else {},
        "response": vote["response"],
        "reading": {"label": vote.get("shown"), "reason": None if vote.get("shown") else "no_answer"},
    }


def _reading(prediction: dict[str, Any]) -> dict[str, Any]:
    return {
        "label": prediction.get("letter"),
        "rule": prediction.get("rule"),
        "span": prediction.get("span"),
        "reason": prediction.get("reason"),
    }


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
