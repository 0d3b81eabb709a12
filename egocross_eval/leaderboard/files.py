"""Writing files whole or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from egocross_eval.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def replace_file(path: Path, content: bytes) -> None:
    """Puts `content` into `path` in one step: a reader or a crash sees the old or the new file.

    An existing file keeps its permissions, and a symbolic link stays one. Raises `UsageError` if it can't be written.
    """
    target = path.resolve()
    scratch = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        scratch.write_bytes(content)
        if target.exists():
            scratch.chmod(target.stat().st_mode & 0o777)
        scratch.replace(target)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise UsageError(f"can't write {path}: {error.strerror or error}") from error
