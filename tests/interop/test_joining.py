"""Answers of a log find their questions, or are listed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egocross_eval import DataError, Failure, ForeignAnswer, Question, UsageError
from egocross_eval.interop.importing.joining import join
from egocross_eval.interop.importing.naming import read_map

QUESTIONS = [
    Question(id=number, key=f"q{number}", text=f"What is {number}?", options={"A": "x"}) for number in range(12)
]


def answer(
    question: str = "", text: str = "A", position: str = "", prompt: str = "", number: int | None = None
) -> ForeignAnswer:
    return ForeignAnswer(
        place="log, line 1", question=question, text=text, position=position, prompt=prompt, number=number
    )


def test_answers_are_joined_by_key_or_id() -> None:
    joined = join(QUESTIONS, [answer("q3", "B"), answer("4", "C")])
    assert {key: found.text for key, found in joined.answers.items()} == {"q3": "B", "q4": "C"}
    assert len(joined.missing) == 10


def test_what_is_not_sure_is_left_out_and_listed() -> None:
    found = [answer("q1"), answer("q1"), answer("q2", "A"), answer("q2", "B"), answer("other")]
    joined = join(QUESTIONS, found)
    assert set(joined.answers) == {"q1"}
    assert (joined.repeated, joined.contradicted, joined.foreign) == (("q1",), ("q2",), ("other",))
    assert len(joined.lines()) == 4


def test_an_answer_and_a_failure_contradict_each_other() -> None:
    failed = ForeignAnswer(place="log", question="q1", failure=Failure(kind="errored", message="gone"))
    assert join(QUESTIONS, [answer("q1", ""), failed]).contradicted == ("q1",)


def test_an_answer_to_other_words_is_left_out() -> None:
    joined = join(QUESTIONS, [answer("q1", prompt="Look.  What is\n1? A: x"), answer("q2", prompt="Where is 2?")])
    assert set(joined.answers) == {"q1"}
    assert joined.reworded == ("q2",)


def test_a_key_beside_the_id_of_another_question_is_left_out_by_name() -> None:
    found = [answer("q1", number=1), answer("q2", number=3), answer("q4", number=99), answer("q5", number=5)]
    joined = join(QUESTIONS, [*found, answer("q5", "B", number=6)])
    assert set(joined.answers) == {"q1", "q5"}
    assert joined.mismatched == ("q2", "q4", "q5")
    assert set(joined.missing) == {question.key for question in QUESTIONS} - {"q1", "q2", "q4", "q5"}
    listed = "answers with the id of another question than their question_id, left out: 3 (q2, q4, q5)"
    assert listed in joined.lines()


def test_nameless_answers_need_a_map_or_an_order() -> None:
    nameless = [answer(position=f"task/{number}") for number in range(12)]
    with pytest.raises(UsageError, match=r"--map FILE.*task/0.*--in-order where all 12"):
        join(QUESTIONS, nameless)
    ordered = join(QUESTIONS, nameless, in_order=True)
    assert [found.position for found in ordered.answers.values()] == [f"task/{number}" for number in range(12)]


def test_an_order_needs_as_many_answers_as_questions_and_one_task() -> None:
    with pytest.raises(UsageError, match="the log has answers to 2 questions, and there are 12"):
        join(QUESTIONS, [answer(position="task/0"), answer(position="task/1")], in_order=True)
    two = [answer(position=f"{task}/{number}") for task in "ab" for number in range(6)]
    with pytest.raises(UsageError, match="several tasks"):
        join(QUESTIONS, two, in_order=True)


def test_an_order_with_gaps_or_without_numbers_is_refused() -> None:
    numbers = [*range(8), *range(9, 13)]
    with pytest.raises(UsageError, match="after the tool's question '7' comes '9', so some are left out"):
        join(QUESTIONS, [answer(position=f"task/{number}") for number in numbers], in_order=True)
    with pytest.raises(UsageError, match="after the tool's question 'a' comes 'b'"):
        join(QUESTIONS, [answer(position=name) for name in "abcdefghijkl"], in_order=True)


def test_an_answer_that_stands_twice_does_not_shift_the_others() -> None:
    doubled = [answer(position=f"{number}", text=f"{number}") for number in range(12)]
    joined = join(QUESTIONS, [*doubled, answer(position="3", text="3"), answer(position="5", text="x")], in_order=True)
    assert {key: found.text for key, found in joined.answers.items()} == {
        f"q{number}": str(number) for number in range(12) if number != 5
    }
    assert (joined.repeated, joined.contradicted) == (("q3",), ("q5",))


def test_a_map_names_them(tmp_path: Path) -> None:
    (tmp_path / "map.json").write_text(json.dumps({"task/0": "q7", "task/1": 8}))
    names = read_map(tmp_path / "map.json")
    joined = join(QUESTIONS, [answer(position=f"task/{number}") for number in range(3)], names=names)
    assert set(joined.answers) == {"q7", "q8"}
    assert joined.foreign == ("task/2",)


def test_names_of_a_map_that_the_log_does_not_have_are_listed() -> None:
    joined = join(QUESTIONS, [answer(position="task/1")], names={"task/1": "q7", "tsk/2": "q8", "task/12": "q9"})
    assert set(joined.answers) == {"q7"}
    assert joined.unused == ("tsk/2", "task/12")
    assert "names of --map that the log doesn't have, of no use; write them as it does: 2 (tsk/2, task/12)" in (
        joined.lines()
    )


@pytest.mark.parametrize(
    ("found", "names", "why"),
    [
        (answer(position="task/1"), {"tsk/1": "q1", "1": "q2"}, r"none of its 2 names \(tsk/1, 1\).*such as 'task/1'"),
        (answer(position="task/1"), {"q1": "task/1"}, "it has them as values: turn it round"),
        (answer(position="1"), {"one": "1"}, "write them as the log has them"),
        (answer("7", position="7"), {"seven": "q1"}, "none of its 1 name .*such as '7'"),
        (answer("q3", position="task/1"), {"task/1": "q1"}, "the log names its questions itself, such as 'q3'"),
        (answer("q3", position="task/1"), {}, "leave --map out"),
    ],
)
def test_a_map_of_no_use_is_refused(found: ForeignAnswer, names: dict[str, str], why: str) -> None:
    with pytest.raises(UsageError, match=rf"--map: .*{why}"):
        join(QUESTIONS, [found], names=names)


def test_a_name_that_a_map_lacks_is_no_question_s_even_where_it_looks_like_an_id() -> None:
    joined = join(QUESTIONS, [answer(position="5"), answer(position="6"), answer("7", position="7")], names={"6": "q1"})
    assert {key: found.position for key, found in joined.answers.items()} == {"q1": "6"}
    assert joined.foreign == ("5", "7")


def test_what_a_tool_numbers_by_itself_is_what_a_map_or_the_order_says() -> None:
    numbered = [answer(str(number), position=str(number)) for number in range(1, 13)]
    by_map = join(QUESTIONS, numbered, names={str(number): f"q{number - 1}" for number in range(1, 13)})
    in_order = join(QUESTIONS, numbered, in_order=True)
    for joined in (by_map, in_order):
        assert {key: found.question for key, found in joined.answers.items()} == {
            f"q{number}": str(number + 1) for number in range(12)
        }


def test_an_order_that_is_not_needed_or_stands_beside_a_map_is_refused() -> None:
    with pytest.raises(UsageError, match="--in-order: the log names its questions itself, such as 'q3'"):
        join(QUESTIONS, [answer("q3", position="task/1")], in_order=True)
    with pytest.raises(UsageError, match="--map and --in-order each say"):
        join(QUESTIONS, [answer(position="task/1")], in_order=True, names={"task/1": "q1"})


def test_a_map_of_another_form_is_refused(tmp_path: Path) -> None:
    (tmp_path / "map.json").write_text("[1, 2]")
    with pytest.raises(DataError, match=r"map .*map\.json"):
        read_map(tmp_path / "map.json")


def test_a_map_with_a_name_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "map.json").write_text('{"task/0": "q1", "task/0": "q2"}')
    with pytest.raises(DataError, match=r"map\.json: 'task/0' is there twice"):
        read_map(tmp_path / "map.json")


ANSWERS = st.lists(
    st.builds(
        answer,
        question=st.sampled_from([*(f"q{number}" for number in range(14)), "0", "5", "99"]),
        text=st.sampled_from("AB"),
        number=st.sampled_from([None, None, 0, 5, 99]),
    )
)


@pytest.mark.hypothesis
@given(ANSWERS)
def test_every_question_and_every_name_is_accounted_for(found: list[ForeignAnswer]) -> None:
    joined = join(QUESTIONS, found)
    groups = [set(joined.answers), set(joined.missing), set(joined.contradicted), set(joined.reworded)]
    groups.append(set(joined.mismatched).difference(*groups))
    assert sum(len(group) for group in groups) == len(QUESTIONS)
    assert set().union(*groups) == {question.key for question in QUESTIONS}
    names = {question.key for question in QUESTIONS} | {str(question.id) for question in QUESTIONS}
    assert len(joined.foreign) == sum(one.question not in names for one in found)
    for key, one in joined.answers.items():
        own = (None, int(key.removeprefix("q")))
        same = [other for other in found if other.question in (key, str(own[1])) and other.number in own]
        assert {other.text for other in same} == {one.text}
