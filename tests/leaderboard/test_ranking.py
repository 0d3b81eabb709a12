"""Which rows share a table, in what order, and which tie."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from msgspec.structs import replace
from scored_samples import record, sample, score_samples, whole_testbed

from egocross_eval.errors import UsageError
from egocross_eval.leaderboard.ranking import boards, ranked, select
from egocross_eval.leaderboard.rows import row_from_run
from egocross_eval.leaderboard.table import table_of
from egocross_eval.schema import SCHEMA_VERSION, Figure, Row
from egocross_eval.scoring.accuracy import Counted, assumed_interval
from egocross_eval.scoring.align import align
from egocross_eval.scoring.comparison import ComparedRun, compare_pairs
from egocross_eval.tasks.egocross.published_rows import published_rows
from egocross_eval.tasks.egocross.tasks import EGOCROSS


def figure(right: int, n: int = 957, errored: int = 0) -> Figure:
    interval = assumed_interval([Counted(right, n, 0.0)])
    wrong = n - right - errored
    return Figure(
        right=right, n=n, accuracy=right / n, low=interval.low, high=interval.high, wrong=wrong, errored=errored
    )


def row(model: str, right: int, *, complete: bool = True, **changes: object) -> Row:
    fields: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "model": model,
        "source": "run",
        "published": False,
        "complete": complete,
        "benchmark": EGOCROSS.record(),
        "split": "testbed",
        "micro": figure(right, errored=0 if complete else 3),
        "macro": figure(right),
        "parts": {},
        "counts": {},
        "settings": {},
        "date": "2026-01-02",
        "question_count": 957,
    }
    return Row(**{**fields, **changes})  # type: ignore[arg-type]


def ranks(rows: list[Row], by: str = "micro") -> list[int | None]:
    return ranked(rows, by=by)[0]


def test_rows_that_noise_can_explain_share_a_rank() -> None:
    assert ranks([row("a", 640), row("b", 632), row("c", 441), row("d", 432)]) == [1, 1, 3, 3]


def test_a_rank_counts_those_that_are_shown_to_be_better() -> None:
    # a is better than c, but b, between them, than neither.
    assert ranks([row("a", 485), row("b", 455), row("c", 425)]) == [1, 1, 2]


def test_rows_with_outcomes_are_ranked_by_what_changed() -> None:
    videos = {f"EgoPet/v{place:02}": 20 for place in range(40)}
    first = dict.fromkeys(videos, "1" * 10 + "0" * 10)
    # On every video one or two questions more than the first.
    second = {name: "1" * (11 + place % 2) + "0" * (9 - place % 2) for place, name in enumerate(videos)}
    found = [
        row("first", 400, micro=figure(400, 800), question_count=800, outcomes={"animal": first}),
        row("second", 460, micro=figure(460, 800), question_count=800, outcomes={"animal": second}),
    ]
    assert ranks(found) == [2, 1]
    alone = [replace(one, outcomes={}) for one in found]
    assert ranks([replace(one, micro=figure(right, 800)) for one, right in zip(alone, (400, 430), strict=True)]) == [
        1,
        1,
    ]


def test_incomplete_rows_are_listed_last_and_not_ranked() -> None:
    (board,) = boards([row("broken", 900, complete=False), row("whole", 400)])
    assert [r.model for r in board.rows] == ["whole", "broken"]
    assert board.ranks == [1, None]


def test_the_order_does_not_depend_on_that_of_the_arguments() -> None:
    rows = [row("b", 441), row("a", 441), row("B", 441, source="other"), row("c", 500), *published_rows()]
    expected = boards(rows)
    for seed in range(5):
        assert boards(random.Random(seed).sample(rows, len(rows))) == expected


def test_rows_over_different_questions_stand_apart_with_the_testbed_first() -> None:
    demo = row("demo", 20, split="demo", question_count=25, questions_hash="d")
    part = row("part", 20, question_count=100, questions_hash="p")
    other_part = row("part", 20, question_count=100, questions_hash="q")
    found = boards([demo, part, other_part, row("whole", 441, questions_hash="w"), *published_rows()])
    assert [(b.split, b.question_count, len(b.rows)) for b in found] == [
        ("testbed", 957, 13),
        ("demo", 25, 1),
        ("testbed", 100, 1),
        ("testbed", 100, 1),
    ]


def test_rows_scored_with_other_answers_stand_apart_and_rows_that_do_not_tell_beside_most() -> None:
    usual, other = "a" * 64, "b" * 64
    scored = [row("a", 640, answers_hash=usual), row("b", 600, answers_hash=usual), row("c", 957, answers_hash=other)]
    found = boards([*scored, row("old", 500), row("unfinished", 400, complete=False, answers_hash="c" * 64)])
    assert [(board.answers, [one.model for one in board.rows]) for board in found] == [
        ("a" * 8, ["a", "b", "old", "unfinished"]),
        ("b" * 8, ["c"]),
    ]
    assert [board.ranks[0] for board in found] == [1, 1]
    assert "answers bbbbbbbb" in table_of(found[1]).title
    assert [board.answers for board in boards(scored[:2])] == [""]


def test_rows_over_as_many_other_questions_stand_apart_whatever_their_questions_hash() -> None:
    benchmark, other = "a" * 64, "b" * 64
    scored = [row("a", 640, asked_hash=benchmark), row("b", 600, asked_hash=benchmark), row("old", 500)]
    found = boards([*scored, row("forged", 957, asked_hash=other)])
    assert [(board.asked, [one.model for one in board.rows]) for board in found] == [
        ("a" * 8, ["a", "b", "old"]),
        ("b" * 8, ["forged"]),
    ]
    assert "questions bbbbbbbb" in table_of(found[1]).title
    assert any("other words, options, labels" in note for note in table_of(found[1]).notes)
    assert [board.asked for board in boards(scored)] == [""]


def test_rows_are_sorted_and_ranked_by_what_is_asked() -> None:
    first = row("first", 600, macro=figure(300), date="2025-01-01")
    second = row("second", 300, macro=figure(600), date="2026-01-01")
    by = {
        key: [r.model for r in boards([first, second], sort=key)[0].rows] for key in ("micro", "macro", "date", "model")
    }
    assert by == {
        "micro": ["first", "second"],
        "macro": ["second", "first"],
        "date": ["second", "first"],
        "model": ["first", "second"],
    }
    assert boards([first, second], sort="macro")[0].ranks == [1, 2]
    assert boards([second, first], sort="model")[0].ranks == [1, 2]


def test_rows_without_a_domain_come_last_when_sorted_by_it() -> None:
    partial = row("partial", 900)
    full = row("full", 100, parts={"surgery": figure(100, 283)})
    (board,) = boards([partial, full], sort="surgery")
    assert [r.model for r in board.rows] == ["full", "partial"]
    assert board.ranks == [1, None]


def test_an_unknown_sort_key_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UsageError, match="did you mean 'micro'"):
        boards([row("a", 1)], sort="mirco")


def test_rows_are_filtered_by_model_split_and_completeness() -> None:
    rows = [
        row("Qwen3-VL-4B", 400),
        row("Qwen3-VL-8B", 500, complete=False),
        row("InternVL", 300, split="demo"),
    ]
    assert select(rows, models=["qwen*"]) == rows[:2]
    assert select(rows, models=["*8b", "intern*"]) == rows[1:]
    assert select(rows, splits=["demo"]) == rows[2:]
    assert select(rows, complete_only=True) == [rows[0], rows[2]]
    assert select(rows) == rows


def test_the_published_gain_of_fine_tuning_ties() -> None:
    rows = [r for r in published_rows() if r.model.startswith("Qwen3-VL-4B")]
    assert len(rows) > 1
    assert set(ranks(rows)) == {1}


@pytest.mark.parametrize("by", ["micro", "macro", "animal", "surgery"])
def test_ranks_are_those_that_the_verdicts_of_compare_give(by: str) -> None:
    rng = random.Random(5)
    questions = whole_testbed()
    runs, rows = [], []
    for place in range(8):
        accuracy = 0.3 + 0.05 * place
        lines = tuple(sample(one, "right" if rng.random() < accuracy else "wrong") for one in questions)
        run = ComparedRun(label=f"m{place}", record=record(f"m{place}"), samples=lines)
        results = score_samples(lines, total=957)
        runs.append(run)
        rows.append(row_from_run(run.record, results, source=run.label, origin_hash=f"{place}" * 64))
    better = Counter[str]()
    for _, _, found in compare_pairs(runs, align(runs)):
        looks = {"micro": found.micro, "macro": found.macro} | {look.name: look for look in found.looks["domain"]}
        if looks[by].verdict == "shown":
            better[found.first if looks[by].difference > 0 else found.second] += 1
    assert ranks(rows, by) == [1 + better[run.label] for run in runs]
    assert len(set(ranks(rows, by))) > 2
