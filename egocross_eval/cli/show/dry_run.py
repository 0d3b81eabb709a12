"""`--dry-run`: what a run would ask, without asking."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from egocross_eval.contracts.registry import Registry
from egocross_eval.errors import DataError
from egocross_eval.frames.pictures import FrameError
from egocross_eval.frames.store import picture_size
from egocross_eval.model_adapters.spec import parse_spec
from egocross_eval.prompts.length import text_tokens
from egocross_eval.prompts.renderer import prompt_text
from egocross_eval.runs.decide import decide
from egocross_eval.runs.plan import RunPlan, check_model
from egocross_eval.schema import Decision

PIXELS_PER_TOKEN = 32 * 32
"""Qwen3-VL: patches of 16 pixels, merged two by two (its processor's patch_size and merge_size)."""


class Estimate(msgspec.Struct, kw_only=True):
    """What would be sent."""

    questions: int = 0
    requests: int = 0
    frames: int = 0
    bytes: int = 0
    text_characters: int = 0
    pixels: int = 0
    unreadable: int = 0
    largest: int = 0
    """Estimated tokens of the largest question."""
    largest_question: str = ""

    @property
    def tokens(self) -> int:
        """Estimated input tokens in all."""
        return text_tokens(self.text_characters) + self.pixels // PIXELS_PER_TOKEN


def estimate(plan: RunPlan) -> Estimate:
    """Counts and sizes of every prompt of the plan; frames are opened only as far as their size in pixels."""
    total = Estimate(questions=len(plan.questions))
    pixels_by_inode: dict[tuple[int, int], int] = {}
    for question in plan.questions:
        try:
            prompt = plan.renderer.render(question, plan.root)
        except DataError:
            total.unreadable += 1
            continue
        step = decide(plan.method, plan.settings.method, question, ())
        votes = 1 if isinstance(step, Decision) else len(step)
        total.requests += votes
        pixels = 0
        for name in prompt.frame_paths():
            try:
                status = Path(name).stat()
                total.bytes += votes * status.st_size
                key = (status.st_dev, status.st_ino)
                if key not in pixels_by_inode:
                    pixels_by_inode[key] = math.prod(picture_size(name))
            except (OSError, FrameError):
                total.unreadable += 1
                continue
            size = pixels_by_inode[key]
            pixels += min(size, prompt.max_pixels) if prompt.max_pixels else size
            total.frames += votes
        characters = sum(len(text) for _, text in prompt_text(prompt))
        total.text_characters += votes * characters
        total.pixels += votes * pixels
        tokens = text_tokens(characters) + pixels // PIXELS_PER_TOKEN
        if tokens > total.largest:
            total.largest, total.largest_question = tokens, f"{question.id} ({len(prompt.frame_paths())} frames)"
    return total


def print_dry_run(plan: RunPlan, models: Sequence[str], registry: Registry) -> None:
    """Checks every model spec and prints the estimate."""
    for text in models:
        spec = parse_spec(text)
        check_model(plan, spec, registry)
        click.echo(f"model      {spec.text}")
    found = estimate(plan)
    settings, prompt = plan.settings, plan.settings.prompt
    click.echo(f"tasks      {', '.join(settings.tasks)} ({settings.split})")
    click.echo(f"questions  {found.questions}")
    if found.requests != found.questions:
        click.echo(f"requests   {found.requests} in the first round (--method {settings.method})")
    click.echo(f"frames     {found.frames} ({prompt.frames}, {prompt.media})")
    click.echo(f"bytes      {found.bytes:,}" + (" before scaling" if prompt.max_pixels else ""))
    click.echo(f"tokens     about {found.tokens:,} in (Qwen3-VL's measure)")
    click.echo(f"largest    about {found.largest:,} tokens: question {found.largest_question}")
    if found.unreadable:
        click.echo(f"unreadable {found.unreadable} frames: run 'egocross-eval data verify'")
    parts = Counter(filter(None, map(plan.benchmark.record().part, plan.questions)))
    if parts:
        click.echo(f"{plan.benchmark.macro + 's':10} " + ", ".join(f"{name} {count}" for name, count in parts.items()))
