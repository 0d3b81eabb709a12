"""Starts LLaMA-Factory's training with changes that spare memory and time and leave what is learnt alone.

* Scores of the whole vocabulary are computed where a label is, not at every token: of an example of 48,000 tokens three
  are learnt, and the scores of all others took some 100 GiB.
* A batch of a single example isn't padded: with padding the attention needs a mask, and flash kernels refuse one.
* PyTorch's attention is kept from cuDNN, which builds a plan for each new length of an example, forward and backward.

`python -m egocross_eval.training.inside.start_trainer CONFIG.yaml`, by itself or in each process of torchrun.
"""

from __future__ import annotations

import atexit
import inspect
import os
import sys
import threading
from typing import Any

STARTED = "egocross-eval: a worker has started"
"""What each worker writes into the log first: those of several nodes start when all nodes have met."""

IGNORED = -100
"""Label of tokens that aren't learnt."""


def labelled_only(inputs: dict[str, Any]) -> dict[str, Any]:
    """The inputs of a causal model, with scores asked for only at the positions that predict a label, in any row.

    Losses shift the labels by one against the scores. So those that are left stand behind one that is ignored, and the
    last position is scored too, for the place that shifting leaves empty.
    """
    import torch

    labels = inputs["labels"]
    places = (labels[:, 1:] != IGNORED).any(dim=0).nonzero().squeeze(1)
    ignored = labels.new_full((len(labels), 1), IGNORED)
    last = places.new_tensor([labels.shape[1] - 1])
    return {
        **inputs,
        "labels": torch.cat([ignored, labels[:, places + 1]], dim=1),
        "logits_to_keep": torch.cat([places, last]),
    }


def score_labels_only(workflow: Any) -> None:
    """Makes the trainer of LLaMA-Factory's supervised training give its model what `labelled_only` makes of a batch.

    The trainer is changed and not the model, so that it holds above PEFT, DistributedDataParallel and DeepSpeed, and
    for every loss made of a model's scores but one that compares them with a reference model's.
    """

    class Trainer(workflow.CustomSeq2SeqTrainer):  # type: ignore[misc]
        def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
            inner = self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model
            takes = "logits_to_keep" in inspect.signature(type(inner).forward).parameters
            if takes and model.training and self.ref_model is None and "labels" in inputs:
                inputs = labelled_only(inputs)
            return super().compute_loss(model, inputs, *args, **kwargs)

    workflow.CustomSeq2SeqTrainer = Trainer


def leave_single_examples_unpadded(workflow: Any) -> None:
    """Makes the collator of LLaMA-Factory's supervised training pad batches of several examples only."""

    class Collator(workflow.SFTDataCollatorWith4DAttentionMask):  # type: ignore[misc]
        def __call__(self, features: list[dict[str, Any]]) -> Any:
            self.pad_to_multiple_of = None if len(features) == 1 else 8
            return super().__call__(features)

    workflow.SFTDataCollatorWith4DAttentionMask = Collator


def leave_cudnn_out_of_attention() -> None:
    """Makes PyTorch take its flash kernel on cards of the H100's kind and later too, where it prefers cuDNN.

    cuDNN takes about a second for the plans of a length that it hasn't seen (modelscope/FunASR#3704, on a B200), as
    long as a step of a short example; and of 80 examples hardly two are equally long.
    """
    import torch

    torch.backends.cuda.enable_cudnn_sdp(False)


def leave_without_finalizing(ended: threading.Event) -> None:
    """Ends the process, if the training has ended, before the interpreter takes itself apart.

    A worker thread of torch's process groups that lets go of its last tensor in that time aborts the process
    (pytorch/pytorch#190489), and torchrun then kills the others, one of which may be writing the model.
    """
    if ended.is_set():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def main() -> None:
    """Applies the changes and trains as the configuration file says that the command line names."""
    print(STARTED, flush=True)
    ended = threading.Event()
    # What is registered first runs last: after all that libraries do at a process's end.
    atexit.register(leave_without_finalizing, ended)
    from llamafactory.train.sft import workflow
    from llamafactory.train.tuner import run_exp

    score_labels_only(workflow)
    leave_single_examples_unpadded(workflow)
    leave_cudnn_out_of_attention()
    run_exp()
    ended.set()


if __name__ == "__main__":
    main()
