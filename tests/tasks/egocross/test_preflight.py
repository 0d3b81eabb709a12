"""The preflight finds what is wrong with a data root before a run does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from benchmark_files import example, item, picture, sport_item, write_frame, write_support, write_testbed
from PIL import Image

from egocross_eval.contracts.task import DataSource
from egocross_eval.errors import DataError
from egocross_eval.frames.check import check_frame
from egocross_eval.tasks.egocross.catalogue import CELLS
from egocross_eval.tasks.egocross.preflight import Report, verify

NAME = item()["video_path"][1]


def check(root: Path, **options: Any) -> Report:
    return verify(DataSource(root=root, split="demo"), **options)


def troubles(report: Report) -> list[tuple[int, str, str]]:
    return [(detail.id, problem.frame, problem.trouble) for detail in report.details for problem in detail.problems]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_testbed(tmp_path, [item(), sport_item(2, "What action is being performed?")])
    return tmp_path


def test_a_whole_root_is_ok(root: Path) -> None:
    report = check(root)
    assert report.ok
    assert (report.questions, report.frames, report.distinct_files, report.videos) == (2, 6, 6, 2)
    assert report.bytes == sum(path.stat().st_size for path in root.rglob("*.jpg"))
    assert report.details == []
    assert [(entry.dataset, entry.frames, entry.largest) for entry in report.datasets] == [
        ("EgoPet", 3, (32, 24)),
        ("ExtrameSportFPV", 3, (32, 24)),
    ]


@pytest.mark.parametrize(
    ("content", "trouble"),
    [
        (None, "missing"),
        (b"", "empty"),
        (picture()[:-40], "truncated"),
        (picture()[:10], "truncated"),
        (picture("PNG")[:-8], "truncated"),
        (b"<html>Please log in</html>", "unreadable"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "unreadable"),
        (picture("GIF"), "unreadable"),
        (b"\xff\xd8\xff" + b"\0" * 200 + b"\xff\xd9", "unreadable"),
    ],
)
def test_each_trouble_is_told_apart_and_its_question_named(root: Path, content: bytes | None, trouble: str) -> None:
    path = root / NAME.lstrip("/")
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    report = check(root)
    assert not report.ok
    assert troubles(report) == [(1, NAME.lstrip("/"), trouble)]
    assert report.troubles == {trouble: 1}
    assert report.datasets[0].troubles == {trouble: 1}
    assert report.datasets[1].troubles == {}


def test_a_folder_in_the_place_of_a_frame_is_unreadable(root: Path) -> None:
    (root / NAME.lstrip("/")).unlink()
    (root / NAME.lstrip("/")).mkdir()
    assert troubles(check(root)) == [(1, NAME.lstrip("/"), "unreadable")]


def test_a_frame_that_is_a_link_out_of_the_root_is_unsafe(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "a.jpg"
    outside.write_bytes(picture())
    (root / NAME.lstrip("/")).unlink()
    (root / NAME.lstrip("/")).symlink_to(outside)
    assert troubles(check(root)) == [(1, NAME.lstrip("/"), "unsafe")]


def test_decoding_finds_what_header_and_end_cannot_show(root: Path) -> None:
    path = root / NAME.lstrip("/")
    Image.effect_noise((64, 64), 80).save(path, "PNG")
    whole = bytearray(path.read_bytes())
    middle = len(whole) // 2
    whole[middle : middle + 400] = bytes(400)
    path.write_bytes(bytes(whole))
    assert check(root).ok
    report = check(root, decode=True)
    assert not report.ok
    assert [entry[0] for entry in troubles(report)] == [1]


def test_decoding_counts_files_with_the_same_bytes(root: Path) -> None:
    assert check(root).identical_files is None
    first, second = item()["video_path"][:2]
    (root / first.lstrip("/")).write_bytes((root / second.lstrip("/")).read_bytes())
    assert check(root, decode=True).identical_files == 1


def test_hard_links_are_one_file_and_all_of_their_names_are_reported(root: Path) -> None:
    first, second, third = ((root / name.lstrip("/")) for name in item()["video_path"])
    first.write_bytes(b"")
    for path in (second, third):
        path.unlink()
        path.hardlink_to(first)
    report = check(root)
    assert report.distinct_files == 4
    assert [entry[2] for entry in troubles(report)] == ["empty"] * 3


def test_padding_behind_the_end_of_a_picture_is_no_trouble(root: Path) -> None:
    path = root / NAME.lstrip("/")
    path.write_bytes(picture() + b"\0" * 100)
    assert check(root).ok


def test_what_is_odd_in_the_benchmark_is_noted_and_no_error(tmp_path: Path) -> None:
    segment = "What action is being performed in the video segment from 3s to 70s?"
    write_testbed(tmp_path, [sport_item(1, segment), sport_item(2, "What action is being performed?")])
    report = check(tmp_path)
    assert report.ok
    assert [(detail.id, [entry.kind for entry in detail.notices]) for detail in report.details] == [
        (1, ["segment_beyond_frames"])
    ]
    assert report.datasets[0].notices == {"segment_beyond_frames": 1}


def test_frames_that_two_questions_share_are_noted(tmp_path: Path) -> None:
    write_support(tmp_path, [example(), example(question="Which beast is this?")])
    for name in example()["images"]:
        write_frame(tmp_path, f"egocross_support_set/{name}")
    report = verify(DataSource(root=tmp_path, split="support"))
    (detail,) = report.details
    assert (detail.id, detail.notices[0].message) == (2, "3 frames of question 1")


def test_a_malformed_file_is_an_error_of_the_report(root: Path) -> None:
    path = root / "egocross_testbed" / "egocross_testbed_imgs.json"
    path.write_text(json.dumps([item(), item(id=2)]))
    report = check(root)
    assert not report.ok
    assert "occurs twice" in report.errors[0]


def test_a_root_without_the_file_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="data fetch"):
        check(tmp_path)


def full_testbed(left_out: int = 0) -> list[dict[str, Any]]:
    """As many questions in each cell as the testbed has, less the last ones."""
    items: list[dict[str, Any]] = []
    for cell in CELLS:
        for number in range(cell.count):
            folder = f"/egocross_testbed/{cell.dataset}/generated/v{number}/frames/{cell.abbreviation}_q1"
            items.append(
                item(
                    id=len(items) + 1,
                    dataset=cell.dataset,
                    primary_category=cell.category,
                    question_type=cell.question_type,
                    question_text="What is it?",
                    video_path=[f"{folder}/a_1.jpg"],
                )
            )
    return items[: len(items) - left_out]


def test_counts_are_those_of_the_benchmark_for_the_testbed(tmp_path: Path) -> None:
    write_testbed(tmp_path, full_testbed(), frames=False)
    report = verify(DataSource(root=tmp_path))
    assert report.errors == []
    assert sum(entry.expected or 0 for entry in report.datasets) == 957


def test_a_testbed_with_questions_missing_is_an_error_by_cell(tmp_path: Path) -> None:
    path = write_testbed(tmp_path, full_testbed(left_out=1), frames=False)
    report = verify(DataSource(root=tmp_path))
    assert report.errors == [
        "956 questions; the whole split has 957",
        "ExtrameSportFPV, next direction prediction: 59 questions instead of 60",
    ]
    named = verify(DataSource(root=tmp_path, questions_file=path))
    assert named.errors == []
    assert named.warnings[-1] == "956 questions; the whole split has 957"


def test_a_support_set_with_examples_missing_is_an_error(tmp_path: Path) -> None:
    write_support(tmp_path, [example()])
    report = verify(DataSource(root=tmp_path, split="support"))
    assert "EgoPet: 1 question instead of 20" in report.errors


def test_a_training_file_may_have_any_number_of_examples(tmp_path: Path) -> None:
    path = write_support(tmp_path, [example()], "training.json")
    for name in example()["images"]:
        write_frame(path.parent, name)
    report = verify(DataSource(root=tmp_path, split="support", questions_file=path))
    assert (report.errors, report.warnings) == ([], [])


def test_the_demo_in_the_place_of_the_testbed_is_not_short_of_questions(demo: Path) -> None:
    report = verify(DataSource(root=demo))
    assert report.ok
    assert {entry.expected for entry in report.datasets} == {None}
    assert verify(DataSource(root=demo, split="support")).ok


def test_the_report_survives_json(root: Path) -> None:
    (root / NAME.lstrip("/")).unlink()
    report = check(root)
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report


def test_progress_is_told_file_by_file(root: Path) -> None:
    seen: list[tuple[int, int]] = []
    check(root, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(number, 6) for number in range(1, 7)]


def test_a_file_that_may_not_be_read_is_unreadable_and_never_raises(tmp_path: Path) -> None:
    assert check_frame(str(tmp_path)).trouble == "unreadable"
    assert check_frame(str(tmp_path / "none.jpg")).trouble == "missing"
    assert check_frame(str(tmp_path / ("x" * 5000))).trouble == "unreadable"


def test_the_whole_real_testbed_is_missing_where_there_are_no_frames(shared_data: Path, tmp_path: Path) -> None:
    source = DataSource(root=tmp_path, questions_file=shared_data / "egocross_testbed_imgs.json")
    report = verify(source)
    assert report.troubles == {"missing": 10_748}
    assert len([detail for detail in report.details if detail.problems]) == 957
    assert {entry.dataset: entry.notices.get("segment_beyond_frames", 0) for entry in report.datasets} == {
        "CholecTrack20": 2,
        "EgoPet": 0,
        "EgoSurgery": 0,
        "ENIGMA": 0,
        "ExtrameSportFPV": 23,
    }
