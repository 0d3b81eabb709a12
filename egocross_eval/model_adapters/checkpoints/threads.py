"""How many threads decode frames, and how many PyTorch may use in each of them.

PyTorch splits every operation over all cores, in whichever thread it's called. In threads of which there is one a core
already, that only makes the cores wait for each other.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator


MOST_THREADS = 16


QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Where a container's share of the processors stands: microseconds of them in a period of microseconds, or `max`."""


def frame_threads(asked: int | Literal["auto"]) -> int:
    """How many threads decode frames: as many as asked for, or one a core, at most `MOST_THREADS`."""
    return min(MOST_THREADS, usable_cores()) if asked == "auto" else asked


def usable_cores() -> int:
    """Cores that this process may use: those it's bound to, and no more than its container's share."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        share, period = QUOTA.read_text(encoding="utf-8").split()
        return max(1, min(bound, round(int(share) / int(period))))
    except (OSError, ValueError, ZeroDivisionError):  # there is no such file, or it says `max`
        return bound


def single_threaded() -> None:
    """From here on, PyTorch's operations that are called in this thread run in it alone."""
    import torch

    torch.set_num_threads(1)


@contextmanager
def own_thread_counts() -> Iterator[None]:
    """Puts back, at the end, the number of threads that PyTorch uses where nothing else is said.

    The number set in one thread holds there at once, and from then on in all threads that never used PyTorch before.
    """
    import torch

    count = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(count)
