"""Which replica gets which request, so that a common beginning is computed by one of them."""

from __future__ import annotations

from contextlib import ExitStack

from hypothesis import given
from hypothesis import strategies as st

from egocross_eval.model_adapters.streams.ranks import Ranks


def test_requests_that_begin_alike_follow_the_first() -> None:
    ranks = Ranks(4)
    with ExitStack() as under_way:
        homes = [under_way.enter_context(ranks.rank(clip)) for clip in "abcd"]
        assert homes == [0, 1, 2, 3]
        assert [under_way.enter_context(ranks.rank(clip)) for clip in "dcbabb"] == [3, 2, 1, 0, 1, 1]
    with ranks.rank("c") as home:
        assert home == 2


def test_others_go_where_least_is_under_way() -> None:
    ranks = Ranks(3)
    with ranks.rank("a"), ranks.rank(None) as second, ranks.rank(None) as third, ranks.rank("a"):
        assert (second, third) == (1, 2)
        with ranks.rank("b") as home:
            assert home == 1


def test_a_replica_that_is_far_ahead_gives_away_what_it_would_keep_others_from() -> None:
    ranks = Ranks(2, lead=2)
    with ExitStack() as under_way:
        assert [under_way.enter_context(ranks.rank("a")) for _ in range(6)] == [0, 0, 1, 0, 1, 0]
    with ranks.rank("a") as home:
        assert home == 0


@given(
    count=st.integers(1, 5),
    lead=st.integers(1, 4),
    beginnings=st.lists(st.one_of(st.none(), st.integers(0, 6)), max_size=60),
)
def test_no_replica_gets_far_ahead_of_another(count: int, lead: int, beginnings: list[int | None]) -> None:
    ranks = Ranks(count, lead)
    with ExitStack() as under_way:
        busy = [0] * count
        for beginning in beginnings:
            busy[under_way.enter_context(ranks.rank(beginning))] += 1
            assert max(busy) - min(busy) <= lead
