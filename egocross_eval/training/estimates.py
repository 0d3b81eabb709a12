"""Optimizer steps, memory and time of a training before it's started."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from egocross_eval.training.recipes import Launch

GIB = 2**30

GPU_RATE = {"H200": 4.0e14, "H100": 4.0e14, "A100": 1.4e14, "L40": 9.0e13, "4090": 8.0e13, "A6000": 6.0e13}
"""Operations a second that training reaches, roughly 40 % of what the maker states for bfloat16."""

OTHER_GPU_RATE = 1.0e14

CPU_RATE = 2.0e10


def optimizer_steps(examples: int, arguments: Mapping[str, Any], workers: int) -> int:
    """Number of optimizer steps, as transformers' trainer counts them.

    Examples are cut into batches, the batches are dealt out to the workers (the last round is filled up), and a last
    group of fewer than `gradient_accumulation_steps` batches in an epoch makes a step of its own.
    """
    limit = int(arguments.get("max_steps", -1))
    if limit > 0:
        return limit
    held = float(arguments.get("val_size", 0.0))
    if held:
        examples -= int(held) if held > 1 else math.ceil(examples * held)
    batch = int(arguments.get("per_device_train_batch_size", 8))
    accumulation = int(arguments.get("gradient_accumulation_steps", 1))
    batches = math.ceil(math.ceil(examples / batch) / workers)
    each_epoch = max(1, math.ceil(batches / accumulation))
    return math.ceil(float(arguments.get("num_train_epochs", 3.0)) * each_epoch)


class ModelSize(msgspec.Struct, frozen=True, kw_only=True):
    """What memory and time depend on, from a checkpoint's `config.json`."""

    parameters: int
    layers: int
    width: int
    vocabulary: int
    linear: int
    """Sum of input and output widths of all linear layers of the text model: times the rank, the LoRA parameters."""


def model_size(config: Mapping[str, Any]) -> ModelSize:
    """Sizes of a Qwen-VL-like model from the content of its `config.json`."""
    text = config.get("text_config") or config
    vision = config.get("vision_config") or {}
    width, layers = int(text["hidden_size"]), int(text["num_hidden_layers"])
    inner, vocabulary = int(text["intermediate_size"]), int(text["vocab_size"])
    heads = int(text["num_attention_heads"])
    head = int(text.get("head_dim") or width // heads)
    queries, keys = heads * head, int(text.get("num_key_value_heads", heads)) * head
    each = 2 * width * queries + 2 * width * keys + 3 * width * inner
    tied = bool(config.get("tie_word_embeddings", text.get("tie_word_embeddings", False)))
    parameters = layers * each + vocabulary * width * (1 if tied else 2)
    if vision:
        seen, deep = int(vision.get("hidden_size", 0)), int(vision.get("depth", 0))
        feed = int(vision.get("intermediate_size", 4 * seen))
        merged = seen * int(vision.get("spatial_merge_size", 2)) ** 2
        mergers = 1 + len(vision.get("deepstack_visual_indexes") or [])
        parameters += deep * (4 * seen * seen + 2 * seen * feed)
        parameters += mergers * (merged * merged + merged * int(vision.get("out_hidden_size", width)))
        parameters += int(vision.get("num_position_embeddings", 0)) * seen
    linear = layers * (3 * width + queries + 2 * keys + queries + width + 2 * (width + inner) + inner + width)
    return ModelSize(parameters=parameters, layers=layers, width=width, vocabulary=vocabulary, linear=linear)


def memory_per_gpu(size: ModelSize, arguments: Mapping[str, Any], launch: Launch, longest: int) -> dict[str, float]:
    """GiB of each GPU by use, rough: weights, gradients and optimizer by the sharding, activations of the longest."""
    lora = arguments.get("finetuning_type", "lora") == "lora"
    trained = size.linear * int(arguments.get("lora_rank", 8)) if lora else size.parameters
    shards = launch.workers
    sharded = {"none": (1, 1), "zero2": (1, shards), "zero3": (shards, shards)}[launch.deepspeed]
    half = bool(arguments.get("bf16") or arguments.get("fp16"))
    # Without DeepSpeed trained weights are float32; with it they're half and the float32 copy is the optimizer's.
    weight_bytes = 2 if half and (lora or launch.deepspeed != "none") else 4
    weights = size.parameters * weight_bytes / sharded[0]
    if lora:
        weights += trained * 4
    gradients = trained * (2 if launch.deepspeed != "none" and half else 4) / sharded[1]
    moments = trained * (12 if launch.deepspeed != "none" and half else 8) / sharded[1]
    batch = int(arguments.get("per_device_train_batch_size", 8))
    tokens = batch * longest
    kept = (
        size.layers
        * tokens
        * size.width
        * (2 if half else 4)
        * (12 if arguments.get("disable_gradient_checkpointing") else 1)
    )
    scores = tokens * size.vocabulary * 6
    return {
        "weights": weights / GIB,
        "gradients": gradients / GIB,
        "optimizer": moments / GIB,
        "activations": (kept + scores) / GIB,
    }


def seconds(size: ModelSize, arguments: Mapping[str, Any], launch: Launch, tokens: int, gpu: str = "") -> float:
    """Seconds that training on `tokens` (of one epoch) takes, rough: 6 operations a parameter and token, 8 when
    activations are computed anew."""
    operations = float((6 if arguments.get("disable_gradient_checkpointing") else 8) * size.parameters * tokens)
    operations *= float(arguments.get("num_train_epochs", 3.0))
    rate = CPU_RATE if launch.gpus == 0 else next((r for n, r in GPU_RATE.items() if n in gpu), OTHER_GPU_RATE)
    return operations / rate / launch.workers
