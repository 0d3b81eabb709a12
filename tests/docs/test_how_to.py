"""The how-to pages are gone through from their first command to their last, each as it's printed."""

from __future__ import annotations

from pathlib import Path

import documented
import pytest
from calling import call
from fake_server import FakeServer
from test_documented_commands import NEEDS_MORE, made_run, place, put_in, server

__all__ = ["made_run", "place", "server"]

PAGES = sorted(f"docs/how-to/{path.name}" for path in (documented.ROOT / "docs" / "how-to").glob("*.md"))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_works_from_beginning_to_end(page: str, place: Path, server: FakeServer) -> None:
    ran = 0
    for arguments in documented.commands(page):
        line = put_in(" ".join(arguments), server)
        if not NEEDS_MORE.search(line) and not line.startswith("submit"):
            assert call(*(put_in(argument, server) for argument in arguments)) == 0, line
            ran += 1
    assert ran or page.endswith("fine-tune.md")


@pytest.mark.parametrize("page", PAGES)
def test_every_option_that_a_page_names_is_one(page: str) -> None:
    assert documented.options(page) - documented.known_options() == set()


def test_the_code_of_the_pages_runs(place: Path) -> None:
    blocks = [block for page in PAGES for block in documented.fenced(page, "python")]
    assert blocks
    for block in blocks:
        exec(block, {})
