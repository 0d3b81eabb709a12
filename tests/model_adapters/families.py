"""Tiny random checkpoints of other families than Qwen3-VL, each as its published ones are laid out."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import checkpoints

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

VISION_START, VISION_END = "<|vision_start|>", "<|vision_end|>"

PLAIN_TEMPLATE = (
    "{% for message in messages %}{{ message['role'].upper() + ': ' }}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'text' %}{{ part['text'] }}{% else %}{{ '<' + part['type'] + '>' }}{% endif %}"
    "{% endfor %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)

NAMES: Mapping[str, str] = MappingProxyType({})

TOWER = MappingProxyType({"vision_tower.": "vision_tower.vision_model."})
"""Where nothing was loaded, transformers 5 saves the towers of CLIP and SigLIP by names that only it reads."""

TEXT = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 32,
    "max_position_embeddings": 4096,
    "initializer_range": 0.2,
}

VISION: dict[str, Any] = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2}


def tokenizer(*extra: str) -> Any:
    """The tiny Qwen tokenizer with more special tokens."""
    from transformers import AutoTokenizer

    tokens = AutoTokenizer.from_pretrained(checkpoints.tiny_checkpoint())
    tokens.add_special_tokens({"extra_special_tokens": list(extra)}, replace_extra_special_tokens=False)
    return tokens


def save(path: Path, model_class: Any, config: Any, processor: Any, published: Mapping[str, str] = NAMES) -> Path:
    """Writes a model with random weights; `published`: how tensors are called there whose names begin so here."""
    import torch
    from safetensors.torch import load_file, save_file

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = model_class(config)
    tokens = processor.tokenizer
    model.generation_config.eos_token_id = tokens.eos_token_id
    model.generation_config.pad_token_id = tokens.pad_token_id
    model.save_pretrained(path)
    if published:
        tensors = load_file(path / "model.safetensors")
        named = {_renamed(name, published): tensor for name, tensor in tensors.items()}
        save_file(named, path / "model.safetensors", metadata={"format": "pt"})
    processor.save_pretrained(path)
    return path


def _renamed(name: str, published: Mapping[str, str]) -> str:
    for here, there in published.items():
        if name.startswith(here):
            return there + name.removeprefix(here)
    return name


def qwen2_5_vl(path: Path) -> Path:
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
    )

    tokens = tokenizer()
    text = TEXT | {
        "vocab_size": len(tokens),
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [4, 6, 6]},
        "bos_token_id": None,
        "eos_token_id": tokens.eos_token_id,
    }
    vision = {
        "depth": 2,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_heads": 2,
        "patch_size": 14,
        "window_size": 56,
        "fullatt_block_indexes": [1],
        "out_hidden_size": 64,
        "tokens_per_second": 2,
    }
    config = Qwen2_5_VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=tokens.convert_tokens_to_ids("<|image_pad|>"),
        video_token_id=tokens.convert_tokens_to_ids("<|video_pad|>"),
        vision_start_token_id=tokens.convert_tokens_to_ids(VISION_START),
        vision_end_token_id=tokens.convert_tokens_to_ids(VISION_END),
    )
    processor = Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(size={"shortest_edge": 3136, "longest_edge": 50176}),
        video_processor=Qwen2VLVideoProcessor(size={"shortest_edge": 3136, "longest_edge": 50176}),
        tokenizer=tokens,
        chat_template=tokens.chat_template,
    )
    return save(path, Qwen2_5_VLForConditionalGeneration, config, processor)


def llava(path: Path) -> Path:
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    tokens = tokenizer("<image>")
    vision = CLIPVisionConfig(
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=3,
        num_attention_heads=2,
        image_size=56,
        patch_size=14,
        initializer_range=0.2,
    )
    text = LlamaConfig(**TEXT, vocab_size=len(tokens), eos_token_id=tokens.eos_token_id)
    config = LlavaConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=tokens.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-2,
    )
    side = {"height": 56, "width": 56}
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessor(size={"shortest_edge": 56}, crop_size=side),
        tokenizer=tokens,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=PLAIN_TEMPLATE,
    )
    return save(path, LlavaForConditionalGeneration, config, processor, TOWER)


def llava_onevision(path: Path) -> Path:
    from transformers import (
        LlavaOnevisionConfig,
        LlavaOnevisionForConditionalGeneration,
        LlavaOnevisionImageProcessor,
        LlavaOnevisionProcessor,
        LlavaOnevisionVideoProcessor,
    )

    tokens = tokenizer("<image>", "<video>")
    text = TEXT | {"vocab_size": len(tokens), "model_type": "qwen2", "eos_token_id": tokens.eos_token_id}
    vision = VISION | {
        "model_type": "siglip_vision_model",
        "image_size": 56,
        "patch_size": 14,
        "vision_use_head": False,
    }
    grid = [[56, 112], [112, 56], [112, 112]]
    config = LlavaOnevisionConfig(
        text_config=text,
        vision_config=vision,
        image_token_index=tokens.convert_tokens_to_ids("<image>"),
        video_token_index=tokens.convert_tokens_to_ids("<video>"),
        image_grid_pinpoints=grid,
        vision_feature_select_strategy="full",
        vision_feature_layer=-1,
    )
    size = {"height": 56, "width": 56}
    processor = LlavaOnevisionProcessor(
        image_processor=LlavaOnevisionImageProcessor(size=size, image_grid_pinpoints=grid),
        video_processor=LlavaOnevisionVideoProcessor(size=size),
        tokenizer=tokens,
        num_image_tokens=16,
        vision_feature_select_strategy="full",
        chat_template=PLAIN_TEMPLATE,
    )
    return save(path, LlavaOnevisionForConditionalGeneration, config, processor, TOWER)


def idefics3(path: Path) -> Path:
    from transformers import Idefics3Config, Idefics3ForConditionalGeneration, Idefics3ImageProcessor, Idefics3Processor

    tokens = tokenizer("<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>")
    text = TEXT | {"vocab_size": len(tokens), "model_type": "llama", "eos_token_id": tokens.eos_token_id}
    vision = VISION | {
        "image_size": 64,
        "patch_size": 16,
    }
    config = Idefics3Config(
        text_config=text,
        vision_config=vision,
        image_token_id=tokens.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=tokens.pad_token_id,
    )
    processor = Idefics3Processor(
        image_processor=Idefics3ImageProcessor(size={"longest_edge": 128}, max_image_size={"longest_edge": 64}),
        tokenizer=tokens,
        image_seq_len=4,
        chat_template=PLAIN_TEMPLATE,
    )
    return save(path, Idefics3ForConditionalGeneration, config, processor)


def named_tokenizer(**tokens: str) -> Any:
    """The tiny Qwen tokenizer with special tokens that processors ask for by name."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(checkpoints.tiny_checkpoint(), extra_special_tokens=tokens)


def smolvlm(path: Path) -> Path:
    from transformers import (
        SmolVLMConfig,
        SmolVLMForConditionalGeneration,
        SmolVLMImageProcessor,
        SmolVLMProcessor,
        SmolVLMVideoProcessor,
    )

    tokens = named_tokenizer(
        image_token="<image>",
        fake_image_token="<fake_token_around_image>",
        global_image_token="<global-img>",
        end_of_utterance_token="<end_of_utterance>",
    )
    text = TEXT | {"vocab_size": len(tokens), "model_type": "llama", "eos_token_id": tokens.eos_token_id}
    vision = VISION | {
        "image_size": 64,
        "patch_size": 16,
    }
    config = SmolVLMConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=tokens.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=tokens.pad_token_id,
    )
    sizes: dict[str, Any] = {"size": {"longest_edge": 128}, "max_image_size": {"longest_edge": 64}}
    processor = SmolVLMProcessor(
        image_processor=SmolVLMImageProcessor(**sizes),
        video_processor=SmolVLMVideoProcessor(**sizes),
        tokenizer=tokens,
        image_seq_len=4,
        chat_template=PLAIN_TEMPLATE,
    )
    return save(path, SmolVLMForConditionalGeneration, config, processor)


def internvl(path: Path) -> Path:
    from transformers import (
        GotOcr2ImageProcessor,
        InternVLConfig,
        InternVLForConditionalGeneration,
        InternVLProcessor,
        InternVLVideoProcessor,
    )

    tokens = named_tokenizer(
        start_image_token="<img>",
        end_image_token="</img>",
        context_image_token="<IMG_CONTEXT>",
        video_token="<video>",
    )
    text = TEXT | {"vocab_size": len(tokens), "model_type": "qwen2", "eos_token_id": tokens.eos_token_id}
    vision = VISION | {
        "image_size": [56, 56],
        "patch_size": [14, 14],
    }
    config = InternVLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=tokens.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
    )
    size = {"height": 56, "width": 56}
    processor = InternVLProcessor(
        image_processor=GotOcr2ImageProcessor(size=size, crop_to_patches=False, max_patches=4),
        video_processor=InternVLVideoProcessor(size=size),
        tokenizer=tokens,
        image_seq_length=4,
        chat_template=PLAIN_TEMPLATE.replace(
            "'<' + part['type'] + '>'", "'<video>' if part['type'] == 'video' else '<IMG_CONTEXT>'"
        ),
    )
    return save(path, InternVLForConditionalGeneration, config, processor)


def gemma3(path: Path) -> Path:
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration, Gemma3ImageProcessor, Gemma3Processor

    tokens = named_tokenizer(boi_token="<start_of_image>", eoi_token="<end_of_image>", image_token="<image_soft_token>")
    tokens.add_tokens(["\n" * count for count in range(1, 5)])  # single tokens there, and vLLM looks for them
    text = TEXT | {
        "vocab_size": len(tokens),
        "eos_token_id": tokens.eos_token_id,
        "pad_token_id": tokens.pad_token_id,
        "bos_token_id": None,
        "query_pre_attn_scalar": 32,
        "sliding_window": 64,
    }
    vision = VISION | {
        "image_size": 56,
        "patch_size": 14,
        "vision_use_head": False,
    }
    config = Gemma3Config(
        text_config=text,
        vision_config=vision,
        mm_tokens_per_image=4,
        boi_token_index=tokens.convert_tokens_to_ids("<start_of_image>"),
        eoi_token_index=tokens.convert_tokens_to_ids("<end_of_image>"),
        image_token_index=tokens.convert_tokens_to_ids("<image_soft_token>"),
    )
    processor = Gemma3Processor(
        image_processor=Gemma3ImageProcessor(size={"height": 56, "width": 56}),
        tokenizer=tokens,
        image_seq_length=4,
        chat_template=PLAIN_TEMPLATE.replace("'<' + part['type'] + '>'", "'<start_of_image>'"),
    )
    return save(path, Gemma3ForConditionalGeneration, config, processor, TOWER)


def glm4v(path: Path) -> Path:
    from transformers import (
        Glm4vConfig,
        Glm4vForConditionalGeneration,
        Glm4vImageProcessor,
        Glm4vProcessor,
        Glm4vVideoProcessor,
    )

    names = ("image", "video", "begin_of_image", "end_of_image", "begin_of_video", "end_of_video")
    tokens = tokenizer(*(f"<|{name}|>" for name in names))
    ids = {name: tokens.convert_tokens_to_ids(f"<|{name}|>") for name in names}
    text = TEXT | {
        "vocab_size": len(tokens),
        "eos_token_id": tokens.eos_token_id,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10000.0,
            "partial_rotary_factor": 0.5,
            "mrope_section": [2, 3, 3],
        },
    }
    vision = {
        "depth": 2,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_heads": 2,
        "image_size": 56,
        "patch_size": 14,
        "out_hidden_size": 64,
    }
    config = Glm4vConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=ids["image"],
        video_token_id=ids["video"],
        image_start_token_id=ids["begin_of_image"],
        image_end_token_id=ids["end_of_image"],
        video_start_token_id=ids["begin_of_video"],
        video_end_token_id=ids["end_of_video"],
    )
    size = {"shortest_edge": 56 * 56, "longest_edge": 112 * 112}
    wrapped = "'<|begin_of_' + part['type'] + '|><|' + part['type'] + '|><|end_of_' + part['type'] + '|>'"
    processor = Glm4vProcessor(
        image_processor=Glm4vImageProcessor(size=size),
        video_processor=Glm4vVideoProcessor(size=size),
        tokenizer=tokens,
        chat_template=PLAIN_TEMPLATE.replace("'<' + part['type'] + '>'", wrapped),
    )
    return save(path, Glm4vForConditionalGeneration, config, processor)


FAMILIES = {
    "qwen2_5_vl": qwen2_5_vl,
    "llava": llava,
    "llava_onevision": llava_onevision,
    "idefics3": idefics3,
    "smolvlm": smolvlm,
    "internvl": internvl,
    "gemma3": gemma3,
    "glm4v": glm4v,
}

WITH_VIDEO = ("qwen2_5_vl", "llava_onevision", "smolvlm", "internvl", "glm4v")
"""Those whose processors take native videos."""
