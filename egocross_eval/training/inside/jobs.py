"""Jobs that need llamafactory itself: `python -m egocross_eval.training.inside.jobs JOB QUESTION.json REPLY.json`."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from egocross_eval.errors import EgoCrossError


def arguments(payload: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """LLaMA-Factory's training arguments by name: their `type`, and `choices` and `many` where they have them."""
    from llamafactory.hparams import parser as hparams
    from transformers import HfArgumentParser

    known: dict[str, dict[str, Any]] = {}
    for action in HfArgumentParser(hparams._TRAIN_ARGS)._actions:
        if action.dest == "help" or action.dest.startswith("no_") or action.dest in known:
            continue
        kind = getattr(action.type, "__name__", "str")
        argument: dict[str, Any] = {"type": kind if kind in ("int", "float", "string_to_bool") else "str"}
        if action.choices:
            argument["choices"] = [str(choice) for choice in action.choices]
        if action.nargs == "+":
            argument["many"] = True
        known[action.dest] = argument
    return known


def parity(payload: dict[str, Any]) -> Any:
    """Compares what is trained on with what is asked; see `token_comparison`."""
    from egocross_eval.training.inside.token_comparison import compare

    return compare(payload)


def answer(payload: dict[str, Any]) -> Any:
    """Loads a checkpoint and answers one request with it."""
    from egocross_eval.training.inside.answer_request import answer_one

    return answer_one(payload)


def weights(payload: dict[str, Any]) -> Any:
    """Raises `UsageError` where the weights of the checkpoint `model`, or of the adapter `lora` on it, are not what its
    architecture asks for, or that adapter can't be merged."""
    from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
    from egocross_eval.model_adapters.checkpoints.lora import read_lora
    from egocross_eval.model_adapters.checkpoints.lora_weights import check_lora, check_mergeable
    from egocross_eval.model_adapters.checkpoints.weights import check_folder

    checkpoint = Checkpoint(payload["model"])
    if payload["lora"]:
        lora = read_lora(payload["lora"])
        check_lora(lora, checkpoint)
        check_mergeable(lora, checkpoint)
    else:
        check_folder(checkpoint)
    return None


JOBS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "arguments": arguments,
    "parity": parity,
    "answer": answer,
    "weights": weights,
}


def main(job: str, question: Path, reply: Path) -> None:
    """Reads the question file, runs the job and writes the reply file: `result`, `wrong` or `failed`."""
    try:
        found: dict[str, Any] = {"result": JOBS[job](json.loads(question.read_text(encoding="utf-8")))}
    except EgoCrossError as error:
        found = {"wrong": str(error)}
    except Exception:  # llamafactory and its parts raise anything; the caller explains it
        found = {"failed": traceback.format_exc()[-6000:]}
    reply.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
