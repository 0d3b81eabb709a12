"""Reading the support set and other files in its form."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from benchmark_files import example, write_support

from egocross_eval.contracts.task import DataSource, Questions
from egocross_eval.errors import DataError, UnsafePathError
from egocross_eval.tasks.egocross.support import read_support, read_support_with_notices
from egocross_eval.tasks.egocross.times import segment_end


def read(root: Path, *examples: dict[str, Any]) -> Questions:
    write_support(root, list(examples))
    return read_support(DataSource(root=root, split="support"))


def surgery_example(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "question": "How many distinct types of objects were visible in the video segment from 0.0s to 12s?",
        "options": ["A: 6", "B: 3", "C: 8", "D: 7"],
        "images": [f"frames/EgoSurgery/15/frames/dotc_q16/15_1_{n}.jpg" for n in (468, 469, 474)],
        "domain": "surgery",
    }
    return example(**{**values, **changes})


def test_an_example_becomes_a_question_with_its_answer(tmp_path: Path) -> None:
    question = read(tmp_path, example()).questions[0]
    assert question.id == 1
    assert question.key == "EgoPet_022_q5_ai"
    assert (question.label("domain"), question.label("dataset"), question.cluster) == ("animal", "EgoPet", "EgoPet/022")
    assert (question.label("category"), question.label("question_type")) == ("Identification", "animal identification")
    assert question.text == "What type of animal is featured in this egocentric video segment?"
    assert (question.target, question.references["answer_text"]) == ("B", "Cat")
    assert question.frames[1].name == "egocross_support_set/frames/EgoPet/022/frames/ai_q5/frame_28.jpg"
    assert [frame.time for frame in question.frames] == [0.0, 1.12, 2.24]


def test_both_option_styles_come_out_alike(tmp_path: Path) -> None:
    dots, colons = read(tmp_path, example(), surgery_example()).questions
    assert dots.options == {"A": "Wolf", "B": "Cat", "C": "Dog", "D": "Shark"}
    assert colons.options == {"A": "6", "B": "3", "C": "8", "D": "7"}
    assert segment_end(colons.text) == colons.frames[-1].time == 12.0


def test_a_question_on_the_clip_of_another_is_warned_of_and_its_type_is_not_guessed(tmp_path: Path) -> None:
    folder = "frames/ENIGMA/111/frames/dotc_q16"
    options = ["A: contact the board", "B: x", "C: y", "D: z"]
    shared = {"images": [f"{folder}/111_{n}.jpg" for n in (7824, 7836)], "domain": "industry", "options": options}
    right = "How many distinct types of objects were visible in the video segment from 0.00s to 10.00s?"
    wrong = "Based on the activity observed up to 30.00s, what is the predicted next type of interaction?"
    questions = read(tmp_path, example(question=right, **shared), example(question=wrong, **shared))
    first, second = questions.questions
    assert first.label("question_type") == "object counting"
    assert (second.label("question_type"), second.label("category")) == ("", "")
    assert first.key == "ENIGMA_111_q16_dotc"
    assert second.key == "ENIGMA_111_q16_dotc_2"
    (warning,) = questions.warnings
    assert "another question's clip" in warning
    assert "id 2" in warning


def test_a_wording_of_no_known_type_is_no_contradiction(tmp_path: Path) -> None:
    question = read(tmp_path, example(question="Which beast is this?")).questions[0]
    assert question.label("question_type") == "animal identification"


def test_an_unknown_clip_folder_leaves_the_type_empty(tmp_path: Path) -> None:
    images = ["frames/EgoPet/022/frames/zz_q5/frame_0.jpg"]
    assert read(tmp_path, example(images=images)).questions[0].label("question_type") == ""


def test_one_file_per_domain_does_as_well_in_the_order_of_the_whole(tmp_path: Path) -> None:
    write_support(tmp_path, [surgery_example()], "train_surgery.json")
    write_support(tmp_path, [example()], "train_animal.json")
    write_support(tmp_path, [], "train_industry.json")
    write_support(tmp_path, [], "train_xsports.json")
    questions = read_support(DataSource(root=tmp_path))
    assert [(question.id, question.label("domain")) for question in questions.questions] == [
        (1, "animal"),
        (2, "surgery"),
    ]
    assert len(questions.files) == 4


def test_a_missing_domain_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    write_support(tmp_path, [example()], "train_animal.json")
    with pytest.raises(DataError, match=r"train_industry\.json, train_xsports\.json, train_surgery\.json"):
        read_support(DataSource(root=tmp_path))


def test_without_any_file_the_error_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="data fetch support"):
        read_support(DataSource(root=tmp_path))


def test_another_file_of_the_form_finds_its_frames_beside_itself(tmp_path: Path) -> None:
    path = tmp_path / "mine" / "train.json"
    path.parent.mkdir()
    path.write_text(json.dumps([example()]))
    question = read_support(DataSource(root=tmp_path, questions_file=path)).questions[0]
    assert question.frames[0].name == "mine/frames/EgoPet/022/frames/ai_q5/frame_0.jpg"


def test_a_file_outside_the_root_finds_its_frames_in_the_support_sets_folder(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.json"
    path.write_text(json.dumps([example()]))
    root = tmp_path / "root"
    root.mkdir()
    question = read_support(DataSource(root=root, questions_file=path)).questions[0]
    assert question.frames[0].name == "egocross_support_set/frames/EgoPet/022/frames/ai_q5/frame_0.jpg"


def test_unsorted_images_are_put_into_time_order(tmp_path: Path) -> None:
    images = [f"frames/EgoPet/022/frames/ai_q5/frame_{n}.jpg" for n in (0, 100, 25)]
    questions = read(tmp_path, example(images=images))
    assert [frame.time for frame in questions.questions[0].frames] == [0.0, 1.0, 4.0]
    assert any("temporal order" in warning for warning in questions.warnings)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"answer": "E"}, "'E'"),
        ({"answer": "The cat"}, "'The cat'"),
        ({"options": ["A. x", "B. y", "C. z"]}, "not a question followed by 4 option lines"),
        ({"options": ["A. x", "B. y", "C. z", "D) w"]}, r"'D\) w'"),
        ({"domain": "surgery"}, "EgoPet belongs to 'animal'"),
        ({"images": ["frames/Ego/022/frames/ai_q5/frame_0.jpg"]}, "unknown dataset 'Ego'"),
        ({"images": []}, "no frames"),
        ({"messages": []}, "one of the user and one of the assistant"),
    ],
)
def test_what_is_wrong_with_an_example_is_said_with_file_and_place(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(DataError, match=words) as error:
        read(tmp_path, example(), example(**changes))
    assert "train.json" in str(error.value)
    assert "example 2" in str(error.value)


def test_as_many_image_marks_as_images_are_asked_for(tmp_path: Path) -> None:
    entry = example()
    entry["images"] = entry["images"][:2]
    with pytest.raises(DataError, match="3 <image> marks for 2 images"):
        read(tmp_path, entry)


def test_images_may_not_lead_out_of_the_root(tmp_path: Path) -> None:
    with pytest.raises(UnsafePathError, match="example 1"):
        read(tmp_path, example(images=["../../frames/EgoPet/022/frames/ai_q5/frame_0.jpg"]))


# The real support set.


@pytest.fixture(scope="module")
def real(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = shared_data / "support_set" / "train.json"
    return read_support_with_notices(DataSource(root=tmp_path_factory.mktemp("root"), questions_file=path))


def test_the_real_support_set_has_20_questions_a_domain_and_1390_frames(real: Any) -> None:
    questions = real[0].questions
    assert Counter(question.label("domain") for question in questions) == dict.fromkeys(
        ("animal", "industry", "xsports", "surgery"), 20
    )
    assert [question.id for question in questions] == list(range(1, 81))
    assert len({question.key for question in questions}) == 80
    assert sum(len(question.frames) for question in questions) == 1390


def test_the_two_real_questions_with_a_wrong_clip_are_found(real: Any) -> None:
    assert [entry.id for entry in real[1] if entry.kind == "wrong_clip"] == [29, 40]
    assert [question.id for question in real[0].questions if not question.label("question_type")] == [29, 40]


def test_real_times_follow_the_rules_and_stay_unknown_for_enigma(real: Any) -> None:
    for question in real[0].questions:
        times = [frame.time for frame in question.frames]
        if question.label("dataset") == "ENIGMA":
            assert set(times) == {None}
        else:
            assert times[0] == 0.0
            assert times == sorted(times)
        if question.label("dataset") == "EgoSurgery":
            assert times[-1] == segment_end(question.text)


def test_the_four_domain_files_are_the_whole(real: Any, shared_data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "egocross_support_set"
    folder.mkdir()
    for path in (shared_data / "support_set").glob("train_*.json"):
        (folder / path.name).write_bytes(path.read_bytes())
    assert read_support(DataSource(root=tmp_path)).questions == real[0].questions


def test_no_source_video_is_in_both_sets(real: Any, shared_data: Path, tmp_path: Path) -> None:
    from egocross_eval.tasks.egocross.testbed import read_testbed

    source = DataSource(root=tmp_path, questions_file=shared_data / "egocross_testbed_imgs.json")
    testbed = {question.cluster for question in read_testbed(source).questions}
    assert testbed.isdisjoint(question.cluster for question in real[0].questions)
