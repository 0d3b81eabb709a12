"""NVIDIA's cards on this machine: as its driver lists them, and whether there are any where nothing can use them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

DRIVER = Path("/proc/driver/nvidia/version")
"""Where the driver says who it is, on Linux that runs on the machine itself."""

DEVICES = Path("/dev")
"""Where its cards appear; a container sees the driver of its host, but no card that it wasn't given."""

WSL_LIBRARIES = Path("/usr/lib/wsl/lib")
"""Where Windows puts its driver's libraries, and `nvidia-smi`, for the Linux that runs below it (WSL)."""


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


class NoAnswerError(Exception):
    """There is a driver's tool, but it fails; with what it said."""


def all_gpus() -> list[Gpu]:
    """The GPUs of this machine; none without `nvidia-smi`. Raises `NoAnswerError` where that fails."""
    found = []
    for line in _query("name,memory.total,memory.used,driver_version,uuid"):
        name, total, used, driver, uuid = (piece.strip() for piece in line.split(","))
        found.append(Gpu(name=name, memory=_gib(total), used=_gib(used), driver=driver, uuid=uuid))
    return found


def _query(fields: str) -> list[str]:
    """What `nvidia-smi` says of each GPU. Raises `NoAnswerError` as `all_gpus` does."""
    tool = shutil.which("nvidia-smi") or str(WSL_LIBRARIES / "nvidia-smi")
    command = [tool, f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    if done.returncode != 0:
        raise NoAnswerError((done.stderr or done.stdout).strip()[:200])
    return [line for line in map(str.strip, done.stdout.splitlines()) if line]


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
    named = named_devices()
    if named is None:
        return found
    return [gpu for name in named if (gpu := _by_name(name, found)) is not None]


def _by_name(name: str, found: Sequence[Gpu]) -> Gpu | None:
    if name.startswith("MIG-") and found:
        return msgspec.structs.replace(found[0], name=name, memory=0.0, used=0.0)
    if name.isdigit():
        return found[int(name)] if int(name) < len(found) else None
    return next((gpu for gpu in found if gpu.uuid.startswith(name)), None)


def named_devices() -> list[str] | None:
    """What `CUDA_VISIBLE_DEVICES` names; -1 hides itself and all behind it. None where it isn't set."""
    text = os.environ.get("CUDA_VISIBLE_DEVICES")
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    return names[: names.index("-1")] if "-1" in names else names


def driver_here() -> str | None:
    """The version of NVIDIA's driver where there is a card that isn't hidden; None where there's none, and the empty
    string where the driver doesn't say. Looks for the card itself, so it needs nothing that could use it."""
    if named_devices() == []:
        return None
    if DRIVER.is_file() and any(DEVICES.glob("nvidia[0-9]*")):
        text = DRIVER.read_text(encoding="utf-8", errors="replace")
        found = re.search(r"Kernel Module(?: for \S+)?\s+(\d[\d.]*)", text)
        return found.group(1) if found else ""
    if (DEVICES / "dxg").exists() and (WSL_LIBRARIES / "libcuda.so.1").exists():
        return _driver_of_windows()
    return None


def _driver_of_windows() -> str:
    """The version as `nvidia-smi` says it: below Windows no file of the kernel does."""
    try:
        return next(iter(_query("driver_version")), "")
    except NoAnswerError:
        return ""
