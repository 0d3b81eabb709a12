"""What is made of the engine's outputs, and what frames take meanwhile. No vLLM is needed."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hf_requests import make_request
from msgspec import structs

from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.checkpoints.preparation import Item, PlannedFrame
from egocross_eval.model_adapters.checkpoints.scaling import patch_rule
from egocross_eval.model_adapters.vllm.engine.outputs import response
from egocross_eval.model_adapters.vllm.engine.prompts import frame_bytes, refuse_scaling


def item(mode: Any, *, exact: bool = True) -> Item:
    frame = PlannedFrame(path="1.jpg", key="1", size=(480, 800), exact=exact)
    return Item(
        request=make_request("q", [], mode=mode),
        text="",
        images=(frame, frame),
        clips=(),
        tokens=10,
        ids=(1,),
        kind="",
        labels={"A": (5, 7), "B": (6,)},
    )


def output(text: str, steps: list[dict[int, float]], tokens: list[int]) -> Any:
    logprobs = [{token: SimpleNamespace(logprob=value) for token, value in step.items()} for step in steps]
    answer = SimpleNamespace(text=text, token_ids=tokens, logprobs=logprobs, finish_reason="stop")
    return SimpleNamespace(outputs=[answer], num_cached_tokens=0)


def answered(mode: Any, found: Any) -> Any:
    return response(item(mode), found, dtype="float16", input_tokens=10, seconds=0.1)


def test_the_forms_of_a_letter_count_together() -> None:
    scores = answered("choose", output("", [{5: -1.0, 6: -2.0, 7: -1.0}], [5])).scores
    assert scores["A"] == pytest.approx(-1.0 + math.log(2))
    assert scores["B"] == -2.0


@pytest.mark.parametrize("spoiled", [{5: math.nan, 6: math.nan, 7: math.nan}, {5: -1.0, 6: math.nan, 7: -1.0}])
def test_letters_whose_scores_are_no_numbers_are_not_chosen_among(spoiled: dict[int, float]) -> None:
    found = answered("choose", output("", [spoiled], [5]))
    assert found.scores is None
    assert found.failure.kind == "not_finite"
    assert "float16" in found.failure.message


def test_a_letter_that_was_taken_among_nan_is_no_answer() -> None:
    assert answered("constrained", output("B", [{6: -0.1}, {2: -0.2}], [6, 2])).text == "B"
    found = answered("constrained", output("B", [{6: math.nan}, {2: math.nan}], [6, 2]))
    assert found.text is None
    assert found.failure.kind == "not_finite"


@pytest.mark.slow
def test_settings_that_would_scale_frames_again_are_refused(tiny_checkpoint: Path) -> None:
    from transformers import AutoProcessor

    rule = patch_rule(AutoProcessor.from_pretrained(tiny_checkpoint).image_processor)
    for told in ({"max_pixels": 1000}, {"images_kwargs": {"size": {"longest_edge": 1000}}}):
        with pytest.raises(UsageError, match=r"can't set (max_pixels|size): .*use --max-pixels"):
            refuse_scaling(told, rule)
        refuse_scaling(told, None)
    refuse_scaling({"images_kwargs": {"crop_to_patches": False}}, rule)


def test_frames_take_the_memory_of_what_a_processor_makes_of_them() -> None:
    pixels = 2 * 480 * 800
    assert frame_bytes(item("choose"), keeps_bytes=True) == 9 * pixels
    assert frame_bytes(item("choose"), keeps_bytes=False) == 27 * pixels
    others = item("choose", exact=False)
    assert frame_bytes(others, keeps_bytes=True) == 27 * pixels
    # Thirteen tiles of 512 x 512, of each of two frames, in float32.
    tiles = 2 * 13 * 512 * 512
    assert frame_bytes(structs.replace(others, values=3 * tiles), keeps_bytes=True) == 3 * pixels + 12 * tiles
