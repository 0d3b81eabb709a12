"""What EgoCross consists of: four domains, five source datasets, four categories, fifteen question types, 25 cells.

A cell is a (dataset, question type) pair that the testbed has questions for. The figures and names were taken from the
testbed file and the submission template of the benchmark. Nothing here reads a file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

DATASET_DOMAINS: dict[str, str] = {
    "CholecTrack20": "surgery",
    "EgoPet": "animal",
    "EgoSurgery": "surgery",
    "ENIGMA": "industry",
    "ExtrameSportFPV": "xsports",
}
"""Domain by source dataset. `ExtrameSportFPV` is spelled so throughout the benchmark."""

DOMAINS: tuple[str, ...] = ("animal", "industry", "xsports", "surgery")
"""The domains, in the order of the support set's file."""

CATEGORIES: tuple[str, ...] = ("Counting", "Identification", "Localization", "Prediction")

LETTERS: tuple[str, ...] = ("A", "B", "C", "D")
"""Letters of the four options of every question."""

SUPPORT_COUNT = 20
"""Support examples per domain."""


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One (dataset, question type) pair of the testbed."""

    dataset: str
    category: str
    question_type: str
    slug: str
    """Last part of the question_id, cut at 40 characters by the benchmark."""
    abbreviation: str
    """Initials of the question type: names the clip folders of the testbed (`<abbreviation>_q<n>`)."""
    support_abbreviation: str
    """Initials of the uncut slug: names the clip folders of the support set."""
    count: int
    """Questions in the testbed."""

    @property
    def domain(self) -> str:
        """Domain that the dataset belongs to."""
        return DATASET_DOMAINS[self.dataset]


def _cells(question_type: str, category: str, rows: Iterable[tuple[str, str, str, str, int]]) -> list[Cell]:
    return [
        Cell(
            dataset=dataset,
            category=category,
            question_type=question_type,
            slug=slug,
            abbreviation=abbreviation,
            support_abbreviation=support,
            count=count,
        )
        for dataset, slug, abbreviation, support, count in rows
    ]


CELLS: tuple[Cell, ...] = (
    *_cells(
        "object counting",
        "Counting",
        [
            ("CholecTrack20", "distinct-instruments-counting", "oc", "dic", 30),
            ("EgoSurgery", "distinct-object-types-counting", "oc", "dotc", 20),
            ("ENIGMA", "distinct-object-types-counting", "oc", "dotc", 64),
        ],
    ),
    *_cells(
        "dominant held-object identification",
        "Identification",
        [
            ("CholecTrack20", "dominant-instrument-operator-identificat", "dhoi", "dioi", 26),
            ("EgoSurgery", "dominant-tool-operator-identification", "dhoi", "dtoi", 40),
            ("ENIGMA", "dominant-tool-operator-identification", "dhoi", "dtoi", 32),
        ],
    ),
    *_cells(
        "object not visible identification",
        "Identification",
        [
            ("CholecTrack20", "instrument-not-visible-identification", "onvi", "invi", 20),
            ("EgoSurgery", "object-not-visible-identification", "onvi", "onvi", 20),
            ("ENIGMA", "object-not-visible-identification", "onvi", "onvi", 32),
        ],
    ),
    *_cells(
        "action sequence identification",
        "Identification",
        [("ExtrameSportFPV", "action-sequence-identification", "asi", "asi", 50)],
    ),
    *_cells(
        "special action identification",
        "Identification",
        [("ExtrameSportFPV", "special-action-identification", "sai", "sai", 46)],
    ),
    *_cells("sport identification", "Identification", [("ExtrameSportFPV", "sport-identification", "si", "si", 15)]),
    *_cells("animal identification", "Identification", [("EgoPet", "animal-identification", "ai", "ai", 13)]),
    *_cells(
        "interaction identification", "Identification", [("EgoPet", "interaction-identification", "ii", "ii", 104)]
    ),
    *_cells(
        "action temporal localization",
        "Localization",
        [
            ("CholecTrack20", "action-temporal-localization", "atl", "atl", 19),
            ("ENIGMA", "temporal-localization", "atl", "tl", 32),
            ("ExtrameSportFPV", "action-temporal-localization", "atl", "atl", 75),
        ],
    ),
    *_cells(
        "interaction temporal localization",
        "Localization",
        [("EgoPet", "interaction-temporal-localization", "itl", "itl", 66)],
    ),
    *_cells(
        "object spatial localization",
        "Localization",
        [
            ("CholecTrack20", "instrument-region-localization", "osl", "irl", 40),
            ("EgoSurgery", "held-object-region-localization", "osl", "horl", 20),
            ("ENIGMA", "held-object-region-localization", "osl", "horl", 32),
        ],
    ),
    *_cells("next action prediction", "Prediction", [("CholecTrack20", "next-action-prediction", "nap", "nap", 24)]),
    *_cells("next phase prediction", "Prediction", [("CholecTrack20", "next-phase-prediction", "npp", "npp", 24)]),
    *_cells("next interaction prediction", "Prediction", [("ENIGMA", "next-interaction-prediction", "nip", "nip", 53)]),
    *_cells("next direction prediction", "Prediction", [("ExtrameSportFPV", "direction-prediction", "ndp", "dp", 60)]),
)
"""All 25 cells, by category, then question type, then dataset."""

QUESTION_TYPES: tuple[str, ...] = tuple(dict.fromkeys(cell.question_type for cell in CELLS))

QUESTION_TYPE_CATEGORY: dict[str, str] = {cell.question_type: cell.category for cell in CELLS}

TESTBED_COUNT = sum(cell.count for cell in CELLS)
"""Questions in the testbed: 957."""

_BY_PAIR = {(cell.dataset, cell.question_type): cell for cell in CELLS}

# How each question type is worded, in every dataset: a phrase that no other type uses.
_PHRASES: tuple[tuple[str, str], ...] = (
    ("object counting", r"how many distinct"),
    ("dominant held-object identification", r"predominantly interacting"),
    ("object not visible identification", r"not visible"),
    ("action sequence identification", r"sequence of actions"),
    ("special action identification", r"what action is being performed"),
    ("sport identification", r"extreme sport"),
    ("animal identification", r"type of animal"),
    ("interaction identification", r"what object is the .* interacting with"),
    ("action temporal localization", r"at (?:what approximate|approximately what) time|approximately at what time"),
    ("interaction temporal localization", r"when does the .* first interact"),
    ("object spatial localization", r"in which region"),
    ("next action prediction", r"predicted key action"),
    ("next phase prediction", r"phase immediately follows"),
    ("next interaction prediction", r"next type of interaction"),
    ("next direction prediction", r"next direction of movement"),
)


def find_cell(dataset: str, question_type: str) -> Cell | None:
    """The cell of that pair, or None if the benchmark has none."""
    return _BY_PAIR.get((dataset, question_type))


def cell_of_folder(dataset: str, abbreviation: str) -> Cell | None:
    """The one cell of `dataset` whose clip folders go by `abbreviation`, here or in the support set; None if unsure."""
    found = [
        cell
        for cell in CELLS
        if cell.dataset == dataset and abbreviation in (cell.abbreviation, cell.support_abbreviation)
    ]
    return found[0] if len(found) == 1 else None


def worded_as(text: str) -> str | None:
    """The question type whose wording `text` has, or None where the wording is no type's or more than one type's."""
    found = [name for name, phrase in _PHRASES if re.search(phrase, text, re.IGNORECASE)]
    return found[0] if len(found) == 1 else None


def task_slug(text: str) -> str:
    """A name fit for the command line: `object counting` becomes `object-counting`, `Counting` becomes `counting`."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
