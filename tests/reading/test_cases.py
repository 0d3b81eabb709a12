"""The conformance cases, one test each."""

import pytest

from egocross_eval.reading import REASONS, RULES, extract
from egocross_eval.reading.cases import Case, cases

ALL = cases()


@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
def test_a_case_is_read_as_its_author_meant_it(case: Case) -> None:
    found = extract(case.output, case.options, case.letters)
    assert found.letter == case.letter
    if found.letter is None:
        assert found.reason in REASONS
        assert found.rule is None
        assert found.span is None
    else:
        assert found.rule in RULES
        assert found.reason is None
        assert found.span is not None


def test_the_cases_have_names_of_their_own_and_options_for_every_letter() -> None:
    assert len({case.name for case in ALL}) == len(ALL)
    assert all(list(case.letters) == list(case.options) for case in ALL)


def test_the_cases_exercise_every_rule_and_every_reason() -> None:
    found = [extract(case.output, case.options, case.letters) for case in ALL]
    assert {each.rule for each in found} - {None} == set(RULES)
    assert {each.reason for each in found} - {None} == set(REASONS)
