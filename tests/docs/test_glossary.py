"""The glossary: the words that users meet, each once, with the page that says more."""

from __future__ import annotations

import re

import documented
import pytest

PAGE = "docs/glossary.md"
PAGES = sorted(str(path.relative_to(documented.ROOT)) for path in (documented.ROOT / "docs").rglob("*.md"))


def rows() -> list[list[str]]:
    lines = [line for line in documented.text_of(PAGE).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


WORDS = [row[0] for row in rows()]


def test_each_word_stands_there_once_and_in_order() -> None:
    assert sorted({word.lower() for word in WORDS}) == WORDS


def test_each_word_has_its_meaning_and_a_page() -> None:
    assert [
        row for row in rows() if len(row) != 3 or not row[1] or not re.fullmatch(r"\[[^]]+\]\([^)]+\)", row[2])
    ] == []


def test_the_nouns_of_the_architecture_are_among_the_words() -> None:
    table = documented.text_of("docs/architecture.md").partition("| noun |")[2].partition("\n\n")[0]
    nouns = {noun for line in table.splitlines()[2:] for noun in line.split("|")[1].strip().split(", ")}
    assert "ask" in nouns
    assert nouns <= set(WORDS)


@pytest.mark.parametrize("page", PAGES)
def test_a_link_to_a_word_leads_to_one(page: str) -> None:
    linked = re.findall(r"glossary\.md#([\w-]+)\)", documented.text_of(page))
    assert set(linked) <= {word.replace(" ", "-") for word in WORDS}


def test_the_pages_for_beginners_lead_to_the_glossary() -> None:
    beginners = ["docs/index.md", "docs/tutorial.md", *(page for page in PAGES if "/how-to/" in page)]
    assert [page for page in beginners if "glossary.md" not in documented.text_of(page)] == []
