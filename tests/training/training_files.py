"""Small examples, checkpoints without weights and testbeds, for tests of training."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import msgspec
from PIL import Image

from egocross_eval.settings import PromptSettings
from egocross_eval.training.card import CARD_VERSION, TrainingCard

LETTERS = "ABCD"


def write_frame(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (96, 64)) -> None:
    """A picture of its own for each colour, which no other looks like in other colours either."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = Image.frombytes("RGB", (6, 4), random.Random(repr(colour)).randbytes(72))
    coarse.resize(size, Image.Resampling.BICUBIC).save(path)


def example(video: str = "005", number: int = 1, answer: str = "B", **changes: Any) -> dict[str, Any]:
    """An animal example on two frames."""
    folder = f"frames/EgoPet/{video}/frames/ai_q{number}"
    images = [f"{folder}/frame_{n}.jpg" for n in (1, 51)]
    lines = [
        "What type of animal is featured in this egocentric video segment?",
        "A. Wolf",
        "B. Cat",
        "C. Dog",
        "D. Shark",
    ]
    values: dict[str, Any] = {
        "messages": [
            {"role": "user", "content": "<image>" * len(images) + "\n".join(lines)},
            {"role": "assistant", "content": answer},
        ],
        "images": images,
        "domain": "animal",
    }
    return values | changes


def write_support(root: Path, examples: list[dict[str, Any]], *, frames: bool = True) -> Path:
    """A data root with a support set of these examples, and their frames."""
    folder = root / "egocross_support_set"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.json").write_text(json.dumps(examples), encoding="utf-8")
    if frames:
        for place, item in enumerate(examples):
            for turn, image in enumerate(item["images"]):
                write_frame(folder / image, (20 + place * 3, 40 + turn, 90))
    return root


def four_videos() -> list[dict[str, Any]]:
    """Twenty examples on four source videos; every letter is right equally often."""
    return [example(f"{place % 4:03d}", place, LETTERS[place % 4]) for place in range(20)]


def write_base(folder: Path, **changes: Any) -> Path:
    """The small files of a Qwen3-VL of four billion parameters."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "architectures": ["Qwen3VLForConditionalGeneration"],
        "model_type": "qwen3_vl",
        "tie_word_embeddings": True,
        "dtype": "bfloat16",
        "text_config": {
            "hidden_size": 2560,
            "num_hidden_layers": 36,
            "num_attention_heads": 32,
            "num_key_value_heads": 8,
            "head_dim": 128,
            "intermediate_size": 9728,
            "vocab_size": 151936,
            "max_position_embeddings": 262144,
            "rope_theta": 5000000,
            "rope_scaling": {"mrope_interleaved": True, "mrope_section": [24, 20, 20], "rope_type": "default"},
        },
        "vision_config": {
            "depth": 24,
            "hidden_size": 1024,
            "intermediate_size": 4096,
            "out_hidden_size": 2560,
            "spatial_merge_size": 2,
            "deepstack_visual_indexes": [5, 11, 17],
            "num_position_embeddings": 2304,
        },
    }
    processor = {
        "image_processor_type": "Qwen2VLImageProcessorFast",
        "patch_size": 16,
        "merge_size": 2,
        "temporal_patch_size": 2,
        "size": {"shortest_edge": 65536, "longest_edge": 16777216},
    }
    files = {"config.json": config | changes, "preprocessor_config.json": processor}
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return folder


def training_card(**changes: Any) -> TrainingCard:
    """A card of a small LoRA training."""
    card = TrainingCard(
        card_version=CARD_VERSION,
        created_at="2026-01-01T00:00:00Z",
        base="/models/base",
        base_revision="abc",
        kind="lora",
        recipe="lora",
        deviations=["a | b"],
        arguments={"learning_rate": 2e-4},
        launch={"gpus": 1},
        prompt=PromptSettings(frames="uniform:8", timestamps=True, max_pixels=360000),
        examples=20,
        held_out=0,
        domains=["animal"],
        curriculum={},
        data_hashes={"train.json": "00"},
        parity="equal in all 20 examples compared",
        steps=6,
        seconds=60.0,
        loss=[(1, 1.5), (6, 0.5)],
        versions={"torch": "2.14.0"},
    )
    return msgspec.structs.replace(card, **changes)
