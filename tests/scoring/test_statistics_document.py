"""What docs/statistics.md says of the testbed's videos, and in numbers, is what the code gives."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from scored_samples import VIDEO_SIZES, whole_testbed

from egocross_eval.scoring.accuracy import accuracy_interval
from egocross_eval.tasks.egocross.tasks import EGOCROSS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")


def test_the_picture_of_the_videos_is_the_one_that_the_command_draws() -> None:
    drawn = runpy.run_path(str(ROOT / "measurements" / "statistics" / "clusters.py"))
    for line in drawn["picture"](whole_testbed(), EGOCROSS.record()).splitlines():
        assert line.strip() in DOCUMENT


def test_all_right_is_as_sure_as_the_document_says() -> None:
    clusters = [f"{d}/{i}" for d, sizes in VIDEO_SIZES.items() for i, n in enumerate(sizes) for _ in range(n)]
    found = accuracy_interval([1.0] * 957, clusters, [name.split("/")[0] for name in clusters])
    assert f"957 of 957 gives {100 * found.low:.1f} to 100 %" in DOCUMENT


@pytest.mark.parametrize("name", ["test_coverage.py", "test_size_and_power.py"])
def test_what_the_document_names_is_there(name: str) -> None:
    assert name in DOCUMENT
    assert (ROOT / "tests" / "scoring" / name).is_file()
