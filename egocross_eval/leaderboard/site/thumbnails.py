"""Small copies of frames, each made once however many questions share it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from egocross_eval.files import write_file
from egocross_eval.frames.pictures import FrameError, as_rgb, opened_picture
from egocross_eval.frames.roots import DataRoot
from egocross_eval.frames.store import frame_bytes, frame_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

SIZE = 240
"""Longest side in pixels."""
_QUALITY = 72


def write_thumbnails(folder: Path, frames: Mapping[str, Path]) -> dict[str, str]:
    """Writes a JPEG of each of `frames` (data root by name) below `folder`; returns its file name there by frame name.

    Files are called by the content hash of the frame, so frames with equal bytes share one, and one that is there
    already is kept. Raises `DataError` naming the frame where it's missing, no picture or outside the data root.
    """
    roots: dict[Path, DataRoot] = {}
    paths = {name: roots.setdefault(root, DataRoot(root)).resolve_str(name) for name, root in frames.items()}
    hashes = {name: frame_hash(path) for name, path in paths.items()}
    files = {name: f"{digest[:2]}/{digest}.jpg" for name, digest in hashes.items()}
    wanted = {file: paths[name] for name, file in files.items()}
    missing = [(folder / file, path) for file, path in wanted.items() if not _is_there(folder / file)]
    for place in {target.parent for target, _ in missing}:
        place.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for _ in pool.map(lambda one: _write(*one), missing):
            pass
    return files


def _is_there(path: Path) -> bool:
    """Whether the thumbnail is there; an empty one is what a power cut left."""
    return path.is_file() and path.stat().st_size > 0


def remove_others(folder: Path, kept: Iterable[str]) -> None:
    """Removes thumbnails that no question uses any more."""
    files = set(kept)
    for path in folder.glob("??/*.jpg"):
        if path.relative_to(folder).as_posix() not in files:
            path.unlink()


def _write(target: Path, source: str) -> None:
    import io

    content = io.BytesIO()
    try:
        with opened_picture(frame_bytes(source), source) as image:
            image.draft("RGB", (SIZE, SIZE))  # JPEG: decodes at a fraction of its size where that is enough
            small = as_rgb(image)
            small.thumbnail((SIZE, SIZE))
            small.save(content, "JPEG", quality=_QUALITY, optimize=True)
    except FrameError as error:
        raise FrameError(f"{error}, or leave out --frames") from error
    write_file(target, content.getvalue(), durable=False)
