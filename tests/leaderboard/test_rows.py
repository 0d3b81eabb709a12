"""Rows from runs, from files of other people, and joined over seeds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from msgspec.structs import replace
from scored_samples import question, record, sample, samples, score_samples

from egocross_eval.errors import UsageError
from egocross_eval.leaderboard.found_intervals import has_found_intervals, with_found_intervals
from egocross_eval.leaderboard.rows import distinct, join_repeats, read_row_file, row_file, row_from_run
from egocross_eval.schema import ModelRecord, Outcome, Row
from egocross_eval.tasks.egocross.published_rows import published_rows
from egocross_eval.visible import json_text

HASH = "a" * 64


def row(
    right: int = 6, wrong: int = 4, *, errored: int = 0, origin: str = HASH, source: str = "run", **changes: Any
) -> Row:
    outcomes: list[Outcome] = [*["right"] * right, *["wrong"] * wrong, *["errored"] * errored]  # type: ignore[list-item]
    domains = ["animal", "surgery"]
    lines = [sample(question(n, domain=domains[n % 2]), outcome) for n, outcome in enumerate(outcomes)]
    results = score_samples(lines, total=len(lines))
    run = record(**{"question_count": len(lines), **changes})
    return row_from_run(run, results, source=source, origin_hash=origin, link="runs/run")


def written(tmp_path: Path, rows: list[Row]) -> Path:
    path = tmp_path / "rows.json"
    path.write_text(json_text(row_file(rows, [None] * len(rows))))
    return path


def test_a_row_carries_figures_settings_date_and_the_hash_of_its_samples() -> None:
    made = row(prompt={"frames": "uniform:8", "timestamps": True, "max_pixels": 360000}, model="m")
    assert made.micro is not None
    assert made.micro.accuracy == 0.6
    assert set(made.parts) == {"animal", "surgery"}
    assert made.date == "2026-01-02"
    assert made.origin_hash == HASH
    assert made.link == "runs/run"
    assert made.settings == {
        "style": "letter",
        "frames": "uniform:8",
        "media": "images",
        "timestamps": "yes",
        "pixels": "360000",
        "answers": "generate",
        "seed": "0",
    }


def test_a_row_shows_the_size_of_the_model_where_it_is_known() -> None:
    model = ModelRecord(spec="hf:m", identity="hf:m", fingerprint="f", name="m", details={"parameters": 4_437_815_808})
    results = score_samples([], total=0)
    made = row_from_run(record(**{"model": "x"}), results, source="r", origin_hash=HASH)
    assert "parameters" not in made.settings
    sized = record()
    sized = type(sized)(**{f: getattr(sized, f) for f in sized.__struct_fields__} | {"model": model})
    assert row_from_run(sized, results, source="r", origin_hash=HASH).settings["parameters"] == "4.44B"


def test_a_row_shows_what_processor_and_chat_template_were_told() -> None:
    details = {
        "processor_kwargs": {"crop_to_patches": False},
        "template_kwargs": {"enable_thinking": False},
    }
    model = ModelRecord(spec="hf:m", identity="hf:m", fingerprint="f", name="m", details=details)
    settings = row_from_run(
        structs.replace(record(), model=model), score_samples([], total=0), source="r", origin_hash=HASH
    ).settings
    assert settings["processor kwargs"] == "crop_to_patches=False"
    assert settings["template kwargs"] == "enable_thinking=False"


def test_exported_rows_come_back_as_they_were(tmp_path: Path) -> None:
    rows = [row(), row(origin="b" * 64, errored=2), *published_rows()]
    assert read_row_file(written(tmp_path, rows)) == rows


def test_a_row_with_some_unknown_answers_comes_back_as_it_was(tmp_path: Path) -> None:
    unread = [sample(question(9, target=None), "not_parsed"), sample(question(8, target=None), "filtered")]
    lines = [*samples(["right", "wrong", "not_parsed", "filtered"]), *unread]
    results = score_samples(lines, total=6)
    made = row_from_run(record(question_count=6), results, source="a", origin_hash="0" * 64)
    (tmp_path / "rows.json").write_text(json_text(row_file([made], [None])))
    (back,) = read_row_file(tmp_path / "rows.json")
    assert (back.counts, back.micro) == (made.counts, made.micro)


def test_an_exported_row_must_carry_the_hash_of_what_it_came_from(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"row 1 \('some-model'\): origin_hash"):
        read_row_file(written(tmp_path, [row(origin="")]))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"micro": {"right": 7}}, "counts don't add up"),
        ({"micro": {"low": 0.65}}, "outside its interval"),
        ({"micro": {"accuracy": 0.59}}, "follow from the counts"),
        ({"micro": {"high": 1.5}}, "between 0 and 1"),
        ({"micro": {"right": 5, "wrong": 5, "accuracy": 0.5}}, "more than those of micro"),
        ({"repeats": 0}, "out of range"),
        ({"colour": "red"}, "colour"),
        ({"micro": {"low": "none"}}, "low"),
    ],
)
def test_a_row_that_contradicts_itself_is_refused(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    path = written(tmp_path, [row()])
    content = json.loads(path.read_text())
    target = content["rows"][0]["row"]
    for name, value in change.items():
        if isinstance(value, dict):
            target[name].update(value)
        else:
            target[name] = value
    path.write_text(json.dumps(content))
    with pytest.raises(UsageError, match=problem):
        read_row_file(path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[", "no valid JSON"),
        ("[]", "no exported rows"),
        ('{"rows": []}', "no exported rows"),
        ('{"kind": "egocross-eval rows", "schema_version": 99, "rows": []}', "version 99"),
        ('{"kind": "egocross-eval rows", "schema_version": "1", "rows": []}', "version 1"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "rows.json"
    path.write_text(content)
    with pytest.raises(UsageError, match=problem):
        read_row_file(path)


def test_the_same_samples_given_twice_make_one_row() -> None:
    first, again, other = row(source="here"), row(source="there"), row(origin="b" * 64)
    assert distinct([first, again, other, *published_rows(), *published_rows()]) == [first, other, *published_rows()]


def test_runs_that_differ_in_the_seed_alone_are_joined_into_a_mean_with_its_spread() -> None:
    rows = [
        row(right=6, wrong=4, origin="1" * 64, source="one", generation={"seed": 1}),
        row(right=8, wrong=2, origin="2" * 64, source="two", generation={"seed": 2}),
    ]
    (joined,) = join_repeats(rows)
    assert joined.repeats == 2
    assert joined.micro is not None
    assert joined.micro.accuracy == pytest.approx(0.7)
    assert (joined.micro.right, joined.micro.n) == (14, 20)
    assert joined.micro_spread == pytest.approx(0.02**0.5)
    widths = [figure.high - figure.low for figure in (joined.micro, rows[0].micro) if figure is not None]
    assert widths[0] < widths[1]
    assert list(joined.outcomes["animal"].values()) == ["1", "1", "1", "0.5 ", "0"]
    assert joined.source == "one, two"
    assert joined.settings["seed"] == "1+2"
    assert len(joined.origin_hash) == 64
    assert joined.question_count == 10


@pytest.mark.parametrize(
    "other",
    [
        {"model": "other-model"},
        {"prompt": {"frames": "none"}},
        {"generation": {"seed": 2, "max_new_tokens": 16}},
        {"questions_hash": "r" * 64},
        {"errored": 1, "wrong": 3},
    ],
    ids=["model", "frames", "length", "questions", "incomplete"],
)
def test_runs_that_differ_otherwise_are_not_joined(other: dict[str, Any]) -> None:
    rows = [row(), row(**{"origin": "b" * 64, "generation": {"seed": 2}, **other})]
    assert join_repeats(rows) == rows


def repetitions(*changes: dict[str, Any]) -> list[Row]:
    """Rows of one model with seeds of their own."""
    return [
        replace(row(origin=str(seed) * 64, generation={"seed": seed}), **change) for seed, change in enumerate(changes)
    ]


@pytest.mark.parametrize(
    ("hashes", "left"),
    [
        (["", ""], 1),
        (["", "a"], 1),
        (["b", "", "b"], 1),
        (["a", "b"], 2),
        (["a", "", "b"], 3),
        (["a", "b", "a"], 2),
    ],
)
def test_a_row_that_does_not_say_what_was_asked_is_joined_where_the_others_agree(hashes: list[str], left: int) -> None:
    found = join_repeats(repetitions(*({"asked_hash": one and one * 64} for one in hashes)))
    assert len(found) == left
    assert {one.asked_hash for one in found} >= {one * 64 for one in hashes if one}


@pytest.mark.parametrize(
    ("name", "fingerprint", "left"),
    [("hf:out/best", "f", 1), ("hf:out/best", "", 2), ("hf:out/best", "g", 2), ("vllm:out/best", "f", 2)],
)
def test_repetitions_of_a_checkpoint_are_joined_whichever_of_its_folders_its_name_shows(
    name: str, fingerprint: str, left: int
) -> None:
    first, second = {"model": "hf:best", "fingerprint": fingerprint and "f"}, {"model": name}
    assert len(join_repeats(repetitions(first, {**second, "fingerprint": fingerprint}))) == left


@pytest.mark.parametrize(
    "made",
    [
        row(),
        row(right=0, wrong=5, errored=4),
        row(right=9, wrong=0),
        replace(row(), outcomes={}, micro=None, macro=None, parts={}),
        *join_repeats(repetitions({}, {})),
    ],
)
def test_the_intervals_of_a_row_follow_from_its_outcomes(made: Row) -> None:
    assert has_found_intervals(made)
    assert with_found_intervals(made) == made
    if made.micro is not None:
        assert made.macro is not None
        for other in ({"micro": replace(made.micro, high=0.99)}, {"macro": replace(made.macro, high=0.99)}):
            assert with_found_intervals(replace(made, **other)) == made
            assert not has_found_intervals(replace(made, **other))


def test_rows_without_their_outcomes_are_not_joined() -> None:
    rows = [replace(row(), outcomes={}), replace(row(origin="b" * 64, generation={"seed": 2}), outcomes={})]
    assert join_repeats(rows) == rows


@pytest.mark.parametrize(
    ("outcomes", "problem"),
    [
        ({"animal": {"v": "1"}}, "another number of questions"),
        ({"animal": {"v": "1" * 10}}, "don't give the accuracy"),
        ({"animal": {"v": "x" * 10}}, "no outcomes"),
    ],
)
def test_outcomes_must_give_the_figures_beside_them(
    tmp_path: Path, outcomes: dict[str, dict[str, str]], problem: str
) -> None:
    with pytest.raises(UsageError, match=problem):
        read_row_file(written(tmp_path, [replace(row(), outcomes=outcomes)]))


def test_joined_rows_can_be_exported_and_read(tmp_path: Path) -> None:
    joined = join_repeats([row(), row(right=8, wrong=2, origin="b" * 64, generation={"seed": 2})])
    assert read_row_file(written(tmp_path, joined)) == joined


def test_how_frames_are_shown_is_no_setting_of_questions_without_frames() -> None:
    assert row(data_root="").settings == {"style": "letter", "answers": "generate", "seed": "0"}
