"""What processes write line by line, read while they are at it: a line is one once its end is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def whole_lines(path: Path) -> list[bytes]:
    """The lines that are written to their ends, without those; none where there is no file yet."""
    try:
        return path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []


def json_lines(path: Path) -> list[dict[str, Any]]:
    """What these lines hold."""
    return [json.loads(line) for line in whole_lines(path)]
