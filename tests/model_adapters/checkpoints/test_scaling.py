"""Frames get the size that the processor itself would give them, and never more pixels than the budget."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from egocross_eval.model_adapters.checkpoints.decoding import image_tensor, scaled_tensor
from egocross_eval.model_adapters.checkpoints.scaling import patch_rule

if TYPE_CHECKING:
    from egocross_eval.model_adapters.checkpoints.scaling import PatchRule, Size

pytestmark = pytest.mark.slow

SIDES = st.integers(20, 4000)
SIZES = [(720, 1280), (64, 64), (33, 1999), (2160, 3840), (500, 20), (31, 47)]


@pytest.fixture(autouse=True)
def engine() -> None:
    """Skips the tests where the extra isn't installed."""
    pytest.importorskip("torchvision")
    pytest.importorskip("transformers")


def image_processor() -> Any:
    from transformers import Qwen2VLImageProcessor

    size = {"shortest_edge": 65536, "longest_edge": 400_000}
    return Qwen2VLImageProcessor(patch_size=16, size=size)


def video_processor() -> Any:
    from transformers import Qwen3VLVideoProcessor

    return Qwen3VLVideoProcessor(size={"shortest_edge": 4096, "longest_edge": 2_000_000})


def rule_of(part: Any) -> PatchRule:
    rule = patch_rule(part)
    assert rule is not None
    return rule


def test_processors_of_other_kinds_have_no_rule() -> None:
    from transformers import CLIPImageProcessor

    assert patch_rule(CLIPImageProcessor()) is None
    assert patch_rule(None) is None
    unresized = image_processor()
    unresized.do_resize = False
    assert patch_rule(unresized) is None


@pytest.mark.parametrize("size", SIZES)
def test_scaling_ahead_gives_the_very_pixels_of_the_processor(size: Size) -> None:
    import torch

    processor = image_processor()
    rule = rule_of(processor)
    image = Image.effect_noise((size[1], size[0]), 90).convert("RGB")
    whole = processor(images=[image], return_tensors="pt")
    ahead = processor(
        images=[scaled_tensor(image_tensor(image), rule.frame_size(size, None), rule.interpolation)],
        do_resize=False,
        return_tensors="pt",
    )
    assert torch.equal(whole["image_grid_thw"], ahead["image_grid_thw"])
    assert torch.equal(whole["pixel_values"], ahead["pixel_values"])
    assert rule.tokens(rule.frame_size(size, None)) == int(whole["image_grid_thw"].prod()) // 4


@pytest.mark.parametrize(("size", "count"), [*itertools.product([(720, 1280), (64, 64), (480, 360)], [2, 3, 5, 12])])
def test_scaling_a_clip_ahead_gives_the_very_pixels_of_the_processor(size: Size, count: int) -> None:
    import torch

    processor = video_processor()
    rule = rule_of(processor)
    images = [Image.effect_noise((size[1], size[0]), 90).convert("RGB") for _ in range(count)]
    options = {"do_sample_frames": False, "cap_pixels_per_frame": False, "return_tensors": "pt"}
    whole = processor(videos=[images], **options)
    target = rule.clip_size(count, size, None)
    frames = torch.stack([scaled_tensor(image_tensor(image), target, rule.interpolation) for image in images])
    ahead = processor(videos=[frames], do_resize=False, **options)
    assert torch.equal(whole["video_grid_thw"], ahead["video_grid_thw"])
    assert torch.equal(whole["pixel_values_videos"], ahead["pixel_values_videos"])
    assert rule.tokens(target, count) == int(whole["video_grid_thw"].prod()) // 4


@settings(max_examples=300, deadline=None)
@given(SIDES, SIDES, st.integers(1024, 3_000_000))
def test_a_frame_is_never_larger_than_the_budget_or_the_processors_limit(height: int, width: int, budget: int) -> None:
    rule = rule_of(image_processor())
    new = rule.frame_size((height, width), budget)
    assert new[0] % 32 == new[1] % 32 == 0
    assert min(new) >= 32
    if max(height, width) / min(height, width) < 10:
        assert new[0] * new[1] <= min(budget, 400_000)
    elif min(new) > 32:
        assert new[0] * new[1] <= budget


@settings(max_examples=300, deadline=None)
@given(st.integers(2, 91), SIDES, SIDES, st.integers(1024, 3_000_000))
def test_no_frame_of_a_clip_is_larger_than_the_budget(count: int, height: int, width: int, budget: int) -> None:
    rule = rule_of(video_processor())
    new = rule.clip_size(count, (height, width), budget)
    assert new[0] % 32 == new[1] % 32 == 0
    if max(height, width) / min(height, width) < 10:
        assert new[0] * new[1] <= budget


def test_a_budget_above_the_processors_limit_changes_nothing() -> None:
    rule = rule_of(image_processor())
    assert rule.frame_size((2160, 3840), 10**8) == rule.frame_size((2160, 3840), None)


def test_small_frames_are_not_blown_up_beyond_a_small_budget() -> None:
    rule = rule_of(image_processor())
    assert rule.frame_size((100, 100), None) == (256, 256)
    assert rule.frame_size((100, 100), 4096) == (64, 64)


def test_frames_too_thin_for_the_model_are_refused() -> None:
    with pytest.raises(ValueError, match="aspect ratio"):
        rule_of(image_processor()).frame_size((10, 4000), None)
