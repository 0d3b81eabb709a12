"""Questions, samples and run folders for the tests of scores and leaderboards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args

import msgspec

from egocross_eval.grading.letter import LetterGrader
from egocross_eval.runs.store import SAMPLES_FILE, RunFolder
from egocross_eval.schema import (
    SCHEMA_VERSION,
    Answer,
    Ask,
    Decision,
    Failure,
    Grade,
    ModelRecord,
    Outcome,
    Question,
    Reading,
    Response,
    Results,
    RunRecord,
    RunSettings,
    Sample,
    Sent,
)
from egocross_eval.scoring.results import judged_sample, not_asked, results_of
from egocross_eval.settings import GenerationSettings, PromptSettings
from egocross_eval.tasks.egocross.tasks import EGOCROSS

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
    """Labels may be given by their names."""
    domain = changes.pop("domain", "animal")
    dataset = changes.pop("dataset", DOMAIN_DATASETS.get(domain, "other"))
    labels = {
        "domain": domain,
        "dataset": dataset,
        "category": changes.pop("category", "Counting"),
        "question_type": changes.pop("question_type", "object counting"),
    }
    fields: dict[str, Any] = {
        "id": number,
        "key": f"{dataset}_v{number}_q{number}",
        "labels": labels,
        "text": f"What colour is box {number}?",
        "options": OPTIONS,
        "cluster": f"{dataset}/v{number}",
        "target": "A",
    }
    return Question(**{**fields, **changes})


def sample(asked: Question, outcome: Outcome, *, content_hash: str = "", **response: Any) -> Sample:
    """A sample with that outcome; the letter is the target, the next one, or none."""
    target = asked.target or "A"
    letter = {"right": target, "wrong": "B" if target == "A" else "A", "unscored": "C"}.get(outcome)
    if outcome == "errored":
        response["failure"] = Failure(kind="timeout", message="no answer in 60 s", retryable=True)
    else:
        response.setdefault("text", letter or "I can't tell")
    rule, reason = ("bare" if letter else None), (None if letter else "refusal")
    answer = Answer(
        ask=Ask(),
        sent=Sent(messages=(("user", asked.text),), frames=(), content_hash=content_hash or asked.key),
        response=Response(key=asked.key, **response),
        reading=Reading(label=letter, rule=rule, reason=reason),
    )
    return Sample(
        key=asked.key,
        question=asked,
        answers=(answer,),
        decision=Decision(label=letter, rule=rule, reason=reason),
        grade=Grade(outcome=outcome, credit=float(outcome == "right"), prediction=letter, reason=reason),
        finished_at="2026-01-02T03:04:05.000+00:00",
    )


def with_answer(one: Sample, **changes: Any) -> Sample:
    """The sample with fields of its only answer changed."""
    (answer,) = one.answers
    return msgspec.structs.replace(one, answers=(msgspec.structs.replace(answer, **changes),))


def score_samples(
    lines: Sequence[Sample], *, total: int, missing: Sequence[Question] = (), waits: bool = False
) -> Results:
    """The results of samples, as a run folder's are computed."""
    chance = LetterGrader().chance
    judged = [judged_sample(line, chance(line.question)) for line in lines]
    judged += [not_asked(one, chance(one)) for one in missing]
    return results_of(judged, EGOCROSS.record(), total=total, waits=waits)


def outcomes(**counts: int) -> list[Outcome]:
    """So many of each outcome: `right=6, wrong=5`, in the order in which `Outcome` names them."""
    known: tuple[Outcome, ...] = get_args(Outcome)
    assert set(counts) <= set(known)
    return [outcome for outcome in known for _ in range(counts.get(outcome, 0))]


def samples(made: Iterable[Outcome], **changes: Any) -> list[Sample]:
    """One sample for each outcome, each on a video of its own unless `changes` says otherwise."""
    return [sample(question(number, **changes), outcome) for number, outcome in enumerate(made, 1)]


def whole_testbed(target: str | None = "A") -> list[Question]:
    """957 questions with the testbed's numbers by domain and video."""
    made: list[Question] = []
    for domain, sizes in VIDEO_SIZES.items():
        for video, size in enumerate(sizes):
            for _ in range(size):
                video_name = f"{DOMAIN_DATASETS[domain]}/v{video:03d}"
                made.append(question(len(made) + 1, domain=domain, cluster=video_name, target=target))
    return made


def record(model: str = "some-model", **changes: Any) -> RunRecord:
    settings = changes.pop("settings", {})
    prompt = changes.pop("prompt", {})
    generation = changes.pop("generation", {})
    fields: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "benchmark": EGOCROSS.record(),
        "model": ModelRecord(spec=f"fake:{model}", identity=f"fake:{model}", fingerprint=f"fp-{model}", name=model),
        "settings": RunSettings(
            **{"tasks": ("all",), "split": "testbed"} | settings,
            prompt=PromptSettings(**prompt),
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
    folder.start(run, [line.question for line in lines])
    (path / SAMPLES_FILE).write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    return folder
