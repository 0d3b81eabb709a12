"""Batches hold requests of one kind and similar length, within bounds, and depend on the requests alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from egocross_eval.model_adapters.hf.batching import cut_batches, window_sizes


class Asked(NamedTuple):
    tokens: int
    kind: str
    place: int
    count: int = 1  # type: ignore[assignment]  # tuples have a method of that name


def within(tokens: int) -> Callable[[list[Asked]], bool]:
    """Whether the prompts of a batch, all padded to the longest, have at most so many tokens."""
    return lambda batch: sum(one.count for one in batch) * max(one.tokens for one in batch) <= tokens


def asked(pairs: list[tuple[int, str]]) -> list[Asked]:
    return [Asked(tokens, kind, place) for place, (tokens, kind) in enumerate(pairs)]


PAIRS = st.lists(st.tuples(st.integers(1, 500), st.sampled_from("xyz")), max_size=60)


@given(PAIRS, st.none() | st.integers(1, 10), st.integers(1, 2000))
def test_every_request_is_in_exactly_one_batch_and_batches_keep_their_bounds(
    pairs: list[tuple[int, str]], most: int | None, tokens: int
) -> None:
    items = asked(pairs)
    batches = cut_batches(items, max_items=most, holds=within(tokens))
    assert sorted(item for batch in batches for item in batch) == sorted(items)
    for batch in batches:
        assert len({item.kind for item in batch}) == 1
        assert most is None or len(batch) <= most
        assert len(batch) == 1 or len(batch) * max(item.tokens for item in batch) <= tokens


@given(PAIRS)
def test_lengths_never_grow_from_batch_to_batch_of_a_kind(pairs: list[tuple[int, str]]) -> None:
    batches = cut_batches(asked(pairs), max_items=4, holds=within(1000))
    for kind in "xyz":
        lengths = [item.tokens for batch in batches for item in batch if item.kind == kind]
        assert lengths == sorted(lengths, reverse=True)


def test_equal_lengths_keep_their_order() -> None:
    batches = cut_batches(asked([(5, "x")] * 6), max_items=4, holds=within(100))
    assert [item.place for batch in batches for item in batch] == list(range(6))


def test_batches_are_as_large_as_the_bounds_let_them_be() -> None:
    batches = cut_batches(asked([(10, "x")] * 10), max_items=None, holds=within(45))
    assert [len(batch) for batch in batches] == [4, 4, 2]


def test_a_request_longer_than_the_bound_is_asked_alone() -> None:
    batches = cut_batches(asked([(900, "x"), (10, "x"), (10, "x")]), max_items=None, holds=within(100))
    assert [[item.tokens for item in batch] for batch in batches] == [[900], [10, 10]]


def test_windows_grow_to_their_bound() -> None:
    assert list(islice(window_sizes(32, 200), 5)) == [32, 64, 128, 200, 200]
    assert list(islice(window_sizes(32, 8), 2)) == [8, 8]


def test_items_that_are_to_stay_apart_share_no_batch() -> None:
    items = asked([(300, "x"), (300, "x"), (200, "x"), (20, "x"), (10, "x")])
    batches = cut_batches(items, max_items=None, holds=within(9000), apart=lambda one: one.tokens // 100)
    assert [[one.tokens for one in batch] for batch in batches] == [[300, 300], [200], [20, 10]]
