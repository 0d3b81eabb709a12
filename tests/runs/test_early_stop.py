"""A run that is compared with another while it goes on stops where a planned look shows a difference, only there."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from egocross_eval import Event, ModelAdapter, Request, Response, Run, UsageError, Warned, evaluate

LETTERS: dict[str, str] = {}


class Knowing(ModelAdapter):
    """Right on as many questions in ten as it's made with."""

    def __init__(self, share: int) -> None:
        self.share = share
        self.asked = 0

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for number, request in enumerate(requests):
            self.asked += 1
            right = LETTERS[request.key]
            wrong = "A" if right != "A" else "B"
            yield Response(key=request.key, text=right if number % 10 < self.share else wrong)


@pytest.fixture(scope="module")
def base(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that has hardly anything right."""
    place = tmp_path_factory.mktemp("base")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chance = evaluate("baseline:chance", data=demo, output=place / "chance")
        LETTERS.update({sample.key: sample.question.target or "" for sample in chance.samples})
        return evaluate(Knowing(1), data=demo, output=place / "run", by_cluster=True, cache=False)


def test_a_much_better_run_stops_early_and_says_at_which_look(base: Run, demo: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    adapter = Knowing(9)
    run = evaluate(
        adapter, data=demo, output=tmp_path / "run", stop_against=base.path, cache=False, on_event=events.append
    )
    total = run.results.counts["total"]
    assert 0 < len(run.samples) < total
    assert not run.results.complete
    (said,) = [event.message for event in events if isinstance(event, Warned) and "Look" in event.message]
    assert "The difference is shown" in said
    rest = Knowing(9)
    kept = len(run.samples)
    again = evaluate(rest, data=demo, output=tmp_path / "run", cache=False)
    assert rest.asked == total - kept
    assert again.results.complete


def test_a_run_like_the_other_goes_on_to_its_end(base: Run, demo: Path, tmp_path: Path) -> None:
    run = evaluate(Knowing(1), data=demo, output=tmp_path / "run", stop_against=base.path, cache=False)
    assert run.results.complete


def test_a_folder_that_is_no_run_is_refused_before_anything_is_asked(demo: Path, tmp_path: Path) -> None:
    adapter = Knowing(5)
    with pytest.raises(UsageError, match=r"no run\.json"):
        evaluate(adapter, data=demo, output=tmp_path / "run", stop_against=tmp_path, cache=False)
    assert adapter.asked == 0
