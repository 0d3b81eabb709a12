"""The pictures of the documentation, taken of the product in Chromium: run this file to take them anew.

`make pictures` does it: the demo is run, its site is written, and two of its pages are photographed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from egocross_eval import load_run

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"

PAGES = {
    "leaderboard.png": ("#/overview", "1280,1440"),
    "question.png": ("#/questions?part=animal&id={animal}", "1280,1000"),
}
"""By file: the part of the site's address, and the window's size in pixels; `{animal}` is a question of that domain."""


def main() -> None:
    """Takes all pictures."""
    with tempfile.TemporaryDirectory(prefix="egocross-pictures-") as folder:
        demo = Path(folder) / "demo"
        _run("demo", demo)
        site = Path(folder) / "site"
        runs = [demo / "runs" / name for name in ("trained", "base", "position")]
        _run("site", *runs, "--frames", "--data", demo / "benchmark", "--output", site)
        for name, (address, size) in PAGES.items():
            shown = address.format(animal=_animal(demo / "runs" / "trained"))
            _photograph(f"file://{site}/index.html{shown}", FOLDER / name, size)


def _animal(run: Path) -> str:
    return next(sample.key for sample in load_run(run).samples if sample.question.label("domain") == "animal")


def _run(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "egocross_eval", *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _photograph(address: str, picture: Path, size: str) -> None:
    picture.parent.mkdir(exist_ok=True)
    # No sandbox: in a container it can't be set up, and the pages are our own.
    options = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={size}", "--virtual-time-budget=8000"]
    subprocess.run(["chromium", *options, f"--screenshot={picture}", address], check=True, capture_output=True)
    from PIL import Image

    with Image.open(picture) as taken:
        taken.convert("P", palette=Image.Palette.ADAPTIVE, colors=128).save(picture, optimize=True)


if __name__ == "__main__":
    main()
