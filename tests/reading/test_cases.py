"""The conformance cases: each is read as its author meant it, and together they use all that the reader knows."""

import pytest

from egocross_eval.reading import REASONS, RULES, Extraction, extract
from egocross_eval.reading.cases import Case, cases

Read = list[tuple[Case, Extraction]]


@pytest.fixture(scope="module")
def read() -> Read:
    """All cases with what is read of them."""
    return [(case, extract(case.output, case.options, case.letters)) for case in cases()]


def test_every_case_is_read_as_its_author_meant_it(read: Read) -> None:
    misread = [
        f"{case.name}: {case.letter} is meant and {found.letter} read ({found.rule or found.reason}) in {case.output!r}"
        for case, found in read
        if found.letter != case.letter
    ]
    assert not misread, "\n".join([f"{len(misread)} of {len(read)} cases are misread", *misread])


def test_a_letter_comes_with_its_rule_and_place_and_an_abstention_with_its_reason(read: Read) -> None:
    for case, found in read:
        place = found.rule in RULES and found.span is not None and found.reason is None
        reason = found.rule is None and found.span is None and found.reason in REASONS
        assert place if found.letter else reason, case.name


def test_the_cases_have_names_of_their_own_and_options_for_every_letter(read: Read) -> None:
    assert len(read) > 2000
    assert len({case.name for case, _ in read}) == len(read)
    assert all(list(case.letters) == list(case.options) for case, _ in read)


def test_the_cases_exercise_every_rule_and_every_reason(read: Read) -> None:
    assert {found.rule for _, found in read} - {None} == set(RULES)
    assert {found.reason for _, found in read} - {None} == set(REASONS)
