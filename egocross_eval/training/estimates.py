"""Optimizer steps, memory, disk and time of a training before it's started."""

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

RESERVE = 2.5
"""GiB of a GPU that the figures leave out: CUDA's own and what fragmentation wastes."""

PATCH_BYTES = 4 * 1536 * 4
"""Pixels behind a frame's token: four patches of 16 x 16 x 2 in three colours, in float32."""

# Bytes that computing one layer anew keeps for each token and each of its linear layers' inputs and outputs, from
# simulations of the 4B model with all storages counted; LoRA's adapters work on copies in float32.
_RECOMPUTED_LORA, _RECOMPUTED_FULL = 6.45, 3.14

# Bytes a score of the vocabulary: half precision and its gradient, and three copies in float32; without DeepSpeed one
# more, which accelerate makes of the returned scores.
_SCORE_DEEPSPEED, _SCORE = 14, 18


def optimizer_steps(examples: int, arguments: Mapping[str, Any], workers: int) -> int:
    """Number of optimizer steps, as transformers' trainer counts them.

    Examples are cut into batches, the batches are dealt out to the workers (the last round is filled up), and a last
    group of fewer than `gradient_accumulation_steps` batches in an epoch makes a step of its own.
    """
    limit = int(arguments.get("max_steps", -1))
    if limit > 0:
        return limit
    batch = int(arguments.get("per_device_train_batch_size", 8))
    accumulation = int(arguments.get("gradient_accumulation_steps", 1))
    batches = math.ceil(math.ceil(examples / batch) / workers)
    each_epoch = max(1, math.ceil(batches / accumulation))
    return math.ceil(float(arguments.get("num_train_epochs", 3.0)) * each_epoch)


class ModelSize(msgspec.Struct, frozen=True, kw_only=True):
    """What memory and time depend on, from a checkpoint's `config.json`."""

    text: int
    """Parameters of the language model."""
    vision: int
    """Parameters of the vision tower and its mergers."""
    layers: int
    width: int
    vocabulary: int
    linear: int
    """Sum of input and output widths of all linear layers of the text model: times the rank, the LoRA parameters."""
    deepstack: int
    """Layers that frames are fed into besides the first."""

    @property
    def parameters(self) -> int:
        """All of them."""
        return self.text + self.vision


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
    linear = layers * (3 * width + queries + 2 * keys + queries + width + 2 * (width + inner) + inner + width)
    return ModelSize(
        text=layers * each + vocabulary * width * (1 if tied else 2),
        vision=_vision_parameters(vision, width) if vision else 0,
        layers=layers,
        width=width,
        vocabulary=vocabulary,
        linear=linear,
        deepstack=len(vision.get("deepstack_visual_indexes") or []),
    )


def _vision_parameters(vision: Mapping[str, Any], width: int) -> int:
    seen, deep = int(vision.get("hidden_size", 0)), int(vision.get("depth", 0))
    feed = int(vision.get("intermediate_size", 4 * seen))
    merged = seen * int(vision.get("spatial_merge_size", 2)) ** 2
    mergers = 1 + len(vision.get("deepstack_visual_indexes") or [])
    blocks = deep * (4 * seen * seen + 2 * seen * feed)
    mergers *= merged * merged + merged * int(vision.get("out_hidden_size", width))
    return blocks + mergers + int(vision.get("num_position_embeddings", 0)) * seen


def trained_parameters(size: ModelSize, arguments: Mapping[str, Any]) -> int:
    """How many parameters are learnt. LLaMA-Factory freezes the vision tower unless told otherwise."""
    if is_lora(arguments):
        return size.linear * int(arguments.get("lora_rank", 8))
    return size.text if arguments.get("freeze_vision_tower", True) else size.parameters


def is_lora(arguments: Mapping[str, Any]) -> bool:
    """Whether an adapter is trained; LLaMA-Factory's default."""
    return bool(arguments.get("finetuning_type", "lora") == "lora")


def scores_all_tokens(arguments: Mapping[str, Any]) -> bool:
    """Whether scores are computed at every token: where prompts are learnt, or a reference model is compared with."""
    return bool(arguments.get("train_on_prompt") or arguments.get("use_asft_loss"))


def memory_per_gpu(size: ModelSize, arguments: Mapping[str, Any], launch: Launch, longest: int) -> dict[str, float]:
    """GiB of each GPU by use; the longest example has `longest` tokens.

    Weights, gradients and optimizer follow from the sharding. Activations are the inputs of all layers, the frames, and
    the larger of two phases that never coincide: the scores of the vocabulary, and one layer computed anew.
    """
    lora, deepspeed = is_lora(arguments), launch.deepspeed != "none"
    trained, workers = trained_parameters(size, arguments), launch.workers
    half = _half(arguments, launch)
    offload = launch.deepspeed.endswith("offload")
    # Without DeepSpeed trained weights are float32; with it they're half and the float32 copy is the optimizer's.
    weights = (
        size.parameters * (2 if half and (lora or deepspeed) else 4) / (workers if "zero3" in launch.deepspeed else 1)
    )
    weights += trained * 4 if lora else 0
    shards = workers if deepspeed else 1
    gradients = trained * (2 if deepspeed and half else 4) / shards
    moments = 0 if offload else trained * (12 if deepspeed and half else 8) / shards
    return {
        "weights": weights / GIB,
        "gradients": gradients / GIB,
        "optimizer": moments / GIB,
        "activations": longest * _bytes_per_token(size, arguments, deepspeed=deepspeed, half=half) / GIB,
    }


def _half(arguments: Mapping[str, Any], launch: Launch) -> bool:
    """Whether computing is in half precision, which is switched off on the CPU."""
    return launch.gpus > 0 and bool(arguments.get("bf16") or arguments.get("fp16"))


def memory_of_machine(size: ModelSize, arguments: Mapping[str, Any], launch: Launch, longest: int) -> float:
    """GiB that each machine's own memory needs at least: for all of a training on its CPU, for the optimizer's states
    that are offloaded from its GPUs; 0 for one that keeps all on GPUs."""
    if launch.gpus == 0:
        return sum(memory_per_gpu(size, arguments, launch, longest).values())
    if not launch.deepspeed.endswith("offload"):
        return 0.0
    each = 12 if _half(arguments, launch) else 8
    return trained_parameters(size, arguments) * each / launch.nodes / GIB


def _bytes_per_token(size: ModelSize, arguments: Mapping[str, Any], *, deepspeed: bool, half: bool) -> float:
    """Activations of a batch for each token of its longest example; shorter ones are padded to it."""
    precision = 1 if half else 2
    kept = size.layers * size.width * 2 * precision
    if arguments.get("disable_gradient_checkpointing"):
        kept *= 12
    layer = size.linear / size.layers * (_RECOMPUTED_LORA if is_lora(arguments) else _RECOMPUTED_FULL) * precision
    scores = 0
    if scores_all_tokens(arguments):
        scores = size.vocabulary * (_SCORE_DEEPSPEED if deepspeed else _SCORE)
    frames = PATCH_BYTES + size.deepstack * size.width * 2 * precision if size.vision else 0
    return int(arguments.get("per_device_train_batch_size", 8)) * (kept + max(layer, scores) + frames)


def longest_that_fits(size: ModelSize, arguments: Mapping[str, Any], launch: Launch, memory: float) -> int:
    """Tokens of the longest example that a GPU of `memory` GiB can train on; 0 where not even the model fits."""
    fixed = sum(memory_per_gpu(size, arguments, launch, 0).values())
    each = sum(memory_per_gpu(size, arguments, launch, 1_000_000).values()) - fixed
    return max(0, int((memory - RESERVE - fixed) / each * 1_000_000))


def disk_needed(size: ModelSize, arguments: Mapping[str, Any]) -> float:
    """GiB that the output folder takes at most: the model, and checkpoints to go on from with the optimizer's states.

    A new checkpoint is written before an old one is removed; without a limit each epoch is taken to leave one.
    """
    trained = trained_parameters(size, arguments)
    model = trained * 4 if is_lora(arguments) else size.parameters * 2
    if arguments.get("save_strategy", "steps") == "no":
        return model / GIB
    each = model + (0 if arguments.get("save_only_model") else trained * 12)
    limit = arguments.get("save_total_limit")
    kept = int(limit) + 1 if limit else math.ceil(float(arguments.get("num_train_epochs", 3.0)))
    return (model + each * kept) / GIB


def seconds(size: ModelSize, arguments: Mapping[str, Any], launch: Launch, tokens: int, gpu: str = "") -> float:
    """Seconds that training on `tokens` (of one epoch) takes, rough: 6 operations a parameter and token, 8 when
    activations are computed anew."""
    operations = float((6 if arguments.get("disable_gradient_checkpointing") else 8) * size.parameters * tokens)
    operations *= float(arguments.get("num_train_epochs", 3.0))
    rate = CPU_RATE if launch.gpus == 0 else next((r for n, r in GPU_RATE.items() if n in gpu), OTHER_GPU_RATE)
    return operations / rate / launch.workers
