"""Answers a single request with a checkpoint, through the very adapter of evaluation."""

from __future__ import annotations

from typing import Any

import msgspec

from egocross_eval.errors import RunError
from egocross_eval.schema import Request


def answer_one(payload: dict[str, Any]) -> dict[str, Any]:
    """The scores of the letters that a checkpoint gives to one request.

    `payload`: `model` (folder), `options` (of the `hf:` adapter) and `request`. Raises `UsageError` where the
    checkpoint can't be loaded and `RunError` where it can't answer.
    """
    from egocross_eval.contracts.registry import registry
    from egocross_eval.model_adapters.spec import ModelSpec, build_adapter

    options = {name: str(value) for name, value in payload["options"].items()}
    adapter = build_adapter(ModelSpec(scheme="hf", target=payload["model"], options=options), registry())
    try:
        response = next(adapter.generate(iter([msgspec.convert(payload["request"], Request)])))
    finally:
        adapter.close()
    if response.failure is not None:
        raise RunError(f"{payload['model']} can't answer: {response.failure.message}")
    return {"scores": response.scores, "text": response.text, "input_tokens": response.input_tokens}
