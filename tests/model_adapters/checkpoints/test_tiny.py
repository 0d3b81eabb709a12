"""The tiny checkpoint has all that a real one has, loads offline, and repeats itself."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.checkpoints.tiny import TinyShape, build_tiny


@pytest.fixture(scope="module")
def processor(tiny_checkpoint: Path) -> Any:
    from transformers import AutoProcessor

    return AutoProcessor.from_pretrained(tiny_checkpoint)


def digest(path: Path) -> str:
    return hashlib.sha256((path / "model.safetensors").read_bytes()).hexdigest()


def test_a_folder_with_other_things_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        build_tiny(tmp_path)


def test_a_checkpoint_of_another_kind_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"vision_config": {"num_position_embeddings": 2304}}))
    with pytest.raises(UsageError, match="holds no tiny checkpoint"):
        build_tiny(tmp_path)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_text("")
    with pytest.raises(UsageError, match="is a file"):
        build_tiny(path)


@pytest.mark.parametrize("wrong", [{"width": 100}, {"vision_width": 40}, {"layers": 0}, {"frame_pixels": 100}])
def test_impossible_sizes_are_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        build_tiny(tmp_path / "model", shape=TinyShape(**wrong))


@pytest.mark.slow
def test_equal_seeds_give_equal_weights_and_others_do_not(tmp_path: Path, tiny_checkpoint: Path) -> None:
    build_tiny(tmp_path / "same", seed=0)
    build_tiny(tmp_path / "other", seed=1)
    build_tiny(tmp_path / "other", seed=2)  # an earlier tiny checkpoint may be replaced
    assert digest(tmp_path / "same") == digest(tiny_checkpoint)
    assert digest(tmp_path / "other") != digest(tiny_checkpoint)
    for name in ("tokenizer.json", "config.json"):
        assert (tmp_path / "same" / name).read_bytes() == (tiny_checkpoint / name).read_bytes()


@pytest.mark.slow
def test_building_leaves_the_global_random_state_alone(tmp_path: Path) -> None:
    import torch

    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    build_tiny(tmp_path / "model")
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.slow
def test_letters_and_digits_are_single_tokens(processor: Any) -> None:
    for symbol in "ABCDEFGHabcd0123456789":
        assert len(processor.tokenizer(symbol).input_ids) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    ["How many distinct types of tools were visible from 0.00s to 10.00s?", "猫 naïve\n\t  «x»", "<think>no</think> B"],
)
def test_text_survives_the_tokenizer(processor: Any, text: str) -> None:
    assert processor.tokenizer.decode(processor.tokenizer(text).input_ids) == text


@pytest.mark.slow
def test_words_of_the_benchmark_are_mostly_whole_tokens(processor: Any) -> None:
    text = "the surgeon was holding a grasper with the left hand to dissect the gallbladder"
    assert len(processor.tokenizer(text).input_ids) <= len(text.split()) + 2


@pytest.mark.slow
def test_prompts_have_the_layout_of_qwen3_vl(processor: Any) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Which?"}, {"type": "video"}]},
    ]
    text = processor.apply_chat_template(messages, add_generation_prompt=True)
    assert text == (
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        "<|im_start|>user\n<|vision_start|><|image_pad|><|vision_end|>Which?"
        "<|vision_start|><|video_pad|><|vision_end|><|im_end|>\n<|im_start|>assistant\n"
    )
    for token in ("<|im_start|>", "<|vision_start|>", "<|image_pad|>", "<|video_pad|>"):
        assert len(processor.tokenizer(token).input_ids) == 1


@pytest.mark.slow
def test_it_is_a_qwen3_vl_of_about_a_million_parameters(tiny_checkpoint: Path) -> None:
    from transformers import AutoModelForImageTextToText

    model = AutoModelForImageTextToText.from_pretrained(tiny_checkpoint)
    config = json.loads((tiny_checkpoint / "config.json").read_text())
    assert type(model).__name__ == "Qwen3VLForConditionalGeneration"
    assert 1_000_000 < model.num_parameters() < 1_200_000
    assert config["architectures"] == ["Qwen3VLForConditionalGeneration"]
    rope = config["text_config"]["rope_parameters"]
    assert 2 * sum(rope["mrope_section"]) == config["text_config"]["head_dim"]


@pytest.mark.slow
def test_a_frame_of_64_pixels_a_side_costs_four_tokens(processor: Any) -> None:
    from PIL import Image

    inputs = processor(text="<|image_pad|>", images=[Image.new("RGB", (640, 640))], return_tensors="pt")
    assert inputs["input_ids"].shape[1] == 4
