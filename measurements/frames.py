"""Writes stand-in frames for all questions of a testbed file: as many different pictures as the real testbed has.

    python measurements/frames.py egocross_testbed_imgs.json ROOT

Of the real testbed's 10,748 files about a fifth are byte copies of others, those of questions on the same clip; so are
they here. Pictures have their dataset's usual size, and take as long to decode as photographs of 60 to 200 KB.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

SIZES = {
    "CholecTrack20": (854, 480),
    "EgoPet": (640, 360),
    "EgoSurgery": (960, 540),
    "ENIGMA": (1280, 720),
    "ExtrameSportFPV": (1280, 720),
}
"""(width, height) of most frames, by dataset."""

COPIED = 0.35
"""Share of the clips in question that show the frames of an earlier question, where one of the video lists the same."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("questions", type=Path)
    parser.add_argument("root", type=Path)
    arguments = parser.parse_args()
    arguments.root.mkdir(parents=True, exist_ok=True)
    shutil.copy(arguments.questions, arguments.root / "egocross_testbed_imgs.json")
    clips, copies = planned(json.loads(arguments.questions.read_text()))
    with ProcessPoolExecutor() as pool:
        sizes = list(pool.map(write_clip, [(arguments.root, *clip) for clip in clips], chunksize=8))
    for source, target in copies:
        link = arguments.root / target
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        os.link(arguments.root / source, link)
    count = sum(len(names) for _, names in clips)
    print(f"{count} pictures of {sum(sizes) / count / 1024:.0f} KB, and {len(copies)} copies, below {arguments.root}")


def planned(questions: list[dict[str, Any]]) -> tuple[list[tuple[str, list[str]]], list[tuple[str, str]]]:
    """(dataset, names of frames) of every clip with pictures of its own, and (source, copy) of all other frames."""
    draw = random.Random(0)
    seen: dict[tuple[str, ...], list[list[str]]] = defaultdict(list)
    clips, copies = [], []
    for question in questions:
        names = [path.lstrip("/") for path in question["video_path"]]
        parts = [name.split("/") for name in names]
        alike = seen[parts[0][3], *(part[-1] for part in parts)]
        if alike and draw.random() < COPIED:
            copies.extend(zip(draw.choice(alike), names, strict=True))
        else:
            alike.append(names)
            clips.append((question["dataset"], names))
    return clips, copies


def write_clip(clip: tuple[Path, str, list[str]]) -> int:
    """Writes the frames of a clip; returns their bytes."""
    import numpy as np
    from PIL import Image

    root, dataset, names = clip
    draw = random.Random(names[0])
    scene, written = scenes(dataset)[draw.randrange(4)], 0
    for name in names:
        moved = np.roll(scene, (draw.randrange(scene.shape[0]), draw.randrange(scene.shape[1])), (0, 1))
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(moved).save(path, quality=85)
        written += path.stat().st_size
    return written


@cache
def scenes(dataset: str) -> list[Any]:
    """Four pictures with soft light, some shapes and fine grain, as arrays of shape (height, width, 3)."""
    import numpy as np
    from PIL import Image, ImageDraw

    width, height = SIZES[dataset]
    made = []
    for number in range(4):
        rng = np.random.default_rng(number)
        picture = Image.fromarray(rng.integers(0, 256, (5, 8, 3), dtype=np.uint8)).resize((width, height))
        pen = ImageDraw.Draw(picture)
        for _ in range(15):
            x, y, size = (int(value) for value in rng.integers(0, (width, height, height // 6)))
            pen.ellipse((x, y, x + size, y + size), fill=tuple(int(value) for value in rng.integers(0, 256, 3)))
        grain = rng.normal(0, 5, (height, width, 1))
        made.append(np.clip(np.asarray(picture, dtype=np.float32) + grain, 0, 255).astype(np.uint8))
    return made


if __name__ == "__main__":
    main()
