"""Writes what is asked: the questions for lmms-eval."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.contracts.registry import registry
from egocross_eval.runs.options import RunOptions
from egocross_eval.runs.plan import RunPlan, plan_run
from egocross_eval.schema import ImagePart, TextPart


def planned(options: RunOptions) -> RunPlan:
    """The questions of a run with these options, as `evaluate` plans them."""
    return plan_run(options, registry())


def write_questions(plan: RunPlan, checkpoint: Path, target: Path) -> int:
    """Writes one JSON line for each planned question; returns the number of frames."""
    from transformers import AutoProcessor

    from egocross_eval.model_adapters.checkpoints.decoding import read_size
    from egocross_eval.model_adapters.checkpoints.scaling import patch_rule

    rule = patch_rule(AutoProcessor.from_pretrained(checkpoint).image_processor)
    if rule is None:
        raise SystemExit(f"{checkpoint}: how its processor scales frames isn't known; take a Qwen-VL checkpoint")
    frames = 0
    with target.open("wb") as file:
        for question in plan.questions:
            prompt = plan.approach(question).renderer.render(question, plan.root)
            (message,) = prompt.messages
            parts: list[dict[str, Any]] = []
            for part in message.parts:
                if isinstance(part, ImagePart):
                    height, width = rule.frame_size(read_size(part.path), prompt.max_pixels)
                    parts.append({"text": "", "path": part.path, "height": height, "width": width})
                    frames += 1
                elif isinstance(part, TextPart):
                    parts.append({"text": part.text, "path": "", "height": 0, "width": 0})
            line = {"key": question.key, "parts": parts, "answer": question.target or ""}
            file.write(msgspec.json.encode(line) + b"\n")
    return frames
