"""Scores at labelled positions alone teach the same as scores at all of them."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from egocross_eval.training.inside.start_trainer import (
    IGNORED,
    labelled_only,
    leave_single_examples_unpadded,
    score_labels_only,
)


def batch(*rows: list[int]) -> dict[str, Any]:
    """Rows of labels; the tokens are any."""
    torch = pytest.importorskip("torch")
    labels = torch.tensor(rows)
    return {"input_ids": torch.arange(labels.numel()).reshape(labels.shape) % 200, "labels": labels}


def test_the_positions_before_labels_are_kept_and_one_for_the_shift() -> None:
    kept = labelled_only(batch([IGNORED, IGNORED, 7, 8, IGNORED], [IGNORED, IGNORED, IGNORED, 9, IGNORED]))
    assert kept["logits_to_keep"].tolist() == [1, 2, 4]
    assert kept["labels"].tolist() == [[IGNORED, 7, 8], [IGNORED, IGNORED, 9]]


@pytest.mark.slow
@pytest.mark.parametrize(
    "rows",
    [
        ([IGNORED] * 9 + [5, 6, 7],),
        ([IGNORED] * 9 + [5, 6, 7], [IGNORED] * 6 + [5, 6, 7] + [IGNORED] * 3),
        ([5, 6, 7, 8],),
    ],
    ids=["answer", "padded batch", "everything"],
)
def test_loss_and_gradients_are_those_of_all_positions(rows: tuple[list[int], ...]) -> None:
    import torch
    from checkpoints import tiny_checkpoint
    from transformers import AutoModelForImageTextToText

    model = AutoModelForImageTextToText.from_pretrained(tiny_checkpoint(), dtype=torch.float32).train()
    found = []
    for inputs in (batch(*rows), labelled_only(batch(*rows))):
        model.zero_grad()
        output = model(**inputs)
        output.loss.backward()
        gradients = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
        found.append((output.loss.item(), gradients))
    (whole, all_gradients), (sparse, few_gradients) = found
    assert sparse == pytest.approx(whole, rel=1e-6)
    assert all_gradients.keys() == few_gradients.keys()
    for name, gradient in all_gradients.items():
        torch.testing.assert_close(few_gradients[name], gradient, rtol=1e-4, atol=1e-7)


class Parent:
    """Stands for LLaMA-Factory's trainer: keeps what its model would be given."""

    ref_model = None

    def __init__(self, model: Any) -> None:
        self.model = model
        self.given: dict[str, Any] = {}

    def compute_loss(self, model: Any, inputs: dict[str, Any]) -> None:
        self.given = inputs


class Scorer:
    training = True

    def forward(self, logits_to_keep: int = 0) -> None: ...


class Deaf:
    training = True

    def forward(self) -> None: ...


@pytest.mark.parametrize(("model", "sparse"), [(Scorer(), True), (Deaf(), False)])
def test_a_model_that_cannot_choose_positions_is_given_the_whole(model: Any, sparse: bool) -> None:
    workflow = SimpleNamespace(CustomSeq2SeqTrainer=Parent)
    score_labels_only(workflow)
    trainer = workflow.CustomSeq2SeqTrainer(model)
    trainer.compute_loss(model, batch([IGNORED, 3]))
    assert ("logits_to_keep" in trainer.given) == sparse
    model.training = False
    trainer.compute_loss(model, batch([IGNORED, 3]))
    assert "logits_to_keep" not in trainer.given


def test_only_batches_of_several_examples_are_padded() -> None:
    class Collator:
        pad_to_multiple_of: int | None = 8

        def __call__(self, features: list[dict[str, Any]]) -> int | None:
            return self.pad_to_multiple_of

    workflow = SimpleNamespace(SFTDataCollatorWith4DAttentionMask=Collator)
    leave_single_examples_unpadded(workflow)
    collator = workflow.SFTDataCollatorWith4DAttentionMask()
    assert [collator([{}] * count) for count in (1, 2, 1)] == [None, 8, None]


STAND_IN = """
import atexit, os, sys, types
from egocross_eval.training.inside import start_trainer

class Aborting:
    def __del__(self):
        os.abort()

def run_exp():
    atexit.register(print, "said at the end")
    modules["llamafactory"].kept = Aborting()
    print("trained")
    print("cuDNN:", sys.modules["torch"].backends.cuda.cudnn_sdp_enabled())
    {ending}

names = "llamafactory", "llamafactory.train", "llamafactory.train.sft", "llamafactory.train.tuner"
modules = {{name: types.ModuleType(name) for name in names}}
modules["llamafactory.train.sft"].workflow = types.SimpleNamespace(
    CustomSeq2SeqTrainer=object, SFTDataCollatorWith4DAttentionMask=object
)
modules["llamafactory.train.tuner"].run_exp = run_exp
sys.modules.update(modules)
start_trainer.main()
"""
"""A trainer that leaves something behind which aborts the process when the interpreter takes itself apart."""


@pytest.mark.parametrize(
    ("ending", "code"), [("pass", 0), ("del modules['llamafactory'].kept.__class__.__del__; sys.exit(3)", 3)]
)
def test_a_process_that_has_trained_ends_well_whatever_an_interpreters_end_would_do(ending: str, code: int) -> None:
    """And what libraries do at a process's end is done; an error keeps its exit code. No attention waits for cuDNN."""
    command = [sys.executable, "-c", STAND_IN.format(ending=ending)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout.splitlines()[1:]) == (code, ["trained", "cuDNN: False", "said at the end"])
