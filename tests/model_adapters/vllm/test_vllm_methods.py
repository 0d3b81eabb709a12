"""Every method, and examples before the question, on a real vLLM: by log-probabilities they decide as by `hf:`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from asked_methods import METHODS, decisions, settings
from vllm_parts import EAGER, KeptOpen

from egocross_eval import Run, evaluate
from egocross_eval.contracts.registry import registry
from egocross_eval.model_adapters.spec import build_adapter, parse_spec

pytestmark = [pytest.mark.slow, pytest.mark.vllm]

BY_SCORES = [method for method in METHODS if method.split(":")[0] in ("once", "rotate", "verify", "pairwise")]

CLOSE = 0.01
"""Difference of log-probabilities that other kernels make in float32."""


def assert_same_evidence(ours: Run, theirs: Run) -> None:
    """All scores are close, and so decisions are the same but for near ties."""
    before, after = decisions(theirs), decisions(ours)
    for one, other in zip(ours.samples, theirs.samples, strict=True):
        for answer, counterpart in zip(one.answers, other.answers, strict=True):
            assert answer.ask == counterpart.ask
            assert answer.response.scores == pytest.approx(counterpart.response.scores, abs=CLOSE)
        if before[one.key] != after[one.key]:
            chosen = [other.decision.scores[label or ""] for label in (before[one.key], after[one.key])]
            assert chosen[0] == pytest.approx(chosen[1], abs=CLOSE * len(one.answers))


@pytest.mark.parametrize("method", BY_SCORES)
def test_methods_that_compare_scores_decide_as_by_hf(
    method: str, engine: KeptOpen, vivid_checkpoint: Path, demo: Path, tmp_path: Path
) -> None:
    given = settings(method, demo)
    ours = evaluate(engine, METHODS[method], output=tmp_path / "vllm", **given)
    theirs = evaluate(f"hf:{vivid_checkpoint},dtype=float32", METHODS[method], output=tmp_path / "hf", **given)
    assert_same_evidence(ours, theirs)


@pytest.mark.parametrize("method", sorted(METHODS.keys() - set(BY_SCORES)))
def test_methods_that_write_end_without_a_failure_or_an_invented_letter(
    method: str, engine: KeptOpen, demo: Path, tmp_path: Path
) -> None:
    run = evaluate(engine, METHODS[method], output=tmp_path / "vllm", **settings(method, demo))
    assert decisions(run)
    for sample in run.samples:
        said = [answer.response for answer in sample.answers]
        assert all(response.text or response.scores for response in said)
        if method.startswith("reason"):
            assert said[-1].scores is not None
            assert sample.decision.label is not None


SHOTS: dict[str, Any] = {"tasks": "xsports", "shots": "2", "limit": None, "frames": "uniform:2", "max_pixels": 16_384}


def test_examples_are_shown_as_by_hf_and_computed_once_a_cell(
    vivid_checkpoint: Path, demo: Path, tmp_path: Path
) -> None:
    given = {key: value for key, value in settings("once", demo).items() if key not in SHOTS}
    adapter = build_adapter(parse_spec(f"vllm:{vivid_checkpoint},{EAGER},block_size=32"), registry())
    try:
        ours = evaluate(KeptOpen(adapter), output=tmp_path / "vllm", **given, **SHOTS)  # type: ignore[arg-type]
        reused = {"vllm": adapter.details()["reused_prompt_tokens"]}
    finally:
        adapter.close()
    hf = f"hf:{vivid_checkpoint},dtype=float32"
    theirs = evaluate(hf, output=tmp_path / "hf", **given, **SHOTS)  # type: ignore[arg-type]
    assert_same_evidence(ours, theirs)
    reused["hf"] = theirs.record.model.details["reused_prompt_tokens"]
    plain = evaluate(hf, output=tmp_path / "plain", **given, **{**SHOTS, "shots": "0"})  # type: ignore[arg-type]
    with_examples, without = (
        sum(answer.response.input_tokens or 0 for sample in run.samples for answer in sample.answers)
        for run in (theirs, plain)
    )
    cells = {(s.question.label("domain"), s.question.label("question_type")) for s in theirs.samples}
    examples = with_examples - without
    once_a_cell = examples * (1 - len(cells) / len(theirs.samples))
    # Cells have examples of different lengths, and vLLM finds whole blocks of 32 tokens.
    assert reused["hf"] >= 0.9 * once_a_cell
    assert reused["vllm"] >= 0.9 * once_a_cell - 32 * len(theirs.samples)
