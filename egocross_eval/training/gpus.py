"""The GPUs of this machine, as NVIDIA's driver lists them, and whether a training can start on them."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

from egocross_eval.errors import UsageError
from egocross_eval.training.recipes import Launch

LEAST_DRIVER = 580
"""Oldest driver that runs CUDA 13, which the lock's torch is built for (NVIDIA's table of CUDA and driver versions)."""

OTHER_CUDA = (
    "update the driver; or, to stay with CUDA 12, install llamafactory==0.9.5 with a torch built for it into an "
    "environment of your own and name its interpreter by --python"
)


class Gpu(msgspec.Struct, frozen=True, kw_only=True):
    """A line of `nvidia-smi`."""

    name: str
    memory: float
    """GiB in all."""
    used: float
    driver: str
    uuid: str = ""
    """As `CUDA_VISIBLE_DEVICES` may name it, whole or by its beginning."""

    @property
    def free(self) -> float:
        """GiB that no process holds."""
        return self.memory - self.used

    @property
    def outdated(self) -> bool:
        """Whether the driver is too old for the training environment."""
        major = self.driver.partition(".")[0]
        return major.isdigit() and int(major) < LEAST_DRIVER


class NoAnswerError(Exception):
    """There is a driver's tool, but it fails; with what it said."""


def all_gpus() -> list[Gpu]:
    """The GPUs of this machine; none without `nvidia-smi`. Raises `NoAnswerError` where that fails."""
    fields = "name,memory.total,memory.used,driver_version,uuid"
    command = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    if done.returncode != 0:
        raise NoAnswerError((done.stderr or done.stdout).strip()[:200])
    found = []
    for line in filter(None, map(str.strip, done.stdout.splitlines())):
        name, total, used, driver, uuid = (piece.strip() for piece in line.split(","))
        found.append(Gpu(name=name, memory=_gib(total), used=_gib(used), driver=driver, uuid=uuid))
    return found


def _gib(mebibytes: str) -> float:
    try:
        return float(mebibytes) / 1024
    except ValueError:  # some devices answer `[N/A]`
        return 0.0


def usable_gpus() -> list[Gpu]:
    """As `all_gpus`, but only those that `CUDA_VISIBLE_DEVICES` names, and none where the driver fails.

    Of a part of a GPU (MIG) the memory isn't known: it's given as 0.
    """
    try:
        found = all_gpus()
    except NoAnswerError:
        return []
    named = _named()
    if named is None:
        return found
    return [gpu for name in named if (gpu := _by_name(name, found)) is not None]


def _by_name(name: str, found: Sequence[Gpu]) -> Gpu | None:
    if name.startswith("MIG-") and found:
        return msgspec.structs.replace(found[0], name=name, memory=0.0, used=0.0)
    if name.isdigit():
        return found[int(name)] if int(name) < len(found) else None
    return next((gpu for gpu in found if gpu.uuid.startswith(name)), None)


def _named() -> list[str] | None:
    """What `CUDA_VISIBLE_DEVICES` names; -1 hides itself and all behind it."""
    text = os.environ.get("CUDA_VISIBLE_DEVICES")
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    return names[: names.index("-1")] if "-1" in names else names


def visible_devices(count: int) -> str:
    """`CUDA_VISIBLE_DEVICES` for a training on `count` GPUs: the first of those that may be used.

    With more in sight LLaMA-Factory refuses to start as a single process.
    """
    named = _named()
    return ",".join(named[:count] if named is not None else map(str, range(count)))


def check_gpus(launch: Launch, python: Path | None) -> None:
    """Raises `UsageError` where the training can't start on this machine's GPUs, before an environment is built.

    `python` is the user's own interpreter: which driver that one needs isn't known here.
    """
    if launch.gpus == 0:
        return
    try:
        found = all_gpus()
    except NoAnswerError as error:
        raise UsageError(f"NVIDIA's driver doesn't answer ({error}); --gpus 0 trains on the CPU") from error
    own = python is not None or importlib.util.find_spec("llamafactory") is not None
    if not found and not own:
        raise UsageError("no NVIDIA GPU is seen here (there is no nvidia-smi); --gpus 0 trains on the CPU")
    usable = usable_gpus()
    if found and launch.gpus > len(usable):
        raise UsageError(
            f"--gpus {launch.gpus}: there are {len(usable)} here"
            + (" that CUDA_VISIBLE_DEVICES names" if len(usable) < len(found) else "")
            + f" ({', '.join(gpu.name for gpu in usable) or 'none'}); take --gpus {len(usable)}"
        )
    if not own and any(gpu.outdated for gpu in usable):
        raise UsageError(
            f"driver {usable[0].driver} is too old: the training environment's torch is built for CUDA 13, which needs "
            f"{LEAST_DRIVER} or newer; {OTHER_CUDA}"
        )
