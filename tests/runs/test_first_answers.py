"""A run whose first answers are cut off, or all refused, stops and says so; the same command goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from egocross_eval import Failure, ModelAdapter, Request, Response, RunError, evaluate


class Talking(ModelAdapter):
    """Thinks aloud: of `every` answers one is cut off before it says anything."""

    def __init__(self, every: int, words: str = "Let me look at the frames one by one") -> None:
        self.every = every
        self.words = words
        self.asked = 0

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for number, request in enumerate(requests):
            self.asked += 1
            cut = number % self.every == 0
            yield Response(key=request.key, text=self.words if cut else "B", finish_reason="length" if cut else "stop")


class Refusing(ModelAdapter):
    """Refuses every question, or all but one."""

    def __init__(self, answered: int | None = None, kind: str = "http_400") -> None:
        self.answered = answered
        self.kind = kind
        self.asked = 0

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for number, request in enumerate(requests):
            self.asked += 1
            if number == self.answered:
                yield Response(key=request.key, text="A")
            else:
                failure = Failure(kind=self.kind, message="temperature must be 1; drop=temperature")
                yield Response(key=request.key, failure=failure)


def test_a_run_of_thoughts_that_are_cut_off_stops_and_names_a_limit(demo: Path, tmp_path: Path) -> None:
    adapter = Talking(every=2)
    with pytest.raises(
        RunError, match=r"11 of the first 21 answers were cut off at 1024 tokens.*--max-new-tokens 16384"
    ):
        evaluate(adapter, data=demo, output=tmp_path / "run", cache=False)
    assert adapter.asked < 30
    assert (tmp_path / "run" / "results.json").is_file()
    rest = evaluate(Talking(every=2), data=demo, output=tmp_path / "run", cache=False)
    assert rest.results.complete, "whoever wants it so asks once more"


@pytest.mark.parametrize(
    ("adapter", "limit"),
    [
        (Talking(every=10), 1024),
        (Talking(every=2), 8),
        (Talking(every=2, words="The answer is C. That is because"), 1024),
    ],
)
def test_few_cut_off_answers_short_limits_and_answers_that_were_given_stop_nothing(
    adapter: Talking, limit: int, demo: Path, tmp_path: Path
) -> None:
    run = evaluate(adapter, data=demo, output=tmp_path / "run", cache=False, max_new_tokens=limit)
    assert run.results.complete


def test_a_server_that_refuses_every_question_is_not_asked_all_of_them(demo: Path, tmp_path: Path) -> None:
    adapter = Refusing()
    with pytest.raises(RunError, match=r"first 20 questions were all refused alike: .*drop=temperature"):
        evaluate(adapter, data=demo, output=tmp_path / "run", cache=False)
    assert adapter.asked < 30


@pytest.mark.parametrize("adapter", [Refusing(answered=3), Refusing(kind="out_of_memory")])
def test_failures_of_single_questions_stop_nothing(adapter: Refusing, demo: Path, tmp_path: Path) -> None:
    evaluate(adapter, data=demo, output=tmp_path / "run", cache=False)
    assert adapter.asked == 100
