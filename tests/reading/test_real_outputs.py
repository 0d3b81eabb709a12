"""The reader on real outputs of multiple-choice models, where the shared collection is at hand."""

import json
from pathlib import Path

import pytest

from egocross_eval.reading import extract

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "extraction" / "real_outputs.jsonl"


@pytest.mark.skipif(not REAL.is_file(), reason="the shared collection of real outputs is not here")
def test_at_least_97_percent_are_read_right_and_at_most_1_percent_get_a_wrong_letter() -> None:
    rows = [json.loads(line) for line in REAL.read_text(encoding="utf-8").splitlines()]
    found = [extract(row["output"], row["options"] or {}, row["letters"]).letter for row in rows]
    right = sum(letter == row["label"] for letter, row in zip(found, rows, strict=True))
    wrong = sum(letter not in (None, row["label"]) for letter, row in zip(found, rows, strict=True))
    assert len(rows) > 300
    assert right / len(rows) >= 0.97
    assert wrong / len(rows) <= 0.01
