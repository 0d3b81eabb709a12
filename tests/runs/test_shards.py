"""Shards: how questions are divided, and what makes them one run again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from calling import call
from hypothesis import given
from hypothesis import strategies as st

from egocross_eval import DataError, Frame, Question, UsageError, evaluate, load_run
from egocross_eval.runs.merge import merge_shards
from egocross_eval.runs.shards import parse_shard, shard_places

clips = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 6)), min_size=1, max_size=60)


def questions_of(drawn: list[tuple[int, int, int]]) -> list[Question]:
    """Questions of a cluster, a clip in it and a number of frames."""
    return [
        Question(
            id=number,
            key=f"q{number}",
            text="?",
            cluster=f"v{cluster}" if cluster else "",
            frames=tuple(Frame(name=f"v{cluster}/c{clip}/{frame}.jpg") for frame in range(frames)),
        )
        for number, (cluster, clip, frames) in enumerate(drawn)
    ]


@given(drawn=clips, of=st.integers(1, 12))
def test_every_question_is_in_one_shard_and_clips_stay_whole(drawn: list[tuple[int, int, int]], of: int) -> None:
    questions = questions_of(drawn)
    shard_by_place: dict[int, int] = {}
    for number in range(1, of + 1):
        try:
            places = shard_places(questions, number, of)
        except UsageError:
            continue  # fewer clips than shards
        assert list(places) == sorted(places)
        assert not set(places) & set(shard_by_place)
        shard_by_place |= dict.fromkeys(places, number)
    assert set(shard_by_place) == set(range(len(questions)))
    shards: dict[object, int] = {}
    for place, question in enumerate(questions):
        names = tuple(frame.name for frame in question.frames)
        if question.cluster and names:
            assert shards.setdefault((question.cluster, names), shard_by_place[place]) == shard_by_place[place]


def test_shards_have_about_the_same_number_of_frames() -> None:
    questions = questions_of([(1 + number % 40, number, 1 + number % 7) for number in range(800)])
    loads = [
        sum(len(questions[place].frames) for place in shard_places(questions, number, 8)) for number in range(1, 9)
    ]
    assert max(loads) < 1.1 * min(loads)


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "1/0", "-1/3", "1/3/5", "٣/8"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="must be K/N"):
        parse_shard(text)


def test_more_shards_than_clips_are_refused() -> None:
    questions = questions_of([(1, 0, 2), (2, 0, 2)])
    with pytest.raises(UsageError, match="use fewer shards"):
        [shard_places(questions, number, 5) for number in range(1, 6)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("shards")
    return [make(root / str(number), f"{number}/3") for number in (1, 2, 3)]


@pytest.fixture
def shards(made: list[Path], tmp_path: Path) -> list[Path]:
    return [Path(shutil.copytree(path, tmp_path / path.name)) for path in made]


def make(folder: Path, shard: str, model: str = "baseline:longest", **options: object) -> Path:
    return evaluate(model, split="demo", shard=shard, output=folder, **options).path  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_shards_put_together_are_the_run_that_one_machine_makes(shards: list[Path], tmp_path: Path) -> None:
    assert call("merge", *reversed(shards), "--output", tmp_path / "merged") == 0
    merged, whole = load_run(tmp_path / "merged"), evaluate("baseline:longest", split="demo", output=tmp_path / "whole")
    strip: dict[str, Any] = {"samples_hash": "", "seconds": 0.0, "efficiency": None}
    assert msgspec.structs.replace(merged.results, **strip) == msgspec.structs.replace(whole.results, **strip)
    assert merged.record.questions_hash == whole.record.questions_hash
    assert (merged.path / "questions.jsonl").read_bytes() == (whole.path / "questions.jsonl").read_bytes()
    assert (merged.path / "predictions.json").read_bytes() == (whole.path / "predictions.json").read_bytes()
    again = evaluate("baseline:longest", split="demo", output=merged.path)
    assert again.results == merged.results


def test_a_shard_is_not_taken_for_the_whole_and_goes_on_as_itself(shards: list[Path]) -> None:
    assert sum(load_run(path).record.question_count for path in shards) == 100
    with pytest.raises(UsageError, match="shard: '1/3' there, '2/3' now"):
        make(shards[0], "2/3")
    assert make(shards[0], "1/3") == shards[0]


def test_missing_repeated_and_foreign_shards_are_refused(shards: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(UsageError, match="shards are missing: 2/3"):
        merge_shards([shards[0], shards[2]], out)
    with pytest.raises(UsageError, match="are both shard 1/3"):
        merge_shards([*shards, make(tmp_path / "again", "1/3")], out)
    for options, message in (
        ({"frames": "uniform:2"}, "frames: 'all' in the one, 'uniform:2' in the other"),
        ({"model": "baseline:constant,letter=B"}, "model: 'baseline:longest' in the one"),
        ({"limit": 60}, "limit: None in the one, 60 in the other"),
        ({"seed": 3}, "seed: 0 in the one, 3 in the other"),
    ):
        other = make(tmp_path / message[:5], "2/3", **options)
        with pytest.raises(UsageError, match=message):
            merge_shards([shards[0], other, shards[2]], out)
    with pytest.raises(UsageError, match="shard: 'of 3, of 100 questions"):
        merge_shards([shards[0], make(tmp_path / "of4", "2/4")], out)
    with pytest.raises(UsageError, match="is no shard: it was run without --shard"):
        merge_shards([evaluate("baseline:longest", split="demo", output=tmp_path / "whole").path], out)
    with pytest.raises(UsageError, match="is no run folder"):
        merge_shards([tmp_path], out)
    assert not out.exists()
    with pytest.raises(UsageError, match="is not empty"):
        merge_shards(shards, shards[0])


def cut_samples(shard: Path) -> None:
    path = shard / "samples.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-2]))


def fail_one(shard: Path) -> None:
    path = shard / "samples.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"outcome":"right"', b'"outcome":"errored"', 1))


def cut_questions(shard: Path) -> None:
    path = shard / "questions.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))


def change_question(shard: Path) -> None:
    path = shard / "questions.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"text":"', b'"text":"Really, ', 1))


def steal_places(shard: Path) -> None:
    path = shard / "run.json"
    record = msgspec.json.decode(path.read_bytes())
    record["shard"]["places"] = list(range(len(record["shard"]["places"])))
    path.write_bytes(msgspec.json.encode(record))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (cut_samples, "is not finished: 2 questions to ask yet"),
        (fail_one, "is not finished: 1 question to ask yet"),
        (cut_questions, "of 100 questions|others than the whole run"),
        (change_question, "others than the whole run"),
        (steal_places, "overlap: both hold|of 100 questions"),
    ],
)
def test_shards_that_do_not_make_the_whole_are_refused(
    shards: list[Path], tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    spoil(shards[1])
    with pytest.raises((UsageError, DataError), match=message):
        merge_shards(shards, tmp_path / "out")
    assert not (tmp_path / "out").exists()
