"""`--dry-run`: what a run would ask, without asking."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click
import msgspec

from egocross_eval.contracts.registry import Registry
from egocross_eval.counted import counted
from egocross_eval.errors import DataError
from egocross_eval.frames.pictures import FrameError
from egocross_eval.frames.store import picture_size
from egocross_eval.model_adapters.spec import parse_spec
from egocross_eval.prompts.length import text_tokens
from egocross_eval.prompts.renderer import prompt_text
from egocross_eval.runs.decide import decide
from egocross_eval.runs.plan import RunPlan, check_model
from egocross_eval.schema import Decision, Prompt, Question

PIXELS_PER_TOKEN = 32 * 32
"""Qwen3-VL: patches of 16 pixels, merged two by two (its processor's patch_size and merge_size)."""


class Estimate(msgspec.Struct, kw_only=True):
    """What would be sent."""

    questions: int = 0
    requests: int = 0
    """In the first round."""
    most_requests: int | None = 0
    """In all rounds, at most; None where the method doesn't say."""
    frames: int = 0
    bytes: int = 0
    text_characters: int = 0
    pixels: int = 0
    unreadable: int = 0
    """Frames that can't be read."""
    unreadable_example: str = ""
    failing: int = 0
    """Questions with such a frame: they fail, where a model looks at frames."""
    most_tokens: int | None = 0
    """Estimated input tokens of all rounds, if all that may follow is asked and is as long as the question's first
    requests, so without what was answered before; None where the method doesn't say how much may follow."""
    largest: int = 0
    """Estimated tokens of the largest request."""
    largest_question: str = ""

    @property
    def tokens(self) -> int:
        """Estimated input tokens in all."""
        return text_tokens(self.text_characters) + self.pixels // PIXELS_PER_TOKEN


class DryRun(msgspec.Struct, frozen=True, kw_only=True):
    """What a run would ask."""

    models: tuple[str, ...]
    tasks: tuple[str, ...]
    split: str
    strategy: str
    """Empty where there is none."""
    method: str
    estimate: Estimate
    tokens: int
    """Estimated input tokens in all, by Qwen3-VL's measure."""
    parts: dict[str, int]
    """Questions by group of the macro average."""
    failing: int = 0
    """Questions that would fail, as a frame of theirs can't be read and a model looks at it."""


def estimate(plan: RunPlan) -> Estimate:
    """Counts and sizes of every prompt of the first round; frames are opened only as far as their size in pixels."""
    total = Estimate(questions=len(plan.questions))
    sizes = _Sizes()
    for question in plan.questions:
        approach = plan.approach(question)
        shown = approach.renderer.as_shown(question)
        step = decide(approach.method, approach.options.method, shown, ())
        most = approach.most_requests(shown)
        known = most is not None and total.most_requests is not None
        total.most_requests = (total.most_requests or 0) + (most or 0) if known else None
        before, asks, tokens = total.unreadable, [] if isinstance(step, Decision) else step, total.tokens
        for ask in asks:
            try:
                prompt = approach.renderer.render(question, plan.root, ask)
            except DataError as error:
                _note_unreadable(total, str(error))
                continue
            _add(total, question, prompt, sizes)
        total.failing += total.unreadable > before
        _add_rounds(total, total.tokens - tokens, len(asks), most)
    return total


def _add_rounds(total: Estimate, tokens: int, asks: int, most: int | None) -> None:
    """A question more, whose first round has so many tokens in so many requests, of `most` in all."""
    if most is None or total.most_tokens is None:
        total.most_tokens = None
    elif asks:
        total.most_tokens += round(tokens * most / asks)


def _note_unreadable(total: Estimate, which: str) -> None:
    total.unreadable += 1
    total.unreadable_example = total.unreadable_example or which


def _add(total: Estimate, question: Question, prompt: Prompt, sizes: _Sizes) -> None:
    """One request more."""
    total.requests += 1
    pixels = 0
    for name in prompt.frame_paths():
        found = sizes.of(name)
        if found is None:
            _note_unreadable(total, name)
            continue
        total.frames += 1
        total.bytes += found.bytes
        pixels += min(found.pixels, prompt.max_pixels) if prompt.max_pixels else found.pixels
    characters = sum(len(text) for _, text in prompt_text(prompt))
    total.text_characters += characters
    total.pixels += pixels
    tokens = text_tokens(characters) + pixels // PIXELS_PER_TOKEN
    if tokens > total.largest:
        total.largest, total.largest_question = tokens, f"{question.id} ({counted(len(prompt.frame_paths()), 'frame')})"


class _Size(NamedTuple):
    bytes: int
    pixels: int


class _Sizes:
    """Sizes of frames, each file looked at once, also where several names are links to it."""

    def __init__(self) -> None:
        self._by_name: dict[str, _Size | None] = {}
        self._pixels: dict[tuple[int, int], int] = {}

    def of(self, name: str) -> _Size | None:
        """Of the frame at a path; None where it can't be read."""
        if name not in self._by_name:
            self._by_name[name] = self._look(name)
        return self._by_name[name]

    def _look(self, name: str) -> _Size | None:
        try:
            status = Path(name).stat()
            key = (status.st_dev, status.st_ino)
            if key not in self._pixels:
                self._pixels[key] = math.prod(picture_size(name))
        except (OSError, FrameError):
            return None
        return _Size(status.st_size, self._pixels[key])


def dry_run(plan: RunPlan, models: Sequence[str], registry: Registry) -> DryRun:
    """Checks every model spec and estimates what would be sent."""
    specs = [parse_spec(text) for text in models]
    looks = [check_model(plan, spec, registry).needs_content for spec in specs]
    found, settings = estimate(plan), plan.settings
    return DryRun(
        models=tuple(spec.text for spec in specs),
        tasks=settings.tasks,
        split=settings.split,
        strategy=str(settings.strategy or ""),
        method=" or ".join(settings.values()["method"]),
        estimate=found,
        tokens=found.tokens,
        parts=Counter(filter(None, map(plan.benchmark.record().part, plan.questions))),
        failing=found.failing if any(looks) else 0,
    )


def unreadable_said(found: Estimate, failing: int) -> str:
    """What frames that can't be read lead to, and how to find them all."""
    fail = f", so {counted(failing, 'question')} would fail" if failing else ", which no model here looks at"
    frames = counted(found.unreadable, "frame")
    return f"{frames}, e.g. {found.unreadable_example}{fail}: 'egocross-eval data verify' lists them"


def print_dry_run(plan: RunPlan, done: DryRun) -> None:
    """Prints the estimate."""
    for text in done.models:
        click.echo(f"model      {text}")
    found, settings, asked = done.estimate, plan.settings, plan.settings.values()
    click.echo(f"tasks      {', '.join(settings.tasks)} ({settings.split})")
    click.echo(f"questions  {found.questions}")
    if settings.strategy is not None:
        click.echo(f"strategy   {settings.strategy}")
    if asked["method"] != ("once",) or settings.strategy is not None:
        how = f" (--method {done.method})" if settings.strategy is None else ""
        click.echo(f"requests   {requests_said(found.requests, found.most_requests)}{how}")
    click.echo(
        f"frames     {found.frames}"
        + (f" ({' or '.join(asked['frames'])}, {' or '.join(asked['media'])})" if plan.root else "")
    )
    click.echo(f"bytes      {found.bytes:,}" + (" before scaling" if any(asked["max_pixels"]) else ""))
    click.echo(f"tokens     about {found.tokens:,} in (Qwen3-VL's measure{_first(found)})")
    click.echo(f"largest    about {found.largest:,} tokens: question {found.largest_question}")
    if found.unreadable:
        click.echo(f"unreadable {unreadable_said(found, done.failing)}")
    if done.parts:
        listed = ", ".join(f"{name} {count}" for name, count in done.parts.items())
        click.echo(f"{plan.benchmark.macro + 's':10} {listed}")


def _first(found: Estimate) -> str:
    """What the tokens don't tell, where more rounds follow."""
    if found.most_requests == found.requests:
        return ""
    if found.most_tokens is None:
        return ", the first round alone"
    return f", the first round alone; some {found.most_tokens:,} if all that may follow is asked, without the answers"


def requests_said(first: int, most: int | None) -> str:
    """Requests of the first round, and how many there'll be in all."""
    if most == first:
        return str(first)
    return f"{first} in the first round, {'more may follow' if most is None else f'at most {most} in all'}"


def range_said(first: int, most: int | None) -> str:
    """What the first round has, to what all rounds have at most, in a cell of a table."""
    if most == first:
        return f"{first:,}"
    return f"{first:,} and more" if most is None else f"{first:,} to {most:,}"
