"""When each frame was taken."""

from __future__ import annotations

import pytest

from egocross_eval.tasks.egocross.times import (
    frame_number,
    frame_times,
    missing_frames,
    segment_end,
    time_rule,
)


def times(dataset: str, names: list[str], sampling: str = "testbed") -> list[float | None]:
    return frame_times(names, time_rule(dataset, names[0], sampling))  # type: ignore[arg-type]


def test_sampled_clips_have_a_frame_each_two_seconds() -> None:
    for dataset in ("CholecTrack20", "EgoPet", "ENIGMA", "ExtrameSportFPV"):
        assert times(dataset, ["frame_00000.jpg", "frame_00001.jpg", "frame_00002.jpg"]) == [0.0, 2.0, 4.0]


def test_a_position_counts_where_the_rule_says_so_whatever_the_number() -> None:
    assert times("ENIGMA", ["frame_00007.jpg", "frame_00009.jpg"]) == [0.0, 2.0]


def test_png_frames_of_cholectrack_are_numbered_at_25_per_second() -> None:
    assert times("CholecTrack20", ["frame_6201.png", "frame_6226.png", "frame_6301.png"]) == [0.0, 1.0, 4.0]


def test_egosurgery_numbers_count_two_seconds_each() -> None:
    assert times("EgoSurgery", ["04_1_640.jpg", "04_1_641.jpg", "04_1_647.jpg"]) == [0.0, 2.0, 14.0]


def test_the_support_set_is_numbered_at_25_per_second_for_two_datasets() -> None:
    assert times("EgoPet", ["frame_25.jpg", "frame_53.jpg"], "support") == [0.0, 1.12]
    assert times("ExtrameSportFPV", ["frame_6200.jpg", "frame_6575.jpg"], "support") == [0.0, 15.0]
    assert times("EgoSurgery", ["15_1_546.jpg", "15_1_568.jpg"], "support") == [0.0, 44.0]
    assert times("CholecTrack20", ["frame_17876.png", "frame_19351.png"], "support") == [0.0, 59.0]


def test_times_are_unknown_where_no_rule_is_known() -> None:
    assert times("ENIGMA", ["111_6873.jpg", "111_6949.jpg"], "support") == [None, None]
    assert times("CholecTrack20", ["frame_1.jpg", "frame_2.jpg"], "support") == [None, None]


def test_times_are_unknown_where_a_name_has_no_number() -> None:
    assert times("EgoSurgery", ["first.jpg", "second.jpg"]) == [None, None]


def test_gaps_in_the_numbering_are_counted() -> None:
    names = ["04_1_640.jpg", "04_1_641.jpg", "04_1_647.jpg"]
    assert missing_frames(names, time_rule("EgoSurgery", names[0])) == 5
    names = ["frame_6201.png", "frame_6226.png", "frame_6301.png"]
    assert missing_frames(names, time_rule("CholecTrack20", names[0])) == 2
    names = ["frame_00000.jpg", "frame_00007.jpg"]
    assert missing_frames(names, time_rule("ENIGMA", names[0])) == 0


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("visible in the video segment from 0.00s to 10.00s?", 10.0),
        ("What action is performed in the video segment from 8s to 13s?", 13.0),
        ("Which was NOT visible in the video segment from 0.0s to 16s?", 16.0),
        ("around timestamp 1.20s (within segment 0.00s-10.00s)?", 10.0),
        ("Based on the activity observed up to 30.00s, what is next?", 30.0),
        ("(around timestamp 14s) in the segment from 0s to 14.5s?", 14.5),
        ("located around timestamp 2.76s?", None),
        ("What type of animal is featured in this egocentric video segment?", None),
    ],
)
def test_the_end_of_the_segment_is_read_from_the_question(text: str, end: float | None) -> None:
    assert segment_end(text) == end


def test_the_number_of_a_frame_is_the_last_one_before_the_extension() -> None:
    assert frame_number("a/b_q7/04_1_640.jpg") == 640
    assert frame_number("frame_00012.png") == 12
    assert frame_number("q7/frame.jp2") is None
