"""What is found before anything is trained."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image
from training_files import example, four_videos, write_frame, write_support

from egocross_eval.training.example_checks import Finding, check_clips, check_frames, check_letters, check_tokens
from egocross_eval.training.examples import Examples, read_examples
from egocross_eval.training.testbed_leaks import check_leaks


def paths_of(found: Examples) -> list[list[str]]:
    return [[str(found.root.resolve(frame.name)) for frame in question.frames] for question in found.train]


def leaks(found: Examples) -> list[Finding]:
    return check_leaks(found.train, paths_of(found), found.root.path)


def write_testbed(root: Path, video: str = "741", *, colour: tuple[int, int, int] = (1, 2, 3), videos: int = 1) -> None:
    items: list[dict[str, Any]] = []
    for place in range(videos):
        name = f"{int(video) + place}" if videos > 1 else video
        folder = f"egocross_testbed/EgoPet/generated/{name}/frames/ai_q1"
        write_frame(root / folder / "frame_00000.jpg", colour)
        items.append(
            {
                "id": place + 1,
                "dataset": "EgoPet",
                "primary_category": "Identification",
                "question_type": "animal identification",
                "question_text": "What type of animal is featured in this egocentric video segment?",
                "options": ["A: Wolf", "B: Cat", "C: Dog", "D: Shark"],
                "original_video_fps": 30.0,
                "video_path": [f"/{folder}/frame_00000.jpg"],
            }
        )
    (root / "egocross_testbed" / "egocross_testbed_imgs.json").write_text(json.dumps(items), encoding="utf-8")


def test_missing_and_torn_frames_are_errors_that_name_them(tmp_path: Path) -> None:
    root = write_support(tmp_path, [example(), example(number=2)])
    found = read_examples(root)
    first, second = Path(paths_of(found)[0][0]), Path(paths_of(found)[1][1])
    first.unlink()
    second.write_bytes(b"no picture")
    (finding,) = check_frames(found.train, paths_of(found))
    assert finding.level == "error"
    assert "2 unreadable frames" in finding.message
    assert first.name in finding.message
    assert second.name in finding.message


def test_a_skew_of_the_right_letters_is_warned_of(tmp_path: Path) -> None:
    even = read_examples(write_support(tmp_path / "even", four_videos(), frames=False))
    assert check_letters(even.train) == []
    skewed = [example(f"{i % 4:03d}", i, "A" if i < 14 else "BCD"[i % 3]) for i in range(20)]
    found = read_examples(write_support(tmp_path / "skewed", skewed, frames=False))
    (finding,) = check_letters(found.train)
    assert finding.level == "warning"
    assert "A 14 of 20" in finding.message


def test_examples_that_would_be_cut_off_are_errors_with_the_remedy() -> None:
    assert check_tokens([("a", 100)], 200) == []
    (finding,) = check_tokens([("a", 100), ("b", 300)], 200)
    assert finding.level == "error"
    assert "b (300 tokens)" in finding.message
    assert "--set cutoff_len=364" in finding.message


def test_wrong_clips_are_warned_of(tmp_path: Path) -> None:
    folder = "frames/ENIGMA/111/frames/dotc_q16"
    wrong = example(images=[f"{folder}/111_{n}.jpg" for n in (1, 31)], domain="industry")
    wrong["messages"][0]["content"] = (
        "<image><image>Based on the activity observed up to 30.00s, what is the predicted next type of interaction?\n"
        "A: contact the board\nB: x\nC: y\nD: z"
    )
    found = read_examples(write_support(tmp_path, [example(), wrong], frames=False))
    (finding,) = check_clips(found)
    assert finding.level == "warning"
    assert "--drop-wrong-clips" in finding.message


def test_without_a_testbed_it_is_said_that_nothing_could_be_compared(tmp_path: Path) -> None:
    found = read_examples(write_support(tmp_path, [example()]))
    (finding,) = leaks(found)
    assert finding.level == "note"


def test_examples_that_share_nothing_with_the_testbed_pass(tmp_path: Path) -> None:
    found = read_examples(write_support(tmp_path, [example()]))
    write_testbed(tmp_path)
    assert leaks(found) == []


def test_a_source_video_and_question_of_the_testbed_are_errors(tmp_path: Path) -> None:
    found = read_examples(write_support(tmp_path, [example(video="741")]))
    write_testbed(tmp_path)
    messages = [finding.message for finding in leaks(found) if finding.level == "error"]
    assert any("source videos" in message for message in messages)
    assert any("questions" in message for message in messages)


def test_a_frame_of_the_testbed_under_another_name_is_an_error(tmp_path: Path) -> None:
    found = read_examples(write_support(tmp_path, [example()]))
    write_testbed(tmp_path)
    frame = Path(paths_of(found)[0][0])
    frame.write_bytes((tmp_path / "egocross_testbed/EgoPet/generated/741/frames/ai_q1/frame_00000.jpg").read_bytes())
    (finding,) = leaks(found)
    assert finding.level == "error"
    assert frame.name in finding.message


def test_a_picture_that_several_testbed_videos_share_identifies_none(tmp_path: Path) -> None:
    found = read_examples(write_support(tmp_path, [example()]))
    write_testbed(tmp_path, videos=3)
    frame = Path(paths_of(found)[0][0])
    frame.write_bytes((tmp_path / "egocross_testbed/EgoPet/generated/741/frames/ai_q1/frame_00000.jpg").read_bytes())
    (finding,) = leaks(found)
    assert finding.level == "note"
    assert "1 frame looks" in finding.message


def test_a_whole_clip_of_several_testbed_videos_is_an_error_and_a_blank_frame_of_one_is_none(tmp_path: Path) -> None:
    found = read_examples(write_support(tmp_path, [example()]))
    write_testbed(tmp_path, videos=5)
    path = tmp_path / "egocross_testbed" / "egocross_testbed_imgs.json"
    items = json.loads(path.read_bytes())
    for place, item in enumerate(items):
        first = tmp_path / item["video_path"][0].lstrip("/")
        frames = [first, first.with_name("frame_00001.jpg")]
        for number, frame in enumerate(frames):
            write_frame(frame, (40 * place, 90 * number, 7))
        item["video_path"] = [f"/{frame.relative_to(tmp_path)}" for frame in frames]
    path.write_text(json.dumps(items), encoding="utf-8")
    write_frame(Path(paths_of(found)[0][0]), (250, 9, 9))
    assert leaks(found) == []
    for item in items[:2]:
        for name, copied in zip(item["video_path"], paths_of(found)[0], strict=True):
            (tmp_path / name.lstrip("/")).write_bytes(Path(copied).read_bytes())
    (finding,) = leaks(found)
    assert finding.level == "error"
    for item in items[:2]:
        for name in item["video_path"]:
            Image.new("RGB", (96, 64)).save(tmp_path / name.lstrip("/"))
    Image.new("RGB", (96, 64)).save(paths_of(found)[0][0])
    (finding,) = leaks(found)
    assert finding.level == "note"


def test_an_example_that_looks_as_a_testbed_clip_does_is_warned_of(tmp_path: Path) -> None:
    found = read_examples(write_support(tmp_path, [example()]))
    write_testbed(tmp_path)
    path = tmp_path / "egocross_testbed" / "egocross_testbed_imgs.json"
    items = json.loads(path.read_bytes())
    first = tmp_path / items[0]["video_path"][0].lstrip("/")
    copies = [first, first.with_name("frame_00001.jpg")]
    for number, (own, copy) in enumerate(zip(paths_of(found)[0], copies, strict=True)):
        coarse = Image.frombytes("RGB", (6, 4), random.Random(number).randbytes(72))
        coarse.resize((192, 128), Image.Resampling.BICUBIC).save(own, quality=90)
        Image.open(own).resize((144, 96)).save(copy, quality=40)
    items[0]["video_path"] = [f"/{copy.relative_to(tmp_path)}" for copy in copies]
    path.write_text(json.dumps(items), encoding="utf-8")
    (finding,) = leaks(found)
    assert finding.level == "warning"
    assert finding.message.endswith(f"{found.train[0].key} as EgoPet_741_q1_animal-identification")


def test_frames_below_the_testbed_folder_are_errors(tmp_path: Path) -> None:
    found = read_examples(write_support(tmp_path, [example()]))
    question = found.train[0]
    frames = tuple(
        msgspec.structs.replace(f, name=f.name.replace("egocross_support_set", "egocross_testbed"))
        for f in question.frames
    )
    moved = msgspec.structs.replace(question, frames=frames)
    findings = check_leaks([moved], [[]], tmp_path)
    assert findings[0].level == "error"


@pytest.mark.parametrize("root", ["egocross_testbed"])
def test_an_unreadable_testbed_is_said(tmp_path: Path, root: str) -> None:
    found = read_examples(write_support(tmp_path, [example()]))
    (tmp_path / root).mkdir()
    (finding,) = leaks(found)
    assert finding.level == "note"
