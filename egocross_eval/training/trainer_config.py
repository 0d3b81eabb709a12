"""LLaMA-Factory's configuration, and DeepSpeed's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from egocross_eval.errors import UsageError
from egocross_eval.training.dataset import NAME
from egocross_eval.training.recipes import Launch, Recipe, Zero


def zero_config(stage: Zero) -> dict[str, Any]:
    """A DeepSpeed configuration; sizes and precision marked `auto` are filled in by the trainer.

    ZeRO-2 shares gradients and optimizer states between the GPUs, ZeRO-3 the weights as well: slower, for models that
    don't fit otherwise. With `-offload` the optimizer's states are kept in the machine's memory.
    """
    zero: dict[str, Any] = {
        "stage": 2,
        "overlap_comm": False,
        "contiguous_gradients": True,
        "reduce_scatter": True,
        "allgather_partitions": True,
        "allgather_bucket_size": 200_000_000,
        "reduce_bucket_size": 200_000_000,
        "round_robin_gradients": True,
    }
    if stage.startswith("zero3"):
        zero = {
            "stage": 3,
            "overlap_comm": False,
            "contiguous_gradients": True,
            "sub_group_size": 1_000_000_000,
            "reduce_bucket_size": "auto",
            "stage3_prefetch_bucket_size": "auto",
            "stage3_param_persistence_threshold": "auto",
            "stage3_max_live_parameters": 1_000_000_000,
            "stage3_max_reuse_distance": 1_000_000_000,
            # Without it a full checkpoint holds no whole weights.
            "stage3_gather_16bit_weights_on_model_save": True,
        }
    if stage.endswith("offload"):
        zero["offload_optimizer"] = {"device": "cpu", "pin_memory": True}
    return {
        "train_batch_size": "auto",
        "train_micro_batch_size_per_gpu": "auto",
        "gradient_accumulation_steps": "auto",
        "gradient_clipping": "auto",
        "zero_allow_untested_optimizer": True,
        "bf16": {"enabled": "auto"},
        "fp16": {"enabled": "auto"},
        "zero_optimization": zero,
    }


def configuration(recipe: Recipe, launch: Launch, *, model: str, output: Path) -> dict[str, Any]:
    """What LLaMA-Factory is given: the recipe's arguments and those that follow from the command line.

    On the CPU half precision is switched off, and several processes talk by gloo. A loss that is no number is logged as
    such, where the trainer would show an average in its place. Raises `UsageError` for DeepSpeed on a CPU.
    """
    config = {
        **recipe.arguments,
        "model_name_or_path": model,
        "dataset": NAME,
        "dataset_dir": str(output / "data"),
        "output_dir": str(output / "model"),
        "report_to": recipe.arguments.get("report_to", "none"),
        "overwrite_cache": False,
        "logging_nan_inf_filter": recipe.arguments.get("logging_nan_inf_filter", False),
    }
    if launch.workers > 1:
        # While one process prepares a large dataset the others wait, longer than the half hour of the default.
        config["ddp_timeout"] = recipe.arguments.get("ddp_timeout", 180_000_000)
    if launch.gpus == 0:
        if launch.deepspeed != "none":
            raise UsageError("DeepSpeed needs GPUs; with --gpus 0 add --deepspeed none")
        config |= {"use_cpu": True, "bf16": False, "fp16": False}
        if launch.workers > 1:
            config["ddp_backend"] = "gloo"
    if launch.deepspeed != "none":
        config["deepspeed"] = str(output / f"{launch.deepspeed}.json")
    return config
