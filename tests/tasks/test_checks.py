"""Questions of any plugin's task are checked before a run trusts them, and what is wrong is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec import structs

from egocross_eval import Benchmark, DataError, DataSource, Grouping, Question, Questions, Task, UsageError
from egocross_eval.tasks.select import load_questions

PLACES = Benchmark(
    name="places",
    title="Places",
    groupings=(Grouping(name="room", title="room", labels=("room",)),),
    macro="room",
)


def question(number: int, **changed: object) -> Question:
    usual = Question(
        id=number,
        key=f"q{number}",
        text="Where is the cup?",
        options={"A": "on the table", "B": "in the sink"},
        target="A",
        labels={"room": "kitchen"},
    )
    return structs.replace(usual, **changed)


def loaded(*questions: Question, benchmark: Benchmark = PLACES) -> Questions:
    task = Task(
        name="cups", benchmark=benchmark, description="", load=lambda source: Questions(questions=tuple(questions))
    )
    return load_questions([task], DataSource())


def test_sound_questions_are_loaded_in_the_order_of_their_ids() -> None:
    found = loaded(question(2), question(1))
    assert [found_question.id for found_question in found.questions] == [1, 2]
    assert found.warnings == ()


@pytest.mark.parametrize("changed", [{"key": "q1"}, {"id": 1}])
def test_two_questions_of_one_key_or_id_are_refused(changed: dict[str, object]) -> None:
    (name,) = changed
    with pytest.raises(DataError, match=rf"'cups': 1 {name}s are those of several questions"):
        loaded(question(1), question(2, **changed))


def test_a_target_that_is_no_option_is_refused() -> None:
    with pytest.raises(DataError, match="the target of q2 is 'C', none of its options A, B"):
        loaded(question(1), question(2, target="C"))


def test_a_text_is_a_fine_target_where_there_are_no_options() -> None:
    assert loaded(question(1, options={}, target="in the sink")).questions[0].target == "in the sink"


def test_a_macro_axis_that_is_no_grouping_is_refused() -> None:
    with pytest.raises(UsageError, match=r"Places: its macro axis is an unknown grouping 'rooms'.*room"):
        loaded(question(1), benchmark=structs.replace(PLACES, macro="rooms"))


def test_a_label_that_no_question_has_is_warned_of() -> None:
    (warning,) = loaded(question(1, labels={"rom": "kitchen"})).warnings
    assert "'room'" in warning


@pytest.mark.parametrize("raises", [KeyError("picture"), ValueError("bad number")])
def test_an_error_of_the_tasks_own_code_names_the_task(raises: Exception) -> None:
    with pytest.raises(DataError, match=f"the task 'cups' failed to load questions of Places: {type(raises).__name__}"):
        load_questions([Task(name="cups", benchmark=PLACES, description="", load=failing(raises))], DataSource())


def failing(error: Exception) -> Callable[[DataSource], Questions]:
    def load(source: DataSource) -> Questions:
        raise error

    return load
