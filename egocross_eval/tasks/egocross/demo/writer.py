"""Writes the demo benchmark: draws the frames, then the JSON files in the forms of the real ones."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from egocross_eval.tasks.egocross.catalogue import DOMAINS, LETTERS, Cell
from egocross_eval.tasks.egocross.demo.layout import SOURCES, question_id, support_folder, testbed_folder
from egocross_eval.tasks.egocross.demo.plan import Item, plan_support, plan_testbed, plan_training
from egocross_eval.tasks.egocross.layout import (
    ANSWERS_NAME,
    QUESTIONS_NAME,
    SUPPORT_FOLDER,
    SUPPORT_NAME,
    TESTBED_FOLDER,
)

_COLON_DOMAINS = frozenset({"industry", "surgery"})
"""Domains whose support examples write options as `A: text`; the others write `A. text`."""


class FrameCount:
    """Counts what is written."""

    def __init__(self) -> None:
        self.files = 0
        self.bytes = 0


def write_testbed(root: Path, seed: int, per_cell: int, scale: float, count: FrameCount) -> int:
    """Writes `egocross_testbed/` below `root`; returns the number of questions."""
    items = plan_testbed(seed, per_cell, scale)
    questions, answers, template = [], [], []
    paths = _write_frames(root, items, lambda item: testbed_folder(item.cell, item.video, item.number), count)
    for number, (item, frames) in enumerate(zip(items, paths, strict=True), start=1):
        name = question_id(item.cell, item.video, item.number)
        questions.append(
            {
                "id": number,
                "dataset": item.cell.dataset,
                "primary_category": item.cell.category,
                "question_type": item.cell.question_type,
                "question_text": item.riddle.text,
                "options": [f"{letter}: {text}" for letter, text in zip(LETTERS, item.options, strict=True)],
                "original_video_fps": SOURCES[item.cell.dataset].fps,
                # Listed as sorted strings, as in the real file: not always in the order of time.
                "video_path": ["/" + path for path in sorted(frames)],
            }
        )
        answers.append(
            {
                "id": number,
                "correct_option_letter": item.letter,
                "answer_text": item.riddle.answer,
                "detailed_answer": item.riddle.detail,
                "question_id": name,
            }
        )
        template.append({"id": number, "question_id": name, "dataset": item.cell.dataset, "answer": ""})
    folder = root / TESTBED_FOLDER
    _write_json(folder / QUESTIONS_NAME, questions)
    _write_json(folder / ANSWERS_NAME, answers)
    _write_json(folder / "submission_template.json", template)
    return len(items)


def write_support(root: Path, seed: int, scale: float, count: FrameCount) -> int:
    """Writes `egocross_support_set/` below `root` without a training split; returns the number of examples."""
    folder = root / SUPPORT_FOLDER
    items = plan_support(seed, scale)
    paths = _write_frames(folder, items, lambda item: support_folder(item.cell, item.video, item.number), count)
    examples = [_example(item, frames) for item, frames in zip(items, paths, strict=True)]
    _give_wrong_clip(items, examples)
    _write_json(folder / SUPPORT_NAME, examples)
    for domain in DOMAINS:
        _write_json(folder / f"train_{domain}.json", [e for e in examples if e["domain"] == domain])
    names = {"egocross": "train.json"} | {f"egocross_{domain}": f"train_{domain}.json" for domain in DOMAINS}
    _write_json(folder / "dataset_info.json", {name: _registered(file) for name, file in names.items()})
    return len(examples)


def write_training(root: Path, seed: int, total: int, count: FrameCount, cells: Collection[Cell]) -> int:
    """Adds `training.json`, a training split of `cells`, to the support set; returns the number of examples."""
    folder = root / SUPPORT_FOLDER
    examples: list[dict[str, Any]] = []
    for _, group in groupby(plan_training(seed, total, cells), key=lambda item: id(item.shot)):
        clip = list(group)
        paths = _write_frames(folder, clip, lambda item: support_folder(item.cell, item.video, item.number), count)
        examples += [_example(item, frames) for item, frames in zip(clip, paths, strict=True)]
    _write_json(folder / "training.json", examples)
    registry = folder / "dataset_info.json"
    known = json.loads(registry.read_text(encoding="utf-8"))
    _write_json(registry, known | {"egocross_training": _registered("training.json")})
    return len(examples)


def _write_frames(
    base: Path, items: Sequence[Item], folder_of: Callable[[Item], str], count: FrameCount
) -> list[list[str]]:
    """Draws each clip once and writes its frames into the folder of each of its questions; returns their paths."""
    drawn: dict[int, list[bytes]] = {}
    paths = []
    for item in items:
        pictures = drawn.get(id(item.shot))
        if pictures is None:
            drawn.clear()
            pictures = drawn[id(item.shot)] = [
                _encoded(item, time, name) for time, name in zip(item.shot.times, item.names, strict=True)
            ]
        folder = folder_of(item)
        (base / folder).mkdir(parents=True)
        for name, data in zip(item.names, pictures, strict=True):
            (base / folder / name).write_bytes(data)
            count.files += 1
            count.bytes += len(data)
        paths.append([f"{folder}/{name}" for name in item.names])
    return paths


def _encoded(item: Item, time: float, name: str) -> bytes:
    picture = item.shot.scene.draw(time)
    buffer = io.BytesIO()
    if name.endswith(".png"):
        picture.save(buffer, "PNG", compress_level=6)
    else:
        picture.save(buffer, "JPEG", quality=75)
    return buffer.getvalue()


def _example(item: Item, frames: Iterable[str]) -> dict[str, Any]:
    """ShareGPT form, with the option style of the domain."""
    images = list(frames)
    mark = ":" if item.cell.domain in _COLON_DOMAINS else "."
    lines = [f"{letter}{mark} {text}" for letter, text in zip(LETTERS, item.options, strict=True)]
    prompt = "<image>" * len(images) + "\n".join([item.riddle.text, *lines])
    return {
        "messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": item.letter}],
        "images": images,
        "domain": item.cell.domain,
    }


def _give_wrong_clip(items: Sequence[Item], examples: Sequence[dict[str, Any]]) -> None:
    """Lets one "next interaction" example carry the clip of a counting question, as two of the real support set do."""
    donor = next(
        i for i, item in enumerate(items) if item.cell.support_abbreviation == "dotc" and item.cell.dataset == "ENIGMA"
    )
    taker = next(i for i, item in enumerate(items) if item.cell.question_type == "next interaction prediction")
    example = examples[taker]
    marks = "<image>" * len(example["images"])
    example["images"] = list(examples[donor]["images"])
    user = example["messages"][0]
    user["content"] = "<image>" * len(example["images"]) + user["content"].removeprefix(marks)


def _registered(file_name: str) -> dict[str, Any]:
    """How a data file is announced in `dataset_info.json`, with the tags that its messages need."""
    return {
        "file_name": file_name,
        "formatting": "sharegpt",
        "columns": {"messages": "messages", "images": "images"},
        "tags": {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"},
    }


def _write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
