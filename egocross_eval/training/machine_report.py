"""What this machine has: GPUs, engines and versions, disk, tokens; and what each engine needs."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

import msgspec

from egocross_eval.directories import cache_directory
from egocross_eval.errors import EgoCrossError, how_to_install
from egocross_eval.nvidia import NoAnswerError, all_gpus
from egocross_eval.training.environment import LOCKED, built_folder, existing_environment, find_uv
from egocross_eval.training.gpus import LEAST_DRIVER, OTHER_CUDA, outdated

Status = Literal["fine", "absent", "problem"]

GIB = 2**30

TOKENS = {
    "HF_TOKEN": "gated data and models of the Hugging Face Hub",
    "MODELSCOPE_API_TOKEN": "private repositories of ModelScope",
    "OPENAI_API_KEY": "openai: models of OpenAI",
    "OPENROUTER_API_KEY": "openai: models of OpenRouter",
    "GEMINI_API_KEY": "openai: models of Google",
    "DASHSCOPE_API_KEY": "openai: models of Alibaba Cloud",
}

ENGINES: dict[str, tuple[tuple[str, ...], str]] = {
    "hf": (("torch", "torchvision", "transformers", "accelerate", "peft"), how_to_install("hf")),
    "vllm": (("vllm", "torch", "transformers"), f"{how_to_install('vllm')}; in an environment without [train]"),
    "openai": (("aiohttp",), "comes with egocross-eval"),
    "lmms-eval": (("lmms_eval",), "pip install lmms-eval"),
}

TRAINING_DISK = 8.0
"""GiB that the training environment and its making take."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the report."""

    group: str
    name: str
    status: Status
    text: str


def examine_machine(python: Path | None = None) -> list[Entry]:
    """Everything that can be said without loading an engine or asking the network."""
    parts: tuple[Callable[[], list[Entry]], ...] = (_system, _gpus, _engines, lambda: _training(python), _disk, _tokens)
    return [entry for part in parts for entry in part()]


def installed(name: str) -> str | None:
    """Version of an installed distribution, or None."""
    try:
        return version(name.replace("_", "-"))
    except PackageNotFoundError:
        return None


def _system() -> list[Entry]:
    memory = machine_memory()
    text = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {os.cpu_count()} cores"
    return [Entry(group="machine", name="system", status="fine", text=f"{text}, {memory:.0f} GiB" if memory else text)]


def machine_memory() -> float:
    """GiB of memory that this machine has; 0 where the system doesn't say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    except (AttributeError, ValueError, OSError):
        return 0.0


def _gpus() -> list[Entry]:
    try:
        found = all_gpus()
    except NoAnswerError as error:
        return [Entry(group="machine", name="GPU", status="problem", text=f"the driver doesn't answer: {error}")]
    if not found:
        text = "no NVIDIA driver found (nvidia-smi): models run on the CPU"
        return [Entry(group="machine", name="GPU", status="absent", text=text)]
    entries = []
    for number, gpu in enumerate(found):
        text = f"{gpu.name}, {gpu.memory:.1f} GiB, {gpu.used:.1f} in use, driver {gpu.driver}"
        entries.append(Entry(group="machine", name=f"GPU {number}", status="fine", text=text))
    if outdated(found[0]):
        text = f"driver {found[0].driver} is older than {LEAST_DRIVER}, which training's torch needs: {OTHER_CUDA}"
        entries.append(Entry(group="machine", name="driver", status="problem", text=text))
    return entries


def _engines() -> list[Entry]:
    entries = []
    for name, (packages, remedy) in ENGINES.items():
        found = {package: installed(package) for package in packages}
        there = ", ".join(f"{package} {number}" for package, number in found.items() if number)
        missing = [package for package, number in found.items() if number is None]
        if not missing:
            entries.append(Entry(group="engine", name=name, status="fine", text=there))
        else:
            text = f"lacks {', '.join(missing)}: {remedy}"
            entries.append(Entry(group="engine", name=name, status="absent", text=text))
    entries += [Entry(group="engine", name="conflict", status="problem", text=text) for text in conflicts()]
    return entries


def conflicts() -> list[str]:
    """Requirements of the engines that what is installed here doesn't meet."""
    from packaging.requirements import InvalidRequirement, Requirement

    found = []
    for owner in ("torchvision", "torchaudio", "transformers", "vllm", "llamafactory", "peft", "accelerate"):
        if installed(owner) is None:
            continue
        for text in requires(owner) or []:
            try:
                requirement = Requirement(text)
            except InvalidRequirement:
                continue
            if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
                continue
            have = installed(requirement.name)
            if have is not None and not requirement.specifier.contains(have, prereleases=True):
                found.append(
                    f"{owner} {installed(owner)} needs {requirement.name}{requirement.specifier}, here is {have}"
                )
    return found


def _training(python: Path | None) -> list[Entry]:
    try:
        environment = existing_environment(python)
    except EgoCrossError as error:
        return [Entry(group="training", name="environment", status="problem", text=str(error))]
    uv = find_uv()
    entries = []
    if environment is None:
        text = f"not built yet: 'egocross-eval train environment' builds it in {built_folder()}"
        entries.append(Entry(group="training", name="environment", status="absent", text=text))
        how = "found" if uv else "absent: it is installed into the cache when it's needed"
        entries.append(Entry(group="training", name="uv", status="fine" if uv else "absent", text=how))
        return entries
    listed = ", ".join(f"{name} {number}" for name, number in environment.versions.items())
    found = environment.versions
    other = [
        f"{name} {found.get(name)} instead of {right}" for name, right in LOCKED.items() if found.get(name) != right
    ]
    entries.append(Entry(group="training", name="environment", status="fine", text=f"{environment.origin}: {listed}"))
    if other:
        text = f"not the set that works together ({', '.join(other)}); leave --python out to have that one built"
        entries.append(Entry(group="training", name="versions", status="problem", text=text))
    return entries


def _disk() -> list[Entry]:
    entries = []
    for name, path in (("here", Path.cwd()), ("cache", cache_directory()), ("models", _models())):
        there = next(folder for folder in (path, *path.parents) if folder.exists())
        usage = shutil.disk_usage(there)
        free = usage.free / GIB
        short = name == "cache" and free < TRAINING_DISK
        text = f"{free:.0f} GiB free of {usage.total / GIB:.0f} in {path}"
        more = f"; the training environment takes about {TRAINING_DISK:.0f} GiB: set EGOCROSS_CACHE to a larger disk"
        status: Status = "problem" if short else "fine"
        entries.append(Entry(group="disk", name=name, status=status, text=text + (more if short else "")))
    return entries


def _models() -> Path:
    home = os.environ.get("HF_HUB_CACHE") or os.environ.get("HF_HOME")
    return Path(home or os.path.expanduser("~/.cache/huggingface"))  # noqa: PTH111 - no error where there is no home


def _tokens() -> list[Entry]:
    """Which tokens are there. Their values are never read further than whether they're empty."""
    entries = []
    stored = (_models() / "token").is_file()
    for name, use in TOKENS.items():
        there = bool(os.environ.get(name)) or (name == "HF_TOKEN" and stored)
        text = "set" if there else f"not set: needed for {use}"
        entries.append(Entry(group="token", name=name, status="fine" if there else "absent", text=text))
    return entries
