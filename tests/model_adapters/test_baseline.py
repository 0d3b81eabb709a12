"""Baselines: what they answer for options of any number and name, and for none."""

from __future__ import annotations

from typing import Any

import pytest

from egocross_eval import GenerationSettings, Prompt, Request, Response, UsageError
from egocross_eval.contracts.registry import registry
from egocross_eval.model_adapters.spec import build_adapter, parse_spec
from egocross_eval.settings import AnswerMode

SIX = {"A": "a", "B": "bb", "C": "ccc", "D": "dd", "E": "e", "F": "eeeee"}
YES_NO = {"yes": "it does", "no": "it does not"}


def request(options: dict[str, str], key: str = "q", mode: AnswerMode = "generate", **labels: str) -> Request:
    settings = GenerationSettings(answer_mode=mode)
    return Request(
        key=key, prompt=Prompt(messages=(), style="letter"), settings=settings, options=options, labels=labels
    )


def answer(spec: str, asked: Request) -> Response:
    (response,) = build_adapter(parse_spec(spec), registry()).generate(iter([asked]))
    assert response.key == asked.key
    return response


@pytest.mark.parametrize("options", [SIX, YES_NO])
def test_chance_draws_every_label_evenly_and_the_same_again(options: dict[str, str]) -> None:
    drawn = [answer("baseline:chance", request(options, key=str(number))).text for number in range(600)]
    assert drawn == [answer("baseline:chance", request(options, key=str(number))).text for number in range(600)]
    share = {label: drawn.count(label) / 600 for label in options}
    assert sum(share.values()) == 1
    assert all(abs(found - 1 / len(options)) < 0.07 for found in share.values())


@pytest.mark.parametrize(("options", "label"), [(SIX, "F"), (YES_NO, "no"), ({"A": "xx", "B": "yy"}, "A")])
def test_the_longest_option_wins_and_of_equals_the_first(options: dict[str, str], label: str) -> None:
    assert answer("baseline:longest", request(options)).text == label


@pytest.mark.parametrize(("given", "options", "label"), [("f", SIX, "F"), ("Yes", YES_NO, "yes"), ("E", YES_NO, "E")])
def test_a_constant_is_any_label_in_any_case(given: str, options: dict[str, str], label: str) -> None:
    assert answer(f"baseline:constant,letter={given}", request(options)).text == label


def test_position_goes_by_the_domain_and_without_one_by_all() -> None:
    options = dict(zip("ABCD", "wxyz", strict=True))
    assert answer("baseline:position", request(options, domain="industry")).text == "D"
    assert answer("baseline:position", request(options, domain="surgery")).text == "C"
    assert answer("baseline:position", request(options, domain="")).text == "D"
    assert answer("baseline:position", request(YES_NO, domain="surgery")).text == "yes"


def test_choosing_scores_every_label() -> None:
    scores = answer("baseline:constant,letter=no", request(YES_NO, mode="choose")).scores
    assert scores is not None
    assert scores.keys() == YES_NO.keys()
    assert scores["no"] > scores["yes"]


@pytest.mark.parametrize("spec", ["chance", "longest", "position", "constant,letter=A"])
def test_a_question_without_options_gets_an_empty_answer_and_cannot_be_chosen_for(spec: str) -> None:
    assert answer(f"baseline:{spec}", request({})).text == ""
    failure = answer(f"baseline:{spec}", request({}, mode="choose")).failure
    assert failure is not None
    assert (failure.kind, failure.message) == ("labels", "nothing can't be chosen: the question has no options")


def test_a_constant_that_a_question_does_not_offer_cannot_be_chosen() -> None:
    failure = answer("baseline:constant,letter=E", request(YES_NO, mode="choose")).failure
    assert failure is not None
    assert failure.message == "E can't be chosen: the question offers yes, no"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("baseline:positon", "did you mean 'position'"),
        ("baseline:constant", "needs a letter"),
        ("baseline:chance,letter=A", "takes no letter="),
        ("baseline:chance,support=x", "unknown option 'support'"),
    ],
)
def test_what_makes_no_sense_is_refused(spec: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        answer(spec, request(SIX))


def test_no_frame_is_needed() -> None:
    adapter: Any = build_adapter(parse_spec("baseline:chance"), registry())
    assert not adapter.capabilities().needs_content
