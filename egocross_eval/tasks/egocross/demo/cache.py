"""The demo benchmark in the user's cache, written at first use."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from egocross_eval.directories import cache_directory
from egocross_eval.files import new_folder


@cache
def _generator_hash() -> str:
    """Hash of the generator's source: another generator, another benchmark."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def demo_root(seed: int = 0) -> Path:
    """Data root of the demo benchmark, which is written where it isn't there yet; two processes may do so at once."""
    from egocross_eval.tasks.egocross.demo import write_demo

    root = cache_directory() / f"demo-{_generator_hash()}-{seed}"
    if root.is_dir():
        return root
    with new_folder(root) as scratch:
        write_demo(scratch, seed=seed)
    return root
