"""Where the package keeps what it can make again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_directory() -> Path:
    """The cache: `EGOCROSS_CACHE` where set, else the platform's user cache."""
    override = os.environ.get("EGOCROSS_CACHE")
    if override:
        return Path(override)
    import platformdirs

    return Path(platformdirs.user_cache_dir("egocross-eval", appauthor=False))
