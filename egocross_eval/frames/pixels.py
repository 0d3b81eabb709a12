"""What pictures show, whatever their files hold: a hash of the decoded pixels, kept between runs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from egocross_eval.directories import cache_directory
from egocross_eval.documents import read_json
from egocross_eval.errors import EgoCrossError, warn_caller
from egocross_eval.files import write_file
from egocross_eval.frames.pictures import FrameError, as_rgb, opened_picture
from egocross_eval.frames.store import frame_bytes

BLANK = "blank "
"""What the hash of a picture of one colour begins with."""

KEPT_FILE = "pixels.json"

_MOST_KEPT = 200_000
"""Pictures whose hashes are kept."""

_WORTH_A_WORD = 500
"""Pictures whose decoding takes seconds."""

_LEAST_SPREAD = 2.0
"""Standard deviation, of 255, that one of the colours of a picture has at least, unless it's blank."""


def pixel_hashes(paths: Iterable[str]) -> dict[str, str]:
    """By path, the hash of a picture's pixels in RGB, behind `BLANK` where they are all alike; what is no readable
    picture is left out.

    Equal hashes are equal pixels, whatever format, metadata or compression without loss. Pictures are decoded once:
    hashes are kept in the cache by the file's identity and state.
    """
    states = {path: state for path in dict.fromkeys(paths) if (state := _state(path))}
    kept = _read()
    missing = {state: path for path, state in states.items() if state not in kept}
    if len(missing) >= _WORTH_A_WORD:
        warn_caller(f"{len(missing):,} pictures are decoded, to tell copies by what they show; this is done once")
    if missing:
        # Pillow lets other threads run while it decodes.
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            found = dict(zip(missing, pool.map(_hash, missing.values()), strict=True))
        kept |= {state: digest for state, digest in found.items() if digest}
        _write(kept)
    return {path: kept[state] for path, state in states.items() if state in kept}


def _hash(path: str) -> str:
    """Empty for what is no readable picture."""
    from PIL import ImageStat
    from xxhash import xxh3_128

    try:
        with opened_picture(frame_bytes(path), path) as image:
            picture = as_rgb(image)
            blank = max(ImageStat.Stat(picture.reduce(2)).stddev) < _LEAST_SPREAD
            digest = xxh3_128(f"{picture.size}".encode())
            digest.update(picture.tobytes())
    except FrameError:
        return ""
    return f"{BLANK if blank else ''}{digest.hexdigest()}"


def _state(path: str) -> str:
    """What tells a file and its content from others; empty where there's none."""
    try:
        status = Path(path).stat()
    except OSError:
        return ""
    return f"{status.st_dev}-{status.st_ino}-{status.st_size}-{status.st_mtime_ns}"


def _read() -> dict[str, str]:
    """The hashes that are kept; none where the file isn't whole."""
    try:
        return read_json(cache_directory() / KEPT_FILE, dict[str, str])
    except (EgoCrossError, OSError):
        return {}


def _write(hashes: dict[str, str]) -> None:
    import msgspec

    newest = dict(list(hashes.items())[-_MOST_KEPT:])
    # They can be made again: a full disk is no reason not to go on.
    with contextlib.suppress(EgoCrossError, OSError):
        write_file(cache_directory() / KEPT_FILE, msgspec.json.encode(newest), durable=False)
