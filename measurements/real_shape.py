"""Writes a checkpoint with the shape of Qwen3-VL-4B-Instruct and random weights, for measurements of pace and memory.

    python measurements/real_shape.py DIR

Pace and memory don't depend on what the weights are, and nothing is downloaded: tokenizer and processors are those of
`egocross-eval models build-tiny`, whose text takes more tokens than Qwen's. 9 GB; half a minute with a GPU. `--layers`
and `--vision-layers` make it smaller.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from egocross_eval.model_adapters.checkpoints.tiny import TinyShape, build_tiny

TEXT = {
    "hidden_size": 2560,
    "intermediate_size": 9728,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "vocab_size": 151_936,
    "rope_parameters": {
        "rope_type": "default",
        "rope_theta": 5_000_000,
        "mrope_section": [24, 20, 20],
        "mrope_interleaved": True,
    },
}
VISION = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_heads": 16,
    "num_position_embeddings": 2304,
    "out_hidden_size": 2560,
}
DEEPSTACK = [5, 11, 17]
"""Vision layers whose features reach the text model's first layers."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--layers", type=int, default=36)
    parser.add_argument("--vision-layers", type=int, default=24)
    options = parser.parse_args()
    build_tiny(options.folder, shape=TinyShape(context=262_144, frame_pixels=4096 * 4096))
    model = random_model(options)
    (options.folder / "model.safetensors").unlink()
    model.save_pretrained(options.folder, max_shard_size="2GB")
    print(f"{options.folder}: {sum(weight.numel() for weight in model.parameters()) / 1e9:.2f} B parameters")


def random_model(options: argparse.Namespace) -> Any:
    """The model, in bfloat16, on the GPU if there is one."""
    import torch
    from transformers import AutoConfig, GenerationConfig, Qwen3VLForConditionalGeneration

    config = AutoConfig.from_pretrained(options.folder)
    for part, shape in ((config.text_config, TEXT), (config.vision_config, VISION)):
        for name, value in shape.items():
            setattr(part, name, value)
    config.text_config.num_hidden_layers = options.layers
    config.vision_config.depth = options.vision_layers
    config.vision_config.deepstack_visual_indexes = [one for one in DEEPSTACK if one < options.vision_layers]
    config.tie_word_embeddings = config.text_config.tie_word_embeddings = True
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = Qwen3VLForConditionalGeneration(config)
    model.generation_config = GenerationConfig.from_pretrained(options.folder)
    return model


if __name__ == "__main__":
    main()
