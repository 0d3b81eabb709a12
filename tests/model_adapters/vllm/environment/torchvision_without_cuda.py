"""Lets a torchvision that was built for CUDA be imported beside a PyTorch without it.

Such a torchvision can't load its compiled operators, and then fails when it describes two of them. Declaring the two
first is enough: no model here calls them. Loaded by a `.pth` file of the environment that `make vllm-env` sets up, and
only there.
"""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from typing import Any

SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_kept: list[Any] = []
"""A library's declarations last as long as the object."""


class _Declare(MetaPathFinder):
    """Finds nothing; declares the operators just before the module that describes them is imported."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        if name != "torchvision._meta_registrations":
            return
        sys.meta_path.remove(self)
        import torch

        make: Any = torch.library.Library
        library = make("torchvision", "FRAGMENT")
        for operator in ("nms", "qnms"):
            if not hasattr(torch.ops.torchvision, operator):
                library.define(operator + SIGNATURE)
        _kept.append(library)


sys.meta_path.insert(0, _Declare())
