"""Whether a training can start on this machine's GPUs, and which of them it's shown."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from egocross_eval.errors import UsageError
from egocross_eval.nvidia import Gpu, NoAnswerError, all_gpus, named_devices, usable_gpus
from egocross_eval.training.example_checks import Finding
from egocross_eval.training.recipes import Launch

LEAST_DRIVER = 580
"""Oldest driver that runs CUDA 13, which the lock's torch is built for (NVIDIA's table of CUDA and driver versions)."""

OTHER_CUDA = (
    "update the driver; or, to stay with CUDA 12, install llamafactory==0.9.5 with a torch built for it into an "
    "environment of your own and name its interpreter by --python"
)


def outdated(gpu: Gpu) -> bool:
    """Whether the driver is too old for the training environment."""
    major = gpu.driver.partition(".")[0]
    return major.isdigit() and int(major) < LEAST_DRIVER


def visible_devices(count: int) -> str:
    """`CUDA_VISIBLE_DEVICES` for a training on `count` GPUs: the first of those that may be used.

    With more in sight LLaMA-Factory refuses to start as a single process.
    """
    named = named_devices()
    return ",".join(named[:count] if named is not None else map(str, range(count)))


def check_gpus(launch: Launch, python: Path | None) -> None:
    """Raises `UsageError` where the training can't start on this machine's GPUs, before an environment is built.

    `python` is the user's own interpreter: which driver that one needs isn't known here.
    """
    fault = _fault(launch, python)
    if fault:
        raise UsageError(fault)


def warn_of_gpus(launch: Launch, python: Path | None) -> list[Finding]:
    """As `check_gpus`, but a warning: a plan may be looked at where the training won't be."""
    fault = _fault(launch, python)
    return [Finding(level="warning", check="gpus", message=f"here it would not start: {fault}")] if fault else []


def _fault(launch: Launch, python: Path | None) -> str:
    """Why the training can't start on this machine's GPUs; empty where it can."""
    if launch.gpus == 0:
        return ""
    try:
        found = all_gpus()
    except NoAnswerError as error:
        return f"NVIDIA's driver doesn't answer ({error}); --gpus 0 trains on the CPU"
    own = python is not None or importlib.util.find_spec("llamafactory") is not None
    if not found:
        return "" if own else "no NVIDIA GPU is seen here (there is no nvidia-smi); --gpus 0 trains on the CPU"
    usable = usable_gpus()
    if launch.gpus > len(usable):
        return (
            f"--gpus {launch.gpus}: there are {len(usable)} here"
            + (" that CUDA_VISIBLE_DEVICES names" if len(usable) < len(found) else "")
            + f" ({', '.join(gpu.name for gpu in usable) or 'none'}); take --gpus {len(usable)}"
        )
    if not own and any(outdated(gpu) for gpu in usable):
        return (
            f"driver {usable[0].driver} is too old: the training environment's torch is built for CUDA 13, which needs "
            f"{LEAST_DRIVER} or newer; {OTHER_CUDA}"
        )
    return ""
