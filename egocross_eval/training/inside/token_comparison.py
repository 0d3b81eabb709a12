"""Compares the tokens that LLaMA-Factory trains on with those evaluation sends. Runs in the training environment."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

import msgspec

from egocross_eval.counted import counted
from egocross_eval.errors import RunError
from egocross_eval.schema import Request, Response

SHOWN = 12
"""Tokens shown on either side of where two sequences part."""

IGNORED = -100
"""Label of tokens that aren't learnt."""


def compare(payload: dict[str, Any]) -> dict[str, Any]:
    """For each example, whether both sides have the same tokens up to the answer, and where they part if not.

    `payload`: `config` (LLaMA-Factory's, without DeepSpeed), `model`, `requests` and `answers` (letters), in the order
    of the dataset that `config` names. Returns `examples` (per example `tokens`, the length with the answer, and
    `difference`, empty where they agree) and `template`.
    """
    with contextlib.redirect_stdout(sys.stderr):
        trained, tokenizer = _trained(payload["config"])
    requests = [msgspec.convert(request, Request) for request in payload["requests"]]
    if len(trained) != len(requests):
        raise RunError(f"LLaMA-Factory kept {len(trained)} of {counted(len(requests), 'example')}; its log says why")
    asked = _asked(payload["model"], requests)
    examples = []
    for row, ids, answer in zip(trained, asked, payload["answers"], strict=True):
        examples.append({"tokens": len(row["input_ids"]), "difference": _difference(row, ids, answer, tokenizer)})
    return {"examples": examples}


def _trained(config: dict[str, Any]) -> tuple[list[dict[str, Any]], Any]:
    """What LLaMA-Factory makes of the dataset, by its own code."""
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import get_train_args
    from llamafactory.model import load_tokenizer

    with tempfile.TemporaryDirectory(prefix="egocross-parity-") as scratch:
        # The parser asks for what only the training itself needs; none of it changes the tokens.
        model, data, training, *_ = get_train_args({**config, "output_dir": scratch, "bf16": False, "use_cpu": True})
        module = load_tokenizer(model)
        template = get_template_and_fix_tokenizer(module["tokenizer"], data)
        rows = get_dataset(template, model, data, training, stage="sft", **module)["train_dataset"]
        kept = [{"input_ids": list(row["input_ids"]), "labels": list(row["labels"])} for row in rows]
    return kept, module["tokenizer"]


def _asked(model: str, requests: Sequence[Request]) -> list[list[int]]:
    """The prompt tokens that evaluation gives to the model, by its own code."""
    from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
    from egocross_eval.model_adapters.checkpoints.model_inputs import model_inputs
    from egocross_eval.model_adapters.checkpoints.preparation import Preparer
    from egocross_eval.model_adapters.checkpoints.processor import load_processor

    preparer = Preparer(load_processor(Checkpoint(model)), None)
    found: list[list[int]] = []
    for request in requests:
        item = preparer.plan(request)
        loaded = item if isinstance(item, Response) else preparer.load(item)
        if isinstance(loaded, Response):
            raise RunError(f"{request.key} can't be asked: {_reason(loaded)}")
        found.append([int(token) for token in model_inputs(preparer, [loaded])["input_ids"][0]])
    return found


def _reason(response: Response) -> str:
    return response.failure.message if response.failure is not None else "no reason is known"


def _difference(row: dict[str, Any], asked: list[int], answer: str, tokenizer: Any) -> str:
    """Where the two part, in words; empty where the prompts agree and the answer begins with its letter."""
    ids, labels = row["input_ids"], row["labels"]
    start = next((place for place, label in enumerate(labels) if label != IGNORED), len(labels))
    if start == 0 and ids[: len(asked)] == asked:
        start = len(asked)  # trained on the prompt as well
    prompt, reply = ids[:start], ids[start:]
    if prompt != asked:
        place = next(
            (i for i, (a, b) in enumerate(zip(prompt, asked, strict=False)) if a != b), min(len(prompt), len(asked))
        )
        return (
            f"the prompts part at token {place} ({counted(len(prompt), 'token')} are trained on, {len(asked)} "
            "are asked): "
            f"training has {_shown(prompt, place, tokenizer)}, evaluation {_shown(asked, place, tokenizer)}"
        )
    text = tokenizer.decode(reply)
    if not text.startswith(answer):
        return f"the answer is trained as {text!r} instead of beginning with {answer!r}"
    return ""


def _shown(ids: Sequence[int], place: int, tokenizer: Any) -> str:
    return repr(tokenizer.decode(list(ids[max(0, place - SHOWN // 3) : place + SHOWN])))
