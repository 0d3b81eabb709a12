"""Several runs on one leaderboard, in the folder that they lie in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from egocross_eval.files import write_file
from egocross_eval.leaderboard.collect import rows_from
from egocross_eval.leaderboard.render import render
from egocross_eval.runs.store import LEADERBOARD_FILE


def write_board(runs: Sequence[Path], folder: Path) -> str:
    """Writes `leaderboard.md` of run folders into `folder`, and returns its text."""
    text = render(rows_from(runs, relative_to=folder), "md", intervals="half-width")
    folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / LEADERBOARD_FILE, text)
    return text
