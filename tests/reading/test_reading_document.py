"""docs/reading.md tells for every form of answer which file to open."""

import re
from pathlib import Path

import egocross_eval.reading

ROOM = Path(egocross_eval.reading.__file__).parent
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "reading.md"
NAMED = set(re.findall(r"`([a-z_/]+\.(?:py|jsonl))`", DOCUMENT.read_text(encoding="utf-8")))


def test_every_file_that_the_document_names_exists() -> None:
    assert {name for name in NAMED if not (ROOM / name).is_file()} == set()


def test_every_file_that_knows_a_form_of_answer_is_named() -> None:
    forms = {
        path.relative_to(ROOM).as_posix()
        for folder in ("text", "phrases", "prose", "marked")
        for path in (ROOM / folder).glob("*.py")
        if path.name != "__init__.py"
    }
    plumbing = {"text/offsets.py", "marked/places.py", "prose/mentions.py", "prose/said.py"}
    assert forms - plumbing - NAMED == set()
