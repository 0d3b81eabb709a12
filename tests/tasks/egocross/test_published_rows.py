"""The published rows come out of counts, exactly as printed."""

from __future__ import annotations

import pytest

from egocross_eval.errors import DataError
from egocross_eval.leaderboard.columns.figures import figure_text
from egocross_eval.schema import Row
from egocross_eval.tasks.egocross.published_rows import domain_sizes, published_rows, recover_count

ROWS = {row.model: row for row in published_rows()}

# animal, xsports, industry, surgery, overall, which: as their sources print them.
PRINTED = {
    "Qwen3-VL-4B baseline": ("55.19", "44.72", "34.29", "48.41", "45.14", "micro"),
    "Qwen3-VL-4B full SFT, 1 epoch": ("55.19", "48.37", "36.33", "46.29", "45.98", "micro"),
    "Qwen3-VL-4B full SFT, 2 epochs": ("55.19", "48.37", "35.10", "47.70", "46.08", "micro"),
    "GPT-4.1": ("64.48", "43.09", "45.71", "57.24", "52.63", "macro"),
    "Gemini 2.5 Pro": ("68.85", "43.90", "37.55", "61.48", "52.95", "macro"),
    "Qwen2.5-VL-7B": ("53.55", "41.87", "37.55", "46.29", "44.82", "macro"),
    "InternVL3-8B": ("49.18", "41.06", "33.06", "47.00", "42.58", "macro"),
    "EgoGPT": ("41.53", "24.80", "24.49", "31.80", "30.66", "macro"),
    "WFJ-KnowinEnvision (DomainWiseInfer)": ("77.05", "63.41", "64.49", "65.72", "66.98", "micro"),
    "OmniEgo-R2, open-source": ("74.32", "54.47", "82.86", "58.66", "66.77", "micro"),
    "OmniEgo-R2, source-limited": ("74.32", "54.47", "81.22", "58.66", "66.35", "micro"),
    "Reflective Dialogue, Gemini 3.1 Pro": ("79.2", "52.4", "59.2", "74.9", "65.9", "micro"),
}
INCONSISTENT = {"InternVL3-8B": "42.57", "EgoGPT": "30.65"}
"""Rows whose printed overall doesn't follow from the counts behind their cells, and what does."""


def overall(row: Row) -> float:
    figure = row.micro if row.ranked_by == "micro" else row.macro
    assert figure is not None
    return figure.accuracy


def test_every_published_row_is_there() -> None:
    assert set(ROWS) == set(PRINTED)


@pytest.mark.parametrize("model", PRINTED)
def test_each_cell_is_a_count_that_prints_as_published(model: str) -> None:
    row, printed = ROWS[model], PRINTED[model]
    for domain, text in zip(("animal", "xsports", "industry", "surgery"), printed, strict=False):
        figure = row.parts[domain]
        assert figure.n == domain_sizes()[domain]
        assert f"{100 * figure.right / figure.n:.{row.decimals}f}" == text
        assert figure_text(row, domain) == text


@pytest.mark.parametrize("model", [model for model in PRINTED if model not in INCONSISTENT])
def test_the_published_overall_follows_from_the_counts(model: str) -> None:
    row, (*_, text, which) = ROWS[model], PRINTED[model]
    assert row.ranked_by == which
    assert f"{100 * overall(row):.{row.decimals}f}" == text
    assert figure_text(row, which) == text
    assert row.note == ""


@pytest.mark.parametrize("model", INCONSISTENT)
def test_an_overall_that_does_not_follow_is_kept_and_marked(model: str) -> None:
    row, (*_, text, which) = ROWS[model], PRINTED[model]
    assert f"{100 * overall(row):.2f}" == INCONSISTENT[model]
    assert figure_text(row, which) == f"{text}†"
    assert INCONSISTENT[model] in row.note


@pytest.mark.parametrize("model", PRINTED)
def test_the_overall_that_is_not_published_is_marked_as_derived(model: str) -> None:
    row = ROWS[model]
    other = "macro" if row.ranked_by == "micro" else "micro"
    assert figure_text(row, other).endswith("*")
    assert "*" not in figure_text(row, row.ranked_by)


def test_the_counts_of_the_training_repository_are_432_and_441() -> None:
    baseline, tuned = ROWS["Qwen3-VL-4B baseline"].micro, ROWS["Qwen3-VL-4B full SFT, 2 epochs"].micro
    assert baseline is not None
    assert tuned is not None
    assert (baseline.right, baseline.n) == (432, 957)
    assert (tuned.right, tuned.n) == (441, 957)


def test_the_winner_was_first_in_both_tracks_and_the_second_has_a_row_of_each() -> None:
    tracks = {model: row.settings.get("track") for model, row in ROWS.items() if row.settings}
    assert tracks["WFJ-KnowinEnvision (DomainWiseInfer)"] == "1st in both tracks"
    assert tracks["OmniEgo-R2, open-source"] == "open-source, 2nd"
    assert tracks["OmniEgo-R2, source-limited"] == "source-limited, 2nd"


def test_every_row_names_its_source() -> None:
    for row in ROWS.values():
        assert row.published
        assert row.source
        assert row.origin_hash == ""


def test_a_percentage_without_a_single_count_is_refused() -> None:
    assert recover_count("48.41", 283) == 137
    with pytest.raises(DataError, match="no whole number"):
        recover_count("48.42", 283)
    with pytest.raises(DataError, match="more than one"):
        recover_count("50", 1000)
