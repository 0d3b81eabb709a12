"""Builds a tiny Qwen3-VL checkpoint: random weights, its own tokenizer, offline, in seconds. For tests and the demo.

It has everything a real checkpoint has (configs, safetensors, tokenizer, chat template, image and video processors),
in the layout of the published Qwen3-VL checkpoints, so that transformers, vLLM and LLaMA-Factory load it as they load
those.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from egocross_eval.errors import UsageError
from egocross_eval.files import write_file
from egocross_eval.model_adapters.checkpoints.extras import quiet, require

if TYPE_CHECKING:
    from transformers import Qwen2Tokenizer, Qwen3VLConfig

SPECIAL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|object_ref_start|>",
    "<|object_ref_end|>",
    "<|box_start|>",
    "<|box_end|>",
    "<|quad_start|>",
    "<|quad_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
"""The special tokens of Qwen's vision-language tokenizers, in their order."""

PLAIN_TOKENS = ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>")
"""Whole tokens that Qwen's tokenizers keep when special tokens are skipped."""

HEAD_WIDTH = 32
"""Width of an attention head, in text and vision: the narrowest that vLLM's CPU attention takes."""

ROPE_SECTIONS = [6, 5, 5]
"""Rotary frequencies for time, height and width; they sum to half a head."""

PATCH = 16
MERGE = 2
"""Pixels of a patch's side, and patches of a token's side: a token covers 32 x 32 pixels, as in Qwen3-VL."""

POSITIONS = 256
"""Learned vision positions, a 16 x 16 grid that is interpolated to each frame's grid."""

_FILES = Path(__file__).parent


class TinyShape(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes of a tiny checkpoint. The defaults give 1.1 M parameters that learn simple pictures in minutes on a CPU."""

    layers: int = 3
    width: int = 128
    """Hidden width of the text model; a multiple of 64."""
    feed_forward: int = 256
    """Inner width of the text model's feed-forward blocks."""
    vision_layers: int = 2
    vision_width: int = 64
    """A multiple of 32."""
    context: int = 32768
    """Most tokens of a prompt and its answer."""
    frame_pixels: int = 64 * 64
    """Pixels that a frame is scaled down to; 4,096 are four tokens."""
    merges: int = 2000
    """Most merges of the tokenizer on top of the 256 bytes."""
    weight_spread: float = 0.02
    """Standard deviation of the random weights. At the default, the answers of an untrained model hardly depend on the
    prompt; at 0.2 they do."""


def build_tiny(path: Path, *, seed: int = 0, shape: TinyShape | None = None) -> None:
    """Writes the checkpoint into the folder `path`, made if absent. Equal `seed` and `shape` give equal weights.

    The model knows nothing: its answers are arbitrary but repeatable. Load it with `AutoProcessor` and
    `AutoModelForImageTextToText`. Raises UsageError if the folder holds something else than an earlier tiny checkpoint,
    and MissingExtraError without transformers and torch.
    """
    shape = shape or TinyShape()
    _check(path, shape)
    require()
    import torch
    from transformers import GenerationConfig, Qwen3VLForConditionalGeneration

    path.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer(shape)
    tokenizer.save_pretrained(path)
    _save_processors(path, shape)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Qwen3VLForConditionalGeneration(_config(shape, tokenizer))
    model.generation_config = GenerationConfig(
        bos_token_id=tokenizer.convert_tokens_to_ids("<|endoftext|>"),
        eos_token_id=[tokenizer.convert_tokens_to_ids(token) for token in ("<|im_end|>", "<|endoftext|>")],
        pad_token_id=tokenizer.convert_tokens_to_ids("<|endoftext|>"),
    )
    with quiet():
        model.save_pretrained(path)


def _check(path: Path, shape: TinyShape) -> None:
    if shape.width % (2 * HEAD_WIDTH) or shape.vision_width % HEAD_WIDTH:
        raise UsageError(f"width must be a multiple of {2 * HEAD_WIDTH} and vision_width of {HEAD_WIDTH}, got {shape}")
    if min(shape.layers, shape.vision_layers) < 1 or shape.frame_pixels < (PATCH * MERGE) ** 2:
        raise UsageError(f"needs at least one layer each and {(PATCH * MERGE) ** 2} pixels a frame, got {shape}")
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file; name a new folder for the checkpoint")
    if path.is_dir() and any(path.iterdir()) and not _holds_tiny(path):
        raise UsageError(f"{path} is not empty and holds no tiny checkpoint; name a new folder")


def _holds_tiny(path: Path) -> bool:
    """Whether the folder holds a checkpoint of this builder; no published one has as few vision positions."""
    try:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
        return bool(config["vision_config"]["num_position_embeddings"] == POSITIONS)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _words() -> list[str]:
    return (_FILES / "tiny_words.txt").read_text(encoding="utf-8").split()


def _tokenizer(shape: TinyShape) -> Qwen2Tokenizer:
    """A byte-level BPE with Qwen's special tokens and splitting rules, trained on the embedded words.

    A letter that is all of an answer, and any digit, is one token: bytes are tokens, and digits are split one by one.
    """
    from tokenizers import AddedToken, pre_tokenizers, trainers
    from transformers import Qwen2Tokenizer

    plain = Qwen2Tokenizer(vocab={symbol: i for i, symbol in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))})
    words = _words()
    # Mid-sentence forms count more than sentence starts, so that they get the first merges.
    corpus = [f" {word}" for word in words for _ in range(3)] + [word.capitalize() for word in words]
    trainer = trainers.BpeTrainer(
        vocab_size=256 + shape.merges,
        min_frequency=1,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=[],
        show_progress=False,
    )
    backend = plain.backend_tokenizer
    backend.train_from_iterator(corpus, trainer)
    trained = json.loads(backend.to_str())["model"]
    tokenizer = Qwen2Tokenizer(
        vocab=trained["vocab"],
        merges=[tuple(pair) for pair in trained["merges"]],
        eos_token="<|im_end|>",  # noqa: S106 - a token of the vocabulary
        pad_token="<|endoftext|>",  # noqa: S106
        unk_token=None,
        additional_special_tokens=list(SPECIAL_TOKENS),
        model_max_length=shape.context,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in PLAIN_TOKENS])
    tokenizer.chat_template = (_FILES / "tiny_chat.jinja").read_text(encoding="utf-8")
    return tokenizer


def _config(shape: TinyShape, tokenizer: Qwen2Tokenizer) -> Qwen3VLConfig:
    from transformers import Qwen3VLConfig

    # A round vocabulary: engines that split it over devices want a multiple of a power of two.
    vocabulary = -(-len(tokenizer) // 64) * 64
    token = tokenizer.convert_tokens_to_ids
    text: dict[str, Any] = {
        "vocab_size": vocabulary,
        "hidden_size": shape.width,
        "intermediate_size": shape.feed_forward,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.width // HEAD_WIDTH,
        "num_key_value_heads": shape.width // HEAD_WIDTH // 2,
        "head_dim": HEAD_WIDTH,
        "initializer_range": shape.weight_spread,
        "max_position_embeddings": shape.context,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 1_000_000.0,
            "mrope_interleaved": True,
            "mrope_section": ROPE_SECTIONS,
        },
        "bos_token_id": token("<|endoftext|>"),
        "eos_token_id": token("<|im_end|>"),
        "pad_token_id": token("<|endoftext|>"),
        "tie_word_embeddings": True,
    }
    vision: dict[str, Any] = {
        "depth": shape.vision_layers,
        "hidden_size": shape.vision_width,
        "intermediate_size": 2 * shape.vision_width,
        "num_heads": shape.vision_width // HEAD_WIDTH,
        "patch_size": PATCH,
        "spatial_merge_size": MERGE,
        "temporal_patch_size": 2,
        "out_hidden_size": shape.width,
        "initializer_range": shape.weight_spread,
        "num_position_embeddings": POSITIONS,
        "deepstack_visual_indexes": [0],
    }
    return Qwen3VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=token("<|image_pad|>"),
        video_token_id=token("<|video_pad|>"),
        vision_start_token_id=token("<|vision_start|>"),
        vision_end_token_id=token("<|vision_end|>"),
        tie_word_embeddings=True,
        dtype="float32",
    )


def _save_processors(path: Path, shape: TinyShape) -> None:
    """Writes `preprocessor_config.json` and `video_preprocessor_config.json`, as published checkpoints have them.

    Both files name the processor class, by which AutoProcessor joins them with the tokenizer.
    """
    token_pixels = (PATCH * MERGE) ** 2
    common = {
        "patch_size": PATCH,
        "temporal_patch_size": 2,
        "merge_size": MERGE,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "processor_class": "Qwen3VLProcessor",
    }
    image = {
        **common,
        "image_processor_type": "Qwen2VLImageProcessorFast",
        "size": {"shortest_edge": token_pixels, "longest_edge": shape.frame_pixels},
    }
    # A video's limits count the pixels of all its frames together.
    video = {
        **common,
        "video_processor_type": "Qwen3VLVideoProcessor",
        "size": {"shortest_edge": 2 * token_pixels, "longest_edge": 128 * shape.frame_pixels},
        "cap_pixels_per_frame": False,
    }
    for name, config in (("preprocessor_config.json", image), ("video_preprocessor_config.json", video)):
        write_file(path / name, json.dumps(config, indent=2) + "\n")
