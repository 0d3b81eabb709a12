"""The bounded stream of requests through an event loop, and the bound of what they hold. No vLLM is needed."""

from __future__ import annotations

import asyncio
import gc
import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egocross_eval.model_adapters.streams.byte_budget import ByteBudget
from egocross_eval.model_adapters.streams.loops import Loop, LoopThread, TurnedLoop
from egocross_eval.model_adapters.streams.stream import stream
from egocross_eval.schema import Prompt, Request, Response
from egocross_eval.settings import GenerationSettings


@pytest.fixture(params=["thread", "turned"])
def loop(request: pytest.FixtureRequest) -> Iterator[Loop]:
    made: Loop = LoopThread("test") if request.param == "thread" else TurnedLoop()
    yield made
    made.close()


def request(number: int) -> Request:
    prompt = Prompt(messages=(), style="letter")
    return Request(key=str(number), prompt=prompt, settings=GenerationSettings(), options={"A": "a"})


def test_every_request_has_one_response_and_the_bound_holds(loop: Loop) -> None:
    under_way = most = 0

    async def answer(asked: Request) -> Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001 * (int(asked.key) % 3))
        under_way -= 1
        return Response(key=asked.key, text="A")

    responses = list(stream((request(n) for n in range(40)), answer, loop=loop, bound=5))
    assert sorted(int(response.key) for response in responses) == list(range(40))
    assert 1 < most <= 5


def test_a_slow_request_holds_up_no_other(loop: Loop) -> None:
    gate = asyncio.Event()

    async def answer(asked: Request) -> Response:
        if asked.key == "0":
            await gate.wait()
        return Response(key=asked.key, text="A")

    responses = stream((request(n) for n in range(10)), answer, loop=loop, bound=3)
    early = [next(responses).key for _ in range(9)]
    assert "0" not in early
    loop.begin(lambda _: gate.set(), None)
    assert next(responses).key == "0"


def test_requests_are_drawn_no_further_than_the_bound(loop: Loop) -> None:
    drawn: list[int] = []

    def requests() -> Iterator[Request]:
        for number in itertools.count():
            drawn.append(number)
            yield request(number)

    async def answer(asked: Request) -> Response:
        return Response(key=asked.key, text="A")

    responses = stream(requests(), answer, loop=loop, bound=4)
    for _ in range(10):
        next(responses)
    assert len(drawn) <= 10 + 4
    responses.close()


def test_closing_cancels_what_is_under_way(loop: Loop) -> None:
    cancelled: list[str] = []
    started = asyncio.Event()

    async def answer(asked: Request) -> Response:
        if asked.key == "0":
            await started.wait()
            return Response(key=asked.key, text="A")
        started.set()
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            cancelled.append(asked.key)
            raise
        raise AssertionError

    responses = stream((request(n) for n in range(2)), answer, loop=loop, bound=2)
    assert next(responses).key == "0"
    responses.close()
    assert cancelled == ["1"]


def test_an_error_of_one_answer_ends_the_stream_and_the_others(loop: Loop) -> None:
    async def answer(asked: Request) -> Response:
        if asked.key == "3":
            raise RuntimeError("the engine died")
        await asyncio.sleep(0 if int(asked.key) < 3 else 600)
        return Response(key=asked.key, text="A")

    with pytest.raises(RuntimeError, match="the engine died"):
        list(stream((request(n) for n in range(10)), answer, loop=loop, bound=6))


def test_errors_of_requests_that_were_under_way_too_are_not_complained_of(
    loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    async def answer(asked: Request) -> Response:
        raise RuntimeError("the engine died")

    gc.collect()  # what other tests left may be complained of
    caplog.clear()
    with pytest.raises(RuntimeError, match="the engine died"):
        list(stream((request(n) for n in range(10)), answer, loop=loop, bound=6))
    gc.collect()
    assert caplog.records == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(min_value=0, max_value=15), max_size=30), st.integers(min_value=1, max_value=20))
def test_the_budget_is_kept_but_for_one_that_goes_alone(sizes: list[int], limit: int) -> None:
    async def run() -> None:
        budget = ByteBudget(limit)
        held: list[int] = []

        async def hold(size: int) -> None:
            share = await budget.take(size)
            held.append(size)
            assert sum(held) <= limit or len([one for one in held if one > 0]) == 1
            await asyncio.sleep(0)
            held.remove(size)
            share.release()
            share.release()

        await asyncio.wait_for(asyncio.gather(*(hold(size) for size in sizes)), timeout=60)

    asyncio.run(run())


def test_a_cancelled_wait_gives_its_turn_to_the_next() -> None:
    async def run() -> None:
        budget = ByteBudget(10)
        whole = await budget.take(10)
        large, small = asyncio.create_task(budget.take(10)), asyncio.create_task(budget.take(1))
        await asyncio.sleep(0)
        large.cancel()
        await asyncio.sleep(0)
        whole.release()
        await asyncio.wait_for(small, timeout=60)

    asyncio.run(run())
