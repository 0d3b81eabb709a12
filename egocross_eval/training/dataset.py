"""Writes examples as a LLaMA-Factory dataset: prompts of evaluation's own renderer, absolute image paths, tags."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.counted import counted
from egocross_eval.documents import decode_entries
from egocross_eval.errors import DataError, UsageError
from egocross_eval.files import read_bytes, write_file
from egocross_eval.frames.roots import DataRoot
from egocross_eval.prompts.renderer import Renderer, prompt_text
from egocross_eval.schema import Prompt, Question
from egocross_eval.training.frame_copies import FrameCopies

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
    if renderer.settings.media == "video":
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
                f"{question.key}: {marks} {PLACEHOLDER} marks for {counted(len(prompt.images()), 'image')}; its "
                "text or "
                f"the prompt template writes {PLACEHOLDER} itself"
            )
        target = question.target
        if target is None or (question.options and target not in question.options):
            raise DataError(f"{question.key}: the answer is {target!r}, not one of {', '.join(question.options)}")
        yield Rendered(question=question, prompt=prompt, answer=target)


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
        write_file(file, content)
        hashes[file.name] = hashlib.sha256(content).hexdigest()
        registry[name] = {
            "file_name": file.name,
            "formatting": "sharegpt",
            "columns": {"messages": "messages", "images": "images"},
            "tags": TAGS,
        }
    write_file(folder / "dataset_info.json", json.dumps(registry, indent=2).encode())
    return hashes


def write_holdout(folder: Path, holdout: Sequence[Question], files: Sequence[Path]) -> Path:
    """Writes the held-out examples as they stand in the files read, so that evaluation reads them with --split support.

    `holdout` are questions of these files, whose ids count through them in order.
    """
    items: list[Any] = []
    for file in files:
        items.extend(decode_entries(read_bytes(file), Any, str(file)))
    path = folder / "holdout.json"
    write_file(path, json.dumps([items[q.id - 1] for q in holdout], ensure_ascii=False, indent=1).encode())
    return path
