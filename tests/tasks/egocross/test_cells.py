"""The 25 cells of the benchmark."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

from egocross_eval.tasks.egocross.catalogue import (
    CELLS,
    DATASET_DOMAINS,
    DOMAINS,
    QUESTION_TYPES,
    TESTBED_COUNT,
    cell_of_folder,
    find_cell,
    task_slug,
    worded_as,
)


def test_there_are_25_cells_with_957_questions_in_15_types() -> None:
    assert len(CELLS) == 25
    assert TESTBED_COUNT == 957
    assert len(QUESTION_TYPES) == 15
    domains: Counter[str] = Counter()
    for cell in CELLS:
        domains[cell.domain] += cell.count
    assert domains == {"animal": 183, "industry": 245, "xsports": 246, "surgery": 283}
    assert set(DATASET_DOMAINS.values()) == set(DOMAINS)


def test_abbreviations_are_the_initials_of_type_and_slug() -> None:
    for cell in CELLS:
        assert cell.abbreviation == "".join(word[0] for word in re.split(r"[ -]", cell.question_type))
        assert cell.support_abbreviation == "".join(word[0] for word in cell.slug.split("-"))
        assert len(cell.slug) <= 40


def test_a_clip_folder_names_its_cell_in_both_ways_of_abbreviating() -> None:
    for cell in CELLS:
        assert cell_of_folder(cell.dataset, cell.abbreviation) is cell
        assert cell_of_folder(cell.dataset, cell.support_abbreviation) is cell
    assert cell_of_folder("EgoPet", "dotc") is None


def test_a_pair_that_the_benchmark_lacks_has_no_cell() -> None:
    assert find_cell("EgoPet", "object counting") is None
    assert find_cell("ENIGMA", "object counting") is not None


def test_names_become_fit_for_the_command_line() -> None:
    assert task_slug("object counting") == "object-counting"
    assert task_slug("dominant held-object identification") == "dominant-held-object-identification"
    assert task_slug("Counting") == "counting"


def test_an_unusual_wording_is_no_types() -> None:
    assert worded_as("Is this a question?") is None
    assert worded_as("How many distinct tools are NOT visible?") is None


def test_cells_are_those_of_the_real_testbed(shared_data: Path) -> None:
    items = json.loads((shared_data / "egocross_testbed_imgs.json").read_text(encoding="utf-8"))
    found = Counter((entry["dataset"], entry["primary_category"], entry["question_type"]) for entry in items)
    assert found == {(cell.dataset, cell.category, cell.question_type): cell.count for cell in CELLS}


def test_every_real_question_is_worded_as_its_type(shared_data: Path) -> None:
    items = json.loads((shared_data / "egocross_testbed_imgs.json").read_text(encoding="utf-8"))
    assert [entry["id"] for entry in items if worded_as(entry["question_text"]) != entry["question_type"]] == []
