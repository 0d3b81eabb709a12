"""What is made of the loss while a training runs."""

from __future__ import annotations

import math

import pytest

from egocross_eval.errors import RunError
from egocross_eval.training.train import Watcher, stop_at_no_number
from egocross_eval.training.trainer_process import Step


class Told(Watcher):
    def __init__(self) -> None:
        self.words: list[str] = []
        self.steps: list[Step] = []

    def say(self, text: str) -> None:
        self.words.append(text)

    def step(self, step: Step) -> None:
        self.steps.append(step)


def step(number: int, loss: float) -> Step:
    return Step(current_steps=number, total_steps=9, loss=loss)


def test_a_loss_that_is_no_number_ends_the_training() -> None:
    on_step = stop_at_no_number(Told())
    on_step(step(1, 0.5))
    with pytest.raises(RunError, match="step 2"):
        on_step(step(2, math.nan))


@pytest.mark.parametrize(("losses", "warned"), [((0.0, 0.1), True), ((0.3, 0.0), False)])
def test_a_loss_of_zero_is_remarked_on_only_at_the_start(losses: tuple[float, ...], warned: bool) -> None:
    """Later it means that the examples are learnt: the trainer rounds to four places."""
    told = Told()
    on_step = stop_at_no_number(told)
    for number, loss in enumerate(losses):
        on_step(step(number, loss))
    assert bool(told.words) == warned
    assert len(told.steps) == len(losses)
