"""Whether vLLM is installed, which version, and the environment it gets where the user's says nothing."""

from __future__ import annotations

import functools
import os
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.util import find_spec

from egocross_eval.errors import MissingExtraError, UsageError

QUIET = {
    "VLLM_LOGGING_LEVEL": "WARNING",
    # Standard output is for the results.
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",
    "VLLM_NO_USAGE_STATS": "1",
}
"""Environment of the engine where it isn't set: no chatter, and nothing sent to anyone."""

OLDEST = (0, 30)
"""The oldest release that has all that is used here (tests/model_adapters/vllm/test_vllm_releases.py). pyproject.toml
declares it too."""

CPU_CACHE_GIB = "1"
"""Key-value cache on a CPU where `VLLM_CPU_KVCACHE_SPACE` isn't set; vLLM alone takes about half of the memory."""


def has_vllm() -> bool:
    """True where vLLM is installed. A mere folder of that name on the path has no origin and doesn't count."""
    spec = find_spec("vllm")
    return spec is not None and spec.origin is not None


def require_vllm() -> None:
    """Raises MissingExtraError where vLLM isn't installed, and UsageError where it's older than `OLDEST`."""
    if not has_vllm():
        raise MissingExtraError("vllm", "vllm")
    found = vllm_version()
    if found is not None:
        refuse_old(*found)


def refuse_old(name: str, installed: str, where: str = "") -> None:
    """Raises UsageError for a release older than `OLDEST`; `where`: the interpreter that has it, if it's another."""
    if older(installed, OLDEST):
        oldest, place = ".".join(map(str, OLDEST)), f" of {where}" if where else ""
        raise UsageError(
            f"{name} {installed}{place} is too old for this adapter, which needs {oldest} or newer: upgrade it"
        )


def older(installed: str, than: tuple[int, ...]) -> bool:
    """Whether a version is an older release. A build of vLLM's sources (`.dev`) may have any number, and is none."""
    return "dev" not in installed and release(installed) < than


def release(text: str) -> tuple[int, ...]:
    """Major and minor number of a release, e.g. `(0, 32)`."""
    return tuple(int(word) for word in text.split(".")[:2] if word.isdigit())


@functools.cache
def vllm_version() -> tuple[str, str] | None:
    """(distribution, version) of the installed vLLM, e.g. `("vllm-cpu", "0.32.0")`; None without one.

    Reads the installed packages' metadata; vLLM isn't imported.
    """
    for name in ("vllm", "vllm-cpu"):
        try:
            return name, version(name)
        except PackageNotFoundError:
            continue
    names = packages_distributions().get("vllm", []) if has_vllm() else []
    return (names[0], version(names[0])) if names else None


def set_environment() -> None:
    """Sets what the engine reads from the environment of this process, where the user hasn't."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    distribution = vllm_version()
    if distribution is not None and distribution[0].endswith("-cpu"):
        os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", CPU_CACHE_GIB)
