"""A headless Chromium for the tests of the site."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser_flags import FLAGS, PATIENCE

if TYPE_CHECKING:
    from selenium.webdriver import Chrome


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """The browser; tests that need it are skipped where Chromium, its driver or selenium is missing."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("chromium and chromedriver are not installed (Debian: chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    chrome.set_page_load_timeout(PATIENCE)
    chrome.set_script_timeout(PATIENCE)
    yield chrome
    chrome.quit()


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
    from egocross_eval.leaderboard.rows import encode_row_file
    from egocross_eval.leaderboard.site.build import build_site

    root = tmp_path_factory.mktemp("hiding")
    folders = write_runs(root / "runs")
    build_site(folders, root / "figures", questions=False)
    build_site(folders, root / "said", answers=False)
    board = root / "board.json"
    rows = rows_from(folders)
    board.write_bytes(encode_row_file(rows, [None] * len(rows)))
    build_site([board], root / "rows")
    return root
