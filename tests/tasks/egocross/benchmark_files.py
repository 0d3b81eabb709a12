"""Writes small files in the forms of the benchmark, for tests of what reads them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from PIL import Image

FOLDER = "/egocross_testbed/EgoPet/generated/809/frames/ai_q1"


def picture(kind: str = "JPEG", colour: int = 90, size: tuple[int, int] = (32, 24)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (colour, 40, 200)).save(buffer, kind)
    return buffer.getvalue()


def item(**changes: Any) -> dict[str, Any]:
    """One entry of a testbed file."""
    entry: dict[str, Any] = {
        "id": 1,
        "dataset": "EgoPet",
        "primary_category": "Identification",
        "question_type": "animal identification",
        "question_text": "What type of animal is featured in this egocentric video segment?",
        "options": ["A: Cheetah", "B: Cat", "C: Turtle", "D: Alligator"],
        "original_video_fps": 30.0,
        "video_path": [f"{FOLDER}/frame_{n:05d}.jpg" for n in range(3)],
    }
    entry.update(changes)
    return entry


def clip(dataset: str, kind: str, names: list[str], *, video: str = "04") -> list[str]:
    return [f"/egocross_testbed/{dataset}/generated/{video}/frames/{kind}/{name}" for name in names]


def sport_item(number: int, question: str, frames: int = 3, **changes: Any) -> dict[str, Any]:
    names = [f"frame_{n:05d}.jpg" for n in range(frames)]
    entry = item(
        id=number,
        dataset="ExtrameSportFPV",
        question_type="special action identification",
        question_text=question,
        options=["A: Spin", "B: Roll", "C: Climb", "D: Jump"],
        video_path=clip("ExtrameSportFPV", f"sai_q{number}", names, video="VID001"),
    )
    entry.update(changes)
    return entry


def write_testbed(root: Path, items: list[dict[str, Any]], *, frames: bool = True) -> Path:
    """Writes the questions file below `root` and, unless told not to, a picture for each frame."""
    path = root / "egocross_testbed" / "egocross_testbed_imgs.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(items), encoding="utf-8")
    if frames:
        for number, name in enumerate(name for entry in items for name in entry["video_path"]):
            write_frame(root, name, colour=40 * number % 250)
    return path


def write_frame(root: Path, name: str, *, colour: int = 90) -> Path:
    path = root / name.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture("PNG" if name.endswith(".png") else "JPEG", colour))
    return path


def example(**changes: Any) -> dict[str, Any]:
    """One entry of a support file; `question`, `options`, `answer` go into its messages."""
    question = changes.pop("question", "What type of animal is featured in this egocentric video segment?")
    options = changes.pop("options", ["A. Wolf", "B. Cat", "C. Dog", "D. Shark"])
    answer = changes.pop("answer", "B")
    entry: dict[str, Any] = {
        "images": [f"frames/EgoPet/022/frames/ai_q5/frame_{n}.jpg" for n in (0, 28, 56)],
        "domain": "animal",
    }
    entry.update(changes)
    marks = "<image>" * len(entry["images"])
    entry.setdefault(
        "messages",
        [
            {"role": "user", "content": marks + "\n".join([question, *options])},
            {"role": "assistant", "content": answer},
        ],
    )
    return entry


def write_support(root: Path, examples: list[dict[str, Any]], name: str = "train.json") -> Path:
    path = root / "egocross_support_set" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(examples), encoding="utf-8")
    return path
