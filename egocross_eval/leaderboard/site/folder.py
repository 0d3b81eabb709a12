"""The folder that a site is written to: only what an earlier site left there is ever replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from egocross_eval.documents import read_json
from egocross_eval.errors import UsageError
from egocross_eval.files import holds_nothing, write_file

if TYPE_CHECKING:
    from pathlib import Path

MARKER = "egocross-site.json"
"""Says that a folder holds a site of ours. Without it, a folder that isn't empty is refused."""

PARTS = ("index.html", "assets", "data", "frames", MARKER)
"""All that a site puts into its folder."""


class SiteContent(msgspec.Struct, frozen=True, kw_only=True):
    """What a site shows, as its marker says."""

    kind: Literal["egocross-eval site"] = "egocross-eval site"
    title: str = ""
    answers: bool | None = None
    """Whether it shows what is right. None: the site isn't finished, or an earlier version wrote it."""
    frames: int = 0
    """Number of thumbnails."""


def site_content(path: Path) -> SiteContent:
    """What the site in a folder shows. Raises `UsageError` where there's no finished site of ours."""
    if not (path / MARKER).is_file():
        raise UsageError(f"{path} holds no site; write one: egocross-eval site RUNS --output {path}")
    content = read_json(path / MARKER, SiteContent, what="marker of a site")
    if content.answers is None:
        raise UsageError(f"{path} holds a site that isn't finished, or of an earlier version; write it anew")
    return content


def refuse_other_content(folder: Path) -> None:
    """Raises `UsageError` where a folder holds more than a site, so that replacing it would lose something."""
    if holds_nothing(folder):
        return
    others = [] if (folder / MARKER).is_file() else ["no site"]
    others = others or sorted(child.name for child in folder.iterdir() if child.name not in PARTS)
    if others:
        raise UsageError(
            f"{folder} isn't empty and holds {others[0]}: only a site is replaced; choose another folder, or empty it"
        )


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
            self._mark(SiteContent())
            for inner in ("assets", "data"):
                (path / inner).mkdir(exist_ok=True)
        except OSError as error:
            raise UsageError(f"can't write to {path}: {error.strerror or error}") from error

    def _mark(self, content: SiteContent) -> None:
        write_file(self.path / MARKER, msgspec.json.encode(content) + b"\n")

    def finish(self, content: SiteContent) -> None:
        """Says what the site shows, when all of it is there."""
        self._mark(content)

    def clear(self) -> None:
        """Removes the scripts and data of the old site; its thumbnails stay, to be used again."""
        for inner in ("assets", "data"):
            for old in [*(self.path / inner).glob("*.js"), *(self.path / inner).glob("*.css")]:
                old.unlink()

    def write(self, name: str, content: bytes) -> None:
        """Writes a file of the site; raises `UsageError` if it can't be written."""
        write_file(self.path / name, content, durable=False)
        self.size += len(content)
