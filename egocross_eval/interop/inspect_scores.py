"""What an answer is worth, in Inspect's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inspect_ai.scorer import Score

    from egocross_eval.schema import Sample


def inspect_score(sample: Sample) -> Score:
    """Correct, incorrect, no answer (which counts as 0, as here), or a part of the mark; unscored where the right
    answer isn't known."""
    from inspect_ai.scorer import CORRECT, INCORRECT, NOANSWER, Score

    grade = sample.grade
    said = {"outcome": sample.outcome, "rule": sample.decision.rule, "reason": grade.reason or sample.decision.reason}
    if sample.outcome == "unscored":
        return Score.unscored(answer=grade.prediction, metadata=said)
    value: str | float = NOANSWER if sample.outcome in ("not_parsed", "filtered") else INCORRECT
    if grade.credit:
        value = CORRECT if grade.credit == 1 else grade.credit
    explanation = sample.answers[-1].response.text if sample.answers else None
    return Score(value=value, answer=grade.prediction, explanation=explanation, metadata=said)
