"""How long a run is said to take: from when the model answers, whatever came before and however many come at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egocross_eval.cli.show.pace import Pace


class Clock:
    """Seconds that a test turns."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_loading_says_nothing_of_the_pace() -> None:
    clock = Clock()
    pace = Pace(clock)
    clock.now += 600
    for _ in range(11):
        pace.add()
        clock.now += 2
    assert pace.rate == pytest.approx(0.5)
    assert pace.text(60) == "30/min, about 2 min left"


def test_the_first_batch_alone_gives_no_estimate() -> None:
    clock = Clock()
    pace = Pace(clock)
    for _ in range(8):
        pace.add()
        clock.now += 0.001
    assert (pace.rate, pace.speed, pace.text(100)) == (None, "", "")


@given(st.integers(1, 64), st.integers(2, 20), st.floats(1, 100), st.data())
def test_equal_batches_give_their_pace_from_the_second_on(
    size: int, batches: int, seconds: float, data: st.DataObject
) -> None:
    clock = Clock()
    pace = Pace(clock)
    for batch in range(batches):
        # Also while a batch comes in.
        for _ in range(size if batch < batches - 1 else data.draw(st.integers(1, size))):
            pace.add()
        clock.now += seconds
    assert pace.rate == pytest.approx(size / seconds)


@given(st.floats(0.001, 0.15), st.integers(500, 1000))
def test_a_steady_stream_gives_its_pace(apart: float, count: int) -> None:
    clock = Clock()
    pace = Pace(clock)
    for _ in range(count):
        pace.add()
        clock.now += apart
    assert pace.rate == pytest.approx(1 / apart, rel=0.01)
