"""How busy the GPU is, and how much of its memory is taken, as nvidia-smi tells."""

from __future__ import annotations

import contextlib
import subprocess
from threading import Thread
from typing import Any

ASKED = ["nvidia-smi", "--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits", "-lms", "250"]


class Card:
    """Reads four times a second between `with` and its end; without nvidia-smi nothing is known."""

    def __init__(self) -> None:
        self._read: list[tuple[float, float]] = []
        self._program: subprocess.Popen[str] | None = None

    def __enter__(self) -> Card:
        with contextlib.suppress(FileNotFoundError):
            self._program = subprocess.Popen(ASKED, stdout=subprocess.PIPE, text=True)
            Thread(target=self._listen, args=(self._program.stdout,), daemon=True).start()
        return self

    def _listen(self, lines: Any) -> None:
        for line in lines:
            with contextlib.suppress(ValueError):  # "[N/A]" of a card that doesn't tell
                busy, memory = map(float, line.split(","))
                self._read.append((busy, memory))

    def __exit__(self, *_: object) -> None:
        if self._program is not None:
            self._program.terminate()
            self._program.wait()

    @property
    def busy(self) -> float | None:
        """Percent of the time in which at least one kernel ran."""
        return sum(busy for busy, _ in self._read) / len(self._read) if self._read else None

    @property
    def peak_mib(self) -> float | None:
        """Most memory taken, by all processes."""
        return max((memory for _, memory in self._read), default=None)
