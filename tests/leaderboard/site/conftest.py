"""Sites for the tests in a browser."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from browser import chromium

__all__ = ["chromium"]


@pytest.fixture(scope="session")
def hostile_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of three runs, one of which has a hostile name and says hostile things; with the real chart library."""
    from site_runs import write_runs

    from egocross_eval.leaderboard.site.build import build_site

    root = tmp_path_factory.mktemp("site")
    build_site(write_runs(root / "runs", hostile=True), root / "site")
    return root / "site"


@pytest.fixture(scope="session")
def sites_that_hide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site without questions, `figures`, one without answers, `said`, and one of rows alone, `rows`."""
    from site_runs import write_runs

    from egocross_eval.leaderboard.collect import rows_from
    from egocross_eval.leaderboard.rows import row_file
    from egocross_eval.leaderboard.site.build import build_site

    root = tmp_path_factory.mktemp("hiding")
    folders = write_runs(root / "runs")
    build_site(folders, root / "figures", questions=False)
    build_site(folders, root / "said", answers=False)
    board = root / "board.json"
    rows = rows_from(folders)
    board.write_bytes(msgspec.json.encode(row_file(rows, [None] * len(rows))))
    build_site([board], root / "rows")
    return root
