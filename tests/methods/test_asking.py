"""Verify, pairwise and dialogues: what they recover from respondents of known skill and habits, and how they ask."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from respondents import Respondent, last_words

from egocross_eval import (
    Answer,
    Ask,
    Capabilities,
    Decision,
    Method,
    Question,
    Reading,
    Request,
    Response,
    Run,
    RunKeywords,
    Sent,
    UsageError,
    evaluate,
    read_egocross,
)
from egocross_eval.contracts.registry import registry
from egocross_eval.contracts.task import DataSource
from egocross_eval.methods.select import build_method
from egocross_eval.methods.verify import log_odds


@pytest.fixture(scope="module")
def questions(demo: Path) -> dict[str, Question]:
    return {question.key: question for question in read_egocross(DataSource(root=demo, split="demo")).questions}


def run_with(model: Respondent, demo: Path, folder: Path, **keywords: object) -> Run:
    given: RunKeywords = {"data": demo, "split": "demo", "cache": False, **keywords}  # type: ignore[typeddict-item]
    return evaluate(model, output=folder, **given)


def chosen(run: Run) -> dict[str, str | None]:
    """The text decided for, by question."""
    return {s.key: s.question.options.get(s.decision.label or "") for s in run.samples}


@pytest.mark.parametrize("method", ["pairwise", "pairwise:by=wins", "verify"])
def test_scored_methods_recover_what_a_model_prefers_under_any_habit_and_once_does_not(
    method: str, questions: dict[str, Question], demo: Path, tmp_path: Path
) -> None:
    habits = Respondent(questions, skill=1.5, first=3.0, yes=4.0)
    prefers = {key: habits.prefers(key) for key in questions}
    run = run_with(habits, demo, tmp_path / "method", answer="choose", method=method)
    if method == "pairwise:by=wins":
        # A sum of probabilities isn't quite the order of strengths; where it differs, the two were close.
        same = sum(chosen(run)[key] == prefers[key] for key in questions)
        assert same >= 0.9 * len(questions)
    else:
        assert chosen(run) == prefers
    once = run_with(habits, demo, tmp_path / "once", answer="choose")
    first = {key: next(iter(question.options.values())) for key, question in questions.items()}
    expected = {
        key: max(q.options.values(), key=lambda text: habits.fit(key, text) + 3.0 * (text == first[key]))
        for key, q in questions.items()
    }
    assert chosen(once) == expected
    assert run.results.micro is not None
    assert once.results.micro is not None
    right = sum(q.options[q.target or ""] == prefers[key] for key, q in questions.items())
    if method != "pairwise:by=wins":
        assert run.results.micro.right == right
    assert run.results.micro.right > once.results.micro.right + 10


def test_from_letters_pairwise_keeps_what_wins_from_both_places(
    questions: dict[str, Question], demo: Path, tmp_path: Path
) -> None:
    """With a habit for the first place of size b, an option is right for sure if it fits better than any by b."""
    habits = Respondent(questions, skill=2.0, first=1.0)
    found = chosen(run_with(habits, demo, tmp_path / "run", method="pairwise"))
    clear = 0
    for key, question in questions.items():
        fits = sorted({(habits.fit(key, text), text) for text in question.options.values()})
        if fits[-1][0] - fits[-2][0] > 1.0:
            clear += 1
            assert found[key] == fits[-1][1]
    assert clear > 30


def test_the_lowest_is_picked_for_what_is_not_there(questions: dict[str, Question], demo: Path, tmp_path: Path) -> None:
    model = Respondent(questions, skill=1.0)
    run = run_with(model, demo, tmp_path / "run", method="verify:pick=lowest", limit=20)
    for sample in run.samples:
        texts = sample.question.options.values()
        assert chosen(run)[sample.key] == min(texts, key=lambda text: model.fit(sample.key, text))


def method_of(text: str) -> Method:
    return build_method(text, registry())


def asks_of(text: str, question: Question, answers: list[Answer] | None = None) -> list[Ask]:
    step = method_of(text).step(question, answers or [])
    assert not isinstance(step, Decision)
    return list(step)


def answered(ask: Ask, **response: object) -> Answer:
    return Answer(ask=ask, sent=Sent(), response=Response(key=ask.name, **response), reading=Reading())  # type: ignore[arg-type]


FOUR = Question(id=1, key="q", text="What?", options={"A": "cat", "B": "dog", "C": "cat", "D": "{fox}"})


def test_options_of_one_text_are_asked_about_once_and_share_what_is_found() -> None:
    asks = asks_of("verify", FOUR)
    assert [ask.name for ask in asks] == ["0A", "0B", "0D"]
    assert asks[-1].after is not None
    assert asks[-1].after.endswith("Answer: {fox}")
    odds = {"0A": 2.0, "0B": 1.0, "0D": 0.0}
    answers = [answered(ask, scores={"Yes": -1.0, "No": -1.0 - odds[ask.name]}) for ask in asks]
    decision = method_of("verify").step(FOUR, answers)
    assert isinstance(decision, Decision)
    assert decision.label == "A"
    assert decision.scores["A"] == decision.scores["C"]
    assert len(asks_of("pairwise", FOUR)) == 6


@pytest.mark.parametrize("method", ["pairwise", "verify", "verify:chunks=2"])
def test_asks_of_a_question_differ_in_their_last_words_alone(
    method: str, questions: dict[str, Question], demo: Path, tmp_path: Path
) -> None:
    model = Respondent(questions, skill=1.0)
    run_with(model, demo, tmp_path / "run", method=method, limit=3, answer="choose")
    by_frames: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for request in model.asked:
        frames = tuple(frame.name for frame in request.prompt.frames())
        by_frames.setdefault((request.key.partition("#")[0], frames), []).append(last_words(request))
    for (key, _), words in by_frames.items():
        common = len(_common_beginning(words))
        longest = 2 * max(len(text) for text in questions[key].options.values()) + len("A: \nB: ")
        assert all(len(text) - common <= longest for text in words)


def _common_beginning(texts: list[str]) -> str:
    return "".join(column[0] for column in itertools.takewhile(lambda c: len(set(c)) == 1, zip(*texts, strict=False)))


def test_chunks_cut_the_shown_frames_into_consecutive_pieces(
    questions: dict[str, Question], demo: Path, tmp_path: Path
) -> None:
    model = Respondent(questions, skill=1.0)
    run = run_with(model, demo, tmp_path / "run", method="verify:chunks=3,join=max", frames="uniform:7", limit=10)
    for sample in run.samples:
        shown = [frame.name for frame in sample.question.frames]
        pieces = [
            [frame.name for frame in answer.sent.frames]
            for answer in sample.answers
            if answer.ask.name.endswith(sample.answers[0].ask.name[-1])
        ]
        joined = [name for piece in pieces for name in piece]
        assert joined == [name for name in shown if name in joined]
        assert len(joined) == min(7, len(shown))
        assert max(map(len, pieces)) - min(map(len, pieces)) <= 1


_margins = st.lists(st.floats(-40, 40), min_size=3, max_size=3)


@given(st.lists(_margins, min_size=2, max_size=2))
def test_the_mean_over_chunks_is_that_of_the_chances_of_yes(rows: list[list[float]]) -> None:
    from egocross_eval import Frame

    frames = tuple(Frame(name=str(number)) for number in range(6))
    question = Question(id=1, key="q", text="?", options={"A": "a", "B": "b"}, frames=frames)
    answers = []
    for ask in asks_of("verify:chunks=3", question):
        margin = rows["AB".index(ask.name[-1])][int(ask.name[0])]
        answers.append(
            answered(ask, scores={"Yes": -math.log1p(math.exp(-margin)), "No": -math.log1p(math.exp(margin))})
        )
    decision = method_of("verify:chunks=3").step(question, answers)
    assert isinstance(decision, Decision)
    for label, margins in zip("AB", rows, strict=True):
        chance = sum(1 / (1 + math.exp(-margin)) for margin in margins) / 3
        assert 1 / (1 + math.exp(-decision.scores[label])) == pytest.approx(chance, rel=1e-6)


@given(st.floats(-30, 0), st.floats(-30, 0))
def test_odds_are_those_of_the_scores_and_a_label_that_was_not_listed_has_at_most_the_rest(
    yes: float, no: float
) -> None:
    assert log_odds({"Yes": yes, "No": no}, "Yes", "No") == pytest.approx(yes - no)
    alone = log_odds({"Yes": yes}, "Yes", "No")
    assert alone is not None
    assert math.isfinite(alone)
    assert alone == pytest.approx(yes - math.log(max(1 - math.exp(yes), 1e-9)), rel=1e-3, abs=1e-3)
    assert log_odds({}, "Yes", "No") is None


@given(st.permutations("ABCD"), st.sampled_from(["bradley-terry", "wins"]))
def test_who_beats_all_others_wins_whatever_the_labels(order: list[str], by: str) -> None:
    question = Question(id=1, key="q", text="?", options={label: label.lower() for label in "ABCD"})
    answers = []
    for ask in asks_of(f"pairwise:by={by}", question):
        one, _, other = ask.name.partition("-")
        better = "A" if order.index(one) < order.index(other) else "B"
        answers.append(
            Answer(ask=ask, sent=Sent(), response=Response(key="k", text=better), reading=Reading(label=better))
        )
    decision = method_of(f"pairwise:by={by}").step(question, answers)
    assert isinstance(decision, Decision)
    assert sorted(decision.scores, key=lambda label: -decision.scores[label]) == list(order)


def test_nothing_read_is_an_abstention_and_so_is_a_perfect_tie() -> None:
    question = Question(id=1, key="q", text="?", options={"A": "a", "B": "b"})
    asks = asks_of("pairwise", question)
    nothing = method_of("pairwise").step(question, [answered(ask, text="well") for ask in asks])
    assert nothing == Decision(reason="no_votes")
    first = [Answer(ask=a, sent=Sent(), response=Response(key="k", text="A"), reading=Reading(label="A")) for a in asks]
    tie = method_of("pairwise").step(question, first)
    assert isinstance(tie, Decision)
    assert (tie.label, tie.reason) == (None, "tie")


class Talking(Respondent):
    """Says a sentence where it's asked for words; `cut` of its answers end at the bound of their tokens."""

    def __init__(self, questions: dict[str, Question], *, cut: int = 0) -> None:
        super().__init__(questions, skill=3.0)
        self._cut = cut

    def answer(self, request: Request) -> Response:
        name = request.key.rpartition("#")[2]
        if name == "letter" or request.settings.answer_mode == "choose":
            return super().answer(request)
        part = int(name.partition("+")[2] or 0)
        reason = "length" if part < self._cut else "stop"
        return Response(key=request.key, text=f"<think>I see {name}.</think> So.", finish_reason=reason)


@pytest.mark.parametrize(
    ("method", "stages"),
    [("reason", ["think"]), ("roles", ["describe", "argue"]), ("reflect", ["answer", "critique"])],
)
def test_a_dialogue_shows_the_frames_once_and_its_own_words_in_each_later_turn(
    method: str, stages: list[str], questions: dict[str, Question], demo: Path, tmp_path: Path
) -> None:
    model = Talking(questions)
    run = run_with(model, demo, tmp_path / "run", method=method, limit=4, style="json", timestamps=True)
    for sample in run.samples:
        assert [answer.ask.name for answer in sample.answers] == [*stages, "letter"]
        texts = [answer.sent.messages for answer in sample.answers]
        for before, after in itertools.pairwise(texts):
            assert after[: len(before)] == before
            assert after[len(before)] == ("assistant", f"I see {stages[texts.index(before)]}. So.")
        images = [len(answer.sent.frames) for answer in sample.answers]
        assert set(images) == {len(sample.question.frames)}
    assert chosen(run) == {sample.key: model.prefers(sample.key) for sample in run.samples}


def test_thinking_that_is_cut_off_is_gone_on_with_and_never_in_silence(
    questions: dict[str, Question], demo: Path, tmp_path: Path
) -> None:
    run = run_with(Talking(questions, cut=1), demo, tmp_path / "once", method="reason", limit=2)
    assert [answer.ask.name for answer in run.samples[0].answers] == ["think", "think+1", "letter"]
    assert run.samples[0].decision.rule == "scores"
    run = run_with(Talking(questions, cut=9), demo, tmp_path / "ever", method="reason:go_on=2", limit=2)
    assert [answer.ask.name for answer in run.samples[0].answers] == ["think", "think+1", "think+2", "letter"]
    assert run.samples[0].decision.rule == "scores (think cut off)"


def test_braces_that_are_no_field_are_shown_as_they_stand() -> None:
    (ask, *_) = asks_of('verify:words={"seen": {option}} {yes}/{no} {2}', FOUR)
    assert ask.after == '{"seen": cat} Yes/No {2}'


def test_labels_of_more_than_a_letter_are_told_apart() -> None:
    question = Question(id=1, key="q", text="?", options={"1": "red", "10": "blue", "AB": "green"})
    method = method_of("verify")
    asks = method.step(question, ())
    assert not isinstance(asks, Decision)
    chances = {"red": 0.2, "blue": 0.9, "green": 0.4}
    answers = [
        answered(ask, scores={"Yes": math.log(chance), "No": math.log(1 - chance)})
        for ask, chance in zip(asks, chances.values(), strict=True)
    ]
    found = method.step(question, answers)
    assert isinstance(found, Decision)
    assert found.label == "10"
    assert found.scores == pytest.approx({"1": math.log(0.25), "10": math.log(9), "AB": math.log(2 / 3)})


@pytest.mark.parametrize(
    ("method", "says"),
    [
        ("verify:chunk=2", "did you mean 'chunks'"),
        ("verify:chunks=0", "'chunks' is '0'; it must be a whole number from 1"),
        ("verify:join=sum", "it must be mean or max"),
        ("verify:chunks=2,chunks=3", "'chunks' is given twice"),
        ("verify:4", "takes nothing behind a colon but its options, e.g. verify:chunks=4"),
        ("verify:words=Is it?", "words must have {option}"),
        ("verify:words={questoin} Is it {option}?", "unknown field 'questoin' (did you mean 'question'?)"),
        ("verify:say=Yes", "not two different replies"),
        ("once:chunks=2", "unknown option 'chunks'"),
        ("pairwise:by=win", "it must be bradley-terry or wins"),
    ],
)
def test_options_of_methods_are_checked(method: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        method_of(method)
    assert says in str(caught.value)


def test_a_method_that_needs_scores_is_refused_where_there_are_none(
    questions: dict[str, Question], demo: Path, tmp_path: Path
) -> None:
    class Mute(Respondent):
        def capabilities(self) -> Capabilities:
            return Capabilities(needs_content=False)

    model = Mute(questions, skill=1.0)
    for method in ("verify", "reason"):
        with pytest.raises(UsageError, match=f"log-probabilities here, which --method {method} needs"):
            run_with(model, demo, tmp_path / "run", method=method)
    assert model.asked == []
