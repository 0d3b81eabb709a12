"""Several answers to one question: rotations of the options, and samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from egocross_eval import (
    Answer,
    Ask,
    Capabilities,
    Decision,
    Failure,
    Method,
    MethodType,
    ModelAdapter,
    Question,
    Reading,
    Request,
    Response,
    RunError,
    RunKeywords,
    Sent,
    TextPart,
    UsageError,
    decide,
    evaluate,
    hookimpl,
)
from egocross_eval.contracts.registry import registry
from egocross_eval.leaderboard.derived import grade_again
from egocross_eval.methods.once import plain_decision
from egocross_eval.methods.rotate import Rotate, places_moved
from egocross_eval.methods.sample import Sampled
from egocross_eval.reading.response import read_response
from egocross_eval.runs.store import RunFolder


def question(options: dict[str, str] | None = None) -> Question:
    return Question(
        id=1,
        key="q",
        text="?",
        options=options or {"A": "cat", "B": "dog", "C": "owl", "D": "fox"},
        target="B",
    )


class Answering(ModelAdapter):
    """Answers by a function of the request."""

    def capabilities(self) -> Capabilities:
        return Capabilities(scores=True, needs_content=False)

    def __init__(self, answer: Callable[[Request], Response]) -> None:
        self.answer = answer
        self.asked: list[Request] = []

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


def test_options_with_one_text_keep_a_score_each_in_their_own_order_and_share_a_label_in_another() -> None:
    asked = question({"A": "x", "B": "y", "C": "x", "D": "z"})
    scores = {"A": 0.1, "B": 0.2, "C": 0.6, "D": 0.1}
    own = Answer(
        ask=Ask(options=dict(asked.options)),
        sent=Sent(),
        response=Response(key="q", scores=scores),
        reading=Reading(label="C", rule="scores"),
    )
    assert (plain_decision(asked, own).scores, plain_decision(asked, own).label) == (scores, "C")
    moved = msgspec.structs.replace(own, ask=Ask(options={"A": "y", "B": "x", "C": "z", "D": "x"}))
    assert plain_decision(asked, moved).label == "D"


def test_each_question_is_asked_in_every_rotation_and_counted_once(demo: Path, tmp_path: Path) -> None:
    adapter = Answering(by_content)
    run = evaluate(adapter, data=demo, output=tmp_path / "run", method="rotate", limit=12, cache=False)
    assert len(run.samples) == 12
    assert len(adapter.asked) == 48
    for sample in run.samples:
        places = [places_moved(answer) for answer in sample.answers]
        assert places == [0, 1, 2, 3]
        assert sample.decision.label is not None
        texts = sample.question.options
        assert texts[sample.decision.label] == max(texts.values())


def test_rotations_of_one_question_are_asked_one_after_the_other(demo: Path, tmp_path: Path) -> None:
    adapter = Answering(by_content)
    evaluate(adapter, data=demo, output=tmp_path / "run", method="rotate", limit=6, cache=False)
    names = [request.key.partition("#")[0] for request in adapter.asked]
    assert names == [name for name in dict.fromkeys(names) for _ in range(4)]


def test_a_model_that_keeps_to_the_place_is_found_out(demo: Path, tmp_path: Path) -> None:
    run = evaluate(Answering(by_place), data=demo, output=tmp_path / "place", method="rotate", cache=False)
    assert run.results.rotations["position"] == run.results.rotations["asked"] == len(run.samples)
    # Every option gets one vote: no majority, so no answer, except where two options are one.
    unparsed = [s for s in run.samples if s.outcome == "not_parsed"]
    assert {s.decision.reason for s in unparsed} == {"tie"}
    run = evaluate(Answering(by_content), data=demo, output=tmp_path / "content", method="rotate", cache=False)
    assert run.results.rotations["content"] == len(run.samples)
    assert run.results.rotations["position"] == 0


def test_one_failed_vote_fails_the_question_and_all_votes_are_kept(demo: Path, tmp_path: Path) -> None:
    def third_fails(request: Request) -> Response:
        if request.key.endswith("#r2"):
            return Response(key=request.key, failure=Failure(kind="timeout", message="late", retryable=True))
        return by_content(request)

    run = evaluate(Answering(third_fails), data=demo, output=tmp_path / "run", method="rotate", limit=3, cache=False)
    assert run.results.counts["errored"] == 3
    assert all(len(s.answers) == 4 for s in run.samples)
    again = Answering(by_content)
    run = evaluate(again, data=demo, output=tmp_path / "run", method="rotate", limit=3, cache=False)
    assert run.results.complete
    assert [request.key.rpartition("#")[2] for request in again.asked] == ["r2"] * 3


def withheld(request: Request) -> Response:
    return Response(key=request.key, failure=Failure(kind="filtered", message="withheld"))


def test_a_filtered_vote_is_no_vote_and_a_question_is_filtered_where_none_is_left(demo: Path, tmp_path: Path) -> None:
    def third_is_withheld(request: Request) -> Response:
        return withheld(request) if request.key.endswith("#r2") else by_content(request)

    run = evaluate(Answering(third_is_withheld), data=demo, output=tmp_path / "one", method="rotate", cache=False)
    assert (run.results.complete, run.results.counts["filtered"]) == (True, 0)
    for sample in run.samples:
        assert sample.question.options[sample.decision.label or ""] == max(sample.question.options.values())
    run = evaluate(Answering(withheld), data=demo, output=tmp_path / "all", method="rotate", cache=False)
    assert (run.results.complete, run.results.counts["filtered"]) == (True, len(run.samples))


def test_samples_differ_by_their_seed_and_the_majority_counts(demo: Path, tmp_path: Path) -> None:
    def two_of_three(request: Request) -> Response:
        return Response(key=request.key, text="D" if request.settings.seed % 3 == 0 else "A")

    adapter = Answering(two_of_three)
    run = evaluate(
        adapter, data=demo, output=tmp_path / "run", method="sample:3", temperature=0.7, limit=4, cache=False
    )
    assert len({request.settings.seed for request in adapter.asked}) == 3
    assert {s.decision.label for s in run.samples} == {"A"}
    assert run.results.rotations == {}


@pytest.mark.parametrize(
    ("votes", "settings"),
    [
        ("rotat", {}),
        ("sample:1", {"temperature": 1.0}),
        ("sample:10001", {"temperature": 1.0}),
        ("sample:" + "9" * 5000, {"temperature": 1.0}),
        ("reflect:go_on=101", {}),
        ("sample:3", {}),
        ("sample:3", {"temperature": 1.0, "answer": "choose"}),
    ],
)
def test_votes_that_make_no_sense_are_refused(votes: str, settings: RunKeywords, demo: Path, tmp_path: Path) -> None:
    keywords: RunKeywords = {**settings, "data": demo, "method": votes}
    with pytest.raises(UsageError, match=r"--method|unknown method"):
        evaluate("baseline:chance", output=tmp_path / "run", **keywords)


def test_scoring_again_reads_every_vote_again(demo: Path, tmp_path: Path) -> None:
    run = evaluate(Answering(by_content), data=demo, output=tmp_path / "run", method="rotate", limit=5, cache=False)
    before = run.samples
    assert grade_again(RunFolder(run.path), {}, registry()) == 0
    assert run.samples == before


_log = st.floats(-20, 0)


def answer(ask: Ask, options: dict[str, str], **response: Any) -> Answer:
    said = Response(key=ask.name, **response)
    return Answer(ask=ask, sent=Sent(), response=said, reading=read_response(said, options, tuple(options)))


@given(st.lists(st.tuples(_log, _log, _log, _log), min_size=4, max_size=4))
def test_summed_evidence_is_that_of_the_option_and_not_of_the_place(rows: list[tuple[float, ...]]) -> None:
    asked, method = question(), Rotate()
    labels = list(asked.options)
    asks = method.step(asked, ())
    assert not isinstance(asks, Decision)
    answers, expected = [], dict.fromkeys(labels, 0.0)
    for ask, row in zip(asks, rows, strict=True):
        shown = ask.options or {}
        for label, score in zip(labels, row, strict=True):
            option = next(name for name in labels if asked.options[name] == shown[label])
            expected[option] += score
        answers.append(answer(ask, shown, scores=dict(zip(labels, row, strict=True))))
    found = method.step(asked, answers)
    assert isinstance(found, Decision)
    if found.label is None:
        assert found.reason == "tie"
    else:
        assert expected[found.label] == pytest.approx(max(expected.values()))


@given(st.lists(st.sampled_from("ABCD"), min_size=4, max_size=4))
def test_votes_are_for_the_option_that_stood_at_the_answered_place(places: list[str]) -> None:
    asked, method = question(), Rotate()
    asks = method.step(asked, ())
    assert not isinstance(asks, Decision)
    answers = [answer(ask, ask.options or {}, text=place) for ask, place in zip(asks, places, strict=True)]
    texts = [(ask.options or {})[place] for ask, place in zip(asks, places, strict=True)]
    found = method.step(asked, answers)
    assert isinstance(found, Decision)
    most = max(map(texts.count, texts))
    winners = {text for text in texts if texts.count(text) == most}
    assert (found.label is not None) == (len(winners) == 1)
    if found.label is not None:
        assert asked.options[found.label] in winners


def test_options_of_the_same_text_share_their_votes() -> None:
    asked = question({"A": "cat", "B": "dog", "C": "cat", "D": "fox"})
    same = {label: label for label in asked.options}
    answers = [answer(Ask(name=text), asked.options, text=text) for text in ("A", "B", "C")]
    assert decide(asked, answers, [same] * 3).label == "A"


def test_a_question_without_options_can_be_sampled_and_the_commonest_text_counts() -> None:
    asked, method = Question(id=1, key="q", text="?"), Sampled(3)
    asks = method.step(asked, ())
    assert not isinstance(asks, Decision)
    answers = [answer(ask, {}, text=text) for ask, text in zip(asks, ("Two  cats", "one", "two cats"), strict=True)]
    found = method.step(asked, answers)
    assert isinstance(found, Decision)
    assert found.text == "Two  cats"


class Twice(Method):
    """Asks; if the answer isn't A, asks again between that one and A."""

    def step(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        if not answers:
            return [Ask(name="first")]
        label = answers[0].reading.label
        if len(answers) == 1 and label not in (None, "A"):
            return [Ask(name="second", choices=("A", label), after="Which of the two?")]
        return Decision(label=answers[-1].reading.label, rule="twice")


@pytest.fixture
def twice() -> Iterator[None]:
    class Plugin:
        @hookimpl
        def egocross_methods(self) -> list[MethodType]:
            return [MethodType(name="twice", description="", build=lambda argument, options: Twice())]

    known = registry()
    known.add("twice", Plugin, distribution="d", version="1")
    known.collect()
    yield
    known._manager.unregister(name="twice")
    known.plugins = [plugin for plugin in known.plugins if plugin.name != "twice"]
    known.collect()


@pytest.mark.usefixtures("twice")
def test_a_second_round_depends_on_the_first_and_both_are_kept(demo: Path, tmp_path: Path) -> None:
    def says(request: Request) -> Response:
        return Response(key=request.key, text="A" if request.key.endswith("#second") else "C")

    adapter = Answering(says)
    run = evaluate(adapter, data=demo, output=tmp_path / "run", method="twice", limit=5, cache=False)
    assert {tuple(answer.ask.name for answer in s.answers) for s in run.samples} == {("first", "second")}
    assert {s.decision.label for s in run.samples} == {"A"}
    second = next(request for request in adapter.asked if request.key.endswith("#second"))
    assert second.choices == ("A", "C")
    assert second.prompt.messages[-1].parts[-1] == TextPart(text="Which of the two?")
    assert not (run.path / "answers.jsonl").exists()


@pytest.mark.usefixtures("twice")
def test_a_run_that_is_stopped_between_two_rounds_goes_on_with_the_answers_it_has(demo: Path, tmp_path: Path) -> None:
    def stops_in_round_two(request: Request) -> Response:
        if request.key.endswith("#second"):
            raise KeyboardInterrupt
        return Response(key=request.key, text="C")

    with pytest.raises(KeyboardInterrupt):
        evaluate(Drawing(stops_in_round_two), data=demo, output=tmp_path / "run", method="twice", limit=5, cache=False)
    assert (tmp_path / "run" / "answers.jsonl").read_bytes().count(b"\n") == 5
    again = Drawing(lambda request: Response(key=request.key, text="A"))
    run = evaluate(again, data=demo, output=tmp_path / "run", method="twice", limit=5, cache=False)
    assert [request.key.rpartition("#")[2] for request in again.asked] == ["second"] * 5
    assert run.results.complete
    assert {s.answers[0].reading.label for s in run.samples} == {"C"}
    assert not (run.path / "answers.jsonl").exists()


class Drawing(Answering):
    """Draws all that is askable before it answers, as an engine with large batches does, in a thread of its own."""

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        with ThreadPoolExecutor(1) as pool:
            drawn = pool.submit(list, requests).result()
        self.asked += drawn
        yield from map(self.answer, drawn)


@pytest.mark.usefixtures("twice")
def test_cached_answers_of_both_rounds_reach_no_adapter(demo: Path, tmp_path: Path) -> None:
    def says(request: Request) -> Response:
        return Response(key=request.key, text="A" if request.key.endswith("#second") else "C")

    class Known(Drawing):
        def fingerprint(self) -> str:
            return "weights"

    evaluate(Known(says), data=demo, output=tmp_path / "1", method="twice", limit=5)
    again = Known(says)
    run = evaluate(again, data=demo, output=tmp_path / "2", method="twice", limit=5)
    assert again.asked == []
    assert run.results.complete
    assert all(s.cost.cached == 2 for s in run.samples)


@pytest.mark.usefixtures("twice")
def test_a_run_whose_method_is_installed_no_more_names_its_plugin(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = Answering(lambda request: Response(key=request.key, text="A"))
    evaluate(adapter, data=demo, output=tmp_path / "run", method="twice", limit=2, cache=False)
    known = registry()
    monkeypatch.delitem(known.methods, "twice")
    monkeypatch.setattr(known, "plugins", [plugin for plugin in known.plugins if plugin.name != "twice"])
    said = "run needs the method 'twice', which nothing installed here has; the run was made with d 1$"
    with pytest.raises(UsageError, match=said):
        grade_again(RunFolder(tmp_path / "run"), {}, known)


@pytest.mark.parametrize(
    ("steps", "says_so"),
    [
        ([], "neither asks nor decides"),
        ([Ask(name="a"), Ask(name="a")], "its own"),
        ([Ask(name="a#b")], "without #"),
        (Decision(label="Q"), "decides for 'Q', which is no option of"),
    ],
)
def test_a_method_that_breaks_its_contract_ends_the_run_by_name(
    steps: list[Ask] | Decision, says_so: str, demo: Path, tmp_path: Path, twice: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Twice, "step", lambda self, question, answers: steps)
    with pytest.raises(RunError, match=says_so):
        evaluate("baseline:chance", data=demo, output=tmp_path / "run", method="twice", limit=2)
