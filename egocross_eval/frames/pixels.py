"""What pictures show, whatever their files hold: a hash of the decoded pixels and a thumbnail, kept between runs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from egocross_eval.directories import cache_directory
from egocross_eval.documents import read_json
from egocross_eval.errors import EgoCrossError, warn_caller
from egocross_eval.files import write_file
from egocross_eval.frames.pictures import FrameError, as_rgb, opened_picture
from egocross_eval.frames.store import frame_bytes

BLANK = "blank "
"""What the hash of a picture of one colour begins with."""

KEPT_FILE = "pictures-seen.json"

THUMBNAIL = (32, 32)
"""Width and height of a thumbnail, in grey."""

_MOST_KEPT = 50_000
"""Pictures of which it is kept what they show, 1.5 KB each."""

_WORTH_A_WORD = 500
"""Pictures whose decoding takes seconds."""

_LEAST_SPREAD = 2.0
"""Standard deviation, of 255, that one of the colours of a picture has at least, unless it's blank."""


class Seen(NamedTuple):
    """What a picture shows."""

    digest: str
    """Hash of its pixels in RGB, behind `BLANK` where they are all alike."""
    thumbnail: bytes
    """Its grey values in small, row by row (`THUMBNAIL`)."""


def pixel_hashes(paths: Iterable[str]) -> dict[str, str]:
    """By path, the digest of what a picture shows; what is no readable picture is left out.

    Equal hashes are equal pixels, whatever format, metadata or compression without loss.
    """
    return {path: seen.digest for path, seen in pictures_seen(paths).items()}


def pictures_seen(paths: Iterable[str]) -> dict[str, Seen]:
    """By path, what a picture shows; what is no readable picture is left out.

    Pictures are decoded once: what they show is kept in the cache by the file's identity and state.
    """
    states = {path: state for path in dict.fromkeys(paths) if (state := _state(path))}
    kept = _read()
    missing = {state: path for path, state in states.items() if state not in kept}
    if len(missing) >= _WORTH_A_WORD:
        warn_caller(f"{len(missing):,} pictures are decoded, to tell copies by what they show; this is done once")
    if missing:
        # Pillow lets other threads run while it decodes.
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            found = dict(zip(missing, pool.map(_looked_at, missing.values()), strict=True))
        kept |= {state: seen for state, seen in found.items() if seen}
        _write(kept)
    return {path: kept[state] for path, state in states.items() if state in kept}


def _looked_at(path: str) -> Seen | None:
    """None for what is no readable picture."""
    from PIL import Image, ImageStat
    from xxhash import xxh3_128

    try:
        with opened_picture(frame_bytes(path), path) as image:
            picture = as_rgb(image)
            small = picture.reduce(2)
            blank = max(ImageStat.Stat(small).stddev) < _LEAST_SPREAD
            thumbnail = small.resize(THUMBNAIL, Image.Resampling.BOX).convert("L").tobytes()
            digest = xxh3_128(f"{picture.size}".encode())
            digest.update(picture.tobytes())
    except FrameError:
        return None
    return Seen(f"{BLANK if blank else ''}{digest.hexdigest()}", thumbnail)


def _state(path: str) -> str:
    """What tells a file and its content from others; empty where there's none."""
    try:
        status = Path(path).stat()
    except OSError:
        return ""
    return f"{status.st_dev}-{status.st_ino}-{status.st_size}-{status.st_mtime_ns}"


def _read() -> dict[str, Seen]:
    """What is kept; nothing where the file isn't whole."""
    try:
        return read_json(cache_directory() / KEPT_FILE, dict[str, Seen])
    except (EgoCrossError, OSError):
        return {}


def _write(seen: dict[str, Seen]) -> None:
    import msgspec

    newest = dict(list(seen.items())[-_MOST_KEPT:])
    # They can be made again: a full disk is no reason not to go on.
    with contextlib.suppress(EgoCrossError, OSError):
        write_file(cache_directory() / KEPT_FILE, msgspec.json.encode(newest), durable=False)
