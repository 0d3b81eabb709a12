"""Several answers to one question: rotations of the options, and samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egocross_eval import evaluate
from egocross_eval.contracts.model import Capabilities, ModelAdapter
from egocross_eval.errors import UsageError
from egocross_eval.runs.session import rescore
from egocross_eval.runs.store import RunFolder
from egocross_eval.runs.votes import Ballot, cast, rotated, tally
from egocross_eval.schema import Failure, Question, Request, Response


def question(options: dict[str, str] | None = None) -> Question:
    return Question(
        id=1,
        question_id="q",
        domain="animal",
        dataset="EgoPet",
        category="",
        question_type="",
        text="?",
        options=options or {"A": "cat", "B": "dog", "C": "owl", "D": "fox"},
        frames=(),
        video="v",
        answer="B",
    )


class Answering(ModelAdapter):
    """Answers by a function of the request."""

    def __init__(self, answer: Callable[[Request], Response]) -> None:
        self.answer = answer
        self.asked: list[Request] = []

    def capabilities(self) -> Capabilities:
        return Capabilities(scores=True, needs_content=False)

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for request in requests:
            self.asked.append(request)
            yield self.answer(request)


def by_content(request: Request) -> Response:
    """Knows the option it wants: the alphabetically last text, wherever it stands."""
    best = max(request.options, key=lambda letter: request.options[letter])
    return Response(key=request.key, text=best)


def by_place(request: Request) -> Response:
    """Always the second place."""
    return Response(key=request.key, text="B")


def test_each_question_is_asked_in_every_rotation_and_counted_once(demo: Path, tmp_path: Path) -> None:
    adapter = Answering(by_content)
    run = evaluate(adapter, data=demo, output=tmp_path / "run", votes="rotate", limit=12, cache=False)
    assert len(run.samples) == 12
    assert len(adapter.asked) == 48
    for sample in run.samples:
        places = [vote.rotation for vote in sample.votes]
        assert places == [0, 1, 2, 3]
        assert sample.prediction.letter is not None
        texts = sample.question.options
        assert texts[sample.prediction.letter] == max(texts.values())


def test_rotations_of_one_question_are_asked_one_after_the_other(demo: Path, tmp_path: Path) -> None:
    adapter = Answering(by_content)
    evaluate(adapter, data=demo, output=tmp_path / "run", votes="rotate", limit=6, cache=False)
    names = [request.key.partition("#")[0] for request in adapter.asked]
    assert names == [name for name in dict.fromkeys(names) for _ in range(4)]


def test_a_model_that_keeps_to_the_place_is_found_out(demo: Path, tmp_path: Path) -> None:
    run = evaluate(Answering(by_place), data=demo, output=tmp_path / "place", votes="rotate", cache=False)
    assert run.results.rotations["position"] == run.results.rotations["asked"] == len(run.samples)
    # Every option gets one vote: no majority, so no answer, except where two options are one.
    unparsed = [s for s in run.samples if s.outcome == "not_parsed"]
    assert {s.prediction.reason for s in unparsed} == {"tie"}
    run = evaluate(Answering(by_content), data=demo, output=tmp_path / "content", votes="rotate", cache=False)
    assert run.results.rotations["content"] == len(run.samples)
    assert run.results.rotations["position"] == 0


def test_one_failed_vote_fails_the_question_and_all_votes_are_kept(demo: Path, tmp_path: Path) -> None:
    def third_fails(request: Request) -> Response:
        if request.key.endswith("#r2"):
            return Response(key=request.key, failure=Failure(kind="timeout", message="late", retryable=True))
        return by_content(request)

    run = evaluate(Answering(third_fails), data=demo, output=tmp_path / "run", votes="rotate", limit=3, cache=False)
    assert run.results.counts["errored"] == 3
    assert all(len(s.votes) == 4 for s in run.samples)
    again = Answering(by_content)
    run = evaluate(again, data=demo, output=tmp_path / "run", votes="rotate", limit=3, cache=False)
    assert run.results.complete
    assert len(again.asked) == 12


def test_samples_differ_by_their_seed_and_the_majority_counts(demo: Path, tmp_path: Path) -> None:
    def two_of_three(request: Request) -> Response:
        return Response(key=request.key, text="D" if request.settings.seed % 3 == 0 else "A")

    adapter = Answering(two_of_three)
    settings = {"votes": "sample:3", "temperature": 0.7, "limit": 4, "cache": False}
    run = evaluate(adapter, data=demo, output=tmp_path / "run", **settings)
    assert len({request.settings.seed for request in adapter.asked}) == 3
    assert {s.prediction.letter for s in run.samples} == {"A"}
    assert run.results.rotations == {}


@pytest.mark.parametrize(
    ("votes", "settings"),
    [
        ("rotat", {}),
        ("sample:1", {"temperature": 1.0}),
        ("sample:3", {}),
        ("sample:3", {"temperature": 1.0, "answer": "choose"}),
    ],
)
def test_votes_that_make_no_sense_are_refused(
    votes: str, settings: dict[str, object], demo: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="--votes"):
        evaluate("baseline:chance", data=demo, output=tmp_path / "run", votes=votes, **settings)


def test_scoring_again_reads_every_vote_again(demo: Path, tmp_path: Path) -> None:
    run = evaluate(Answering(by_content), data=demo, output=tmp_path / "run", votes="rotate", limit=5, cache=False)
    before = run.samples
    assert rescore(RunFolder(run.path), {}) == 0
    assert run.samples == before


_log = st.floats(-20, 0)


@given(st.lists(st.tuples(_log, _log, _log, _log), min_size=4, max_size=4))
def test_summed_evidence_is_that_of_the_option_and_not_of_the_place(rows: list[tuple[float, ...]]) -> None:
    asked = question()
    letters = list(asked.options)
    votes, expected = [], dict.fromkeys(letters, 0.0)
    for rotation, row in enumerate(rows):
        shown = rotated(asked, rotation).options
        for letter, score in zip(letters, row, strict=True):
            option = next(name for name in letters if asked.options[name] == shown[letter])
            expected[option] += score
        scores = dict(zip(letters, row, strict=True))
        votes.append(cast(asked, Ballot(name="", rotation=rotation), Response(key=str(rotation), scores=scores)))
    found = tally(asked, votes)
    best = max(expected.values())
    if found.letter is None:
        assert found.reason == "tie"
    else:
        assert expected[found.letter] == pytest.approx(best)


@given(st.integers(0, 3), st.sampled_from("ABCD"))
def test_a_vote_names_the_option_that_stood_at_the_answered_place(rotation: int, shown: str) -> None:
    asked = question()
    vote = cast(asked, Ballot(name="", rotation=rotation), Response(key="k", text=shown))
    assert vote.letter is not None
    assert asked.options[vote.letter] == rotated(asked, rotation).options[shown]


def test_options_of_the_same_text_share_their_votes() -> None:
    asked = question({"A": "cat", "B": "dog", "C": "cat", "D": "fox"})
    ballots = [Ballot(name=str(i)) for i in range(3)]
    votes = [cast(asked, b, Response(key=b.name, text=text)) for b, text in zip(ballots, ("A", "B", "C"), strict=True)]
    assert tally(asked, votes).letter == "A"
