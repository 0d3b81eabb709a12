"""Processors of several families with the sizes of their published checkpoints, and the tiny tokenizer.

The sizes are written down from memory of these checkpoints; only what an image costs depends on them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "model_adapters"))
sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

import checkpoints
from families import PLAIN_TEMPLATE, named_tokenizer, tokenizer


def qwen3_vl() -> Any:
    from transformers import AutoProcessor

    processor = AutoProcessor.from_pretrained(checkpoints.tiny_checkpoint())
    processor.image_processor.size = {"shortest_edge": 65_536, "longest_edge": 16_777_216}
    return padded(processor)


def internvl() -> Any:
    from transformers import GotOcr2ImageProcessor, InternVLProcessor, InternVLVideoProcessor

    tokens = named_tokenizer(
        start_image_token="<img>",
        end_image_token="</img>",
        context_image_token="<IMG_CONTEXT>",
        video_token="<video>",
    )
    size = {"height": 448, "width": 448}
    processor = InternVLProcessor(
        image_processor=GotOcr2ImageProcessor(size=size, max_patches=12),
        video_processor=InternVLVideoProcessor(size=size),
        tokenizer=tokens,
        image_seq_length=256,
        chat_template=PLAIN_TEMPLATE.replace("'<' + part['type'] + '>'", "'<IMG_CONTEXT>'"),
    )
    return padded(processor)


def gemma3() -> Any:
    from transformers import Gemma3ImageProcessor, Gemma3Processor

    tokens = named_tokenizer(boi_token="<start_of_image>", eoi_token="<end_of_image>", image_token="<image_soft_token>")
    processor = Gemma3Processor(
        image_processor=Gemma3ImageProcessor(size={"height": 896, "width": 896}),
        tokenizer=tokens,
        image_seq_length=256,
        chat_template=PLAIN_TEMPLATE.replace("'<' + part['type'] + '>'", "'<start_of_image>'"),
    )
    return padded(processor)


def smolvlm2() -> Any:
    from transformers import SmolVLMImageProcessor, SmolVLMProcessor, SmolVLMVideoProcessor

    tokens = named_tokenizer(
        image_token="<image>",
        fake_image_token="<fake_token_around_image>",
        global_image_token="<global-img>",
        end_of_utterance_token="<end_of_utterance>",
    )
    sizes: dict[str, Any] = {"size": {"longest_edge": 2048}, "max_image_size": {"longest_edge": 512}}
    processor = SmolVLMProcessor(
        image_processor=SmolVLMImageProcessor(**sizes),
        video_processor=SmolVLMVideoProcessor(**sizes),
        tokenizer=tokens,
        image_seq_len=64,
        chat_template=PLAIN_TEMPLATE,
    )
    return padded(processor)


def llava_onevision() -> Any:
    from transformers import LlavaOnevisionImageProcessor, LlavaOnevisionProcessor, LlavaOnevisionVideoProcessor

    grid = [[384 * rows, 384 * columns] for rows in range(1, 7) for columns in range(1, 7)]
    size = {"height": 384, "width": 384}
    processor = LlavaOnevisionProcessor(
        image_processor=LlavaOnevisionImageProcessor(size=size, image_grid_pinpoints=grid),
        video_processor=LlavaOnevisionVideoProcessor(size=size),
        tokenizer=tokenizer("<image>", "<video>"),
        num_image_tokens=729,
        vision_feature_select_strategy="full",
        chat_template=PLAIN_TEMPLATE,
    )
    return padded(processor)


def padded(processor: Any) -> Any:
    processor.tokenizer.padding_side = "left"
    return processor


PROCESSORS = {
    "Qwen3-VL": qwen3_vl,
    "InternVL3.5": internvl,
    "Gemma 3": gemma3,
    "SmolVLM2": smolvlm2,
    "LLaVA-OneVision": llava_onevision,
}
