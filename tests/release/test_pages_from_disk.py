"""The documentation opened from disk: a word is searched in a real browser, and its hit leads to the word."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browser import PATIENCE, chromium

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

__all__ = ["chromium"]

ROOT = Path(__file__).resolve().parents[2]
GENERATOR = ROOT / ".venvs" / "docs" / "bin" / "python"

pytestmark = pytest.mark.release


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` builds it."""
    if not GENERATOR.exists():
        pytest.skip("the documentation's environment isn't there; 'make test-release' builds it")
    target = tmp_path_factory.mktemp("pages") / "site"
    command: list[str | Path] = [GENERATOR, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", target]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def waited(browser: Chrome, script: str, *arguments: object) -> Any:
    """What a script gives, once it gives something."""
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(browser, PATIENCE, 0.1).until(lambda one: one.execute_script(script, *arguments), script)


def search(browser: Chrome, page: Path, words: str) -> None:
    """Opens a page from disk and types words into its search, a key at a time, as a reader does."""
    browser.get_log("browser")  # what earlier pages said
    browser.get(page.as_uri())
    browser.execute_script("document.querySelector('#__search').click()")
    box = "const box = document.querySelector('.md-search__input'); return box.checkVisibility() && box"
    waited(browser, box).send_keys(words)


HIT = """
return [...document.querySelectorAll(".md-search-result__item a")].find((hit) => hit.href.startsWith(arguments[0]))
"""


@pytest.mark.parametrize("start", ["index.html", "reference/command-line/run.html"])
@pytest.mark.parametrize(
    ("words", "found"), [("design effect", "statistics.html"), ("combine", "reference/command-line/combine.html")]
)
def test_a_word_is_found_and_its_hit_leads_to_it(
    start: str, words: str, found: str, pages: Path, chromium: Chrome
) -> None:
    search(chromium, pages / start, words)
    address = (pages / found).as_uri()
    chromium.execute_script("arguments[0].click()", waited(chromium, HIT, address))
    waited(chromium, "return location.href.startsWith(arguments[0]) && document.readyState === 'complete'", address)
    assert words in chromium.execute_script("return document.querySelector('article').innerText").lower()
    assert [entry["message"] for entry in chromium.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_a_word_that_no_page_has_is_not_found(pages: Path, chromium: Chrome) -> None:
    search(chromium, pages / "index.html", "zzyzx")
    told = "return document.querySelector('.md-search-result__meta').innerText.trim() === arguments[0]"
    waited(chromium, told, "No matching documents")
