"""The demo benchmark has the files, folders and oddities of the real one, and the same seed gives the same bytes."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from egocross_eval.contracts.task import DataSource
from egocross_eval.errors import UsageError
from egocross_eval.natural_order import natural_key
from egocross_eval.tasks.egocross.catalogue import CELLS, DATASET_DOMAINS, DOMAINS
from egocross_eval.tasks.egocross.demo import write_demo
from egocross_eval.tasks.egocross.support import read_support, read_support_with_notices
from egocross_eval.tasks.egocross.testbed import read_testbed, read_testbed_with_notices

SMALL: dict[str, Any] = {"per_cell": 1, "frame_scale": 0.25, "training": 30}


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def tree(root: Path) -> dict[str, str]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def items(demo: Path) -> Any:
    return load(demo / "egocross_testbed/egocross_testbed_imgs.json")


@pytest.fixture(scope="module")
def answers(demo: Path) -> Any:
    return load(demo / "egocross_testbed/egocross_testbed_answers.json")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("small")
    write_demo(root, **SMALL)
    return root


def test_the_same_seed_gives_the_same_bytes_and_another_seed_gives_others(small: Path, tmp_path: Path) -> None:
    write_demo(tmp_path / "again", **SMALL)
    write_demo(tmp_path / "other", seed=1, **SMALL)
    first = tree(small)
    assert tree(tmp_path / "again") == first
    other = tree(tmp_path / "other")
    for name in ("egocross_testbed/egocross_testbed_imgs.json", "egocross_support_set/training.json"):
        assert other[name] != first[name]
    pictures = [{digest for name, digest in files.items() if not name.endswith(".json")} for files in (first, other)]
    assert not pictures[0] & pictures[1]


def test_every_cell_has_its_questions_and_ids_count_through_the_datasets(items: list[dict[str, Any]]) -> None:
    cells = Counter((item["dataset"], item["question_type"], item["primary_category"]) for item in items)
    assert cells == {(cell.dataset, cell.question_type, cell.category): 4 for cell in CELLS}
    assert [item["id"] for item in items] == list(range(1, 101))
    assert list(dict.fromkeys(item["dataset"] for item in items)) == list(DATASET_DOMAINS)


def test_an_entry_has_exactly_the_fields_of_the_real_file(
    items: list[dict[str, Any]], answers: list[dict[str, Any]], demo: Path, shared_data: Path
) -> None:
    real = load(shared_data / "egocross_testbed_imgs.json")
    template = load(demo / "egocross_testbed/submission_template.json")
    assert {tuple(item) for item in items} == {tuple(item) for item in real}
    assert {tuple(entry) for entry in template} == {
        tuple(entry) for entry in load(shared_data / "submission_template.json")
    }
    rates = {item["dataset"]: item["original_video_fps"] for item in real}
    assert all(item["original_video_fps"] == rates[item["dataset"]] for item in items)
    assert {tuple(answer) for answer in answers} == {
        ("id", "correct_option_letter", "answer_text", "detailed_answer", "question_id")
    }


def test_support_files_have_exactly_the_form_of_the_real_ones(demo: Path, shared_data: Path) -> None:
    for name in ("train.json", *(f"train_{domain}.json" for domain in DOMAINS)):
        ours, real = load(demo / "egocross_support_set" / name), load(shared_data / "support_set" / name)
        assert len(ours) == len(real)
        assert {tuple(example) for example in ours} == {tuple(example) for example in real}
        assert [example["domain"] for example in ours] == [example["domain"] for example in real]
    ours = load(demo / "egocross_support_set/dataset_info.json")
    assert ours == load(shared_data / "support_set/dataset_info.json")


def test_question_ids_are_those_that_the_reader_derives(demo: Path, answers: list[dict[str, Any]]) -> None:
    questions = read_testbed(DataSource(root=demo)).questions
    template = load(demo / "egocross_testbed/submission_template.json")
    names = [question.key for question in questions]
    assert names == [entry["question_id"] for entry in template] == [answer["question_id"] for answer in answers]
    assert [question.target for question in questions] == [answer["correct_option_letter"] for answer in answers]


def test_options_are_labelled_and_different_but_for_the_planted_pairs(
    items: list[dict[str, Any]], answers: list[dict[str, Any]]
) -> None:
    pairs = []
    for item, answer in zip(items, answers, strict=True):
        assert [option[:3] for option in item["options"]] == ["A: ", "B: ", "C: ", "D: "]
        texts = [option[3:] for option in item["options"]]
        assert texts["ABCD".index(answer["correct_option_letter"])] == answer["answer_text"]
        assert (
            answer["answer_text"] not in answer["detailed_answer"] or answer["detailed_answer"] != answer["answer_text"]
        )
        if len(set(texts)) < 4:
            pairs.append(Counter(texts).most_common(1)[0] == (answer["answer_text"], 2))
        if item["dataset"] == "ENIGMA":
            assert texts == sorted(texts)
    assert sorted(pairs) == [False, True]


def test_right_answers_are_spread_over_the_letters(items: list[dict[str, Any]], answers: list[dict[str, Any]]) -> None:
    by_cell = defaultdict(list)
    for item, answer in zip(items, answers, strict=True):
        by_cell[item["dataset"], item["question_type"]].append(answer["correct_option_letter"])
    for (dataset, _), letters in by_cell.items():
        if dataset != "ENIGMA":
            assert sorted(letters) == ["A", "B", "C", "D"]
    counts = Counter(answer["correct_option_letter"] for answer in answers)
    assert set(counts) == set("ABCD")
    assert max(counts.values()) <= 30


def test_some_options_are_part_of_others(items: list[dict[str, Any]]) -> None:
    def nested(item: dict[str, Any]) -> bool:
        texts = {option[3:] for option in item["options"]}
        return any(one != other and one in other for one in texts for other in texts)

    assert sum(map(nested, items)) >= 5


@pytest.mark.parametrize("split", ["testbed", "support"])
def test_every_frame_is_there_and_opens(demo: Path, split: str) -> None:
    read = read_testbed if split == "testbed" else read_support
    sizes = defaultdict(set)
    for question in read(DataSource(root=demo)).questions:
        for frame in question.frames:
            with Image.open(demo / frame.name) as picture:
                picture.verify()
                sizes[question.label("dataset")].add(picture.size)
    assert set(sizes) == set(DATASET_DOMAINS)
    assert len({size for all_sizes in sizes.values() for size in all_sizes}) >= 5


def test_splits_share_no_source_video_and_no_frame(demo: Path, small: Path) -> None:
    training = small / "egocross_support_set/training.json"
    splits = (
        read_testbed(DataSource(root=demo)),
        read_support(DataSource(root=demo)),
        read_support(DataSource(root=small, questions_file=training)),
    )
    videos = [{question.cluster for question in split.questions} for split in splits]
    frames = [
        {hashlib.sha256((root / frame.name).read_bytes()).digest() for q in split.questions for frame in q.frames}
        for split, root in zip(splits, (demo, demo, small), strict=True)
    ]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert not videos[one] & videos[other]
        assert not frames[one] & frames[other]


def test_questions_share_source_videos_and_even_frames(demo: Path, items: list[dict[str, Any]]) -> None:
    questions = read_testbed(DataSource(root=demo)).questions
    per_video = Counter(question.cluster for question in questions)
    assert sum(count for count in per_video.values() if count > 1) >= 95
    contents = Counter(
        hashlib.sha256((demo / path.lstrip("/")).read_bytes()).digest() for item in items for path in item["video_path"]
    )
    assert sum(1 for count in contents.values() if count > 1) >= 100
    assert len({path for item in items for path in item["video_path"]}) == sum(len(i["video_path"]) for i in items)


def test_the_oddities_of_the_real_testbed_are_planted(demo: Path, items: list[dict[str, Any]]) -> None:
    counts = sorted(len(item["video_path"]) for item in items)
    assert counts[0] == 1
    assert 6 <= counts[len(counts) // 2] <= 9
    assert sum(count >= 30 for count in counts) >= 2
    assert 80 <= counts[-1] <= 91
    png = {path.split("/")[4] for item in items for path in item["video_path"] if path.endswith(".png")}
    assert png == {"VID30", "VID110"}
    unsorted = [i for i in items if i["video_path"] != sorted(i["video_path"], key=natural_key)]
    assert 1 <= len(unsorted) <= 2
    assert {item["dataset"] for item in unsorted} == {"EgoSurgery"}
    _, notices = read_testbed_with_notices(DataSource(root=demo))
    kinds = defaultdict(set)
    for notice in notices:
        kinds[notice.kind].add(notice.dataset)
    assert kinds["dropped_frames"] == {"CholecTrack20", "EgoSurgery"}
    beyond = next(kind for kind in kinds if "segment" in kind)
    assert kinds[beyond] == {"ExtrameSportFPV"}


def test_frame_times_by_the_benchmarks_rules_are_those_the_clips_were_drawn_at(demo: Path) -> None:
    from egocross_eval.tasks.egocross.demo.plan import plan_support, plan_testbed

    for planned, questions in (
        (plan_testbed(0, 4, 1.0), read_testbed(DataSource(root=demo)).questions),
        (plan_support(0, 1.0), read_support(DataSource(root=demo)).questions),
    ):
        assert len(planned) == len(questions)
        for item, question in zip(planned, questions, strict=True):
            if not question.label("category"):  # the example with the wrong clip
                continue
            times = tuple(frame.time for frame in question.frames)
            if times[0] is not None:
                assert times == pytest.approx(item.shot.times)


def test_the_support_set_has_twenty_examples_a_domain_in_the_domains_option_style(demo: Path) -> None:
    folder = demo / "egocross_support_set"
    for domain in DOMAINS:
        examples = load(folder / f"train_{domain}.json")
        assert len(examples) == 20
        mark = ":" if domain in ("industry", "surgery") else "."
        for example in examples:
            lines = example["messages"][0]["content"].splitlines()[-4:]
            assert [line[:3] for line in lines] == [f"{letter}{mark} " for letter in "ABCD"]
    questions = read_support(DataSource(root=demo)).questions
    assert Counter(q.label("dataset") for q in questions if q.label("domain") == "surgery") == {
        "CholecTrack20": 10,
        "EgoSurgery": 10,
    }
    known = {(question.label("dataset"), question.label("question_type")) for question in questions}
    assert known >= {(cell.dataset, cell.question_type) for cell in CELLS}


def test_one_support_example_carries_the_clip_of_another_question(demo: Path) -> None:
    questions, notices = read_support_with_notices(DataSource(root=demo))
    wrong = [notice for notice in notices if notice.kind == "wrong_clip"]
    assert len(wrong) == 1
    example = load(demo / "egocross_support_set/train.json")[wrong[0].id - 1]
    assert example["domain"] == "industry"
    assert "next type of interaction" in example["messages"][0]["content"]
    assert {path.split("/")[4].split("_")[0] for path in example["images"]} == {"dotc"}
    assert questions.questions[wrong[0].id - 1].label("question_type") == ""


def test_a_training_split_comes_on_request(small: Path) -> None:
    folder = small / "egocross_support_set"
    questions = read_support(DataSource(root=small, questions_file=folder / "training.json")).questions
    assert len(questions) == 30
    assert {(q.label("dataset"), q.label("question_type")) for q in questions} == {
        (cell.dataset, cell.question_type) for cell in CELLS
    }
    info = load(folder / "dataset_info.json")
    assert info["egocross_training"]["file_name"] == "training.json"
    assert info["egocross_training"]["tags"]["role_tag"] == "role"


def test_a_training_split_can_be_of_some_tasks_only(tmp_path: Path) -> None:
    tasks = ("animal", "next-phase-prediction")
    write_demo(tmp_path, per_cell=1, frame_scale=0.2, training=30, training_tasks=tasks)
    source = DataSource(root=tmp_path, questions_file=tmp_path / "egocross_support_set/training.json")
    questions = read_support(source).questions
    assert len(questions) == 30
    assert Counter(question.label("question_type") for question in questions) == {
        "animal identification": 7,
        "interaction identification": 8,
        "interaction temporal localization": 7,
        "next phase prediction": 8,
    }
    with pytest.raises(UsageError, match=r"unknown task 'animals' \(did you mean 'animal'"):
        write_demo(tmp_path / "other", training_tasks=("animals",))


def test_without_a_training_split_none_is_announced(demo: Path) -> None:
    assert not (demo / "egocross_support_set/training.json").exists()
    assert "egocross_training" not in load(demo / "egocross_support_set/dataset_info.json")


def test_the_summary_counts_what_lies_there(small: Path, tmp_path: Path) -> None:
    summary = write_demo(tmp_path / "new", **SMALL)
    pictures = [path for path in (tmp_path / "new").rglob("*") if path.suffix in (".jpg", ".png")]
    assert (summary.questions, summary.support, summary.training) == (25, 80, 30)
    assert summary.frames == len(pictures)
    assert summary.bytes == sum(path.stat().st_size for path in pictures)
    assert summary.root == tmp_path / "new"


def test_the_whole_demo_stays_small(demo: Path) -> None:
    assert sum(path.stat().st_size for path in demo.rglob("*") if path.is_file()) < 20_000_000


@pytest.mark.parametrize("name", ["egocross_testbed", "egocross_support_set"])
def test_a_benchmark_that_is_there_is_never_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(UsageError, match=f"{name} exists already"):
        write_demo(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("wrong", [{"per_cell": 0}, {"training": -1}, {"frame_scale": 0.0}, {"frame_scale": 9.0}])
def test_numbers_out_of_range_are_refused_before_anything_is_written(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="demo benchmark needs"):
        write_demo(tmp_path / "demo", **wrong)
    assert not (tmp_path / "demo").exists()


def test_an_interrupted_writing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from egocross_eval.tasks.egocross.demo import writer

    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(writer, "write_support", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_demo(tmp_path, per_cell=1, frame_scale=0.2)
    assert not list(tmp_path.iterdir())


def test_importing_the_demo_package_loads_no_picture_library() -> None:
    code = "import sys, egocross_eval.tasks.egocross.demo; sys.exit('PIL' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
