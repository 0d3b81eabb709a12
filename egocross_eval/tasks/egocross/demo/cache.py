"""The demo benchmark in the user's cache, written at first use."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from egocross_eval.directories import cache_directory


def _generator_hash() -> str:
    """Hash of the generator's source: another generator, another benchmark."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def demo_root(seed: int = 0) -> Path:
    """Data root of the demo benchmark; writes it where it isn't there yet. Safe against a second process doing the
    same."""
    from egocross_eval.tasks.egocross.demo import write_demo

    root = cache_directory() / f"demo-{_generator_hash()}-{seed}"
    if root.is_dir():
        return root
    root.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="demo-", dir=root.parent))
    try:
        write_demo(scratch, seed=seed)
        scratch.chmod(0o755)
        try:
            scratch.rename(root)
        except OSError:
            # Another process finished first.
            if not root.is_dir():
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return root
