"""Copies of frames in the size that evaluation shows, where training would show another."""

from __future__ import annotations

import hashlib
from pathlib import Path

from egocross_eval.files import writing
from egocross_eval.training.frame_sizes import Limits, Size


class FrameCopies:
    """Copies of frames in the size that evaluation shows, for those that training would show otherwise."""

    def __init__(self, folder: Path, limits: Limits | None, budget: int | None, trained: tuple[int, int]) -> None:
        self._folder = folder
        self._limits = limits
        self._budget = budget
        self._trained = trained
        self._known: dict[str, str] = {}
        self.copied = 0

    def path(self, path: str) -> str:
        """The file to train on: the frame itself, or its copy."""
        found = self._known.get(path)
        if found is None:
            found = self._known[path] = self._fit(path)
        return found

    def _fit(self, path: str) -> str:
        from egocross_eval.model_adapters.checkpoints.decoding import read_size

        if self._limits is None:
            return path
        size = read_size(path)
        asked = self._limits.asked(size, self._budget)
        if self._limits.trained(size, *self._trained) == asked:
            return path
        return self._copy(path, asked)

    def _copy(self, path: str, size: Size) -> str:
        from PIL import Image

        from egocross_eval.model_adapters.checkpoints.decoding import read_frame

        target = self._folder / f"{hashlib.sha256(path.encode()).hexdigest()[:20]}-{size[1]}x{size[0]}.png"
        if not target.is_file():
            self._folder.mkdir(parents=True, exist_ok=True)
            scaled = read_frame(path).resize((size[1], size[0]), Image.Resampling.BICUBIC)
            with writing(target) as file:
                scaled.save(file, format="PNG", compress_level=1)
        self.copied += 1
        return str(target)
