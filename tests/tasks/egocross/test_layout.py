"""The benchmark's parts are found in whichever folders people have them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchmark_files import example, item, sport_item, write_frame, write_support, write_testbed
from calling import call

from egocross_eval import evaluate
from egocross_eval.cli.main import main
from egocross_eval.contracts.task import DataSource, Questions
from egocross_eval.errors import DataError
from egocross_eval.settings import joined_paths
from egocross_eval.tasks.egocross.splits import read_split

ITEMS = [item(), sport_item(2, "What action is being performed in the video segment from 3s to 7s?")]
ANSWERS = [{"id": 1, "correct_option_letter": "B"}, {"id": 2, "correct_option_letter": "C"}]


@pytest.fixture
def testbed(tmp_path: Path) -> Path:
    """The testbed's own folder, as the repository has it, in a folder of its own."""
    folder = write_testbed(tmp_path / "data", ITEMS).parent
    (folder / "egocross_testbed_answers.json").write_text(json.dumps(ANSWERS))
    return folder


@pytest.fixture
def support(tmp_path: Path) -> Path:
    """The support set's own folder with its frames."""
    folder = write_support(tmp_path / "support data", [example()]).parent
    for name in example()["images"]:
        write_frame(folder, name)
    return folder


def whole(questions: Questions) -> bool:
    """Whether every frame is there and every answer known."""
    root = questions.root
    assert root is not None
    return all(
        question.target and all((root / frame.name).is_file() for frame in question.frames)
        for question in questions.questions
    )


def as_downloaded(testbed: Path) -> Path:
    return testbed.parent


def one_level_too_deep(testbed: Path) -> Path:
    return testbed


def one_level_too_high(testbed: Path) -> Path:
    return testbed.parent.parent


def side_by_side(testbed: Path) -> Path:
    return testbed.rename(testbed.with_name("testset"))


def capitals(testbed: Path) -> Path:
    return testbed.rename(testbed.with_name("EgoCross_Testbed")).parent


def another_file_name(testbed: Path) -> Path:
    (testbed / "egocross_testbed_imgs.json").rename(testbed / "closeqa.json")
    return testbed.parent


LAYOUTS = [as_downloaded, one_level_too_deep, one_level_too_high, side_by_side, capitals, another_file_name]


@pytest.mark.parametrize("arranged", LAYOUTS)
def test_questions_answers_and_frames_of_the_testbed_are_found(testbed: Path, arranged: Callable[[Path], Path]) -> None:
    questions = read_split(DataSource(root=arranged(testbed)))
    assert [question.target for question in questions.questions] == ["B", "C"]
    assert whole(questions)


def test_the_questions_file_may_lie_elsewhere(testbed: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone" / "datasets"
    clone.mkdir(parents=True)
    for name in ("egocross_testbed_imgs.json", "egocross_testbed_answers.json"):
        (testbed / name).rename(clone / name)
    for root in (testbed.parent, testbed):
        source = DataSource(root=root, questions_file=clone / "egocross_testbed_imgs.json")
        assert whole(read_split(source))


def apart(testbed: Path, tmp_path: Path) -> list[Path]:
    """Frames in one folder, and the files in another."""
    clone = tmp_path / "clone" / "datasets"
    clone.mkdir(parents=True)
    for name in ("egocross_testbed_imgs.json", "egocross_testbed_answers.json"):
        (testbed / name).rename(clone / name)
    return [testbed, clone.parent]


@pytest.mark.parametrize("turn", [1, -1])
def test_parts_that_lie_apart_are_found_in_several_roots(turn: int, testbed: Path, tmp_path: Path) -> None:
    roots = apart(testbed, tmp_path)[::turn]
    questions = read_split(DataSource(root=joined_paths(roots)))
    assert [question.target for question in questions.questions] == ["B", "C"]
    assert questions.root == testbed
    assert whole(questions)


def test_each_split_is_found_in_the_root_that_has_it(testbed: Path, support: Path) -> None:
    roots = joined_paths([testbed.parent, support.parent])
    assert whole(read_split(DataSource(root=roots)))
    assert whole(read_split(DataSource(root=roots, split="support")))


def test_what_is_in_none_of_several_roots_is_said_of_each(testbed: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    source = DataSource(root=joined_paths([tmp_path / "empty", testbed.parent]), split="support")
    with pytest.raises(
        DataError, match=r"no train\.json in .*empty.*; there is no train\.json in .*; the testbed split is there"
    ):
        read_split(source)
    with pytest.raises(DataError, match=r"the data root .*nowhere is not a folder"):
        read_split(DataSource(root=joined_paths([testbed, tmp_path / "nowhere"])))


def test_several_roots_are_given_by_options_keywords_and_the_environment(
    testbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames, clone = apart(testbed, tmp_path)
    roots: list[str | Path] = ["--data", clone, "--data", frames]
    assert call("--model", "baseline:chance", *roots, "--frames", "none", "--output", tmp_path / "one") == 0
    assert call("show", "1", *roots, "--frames", "none") == 0
    assert call("audit", tmp_path / "one", *roots) == 0
    run = evaluate("baseline:chance", data=[frames, str(clone)], frames="none", output=tmp_path / "two")
    assert len(run.samples) == 2
    monkeypatch.setenv("EGOCROSS_DATA", str(joined_paths([frames, clone])))
    assert call("--model", "baseline:chance", "--frames", "none", "--output", tmp_path / "three") == 0


@pytest.mark.parametrize(
    "answer", [{"correct_option_letter": "B"}, {"answer": "B"}, {"answer": "Cat", "answer_text": "a cat"}]
)
def test_answers_may_stand_in_the_questions_file(tmp_path: Path, answer: dict[str, Any]) -> None:
    name = "EgoPet_809_q1_animal-identification"
    write_testbed(tmp_path, [item(question_id=name, **answer)])
    (question,) = read_split(DataSource(root=tmp_path)).questions
    assert question.target == "B"
    assert question.references.get("answer_text") == answer.get("answer_text")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"answer": "Dog"}, "question 1: its answer is 'Dog', neither a letter nor the text of an option"),
        ({"question_id": "EgoPet_1_q1_x"}, "question 1: question_id is 'EgoPet_1_q1_x'"),
        ({"answer": "A"}, "question 1: its answer is A, but the answers file has B"),
    ],
)
def test_answers_in_the_questions_file_must_fit(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    folder = write_testbed(tmp_path, [item(**changes)]).parent
    (folder / "egocross_testbed_answers.json").write_text(json.dumps(ANSWERS[:1]))
    with pytest.raises(DataError, match=message):
        read_split(DataSource(root=tmp_path))


def test_an_empty_answer_in_the_questions_file_is_none(tmp_path: Path) -> None:
    write_testbed(tmp_path, [item(answer="")])
    assert read_split(DataSource(root=tmp_path)).questions[0].target is None


def test_a_folder_of_frames_is_no_data_root_and_the_right_one_is_named(testbed: Path) -> None:
    with pytest.raises(DataError) as error:
        read_split(DataSource(root=testbed / "EgoPet" / "generated"))
    assert str(error.value).endswith(f"--data {testbed.parent}")
    flat = side_by_side(testbed)
    with pytest.raises(DataError) as error:
        read_split(DataSource(root=flat / "EgoPet"))
    assert str(error.value).endswith(f"--data {flat}")


def test_two_testbeds_below_a_folder_are_named_instead_of_one_being_taken(testbed: Path) -> None:
    root = testbed.parent.parent
    shutil.copytree(testbed.parent, root / "copy")
    with pytest.raises(DataError, match=r"several files that it could be: .*copy.*data.*egocross_testbed"):
        read_split(DataSource(root=root))


def test_frames_that_are_nowhere_are_missing_where_they_usually_are(tmp_path: Path) -> None:
    write_testbed(tmp_path, ITEMS, frames=False)
    questions = read_split(DataSource(root=tmp_path))
    name = ITEMS[0]["video_path"][0].removeprefix("/")
    assert questions.questions[0].frames[0].name == name
    assert questions.no_frames.startswith(f"no frames are there, e.g. {name} below {tmp_path}; if they lie elsewhere")


def test_an_archive_that_was_not_unpacked_is_named_as_the_reason(tmp_path: Path) -> None:
    folder = write_testbed(tmp_path, ITEMS, frames=False).parent
    (folder / "frames.zip").touch()
    assert "frames.zip isn't unpacked yet" in read_split(DataSource(root=tmp_path)).no_frames


def test_a_run_without_any_frame_is_refused_before_anything_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_testbed(tmp_path, ITEMS, frames=False)
    asked = [
        "--model",
        "openai:m,base_url=http://127.0.0.1:9/v1",
        "--data",
        str(tmp_path),
        "--tasks",
        "all",
        "--dry-run",
    ]
    with pytest.raises(SystemExit) as end:
        main(asked)
    assert end.value.code == 2
    assert "no frames are there" in (told := capsys.readouterr().err)
    assert "--frames none" in told
    with pytest.raises(SystemExit) as end:
        main([*asked, "--frames", "none"])
    assert not end.value.code


def support_as_downloaded(support: Path) -> Path:
    return support.rename(support.with_name("EgoCross_support_set")).parent


def the_training_repository(support: Path) -> Path:
    return support.rename(support.with_name("egocross"))


SUPPORT_LAYOUTS = [as_downloaded, support_as_downloaded, the_training_repository, one_level_too_high]


@pytest.mark.parametrize("arranged", SUPPORT_LAYOUTS)
def test_the_support_set_and_its_frames_are_found(support: Path, arranged: Callable[[Path], Path]) -> None:
    assert whole(read_split(DataSource(root=arranged(support), split="support")))


def test_a_training_file_in_the_root_finds_the_frames_of_the_support_set(support: Path) -> None:
    path = support.parent / "mine.json"
    images = [[str(support / name) for name in example()["images"]], example()["images"]]
    for paths in images:
        path.write_text(json.dumps([example(images=paths)]))
        source = DataSource(root=support.parent, split="support", questions_file=path)
        assert whole(read_split(source))


def marks_behind(entry: dict[str, Any]) -> None:
    message = entry["messages"][0]
    message["content"] = message["content"].replace("<image>", "") + "<image>" * 3


def conversations(entry: dict[str, Any]) -> None:
    names = {"user": "human", "assistant": "gpt"}
    turns = entry.pop("messages")
    entry["conversations"] = [{"from": names[turn["role"]], "value": turn["content"]} for turn in turns]


@pytest.mark.parametrize("change", [marks_behind, conversations, lambda entry: None])
@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_every_form_of_a_training_file_is_read_alike(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], lines: bool, mark: str
) -> None:
    entries = [example(), example(answer="C")]
    write_support(tmp_path, entries)
    plain = read_split(DataSource(root=tmp_path, split="support")).questions
    for entry in entries:
        change(entry)
    path = tmp_path / "egocross_support_set" / ("other.jsonl" if lines else "other.json")
    text = "".join(json.dumps(entry) + "\n" for entry in entries) if lines else json.dumps(entries)
    path.write_text(mark + text, encoding="utf-8")
    assert read_split(DataSource(root=tmp_path, split="support", questions_file=path)).questions == plain


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"messages": [{"role": "system", "content": "x"}]}, r"example 1: the messages are \['system'\].*make it one"),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, r"content' is a list, not a text"),
        ({"images": "frames/a.jpg"}, r"'images' is a text, not a list"),
    ],
)
def test_other_forms_are_refused_with_what_to_change(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    write_support(tmp_path, [{**example(), **changes}])
    with pytest.raises(DataError, match=message):
        read_split(DataSource(root=tmp_path, split="support"))


def test_verify_says_what_was_taken_from_where(testbed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["data", "verify", "--data", str(testbed), "--split", "demo"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "questions: egocross_testbed_imgs.json",
        "answers:   egocross_testbed_answers.json",
        "frames:    DATASET/...",
    ]
