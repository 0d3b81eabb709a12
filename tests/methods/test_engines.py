"""Every method through real engines: hf: with a tiny checkpoint, and openai: against a server over HTTP."""

from __future__ import annotations

import math
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from asked_methods import METHODS, decisions, settings
from calling import call
from checkpoints import tiny_checkpoint
from fake_server import Call, FakeServer
from killed import killed_between_rounds

from egocross_eval import Capabilities, ModelAdapter, Request, Response, TextPart, evaluate, load_run
from egocross_eval.model_adapters.openai.adapter import build
from egocross_eval.model_adapters.openai.options import OpenAIOptions


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_a_tiny_checkpoint_is_asked_by_every_method_alone_and_in_batches_alike(
    method: str, demo: Path, tmp_path: Path
) -> None:
    model = tiny_checkpoint(weight_spread=0.2)
    batched = evaluate(
        f"hf:{model},dtype=float32", METHODS[method], output=tmp_path / "batched", **settings(method, demo)
    )
    alone = evaluate(
        f"hf:{model},dtype=float32,batch_size=1", METHODS[method], output=tmp_path / "alone", **settings(method, demo)
    )
    assert decisions(batched) == decisions(alone)
    for one, other in zip(batched.samples, alone.samples, strict=True):
        for label, score in one.decision.scores.items():
            assert score == pytest.approx(other.decision.scores[label], abs=1e-3)


def scores_of(text: str, labels: tuple[str, ...]) -> dict[str, float]:
    """Log-probabilities that depend on the words alone."""
    odds = {label: float(sum(text.encode()) * (place + 7) % 101) / 20 for place, label in enumerate(labels)}
    total = math.log(sum(map(math.exp, odds.values())))
    return {label: value - total for label, value in odds.items()}


def says(text: str) -> str:
    return ("A", "B", "3", "[300, 700]", "I see a hand.")[sum(text.encode()) % 5]


class Direct(ModelAdapter):
    """Answers in this process as the server does over HTTP."""

    def capabilities(self) -> Capabilities:
        return Capabilities(scores=True, needs_content=False)

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for request in requests:
            parts = [part for message in request.prompt.messages for part in message.parts]
            text = "\n".join(part.text for part in parts if isinstance(part, TextPart))
            if request.settings.answer_mode == "choose":
                yield Response(key=request.key, scores=scores_of(text, request.choices))
            else:
                yield Response(key=request.key, text=says(text), finish_reason="stop")


class ScoringServer(FakeServer):
    """Lists the log-probabilities of the labels that a prompt asks to choose among."""

    def _completion(self, call: Call) -> dict[str, object]:
        made = super()._completion(call)
        choice = made["choices"][0]
        if call.body.get("logprobs"):
            labels = ("Y", "N") if "Reply with Y or N only" in call.text else ("A", "B", "C", "D")
            labels = ("A", "B") if "Reply with one letter only: A or B.\n" in call.text else labels
            listed = [{"token": t, "logprob": s, "bytes": None} for t, s in scores_of(call.text, labels).items()]
            listed.sort(key=lambda entry: -float(str(entry["logprob"])))
            choice["logprobs"] = {"content": [{**listed[0], "top_logprobs": listed}]}
        return made


@pytest.mark.parametrize("method", METHODS)
def test_the_same_scores_give_the_same_decisions_through_a_server(method: str, demo: Path, tmp_path: Path) -> None:
    given = settings(method, demo)
    direct = evaluate(Direct(), METHODS[method], output=tmp_path / "direct", **given)
    with ScoringServer(answers=lambda call: says(call.text)) as server:
        adapter = build("fake", OpenAIOptions(base_url=server.base_url))
        served = evaluate(adapter, METHODS[method], output=tmp_path / "served", **given)
        adapter.close()
    assert decisions(served) == decisions(direct)
    for one, other in zip(served.samples, direct.samples, strict=True):
        assert len(one.answers) == len(other.answers)
        assert one.decision.scores == pytest.approx(other.decision.scores)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills processes")
@pytest.mark.parametrize("method", ["reason:tokens=8", "roles:tokens=8", "pairwise"])
def test_a_run_that_is_killed_between_its_rounds_goes_on_and_ends_the_same(
    method: str, demo: Path, tmp_path: Path
) -> None:
    model = tiny_checkpoint(weight_spread=0.2)
    whole = evaluate(f"hf:{model},dtype=float32", METHODS[method], output=tmp_path / "whole", **settings(method, demo))
    command = ["--model", f"hf:{model},dtype=float32", "--split", "demo", "--data", str(demo), "--method", method]
    command += ["--answer", "choose", "--frames", "uniform:2", "--limit", "4", "--max-new-tokens", "8", "--no-cache"]
    command += ["--output", str(tmp_path / "killed")]
    killed_between_rounds(2, *command)
    loose = tmp_path / "killed" / "answers.jsonl"
    assert loose.read_bytes().count(b"\n") == 2
    assert call(*command) == 0
    assert decisions(load_run(tmp_path / "killed")) == decisions(whole)
    assert not loose.exists()
