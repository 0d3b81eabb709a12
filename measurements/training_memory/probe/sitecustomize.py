"""Notes what torch took of the GPU at most, in each process that Python starts with this folder on its path.

A thread looks ten times a second: the trainer leaves its process without what is registered for a process's end.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

INTO = "EGOCROSS_MEMORY_PROBE"
"""Variable that names the folder of the notes."""

_EVERY = 0.1


def watch(folder: Path) -> None:
    """Writes bytes allocated and reserved at most into `PID.json`, as long as the process runs."""
    note, written = folder / f"{os.getpid()}.json", {"allocated": 0, "reserved": 0}
    while True:
        time.sleep(_EVERY)
        seen = most(sys.modules.get("torch"))
        if seen is not None and seen != written:
            # Replaced, so that a process that ends meanwhile leaves a whole one.
            half = note.with_suffix(".half")
            half.write_text(json.dumps(seen), encoding="utf-8")
            half.replace(note)
            written = seen


def most(torch: Any) -> dict[str, int] | None:
    """None where torch isn't imported, or not yet whole, or has no GPU in use."""
    try:
        if torch is None or not torch.cuda.is_initialized():
            return None
        return {"allocated": torch.cuda.max_memory_allocated(), "reserved": torch.cuda.max_memory_reserved()}
    except AttributeError:
        return None


if INTO in os.environ:
    threading.Thread(target=watch, args=(Path(os.environ[INTO]),), daemon=True).start()
