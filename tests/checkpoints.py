"""Tiny checkpoints for tests, built once a process."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import pytest

_FOLDERS: list[tempfile.TemporaryDirectory[str]] = []


@functools.cache
def tiny_checkpoint(weight_spread: float = 0.02, context: int = 32768, seed: int = 0) -> Path:
    """Folder of a tiny Qwen3-VL with these properties; skips the test where transformers isn't installed."""
    for module in ("torch", "torchvision", "transformers"):
        pytest.importorskip(module)
    from egocross_eval.model_adapters.checkpoints.tiny import TinyShape, build_tiny

    folder = tempfile.TemporaryDirectory(prefix="egocross-tiny-")
    _FOLDERS.append(folder)  # removed when the process ends
    path = Path(folder.name) / "tiny"
    build_tiny(path, seed=seed, shape=TinyShape(weight_spread=weight_spread, context=context))
    return path
