"""Names with numbers in them sort as people expect."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from egocross_eval.natural_order import natural_key


def test_names_sort_by_number_and_not_by_digits() -> None:
    names = ["04_1_99.jpg", "04_1_100.jpg", "04_1_1000.jpg", "04_2_1.jpg"]
    backwards = names[::-1]
    assert sorted(backwards, key=natural_key) == names


@given(st.lists(st.integers(0, 10**25), unique=True))
def test_sorting_by_name_is_sorting_by_number(numbers: list[int]) -> None:
    names = sorted((f"frame_{number}.jpg" for number in numbers), key=natural_key)
    assert [int(re.findall(r"\d+", name)[0]) for name in names] == sorted(numbers)


@given(st.lists(st.text("a0123456789_.²٣", max_size=12), unique=True))
def test_the_order_of_any_names_is_total_and_does_not_depend_on_their_first_order(names: list[str]) -> None:
    backwards = names[::-1]
    assert sorted(names, key=natural_key) == sorted(backwards, key=natural_key)
    assert len({natural_key(name) for name in names}) == len(names)
