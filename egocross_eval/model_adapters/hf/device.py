"""On which device a model runs: never on the CPU in silence where a GPU was meant."""

from __future__ import annotations

from egocross_eval.errors import UsageError
from egocross_eval.nvidia import driver_here


def resolve_device(name: str) -> str:
    """The device to use: `auto` takes a CUDA GPU, else Apple's, else the CPU.

    Raises UsageError for an absent one, and for `auto` beside an NVIDIA card that this PyTorch can't use.
    """
    import torch

    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if name == "auto":
        if not available["cuda"]:
            refuse_idle_card(torch.version.cuda)
        return "cuda" if available["cuda"] else "mps" if available["mps"] else "cpu"
    kind, _, index = name.partition(":")
    if kind not in available:
        raise UsageError(f"device={name} is unknown; use auto, cpu, cuda, cuda:N or mps")
    if not available[kind] or (kind == "cuda" and index and int(index) >= torch.cuda.device_count()):
        there = [known for known, usable in available.items() if usable]
        raise UsageError(f"device={name} is not there: this PyTorch sees {', '.join(there)}")
    return name


def refuse_idle_card(cuda: str | None) -> None:
    """Raises UsageError where there is an NVIDIA card, though PyTorch, built for this version of CUDA, sees none."""
    driver = driver_here()
    if driver is None:
        return
    if cuda is None:
        built = "this PyTorch is built without CUDA: install a build with it"
    else:
        built = (
            f"this PyTorch is built for CUDA {cuda} and can't use it: update the driver (CUDA 13 needs 580 or newer, "
            f"CUDA 12 needs 525), or install a PyTorch built for an older CUDA"
        )
    raise UsageError(
        f"there is an NVIDIA card here with {f'driver {driver}' if driver else 'a driver'}, but {built}; device=cpu "
        f"runs on the CPU all the same"
    )
