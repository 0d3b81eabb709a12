"""Questions that show the same frames are asked one after the other."""

from __future__ import annotations

import itertools
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from egocross_eval import Frame, Question
from egocross_eval.frames.roots import DataRoot
from egocross_eval.runs.order import cluster_by_cluster, neighbours


def question(number: int, frames: list[str]) -> Question:
    return Question(
        id=number,
        key=f"q{number}",
        text="?",
        options={"A": "1", "B": "2", "C": "3", "D": "4"},
        frames=tuple(Frame(name=name, time=None) for name in frames),
    )


def written(root: Path, frames: dict[str, int]) -> DataRoot:
    for name, size in frames.items():
        (root / name).write_bytes(b"x" * size)
    return DataRoot(root)


def asked(questions: list[Question], root: DataRoot) -> list[int]:
    return [question.id for question in neighbours(questions, root)]


def test_copies_of_the_same_frames_bring_their_questions_together(tmp_path: Path) -> None:
    root = written(tmp_path, {"a0": 10, "a1": 20, "b0": 11, "b1": 21, "copy0": 10, "copy1": 20})
    questions = [question(1, ["a0", "a1"]), question(2, ["b0", "b1"]), question(3, ["copy0", "copy1"])]
    assert asked(questions, root) == [1, 3, 2]


def test_a_longer_clip_follows_the_one_that_begins_alike(tmp_path: Path) -> None:
    root = written(tmp_path, {"a0": 10, "a1": 20, "b0": 11})
    questions = [question(1, ["a0"]), question(2, ["b0"]), question(3, ["a0", "a1"]), question(4, ["a0"])]
    assert asked(questions, root) == [1, 4, 3, 2]


def test_frames_that_are_missing_or_outside_the_root_are_left_to_their_question(tmp_path: Path) -> None:
    root = written(tmp_path, {"a0": 10})
    questions = [question(1, ["gone"]), question(2, ["../outside"]), question(3, ["a0"]), question(4, ["gone"])]
    assert asked(questions, root) == [1, 4, 2, 3]


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=3), max_size=12))
def test_every_question_is_asked_once_and_groups_keep_their_order(clips: list[list[str]]) -> None:
    questions = [question(number, frames) for number, frames in enumerate(clips)]
    ordered = neighbours(questions, DataRoot("."))
    assert sorted(q.id for q in ordered) == list(range(len(clips)))
    places = {q.id: place for place, q in enumerate(ordered)}
    for earlier, first in enumerate(clips):
        for later, second in enumerate(clips[earlier + 1 :], earlier + 1):
            if first == second:
                assert places[earlier] < places[later]
                between = [ordered[p] for p in range(places[earlier], places[later])]
                assert all([f.name for f in q.frames] == first for q in between)


def test_clusters_are_asked_whole_in_an_order_that_is_random_and_always_the_same() -> None:
    questions = [replace(question(number, []), cluster=f"v{number // 5}") for number in range(100)]
    found = [one.cluster for one in cluster_by_cluster(questions, None)]
    assert len([a for a, b in itertools.pairwise(found) if a != b]) == 19
    assert list(dict.fromkeys(found)) != [f"v{number}" for number in range(20)]
    assert cluster_by_cluster(questions[::-1], None)[0].cluster == found[0]
