"""The order in which requests reach an engine that keeps what it computed of prompts. No vLLM is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from egocross_eval.model_adapters.streams.turns import Turn, Turns


class Engine:
    """Computes a prompt in one step of the loop, or finds its beginning computed; answers some steps later."""

    def __init__(self) -> None:
        self.computed: dict[str, int] = {}
        self.kept: set[str] = set()
        self.order: list[str] = []
        self.now = self.most = 0

    async def ask(self, name: str, beginning: str, turn: Turn, steps: int = 3) -> None:
        self.order.append(name)
        self.now += 1
        self.most = max(self.most, self.now)
        if beginning not in self.kept:
            self.computed[beginning] = self.computed.get(beginning, 0) + 1
        await asyncio.sleep(0)
        self.kept.add(beginning)
        turn.read()
        for _ in range(steps):
            await asyncio.sleep(0)
        self.now -= 1


async def answer(turns: Turns, engine: Engine, name: str, beginning: str) -> None:
    turn = turns.turn(beginning)
    try:
        await turn.come()
        await engine.ask(name, beginning, turn)
    finally:
        turn.end()


async def together(*work: Coroutine[Any, Any, None]) -> None:
    await asyncio.wait_for(asyncio.gather(*work), timeout=60)


def test_a_common_beginning_is_computed_once() -> None:
    async def main() -> Engine:
        turns, engine = Turns(room=8), Engine()
        await together(*(answer(turns, engine, f"{q}{r}", q) for q in "abcd" for r in range(4)))
        return engine

    engine = asyncio.run(main())
    assert engine.computed == dict.fromkeys("abcd", 1)
    assert len(engine.order) == 16


def test_others_fill_the_engine_while_rotations_wait_for_their_first() -> None:
    async def main() -> Engine:
        turns, engine = Turns(room=3), Engine()
        await together(*(answer(turns, engine, f"{q}{r}", q) for q in "abcd" for r in range(4)))
        return engine

    engine = asyncio.run(main())
    assert engine.order[:3] == ["a0", "b0", "c0"]
    assert engine.most == 3
    assert engine.order.index("d0") > engine.order.index("a1"), "rotations go before fresh questions"


def test_requests_without_frames_wait_for_none() -> None:
    async def main() -> bool:
        turns = Turns(room=2)
        first, second = turns.turn(None), turns.turn(None)
        await asyncio.wait_for(asyncio.gather(first.come(), second.come()), timeout=60)
        return first.awaited or second.awaited

    assert not asyncio.run(main())


def test_a_first_request_that_fails_before_its_turn_holds_up_no_other() -> None:
    async def main() -> list[str]:
        turns, engine = Turns(room=2), Engine()
        failing = turns.turn("a")
        waiting = [asyncio.create_task(answer(turns, engine, f"a{r}", "a")) for r in range(1, 4)]
        await asyncio.sleep(0)
        failing.end()
        await asyncio.wait_for(asyncio.gather(*waiting), timeout=60)
        return engine.order

    assert sorted(asyncio.run(main())) == ["a1", "a2", "a3"]


@given(
    room=st.integers(1, 4),
    beginnings=st.lists(st.sampled_from(["a", "b", "c", ""]), min_size=1, max_size=12),
    cancelled=st.lists(st.tuples(st.integers(0, 11), st.integers(0, 12)), max_size=6),
)
def test_room_comes_back_however_requests_end(
    room: int, beginnings: list[str], cancelled: list[tuple[int, int]]
) -> None:
    async def main() -> Engine:
        turns, engine = Turns(room), Engine()

        async def one(name: str, beginning: str) -> None:
            turn = turns.turn(beginning or None)
            try:
                await turn.come()
                engine.now += 1
                engine.most = max(engine.most, engine.now)
                try:
                    await asyncio.sleep(0)
                    turn.read()
                    await asyncio.sleep(0)
                finally:
                    engine.now -= 1
            finally:
                turn.end()

        tasks = [asyncio.create_task(one(str(n), beginning)) for n, beginning in enumerate(beginnings)]
        for step in range(13):
            for number, at in cancelled:
                if at == step and number < len(tasks):
                    tasks[number].cancel()
            await asyncio.sleep(0)
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), timeout=60)
        # All of the room is there again, no more and no less.
        again = [turns.turn(None) for _ in range(room + 1)]
        await asyncio.wait_for(asyncio.gather(*(turn.come() for turn in again[:room])), timeout=60)
        last = asyncio.create_task(again[room].come())
        await asyncio.sleep(0.001)
        assert not last.done()
        last.cancel()
        return engine

    assert asyncio.run(main()).most <= room
