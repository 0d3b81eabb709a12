"""The folder that a site is written to: only what an earlier site left there is ever replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from egocross_eval.errors import UsageError
from egocross_eval.files import holds_nothing, write_file

if TYPE_CHECKING:
    from pathlib import Path

MARKER = "egocross-site.json"
"""Says that a folder holds a site of ours. Without it, a folder that isn't empty is refused."""


class SiteFolder:
    """Takes the files of one site."""

    def __init__(self, path: Path) -> None:
        """Makes the folder, or takes one that holds a site.

        Raises `UsageError` if something else is in it, or it can't be written.
        """
        self.path = path
        self.size = 0
        try:
            path.mkdir(parents=True, exist_ok=True)
            if not holds_nothing(path) and not (path / MARKER).is_file():
                raise UsageError(f"{path} is not empty and holds no site; choose another --output")
            write_file(path / MARKER, msgspec.json.encode({"kind": "egocross-eval site"}) + b"\n")
            for inner in ("assets", "data"):
                (path / inner).mkdir(exist_ok=True)
        except OSError as error:
            raise UsageError(f"can't write to {path}: {error.strerror or error}") from error

    def clear(self) -> None:
        """Removes the scripts and data of the old site; its thumbnails stay, to be used again."""
        for inner in ("assets", "data"):
            for old in [*(self.path / inner).glob("*.js"), *(self.path / inner).glob("*.css")]:
                old.unlink()

    def write(self, name: str, content: bytes) -> None:
        """Writes a file of the site; raises `UsageError` if it can't be written."""
        write_file(self.path / name, content, durable=False)
        self.size += len(content)
