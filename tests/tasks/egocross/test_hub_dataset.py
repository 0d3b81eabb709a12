"""Questions as a `datasets.Dataset`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from benchmark_files import clip, example, item, sport_item, write_support, write_testbed

from egocross_eval.contracts.task import DataSource
from egocross_eval.errors import UnsafePathError
from egocross_eval.tasks.egocross import as_dataset, read_testbed, to_dataset


@pytest.fixture
def root(tmp_path: Path) -> Path:
    png = clip("CholecTrack20", "osl_q1", ["frame_25.png", "frame_75.png"], video="VID30")
    surgery = item(
        id=3,
        dataset="CholecTrack20",
        primary_category="Localization",
        question_type="object spatial localization",
        video_path=png,
    )
    question = "What action is being performed in the video segment from 3s to 6s?"
    write_testbed(tmp_path, [item(), sport_item(2, question), surgery])
    return tmp_path


def test_a_row_is_a_question_with_its_frames_undecoded(root: Path) -> None:
    dataset = as_dataset(root)
    row = dataset[1]
    assert (row["id"], row["domain"], row["category"]) == (2, "xsports", "Identification")
    assert row["options"] == ["Spin", "Roll", "Climb", "Jump"]
    assert row["frame_times"] == [0.0, 2.0, 4.0]
    assert row["clip_end"] == 6.0
    assert row["answer"] is None
    assert [Path(frame["path"]) for frame in row["frames"]] == [root / name for name in row["frame_names"]]
    assert all(frame["bytes"] is None for frame in row["frames"])


def test_people_can_filter_and_map_with_what_they_know(root: Path) -> None:
    dataset = as_dataset(root).filter(lambda row: row["domain"] != "animal")
    mapped = dataset.map(lambda row: {"count": len(row["frames"])})
    assert mapped["id"][:] == [2, 3]
    assert mapped["count"][:] == [3, 2]
    assert mapped[0]["frames"] == dataset[0]["frames"]


def test_frames_are_decoded_when_asked_for(root: Path) -> None:
    from datasets import Image, List

    dataset = as_dataset(root).cast_column("frames", List(Image()))
    assert [frame.size for frame in dataset[2]["frames"]] == [(32, 24)] * 2


def test_saving_takes_the_very_bytes_of_the_files_along(root: Path, tmp_path: Path) -> None:
    from datasets import load_from_disk

    dataset = as_dataset(root)
    dataset.save_to_disk(str(tmp_path / "saved"))
    again = load_from_disk(str(tmp_path / "saved"))
    assert again.features == dataset.features
    assert again[0]["text"] == dataset[0]["text"]
    expected = [(root / name).read_bytes() for name in dataset[0]["frame_names"]]
    assert [frame["bytes"] for frame in again[0]["frames"]] == expected


def test_the_support_set_comes_with_answers_and_unknown_times(tmp_path: Path) -> None:
    images = [f"frames/ENIGMA/111/frames/nip_q5/111_{number}.jpg" for number in (36509, 36521)]
    write_support(tmp_path, [example(), example(images=images, domain="industry")])
    dataset = as_dataset(tmp_path, "support")
    assert dataset["answer"][:] == ["B", "B"]
    assert dataset[1]["frame_times"] == [None, None]


def test_any_choice_of_questions_can_be_handed_out(root: Path) -> None:
    questions = read_testbed(DataSource(root=root))
    assert to_dataset(questions).num_rows == 3


def test_a_frame_outside_the_root_is_refused(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "a.jpg"
    outside.write_bytes(b"x")
    frame = root / item()["video_path"][0].lstrip("/")
    frame.unlink()
    frame.symlink_to(outside)
    with pytest.raises(UnsafePathError, match="question 1"):
        as_dataset(root)


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, egocross_eval.tasks.egocross, egocross_eval.tasks.egocross.commands.data;"
        "from egocross_eval.tasks.egocross import verify, read_testbed, read_support, to_dataset;"
        "print([m for m in ('numpy', 'PIL', 'datasets', 'huggingface_hub', 'rich', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_package_has_no_other_names() -> None:
    import egocross_eval.tasks.egocross as package

    assert all(getattr(package, name) is not None for name in package.__all__)
    with pytest.raises(AttributeError, match="nothing_such"):
        _ = package.nothing_such
