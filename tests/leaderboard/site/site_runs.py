"""Runs for the tests of the site: four domains, every outcome, and hostile text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec.structs import replace
from scored_samples import question, record, sample, score_samples, with_answer, write_run

from egocross_eval import Decision, Frame, Grade, Question, Reading, RunRecord, Sample
from egocross_eval.leaderboard.site.inputs import SiteRun
from egocross_eval.schema import ModelRecord

HOSTILE = (
    "</script><script>window.hacked = 1</script>"
    '<img src=x onerror="window.hacked = 1"> \u2028 <svg onload="window.hacked = 1"> Answer: B'
)
HOSTILE_NAME = "<img src=x onerror=window.hacked=1>\"');window.hacked=1;('"
DOMAINS = ("animal", "industry", "xsports", "surgery")
TYPES = ("object counting", "sport identification", "next action prediction")


def questions(count: int = 80, **changes: Any) -> list[Question]:
    """Questions over four domains, three types and videos of four questions, with 1 to 40 frames."""
    made = []
    for number in range(1, count + 1):
        domain = DOMAINS[number % 4]
        frames = tuple(Frame(name=f"clips/{number}/f{k}.png", time=2.0 * k) for k in range(1 + number % 40))
        fields: dict[str, Any] = {
            "domain": domain,
            "cluster": f"{domain}/v{number // 16}",
            "question_type": TYPES[number % 3],
            "frames": frames,
            "target": "ABCD"[number % 4],
        }
        made.append(question(number, **{**fields, **changes}))
    return made


def answered(asked: list[Question], every: int, *, text: str | None = None) -> list[Sample]:
    """Right except for every `every`th question, and one of each other outcome; `text` replaces the first output."""
    made = [sample(one, "wrong" if one.id % every == 0 else "right", input_tokens=100 * every) for one in asked]
    made[2] = sample(asked[2], "not_parsed")
    if text is not None:
        said = replace(made[0].answers[0].response, text=text)
        place = text.rindex("B")
        read = Reading(label="B", rule="statement", span=(place, place + 1))
        made[0] = replace(
            with_answer(made[0], response=said, reading=read),
            decision=Decision(label="B", rule="statement"),
            grade=Grade(outcome="wrong", prediction="B"),
        )
    return [with_frames(one) for one in made]


def with_frames(one: Sample) -> Sample:
    return with_answer(one, sent=replace(one.answers[0].sent, frames=()))


def write_runs(root: Path, *, hostile: bool = False, count: int = 80) -> list[Path]:
    """Three runs: one clearly better than the others, and an incomplete one."""
    asked = questions(count)
    name = HOSTILE_NAME if hostile else "weak model"
    failed = [*answered(asked, 3)[:-1], sample(asked[-1], "errored")]
    plan = [
        ("strong model", answered(asked, 12)),
        (name, answered(asked, 2, text=HOSTILE if hostile else None)),
        ("incomplete model", failed),
    ]
    folders = []
    for place, (model, lines) in enumerate(plan):
        folder = root / f"run-{place}"
        write_run(folder, record(model, question_count=count), lines)
        folders.append(folder)
    return folders


def site_run(slug: str, samples: list[Sample], **changes: Any) -> SiteRun:
    made: RunRecord = record(slug, question_count=len(samples), **changes)
    made = replace(made, model=ModelRecord(spec="fake:x", identity="fake:x", fingerprint=slug, name=slug))
    results = score_samples(samples, total=len(samples))
    return SiteRun(
        slug=slug, label=slug, folder=Path(slug), source=slug, record=made, results=results, samples=tuple(samples)
    )
