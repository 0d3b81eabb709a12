"""Reading the testbed and its answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from benchmark_files import clip, item, sport_item, write_testbed

from egocross_eval.contracts.task import DataSource, Questions
from egocross_eval.errors import DataError, UnsafePathError
from egocross_eval.schema import Question
from egocross_eval.tasks.egocross.testbed import read_testbed, read_testbed_with_notices
from egocross_eval.tasks.egocross.times import segment_end


def read(root: Path, *items: dict[str, Any], **source: Any) -> Questions:
    write_testbed(root, list(items), frames=False)
    return read_testbed(DataSource(root=root, **source))


def read_one(root: Path, **changes: Any) -> Question:
    return read(root, item(**changes)).questions[0]


def answer_file(root: Path, *records: dict[str, Any]) -> Path:
    path = root / "egocross_testbed" / "egocross_testbed_answers.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(records), encoding="utf-8")
    return path


def test_a_question_carries_all_that_the_file_and_the_rules_say(tmp_path: Path) -> None:
    question = read_one(tmp_path)
    assert question.key == "EgoPet_809_q1_animal-identification"
    assert question.label("domain") == "animal"
    assert question.label("category") == "Identification"
    assert question.cluster == "EgoPet/809"
    assert question.options == {"A": "Cheetah", "B": "Cat", "C": "Turtle", "D": "Alligator"}
    assert [frame.time for frame in question.frames] == [0.0, 2.0, 4.0]
    assert question.frames[0].name == "egocross_testbed/EgoPet/generated/809/frames/ai_q1/frame_00000.jpg"
    assert question.target is None
    assert segment_end(question.text) is None


def test_the_slug_is_the_cells_even_where_it_is_cut(tmp_path: Path) -> None:
    names = clip("CholecTrack20", "dhoi_q5", ["frame_00000.jpg"], video="VID01")
    question = read_one(
        tmp_path,
        dataset="CholecTrack20",
        question_type="dominant held-object identification",
        question_text="Which tool was the hand predominantly interacting with, from 0.00s to 10.00s?",
        video_path=names,
    )
    assert question.key == "CholecTrack20_VID01_q5_dominant-instrument-operator-identificat"
    assert question.label("domain") == "surgery"
    assert segment_end(question.text) == 10.0


def test_frames_are_put_into_time_order_and_the_list_is_reported(tmp_path: Path) -> None:
    names = clip("EgoSurgery", "oc_q4", ["04_1_100.jpg", "04_1_101.jpg", "04_1_98.jpg", "04_1_99.jpg"])
    entry = item(dataset="EgoSurgery", primary_category="Counting", question_type="object counting", video_path=names)
    questions = read(tmp_path, entry)
    assert [frame.name[-7:-4] for frame in questions.questions[0].frames] == ["_98", "_99", "100", "101"]
    assert [frame.time for frame in questions.questions[0].frames] == [0.0, 2.0, 4.0, 6.0]
    assert any("temporal order" in warning and "id 1" in warning for warning in questions.warnings)


def test_a_segment_end_beyond_the_frames_is_a_warning_and_nothing_is_invented(tmp_path: Path) -> None:
    questions = read(
        tmp_path,
        sport_item(1, "What action is being performed in the video segment from 3s to 6s?"),
        sport_item(2, "What action is being performed in the video segment from 3s to 7s?"),
    )
    assert [len(question.frames) for question in questions.questions] == [3, 3]
    (warning,) = questions.warnings
    assert "segment end beyond" in warning
    assert "id 2" in warning


def test_identical_options_are_recognised(tmp_path: Path) -> None:
    entry = sport_item(1, "What action is being performed?", options=["A: Spin", "B: Roll", "C: Jump", "D: Spin"])
    write_testbed(tmp_path, [entry], frames=False)
    answer_file(tmp_path, {"id": 1, "correct_option_letter": "D"})
    questions, notices = read_testbed_with_notices(DataSource(root=tmp_path))
    assert [(entry.kind, entry.message) for entry in notices] == [
        ("identical_options", "options A=D have the same text")
    ]
    assert questions.questions[0].accepted() == {"A", "D"}


def test_the_questions_file_may_lie_in_the_root_or_elsewhere(tmp_path: Path) -> None:
    path = write_testbed(tmp_path / "other", [item()], frames=False)
    root = tmp_path / "root"
    root.mkdir()
    assert len(read_testbed(DataSource(root=root, questions_file=path)).questions) == 1
    path.rename(root / path.name)
    assert read_testbed(DataSource(root=root)).files == (root / path.name,)


def test_a_missing_questions_file_is_an_error_that_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="data fetch testbed"):
        read_testbed(DataSource(root=tmp_path))
    with pytest.raises(DataError, match=r"nothing\.json"):
        read_testbed(DataSource(root=tmp_path, questions_file=tmp_path / "nothing.json"))


def test_answers_are_matched_by_id(tmp_path: Path) -> None:
    write_testbed(tmp_path, [item(id=7)], frames=False)
    path = answer_file(
        tmp_path,
        {
            "id": 7,
            "question_id": "EgoPet_809_q1_animal-identification",
            "correct_option_letter": "B",
            "answer_text": "Cat",
            "detailed_answer": "It is a cat.",
            "another_field": 1,
        },
    )
    questions = read_testbed(DataSource(root=tmp_path))
    question = questions.questions[0]
    assert (question.target, question.references["answer_text"], question.references["detailed_answer"]) == (
        "B",
        "Cat",
        "It is a cat.",
    )
    assert questions.files[1] == path
    assert questions.warnings == ()


def test_answers_of_another_testbed_are_refused(tmp_path: Path) -> None:
    write_testbed(tmp_path, [item()], frames=False)
    answer_file(tmp_path, {"id": 1, "question_id": "EgoPet_999_q1_x", "correct_option_letter": "B"})
    with pytest.raises(DataError, match="EgoPet_999_q1_x"):
        read_testbed(DataSource(root=tmp_path))


def test_answers_that_cover_other_questions_are_a_warning(tmp_path: Path) -> None:
    write_testbed(tmp_path, [item()], frames=False)
    answer_file(tmp_path, {"id": 5, "correct_option_letter": "B"})
    questions = read_testbed(DataSource(root=tmp_path))
    assert questions.questions[0].target is None
    assert any("no answer for 1 of 1" in warning for warning in questions.warnings)
    assert any("1 ids that are no questions" in warning for warning in questions.warnings)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": "1"}, ["'id' is a text, not a whole number"]),
        ({"options": ["A: x", "B: y", "C: z"]}, ["question 1", "3 options"]),
        ({"options": ["A: x", "B: y", "C: z", "E: w"]}, ["question 1", "'E: w'", "'D: text'"]),
        ({"options": ["A: x", "B: y", "D: z", "C: w"]}, ["question 1", "'D: z'"]),
        ({"options": ["A: x", "B: ", "C: z", "D: w"]}, ["question 1", "'B: '"]),
        ({"options": ["A: x", "B: y", "C: z", 4]}, ["'options[3]' is a whole number", "id 1"]),
        ({"dataset": "EgoPets"}, ["question 1", "did you mean", "EgoPet"]),
        ({"question_type": "animal identifcation"}, ["question 1", "did you mean 'animal identification'"]),
        ({"question_type": "object counting"}, ["question 1", "EgoPet", "object counting"]),
        ({"primary_category": "Counting"}, ["question 1", "Identification"]),
        ({"dataset": "ENIGMA", "question_type": "object counting", "primary_category": "Counting"}, ["'EgoPet'"]),
        ({"video_path": []}, ["question 1", "no frames"]),
        ({"video_path": ["/a/b.jpg"]}, ["question 1", "'a/b.jpg'"]),
        (
            {"video_path": [*clip("EgoPet", "ai_q1", ["a_0.jpg"]), *clip("EgoPet", "ai_q2", ["a_1.jpg"])]},
            ["question 1", "more than one folder"],
        ),
    ],
)
def test_what_is_wrong_with_an_entry_is_said_with_file_id_and_field(
    tmp_path: Path, changes: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(DataError) as error:
        read_one(tmp_path, **changes)
    assert "egocross_testbed_imgs.json" in str(error.value)
    for word in words:
        assert word in str(error.value)


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    entry = item(id=41)
    del entry["question_text"]
    with pytest.raises(DataError, match=r"entry 2: there is no 'question_text' \(id 41\)"):
        read(tmp_path, item(), entry)


def test_a_path_out_of_the_root_is_refused_and_its_question_named(tmp_path: Path) -> None:
    with pytest.raises(UnsafePathError, match="question 1"):
        read_one(tmp_path, video_path=["/egocross_testbed/../../EgoPet/generated/1/frames/ai_q1/a_0.jpg"])


@pytest.mark.parametrize("content", ["", "{", "[{]", "nonsense", '{"id": 1}', "[" * 100_000])
def test_a_file_that_is_no_list_of_questions_is_an_error_that_names_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "egocross_testbed_imgs.json").write_text(content)
    with pytest.raises(DataError, match="egocross_testbed_imgs"):
        read_testbed(DataSource(root=tmp_path))


def test_ids_must_be_unique(tmp_path: Path) -> None:
    other = item(video_path=clip("EgoPet", "ai_q2", ["frame_00000.jpg"]))
    with pytest.raises(DataError, match="id 1 occurs twice"):
        read(tmp_path, item(), other)
    with pytest.raises(DataError, match="question_id 'EgoPet_809_q1_animal-identification' occurs twice"):
        read(tmp_path, item(), item(id=2))


# The real testbed.


@pytest.fixture(scope="module")
def real(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    source = DataSource(root=tmp_path_factory.mktemp("root"), questions_file=shared_data / "egocross_testbed_imgs.json")
    return read_testbed_with_notices(source)


def test_all_957_question_ids_are_those_of_the_template(real: Any, shared_data: Path) -> None:
    template = json.loads((shared_data / "submission_template.json").read_text(encoding="utf-8"))
    assert [(question.id, question.key, question.label("dataset")) for question in real[0].questions] == [
        (entry["id"], entry["question_id"], entry["dataset"]) for entry in template
    ]


def test_all_egosurgery_clips_end_where_their_question_says(real: Any) -> None:
    found = [question for question in real[0].questions if question.label("dataset") == "EgoSurgery"]
    assert len(found) == 100
    assert all(question.frames[-1].time == segment_end(question.text) for question in found)


def test_frames_of_every_real_question_are_in_time_order_from_zero(real: Any) -> None:
    for question in real[0].questions:
        times = [frame.time for frame in question.frames]
        assert times[0] == 0.0
        assert times == sorted(times)
    assert sum(len(question.frames) for question in real[0].questions) == 10_748


def test_the_oddities_of_the_real_testbed_are_noticed(real: Any) -> None:
    found: dict[str, list[int]] = {}
    for entry in real[1]:
        found.setdefault(f"{entry.kind} {entry.dataset}", []).append(entry.id)
    assert found["unsorted_frames EgoSurgery"] == [387, 460]
    assert found["identical_options ExtrameSportFPV"] == [737, 835, 935]
    assert len(found["segment_beyond_frames ExtrameSportFPV"]) == 23
    assert 813 in found["segment_beyond_frames ExtrameSportFPV"]
    # Two clips of CholecTrack20 lack their last frames.
    assert found["segment_beyond_frames CholecTrack20"] == [54, 62]
    assert len(found["dropped_frames EgoSurgery"]) == 52
    assert len(found["dropped_frames CholecTrack20"]) == 9
    assert len(found) == 6


def test_questions_of_a_source_video_share_a_cluster(real: Any) -> None:
    clusters: dict[str, int] = {}
    for question in real[0].questions:
        clusters[question.cluster] = clusters.get(question.cluster, 0) + 1
    assert len(clusters) == 132
    assert sum(count for count in clusters.values() if count > 1) == 928
