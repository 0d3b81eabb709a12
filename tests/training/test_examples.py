"""Which examples are trained on and which are held out."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from training_files import example, four_videos, write_support

from egocross_eval.errors import DataError, UsageError
from egocross_eval.schema import Question
from egocross_eval.training.dataset import write_holdout
from egocross_eval.training.examples import Split, held_out, read_examples


def question(number: int, video: str, domain: str = "animal") -> Question:
    return Question(
        id=number,
        key=str(number),
        text="",
        cluster=video,
        labels={"domain": domain, "dataset": "EgoPet"},
    )


def test_held_out_examples_share_no_video_with_the_others(tmp_path: Path) -> None:
    root = write_support(tmp_path, four_videos(), frames=False)
    found = read_examples(root, split=Split(holdout=0.25))
    assert len(found.train) == 15
    assert len(found.holdout) == 5
    assert not {q.cluster for q in found.train} & {q.cluster for q in found.holdout}


def test_a_limit_draws_over_all_examples_by_the_seed(tmp_path: Path) -> None:
    root = write_support(tmp_path, four_videos(), frames=False)
    ids = [[q.id for q in read_examples(root, limit=6, split=Split(seed=seed)).train] for seed in (0, 0, 1)]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0] == sorted(ids[0])
    assert ids[0] != list(range(1, 7))
    with pytest.raises(UsageError, match="at least 1"):
        read_examples(root, limit=0)


@given(st.lists(st.integers(0, 9), min_size=2, max_size=60), st.integers(2, 4), st.integers(0, 5))
def test_folds_are_disjoint_and_cover_every_video(videos: list[int], folds: int, seed: int) -> None:
    questions = [question(i, f"v{video}") for i, video in enumerate(videos)]
    distinct = {q.cluster for q in questions}
    if len(distinct) < folds:
        with pytest.raises(UsageError, match="too few"):
            held_out(questions, Split(folds=folds, seed=seed))
        return
    parts = [held_out(questions, Split(folds=folds, fold=fold, seed=seed)) for fold in range(1, folds + 1)]
    assert sorted(video for part in parts for video in part) == sorted(distinct)
    assert all(parts)


def test_every_domain_is_in_both_parts() -> None:
    questions = [question(i, f"{'ab'[i % 2]}{i % 3}", ("animal", "surgery")[i % 2]) for i in range(24)]
    held = held_out(questions, Split(holdout=0.3))
    for domain in ("animal", "surgery"):
        parts = {q.cluster in held for q in questions if q.label("domain") == domain}
        assert parts == {True, False}


@pytest.mark.parametrize(
    "split",
    [
        {"holdout": 1.5},
        {"holdout": float("nan")},
        {"folds": 3, "fold": 4},
        {"folds": 1},
        {"folds": -1},
        {"fold": 2},
        {"folds": 2, "holdout": 0.1},
    ],
)
def test_impossible_splits_are_refused(split: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=r"--(holdout|folds?)"):
        msgspec.convert(split, Split, strict=False)


def test_an_unknown_domain_gets_a_suggestion(tmp_path: Path) -> None:
    root = write_support(tmp_path, [example()], frames=False)
    with pytest.raises(UsageError, match="did you mean 'animal'"):
        read_examples(root, domains=["animals"])


def test_an_answer_outside_a_to_d_is_named_with_its_place(tmp_path: Path) -> None:
    root = write_support(tmp_path, [example(), example(number=2, answer="E")], frames=False)
    with pytest.raises(DataError, match="example 2: the assistant's reply is 'E'"):
        read_examples(root)


def test_marks_that_do_not_match_the_images_are_named_with_their_place(tmp_path: Path) -> None:
    broken = example()
    broken["images"] = broken["images"][:1]
    root = write_support(tmp_path, [broken], frames=False)
    with pytest.raises(DataError, match="example 1: 2 <image> marks for 1 image"):
        read_examples(root)


def test_the_holdout_file_reads_back_as_the_held_out_questions(tmp_path: Path) -> None:
    root = write_support(tmp_path, four_videos(), frames=False)
    found = read_examples(root, split=Split(holdout=0.25))
    path = write_holdout(tmp_path, found.holdout, found.files)
    again = read_examples(root, questions_file=path)
    assert [q.frames for q in again.train] == [q.frames for q in found.holdout]
    assert len(json.loads(path.read_text(encoding="utf-8"))) == 5


def test_real_wrong_clip_examples_are_found_and_can_be_left_out(shared_data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "egocross_support_set"
    folder.mkdir()
    (folder / "train.json").write_bytes((shared_data / "support_set" / "train.json").read_bytes())
    found = read_examples(tmp_path)
    assert len(found.train) == 80
    assert len(found.faulty) == 2
    assert len(read_examples(tmp_path, leave_out_wrong_clips=True).train) == 78
    for domain in ("animal", "industry", "xsports", "surgery"):
        assert len(read_examples(tmp_path, domains=[domain]).train) == 20
