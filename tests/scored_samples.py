"""Questions, samples and run folders for the tests of scores and leaderboards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.runs.store import SAMPLES_FILE, RunFolder
from egocross_eval.schema import (
    SCHEMA_VERSION,
    Failure,
    GenerationSettings,
    ModelRecord,
    Outcome,
    Prediction,
    Question,
    Response,
    RunRecord,
    RunSettings,
    Sample,
    Sent,
)

OPTIONS = {"A": "red", "B": "green", "C": "blue", "D": "white"}
DOMAIN_DATASETS = {"animal": "EgoPet", "industry": "ENIGMA", "xsports": "ExtrameSportFPV", "surgery": "EgoSurgery"}

VIDEO_SIZES: dict[str, list[int]] = {
    "animal": [6] + [5] * 9 + [4] * 12 + [3] * 5 + [2] * 20 + [1] * 29,
    "industry": [17] * 10 + [15] + [12] * 5,
    "xsports": [12] * 7 + [11] * 3 + [9] * 9 + [8] * 6,
    "surgery": [29, 29, 28, 27] + [20] * 5 + [12] * 4 + [11] * 2,
}
"""Questions by source video in the testbed: 132 videos, 957 questions."""


def question(number: int, **changes: Any) -> Question:
    domain = changes.get("domain", "animal")
    dataset = DOMAIN_DATASETS.get(domain, "other")
    fields: dict[str, Any] = {
        "id": number,
        "question_id": f"{dataset}_v{number}_q{number}",
        "domain": domain,
        "dataset": dataset,
        "category": "Counting",
        "question_type": "object counting",
        "text": f"What colour is box {number}?",
        "options": OPTIONS,
        "frames": (),
        "video": f"{dataset}/v{number}",
        "answer": "A",
    }
    return Question(**{**fields, **changes})


def sample(asked: Question, outcome: Outcome, *, content_hash: str = "", **response: Any) -> Sample:
    """A sample with that outcome; the letter is the answer, the next one, or none."""
    answer = asked.answer or "A"
    letter = {"right": answer, "wrong": "B" if answer == "A" else "A", "unscored": "C"}.get(outcome)
    if outcome == "errored":
        response["failure"] = Failure(kind="timeout", message="no answer in 60 s", retryable=True)
    else:
        response.setdefault("text", letter or "I can't tell")
    return Sample(
        key=asked.question_id,
        question=asked,
        sent=Sent(messages=(("user", asked.text),), frames=(), content_hash=content_hash or asked.question_id),
        response=Response(key=asked.question_id, **response),
        prediction=Prediction(letter=letter, rule="bare" if letter else None, reason=None if letter else "refusal"),
        outcome=outcome,
        finished_at="2026-01-02T03:04:05.000+00:00",
    )


def samples(outcomes: Iterable[Outcome], **changes: Any) -> list[Sample]:
    """One sample for each outcome, each on a video of its own unless `changes` says otherwise."""
    return [sample(question(number, **changes), outcome) for number, outcome in enumerate(outcomes, 1)]


def whole_testbed(answer: str | None = "A") -> list[Question]:
    """957 questions with the testbed's numbers by domain and video."""
    made = []
    for domain, sizes in VIDEO_SIZES.items():
        for video, size in enumerate(sizes):
            for _ in range(size):
                video_name = f"{DOMAIN_DATASETS[domain]}/v{video:03d}"
                made.append(question(len(made) + 1, domain=domain, video=video_name, answer=answer))
    return made


def record(model: str = "some-model", **changes: Any) -> RunRecord:
    settings = changes.pop("settings", {})
    generation = changes.pop("generation", {})
    fields: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "model": ModelRecord(spec=f"fake:{model}", identity=f"fake:{model}", fingerprint=f"fp-{model}", name=model),
        "settings": RunSettings(
            **{"tasks": ("all",), "split": "testbed", "style": "letter"} | settings,
            generation=GenerationSettings(**generation),
        ),
        "data_root": "data",
        "data_hashes": {"questions.json": "0" * 64},
        "question_count": 957,
        "questions_hash": "q" * 64,
        "created_at": "2026-01-02T03:04:05.000+00:00",
        "versions": {"egocross-eval": "0.1.0"},
        "plugins": {},
    }
    return RunRecord(**{**fields, **changes})


def write_run(path: Path, run: RunRecord, lines: Sequence[Sample]) -> RunFolder:
    """A run folder with record and samples, without the derived files."""
    folder = RunFolder(path)
    folder.write_record(run, [line.question for line in lines])
    (path / SAMPLES_FILE).write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    return folder
