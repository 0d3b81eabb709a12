"""What the tasks' YAML files name: called by lmms-eval, in its process, with lines of the task's file.

Prompts were rendered when the file was written; answers are read and graded here, by the rules of every run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from egocross_eval.contracts.registry import registry
from egocross_eval.interop.lmms_eval.conversation import picture, within_budget, words
from egocross_eval.interop.lmms_eval.failures import response_of
from egocross_eval.methods.once import Once
from egocross_eval.reading.response import read_response
from egocross_eval.runs.decide import make_sample
from egocross_eval.schema import Answer, Ask, Decision, Question, Sample, Sent

if TYPE_CHECKING:
    from PIL.Image import Image

Doc = Mapping[str, Any]


def doc_to_messages(doc: Doc, lmms_eval_specific_kwargs: object = None) -> list[dict[str, Any]]:
    """The conversation: texts and frames in their order, frames as paths, or as pictures where a budget scales them."""
    return within_budget(msgspec.json.decode(doc["messages"]), doc["max_pixels"])


def doc_to_visual(doc: Doc) -> list[Image]:
    """The frames, for lmms-eval's older classes, which take pictures before one text."""
    return [picture(path, doc["max_pixels"]) for path in doc["frames"]]


def doc_to_text(doc: Doc, lmms_eval_specific_kwargs: object = None) -> str:
    """The words alone, for logs and for the older classes."""
    return words(msgspec.json.decode(doc["messages"]))


def doc_to_target(doc: Doc) -> str:
    """The right answer."""
    target: str = doc["target"]
    return target


def process_results(doc: Doc, results: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The row of a question, for both metrics: what its answer is worth, and what an import joins it by."""
    sample = sample_of(doc, results[0])
    row = {
        "score": sample.grade.credit,
        "question_id": sample.key,
        "part": doc["part"],
        "cluster": doc["cluster"],
        "letter": sample.grade.prediction or "",
        "outcome": sample.outcome,
        "rule": sample.decision.rule or "",
    }
    return {"micro": row, "macro": row}


def sample_of(doc: Doc, text: str) -> Sample:
    """The sample that an output makes; lmms-eval's failure texts are failures."""
    question = msgspec.json.decode(doc["question"], type=Question)
    response = response_of(question.key, text)
    reading = read_response(response, question.options, tuple(question.options))
    answer = Answer(ask=Ask(), sent=Sent(), response=response, reading=reading)
    decision = Decision(reason="errored") if response.failure else Once().step(question.without_target(), [answer])
    assert isinstance(decision, Decision)
    return make_sample(registry().grader(doc["grader"]), question, [answer], decision)


def mean_score(rows: Sequence[Mapping[str, Any]]) -> float:
    """Mean credit of the rows."""
    return sum(float(row["score"]) for row in rows) / len(rows)
