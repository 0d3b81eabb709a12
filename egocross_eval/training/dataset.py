"""Writes examples as a LLaMA-Factory dataset: prompts of evaluation's own renderer, absolute image paths, tags."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.errors import DataError, UsageError
from egocross_eval.frames.roots import DataRoot
from egocross_eval.prompts.renderer import Renderer, prompt_text
from egocross_eval.schema import Prompt, Question
from egocross_eval.tasks.egocross.catalogue import LETTERS
from egocross_eval.tasks.egocross.times import natural_key
from egocross_eval.training.sizing import Limits, Size

NAME = "egocross"
"""Name of the dataset in `dataset_info.json`."""

PARITY_NAME = "egocross_parity"

PLACEHOLDER = "<image>"

TAGS = {
    "role_tag": "role",
    "content_tag": "content",
    "user_tag": "user",
    "assistant_tag": "assistant",
    "system_tag": "system",
}
"""Without these LLaMA-Factory looks for `from` and `value`, and stops with a KeyError on role/content messages."""


class Curriculum(msgspec.Struct, frozen=True, kw_only=True):
    """How often examples come, and with options in which order."""

    passes: int = 1
    """How often each example is in the dataset, pass after pass, each in an order of its own."""
    sort_until: float = 0.0
    """Share of all passes up to which the options come sorted."""
    shuffle_from: float = 0.0
    """Share from which they come in random order; in between more and more. 0 for both leaves them as they are."""
    seed: int = 0

    @property
    def reorders(self) -> bool:
        """Whether the order of options is changed at all."""
        return self.shuffle_from > 0


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """An example as it's trained on."""

    question: Question
    prompt: Prompt
    answer: str
    """The letter, as the model is to reply."""


def check_style(style: str, renderer: Renderer) -> None:
    """Refuses what can't be trained on letters, with a `UsageError`."""
    if style == "json":
        raise UsageError(
            "--style json asks for a reason beside the letter, and the examples have none; take letter or challenge"
        )
    if renderer.media == "video":
        raise UsageError(
            "--media video: LLaMA-Factory can't give the frames of a video their own times; train with --media images"
        )


def render_examples(questions: Iterable[Question], renderer: Renderer, root: DataRoot) -> Iterator[Rendered]:
    """Each question as evaluation would ask it, with its answer.

    Raises `DataError` where a question's own text holds the placeholder of an image: LLaMA-Factory would count it.
    """
    for question in questions:
        prompt = renderer.render(question, root)
        marks = sum(text.count(PLACEHOLDER) for _, text in prompt_text(prompt))
        if marks != len(prompt.images()):
            raise DataError(
                f"{question.question_id}: {marks} {PLACEHOLDER} marks for {len(prompt.images())} images; its text or "
                f"the prompt template writes {PLACEHOLDER} itself"
            )
        if question.answer not in LETTERS:
            raise DataError(f"{question.question_id}: the answer is {question.answer!r}, not one of A, B, C, D")
        yield Rendered(question=question, prompt=prompt, answer=question.answer)


def ordered(questions: Sequence[Question], curriculum: Curriculum) -> Iterator[Question]:
    """The questions pass by pass with their options in the order that the curriculum says; answers move along."""
    rng = random.Random(curriculum.seed)  # noqa: S311 - a repeatable order
    total = len(questions) * curriculum.passes
    place = 0
    for turn in range(curriculum.passes):
        order = list(questions)
        if turn or curriculum.passes > 1:
            rng.shuffle(order)
        for question in order:
            if not curriculum.reorders:
                yield question
            else:
                span = max(curriculum.shuffle_from - curriculum.sort_until, 1e-9)
                shuffled = rng.random() < (place / total - curriculum.sort_until) / span
                yield with_options(question, rng if shuffled else None)
            place += 1


def with_options(question: Question, rng: random.Random | None) -> Question:
    """The question with its options sorted by text, or shuffled by `rng`; letters are dealt anew."""
    texts = sorted(question.options.values(), key=natural_key)
    if rng is not None:
        rng.shuffle(texts)
    right = question.options[question.answer or ""]
    options = dict(zip(LETTERS, texts, strict=True))
    letter = next(letter for letter, text in options.items() if text == right)
    return msgspec.structs.replace(question, options=options, answer=letter, answer_text=right)


class FrameCopies:
    """Copies of frames in the size that evaluation shows, for those that training would show otherwise."""

    def __init__(self, folder: Path, limits: Limits | None, budget: int | None, trained: tuple[int, int]) -> None:
        self._folder = folder
        self._limits = limits
        self._budget = budget
        self._trained = trained
        self._known: dict[str, tuple[str, int]] = {}
        self.copied = 0

    def path(self, path: str) -> str:
        """The file to train on: the frame itself, or its copy."""
        return self._found(path)[0]

    def tokens(self, path: str) -> int:
        """Tokens of the frame; 0 where the processor's rule isn't known."""
        return self._found(path)[1]

    def _found(self, path: str) -> tuple[str, int]:
        found = self._known.get(path)
        if found is None:
            found = self._known[path] = self._fit(path)
        return found

    def _fit(self, path: str) -> tuple[str, int]:
        from egocross_eval.model_adapters.hf.media import read_size

        if self._limits is None:
            return path, 0
        size = read_size(path)
        asked = self._limits.asked(size, self._budget)
        tokens = self._limits.tokens(asked)
        if self._limits.trained(size, *self._trained) == asked:
            return path, tokens
        return self._copy(path, asked), tokens

    def _copy(self, path: str, size: Size) -> str:
        from PIL import Image

        from egocross_eval.model_adapters.hf.media import read_frame

        target = self._folder / f"{hashlib.sha256(path.encode()).hexdigest()[:20]}-{size[1]}x{size[0]}.png"
        if not target.is_file():
            self._folder.mkdir(parents=True, exist_ok=True)
            scaled = read_frame(path).resize((size[1], size[0]), Image.Resampling.BICUBIC)
            half = target.with_suffix(".tmp")
            scaled.save(half, format="PNG", compress_level=1)
            half.rename(target)
        self.copied += 1
        return str(target)


def as_item(example: Rendered, frames: FrameCopies) -> dict[str, Any]:
    """The example as LLaMA-Factory reads it."""
    messages = [{"role": role, "content": text} for role, text in prompt_text(example.prompt)]
    messages.append({"role": "assistant", "content": example.answer})
    return {"messages": messages, "images": [frames.path(path) for path in example.prompt.frame_paths()]}


def write_dataset(folder: Path, datasets: dict[str, list[dict[str, Any]]]) -> dict[str, str]:
    """Writes each dataset and the `dataset_info.json` that registers them; returns SHA-256 by file name."""
    folder.mkdir(parents=True, exist_ok=True)
    hashes: dict[str, str] = {}
    registry: dict[str, Any] = {}
    for name, items in datasets.items():
        file = folder / f"{name}.json"
        content = json.dumps(items, ensure_ascii=False, indent=1).encode()
        _write(file, content)
        hashes[file.name] = hashlib.sha256(content).hexdigest()
        registry[name] = {
            "file_name": file.name,
            "formatting": "sharegpt",
            "columns": {"messages": "messages", "images": "images"},
            "tags": TAGS,
        }
    _write(folder / "dataset_info.json", json.dumps(registry, indent=2).encode())
    return hashes


def write_holdout(folder: Path, holdout: Sequence[Question], files: Sequence[Path]) -> Path:
    """Writes the held-out examples as they stand in the files read, so that evaluation reads them with --split support.

    `holdout` are questions of these files, whose ids count through them in order.
    """
    items: list[Any] = []
    for file in files:
        items.extend(json.loads(file.read_bytes()))
    path = folder / "holdout.json"
    _write(path, json.dumps([items[q.id - 1] for q in holdout], ensure_ascii=False, indent=1).encode())
    return path


def _write(path: Path, content: bytes) -> None:
    half = path.with_name(path.name + ".tmp")
    half.write_bytes(content)
    half.replace(path)
