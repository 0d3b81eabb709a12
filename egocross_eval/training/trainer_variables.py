"""What the trainer's processes are told by their environment."""

from __future__ import annotations

import os

from egocross_eval.model_adapters.checkpoints.threads import usable_cores
from egocross_eval.training.gpus import visible_devices
from egocross_eval.training.planning import TrainPlan
from egocross_eval.training.trainer_process import WORK

ALLOCATOR = ("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF")
"""Variables that say how torch shares out a GPU's memory, by an old and a new name."""


def trainer_variables(plan: TrainPlan, work: str) -> dict[str, str]:
    """The variables that a training sets; `work` names it to who looks for its processes.

    What the user has set of the allocator and of threads counts.
    """
    variables = {WORK: work, "DISABLE_VERSION_CHECK": "0", "LLAMAFACTORY_VERBOSITY": "INFO"}
    if plan.config["report_to"] == "none":
        variables["WANDB_DISABLED"] = "true"
    return variables | (_on_gpus(plan.launch.gpus) if plan.launch.gpus else _on_the_cpu())


def _on_the_cpu() -> dict[str, str]:
    return {
        "CUDA_VISIBLE_DEVICES": "",
        # Several processes would each be given a numbered CPU, which checkpoints can't be loaded onto.
        "ACCELERATE_TORCH_DEVICE": "cpu",
        # One core is left for loading frames.
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(max(1, usable_cores() - 1))),
    }


def _on_gpus(count: int) -> dict[str, str]:
    variables = {"CUDA_VISIBLE_DEVICES": visible_devices(count)}
    if "CUDA_VISIBLE_DEVICES" not in os.environ:
        # The first ones of nvidia-smi, whose memory was looked at; CUDA's own first is the fastest.
        variables["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    if not any(name in os.environ for name in ALLOCATOR):
        variables[ALLOCATOR[0]] = "expandable_segments:True"
    return variables
