"""What is read of a response, beyond its text alone."""

from __future__ import annotations

import pytest

from egocross_eval.reading.response import read_response
from egocross_eval.schema import Response

OPTIONS = {"A": "scalpel", "B": "forceps"}


@pytest.mark.parametrize("text", ["We can find a new friend. A", 'He said "no."\nA', "It rains! A "])
def test_the_first_word_of_a_sentence_that_was_cut_off_is_no_answer(text: str) -> None:
    def read(finish_reason: str) -> str | None:
        return read_response(Response(key="q", text=text, finish_reason=finish_reason), OPTIONS, "AB").label

    assert read("length") is None
    assert read("stop") == "A"


@pytest.mark.parametrize(("text", "label"), [("A", "A"), ("The answer is A", "A"), ("Answer: A", "A"), ("So. B", "B")])
def test_an_answer_at_the_end_of_what_was_cut_off_counts(text: str, label: str) -> None:
    response = Response(key="q", text=text, finish_reason="length")
    assert read_response(response, OPTIONS, "AB").label == label
