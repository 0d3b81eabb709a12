"""Asks the training environment whether training and evaluation show the same tokens, before anything is trained."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from egocross_eval.errors import UsageError
from egocross_eval.runs.requests import build_request
from egocross_eval.settings import GenerationSettings
from egocross_eval.training.dataset import PARITY_NAME, Rendered, as_item, write_dataset
from egocross_eval.training.environment import TrainingEnvironment
from egocross_eval.training.environment_jobs import ask
from egocross_eval.training.example_checks import Finding, check_tokens
from egocross_eval.training.frame_copies import FrameCopies
from egocross_eval.training.frame_sizes import processor_limits
from egocross_eval.training.planning import TrainPlan

MOST_COMPARED = 160
"""Examples compared: all of the support set; of larger sets the longest, and others evenly spread."""


class Parity(msgspec.Struct, frozen=True, kw_only=True):
    """What the comparison found."""

    compared: int
    differing: int
    first: str
    """Where the first ones part, in words; empty where all agree."""
    longest: int
    """Tokens of the longest example compared, its answer included."""
    findings: tuple[Finding, ...] = ()

    @property
    def summary(self) -> str:
        """One line for the card."""
        if not self.differing:
            return f"equal in all {self.compared} examples compared"
        return f"different in {self.differing} of {self.compared} examples compared"


def compare_tokens(plan: TrainPlan, environment: TrainingEnvironment) -> Parity:
    """Compares a selection of the plan's examples in the training environment.

    Raises `UsageError` or `RunError` where either side can't read an example.
    """
    chosen = _chosen(plan)
    arguments = plan.recipe.arguments
    with tempfile.TemporaryDirectory(prefix="egocross-parity-") as scratch:
        folder = Path(scratch)
        frames = FrameCopies(
            folder / "frames",
            processor_limits(plan.checkpoint),
            plan.renderer.settings.max_pixels,
            (int(arguments.get("image_min_pixels", 32 * 32)), int(arguments.get("image_max_pixels", 768 * 768))),
        )
        write_dataset(folder, {PARITY_NAME: [as_item(example, frames) for example in chosen]})
        # One process compares, whatever number of them trains.
        config = {key: value for key, value in plan.config.items() if key not in ("deepspeed", "ddp_backend")}
        config |= {"dataset": PARITY_NAME, "dataset_dir": str(folder), "overwrite_cache": True}
        # Kept whole here, so that a length above cutoff_len is seen instead of cut.
        config["cutoff_len"] = 1 << 20
        config.pop("val_size", None)
        settings = GenerationSettings(answer_mode="choose")
        requests = [build_request(e.question, e.prompt, settings, split="support", read_frames=False) for e in chosen]
        found = ask(
            environment,
            "parity",
            {
                "config": config,
                "model": plan.checkpoint.source,
                "requests": msgspec.to_builtins(requests),
                "answers": [example.answer for example in chosen],
            },
        )["examples"]
    lengths = [(example.question.key, int(row["tokens"])) for example, row in zip(chosen, found, strict=True)]
    parted = [
        f"{example.question.key}: {row['difference']}"
        for example, row in zip(chosen, found, strict=True)
        if row["difference"]
    ]
    return Parity(
        compared=len(chosen),
        differing=len(parted),
        first="\n".join(parted[:3]),
        longest=max(tokens for _, tokens in lengths),
        findings=tuple(check_tokens(lengths, int(arguments.get("cutoff_len", 2048)))),
    )


def refuse_difference(parity: Parity, plan: TrainPlan) -> None:
    """Raises `UsageError`, saying where they part and what to change, unless all agree."""
    if not parity.differing:
        return
    template = plan.recipe.arguments.get("template")
    hint = "take the recipe's own template, system prompt and pixel limits"
    if "think>" in parity.first:
        hint = f"--set template=qwen3_vl_nothink: {template} is for thinking models, and the answers are plain letters"
    elif plan.recipe.arguments.get("default_system"):
        hint = "evaluation sends no system prompt with this style: leave default_system out"
    raise UsageError(
        f"training would show {parity.differing} of {parity.compared} examples otherwise than evaluation does.\n"
        f"{parity.first}\n{hint}; or go on with --allow-difference"
    )


def _chosen(plan: TrainPlan) -> Sequence[Rendered]:
    once = plan.trained[: len(plan.examples.train)]
    if len(once) <= MOST_COMPARED:
        return once
    tokens = dict(plan.lengths)
    by_length = sorted(range(len(once)), key=lambda place: -tokens.get(once[place].question.key, 0))
    step = len(once) / (MOST_COMPARED // 2)
    spread = {int(place * step) for place in range(MOST_COMPARED // 2)}
    return [once[place] for place in sorted(spread | set(by_length[: MOST_COMPARED // 2]))]
