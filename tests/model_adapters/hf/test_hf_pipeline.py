"""The pipeline draws ahead within bounds, loses nothing, and stops when it's told to. The model is a stand-in."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hf_requests import counting, make_request

from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.checkpoints.preparation import Item, Loaded
from egocross_eval.model_adapters.hf.engine import BatchError
from egocross_eval.model_adapters.hf.memory import Room
from egocross_eval.model_adapters.hf.pipeline import DEPTH, FIRST_WINDOW, Limits, Pipeline
from egocross_eval.model_adapters.requests import failed
from egocross_eval.schema import Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterator


class Preparer:
    """Plans without reading: a key that names a failure becomes one."""

    placeholder = None

    def plan(self, request: Request) -> Item | Response:
        if "unplanned" in request.key:
            return failed(request, "frame", request.key)
        return Item(request=request, text="", images=(), clips=(), tokens=10, ids=(), kind="")

    def load(self, item: Item) -> Loaded | Response:
        if "undecoded" in item.request.key:
            return failed(item.request, "frame", item.request.key)
        return Loaded(item=item, images=[], videos=[], metadata=[])


class Engine:
    """Answers with the size of the batch; a key that names a refusal can't be in a batch with others."""

    def __init__(self) -> None:
        self.room = Room(10_000)
        self.apart = None
        self.batches: list[list[str]] = []
        self.stopped = 0
        self.gate = threading.Event()
        self.gate.set()

    def inputs(self, batch: list[Loaded]) -> tuple[Any, list[Response]]:
        if any("refused" in one.item.request.key for one in batch):
            raise BatchError("prompt", "no")
        return batch, []

    def answer(self, batch: list[Loaded]) -> list[Response]:
        assert self.gate.wait(30)
        keys = [one.item.request.key for one in batch]
        if any("broken" in key for key in keys):
            raise RuntimeError("the model broke")
        self.batches.append(keys)
        return [Response(key=key, text=str(len(keys))) for key in keys]

    def split(self, batch: list[Loaded], kind: str, message: str) -> list[Response]:
        return [failed(one.item.request, kind, message) for one in batch]

    def stop(self) -> None:
        self.stopped += 1
        self.gate.set()

    def resume(self) -> None:
        self.stopped += 1


class Bench:
    """A pipeline over stand-ins."""

    def __init__(self, *, window: int = 512, batch_size: int = 4) -> None:
        self.engine = Engine()
        self.ready: Future[Any] = Future()
        self.ready.set_result(self.engine)
        self.limits = Limits(window=window, threads=2, batch_size=batch_size, collators=1, start_thread=lambda: None)

    def run(self, requests: Iterator[Request]) -> Iterator[Response]:
        with ThreadPoolExecutor(1) as device:
            pipeline = Pipeline(Preparer(), self.ready, self.limits, device)  # type: ignore[arg-type]
            yield from pipeline.run(requests)


def keys(*names: str) -> list[Request]:
    return [make_request(name, []) for name in names]


def test_every_request_has_one_response_whatever_became_of_it() -> None:
    names = [f"q{i}" for i in range(100)] + ["unplanned", "undecoded", "refused"]
    bench = Bench()
    responses = list(bench.run(iter(keys(*names))))
    assert sorted(response.key for response in responses) == sorted(names)
    assert {r.key: r.failure.kind for r in responses if r.failure} == {
        "unplanned": "frame",
        "undecoded": "frame",
        **{name: "prompt" for name in names if name in refused_with(responses)},
    }


def refused_with(responses: list[Response]) -> set[str]:
    """Keys that shared the refused request's batch: the stand-in splits nothing."""
    refused = {r.key for r in responses if r.failure and r.failure.kind == "prompt"}
    assert "refused" in refused
    assert len(refused) <= 4
    return refused


def test_requests_are_drawn_lazily_and_no_further_ahead_than_the_window() -> None:
    bench = Bench(window=64)
    drawn: list[str] = []
    responses = bench.run(counting(keys(*[f"q{i}" for i in range(1000)]), drawn))
    next(responses)
    # Never more than the batches under way, those that are cut, and the next window.
    assert FIRST_WINDOW <= len(drawn) <= FIRST_WINDOW + 64 + (2 * (DEPTH + 1) + 1) * 4
    responses.close()  # type: ignore[attr-defined]
    assert len(drawn) < 1000


def test_batches_are_the_same_in_every_run() -> None:
    benches = [Bench(), Bench()]
    for bench in benches:
        list(bench.run(iter(keys(*[f"q{i}" for i in range(200)]))))
    assert benches[0].engine.batches == benches[1].engine.batches


def test_closing_early_stops_the_model_and_drops_what_waits() -> None:
    bench = Bench()
    responses = bench.run(iter(keys(*[f"q{i}" for i in range(100)])))
    next(responses)
    bench.engine.gate.clear()
    responses.close()  # type: ignore[attr-defined]
    assert bench.engine.stopped == 2
    assert len(bench.engine.batches) < 10


def test_an_error_of_the_model_ends_the_run_after_what_was_answered() -> None:
    bench = Bench(batch_size=1)
    responses = bench.run(iter(keys("q0", "q1", "broken", "q2")))
    assert next(responses).key == "q0"
    assert next(responses).key == "q1"
    with pytest.raises(RuntimeError, match="the model broke"):
        next(responses)


def test_an_error_of_the_source_comes_through() -> None:
    def source() -> Iterator[Request]:
        yield from keys("q0")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(Bench().run(source()))


def test_a_model_that_does_not_load_ends_the_run() -> None:
    bench = Bench()
    bench.ready = Future()
    bench.ready.set_exception(UsageError("hf:x: its model can't be loaded"))
    with pytest.raises(UsageError, match="can't be loaded"):
        list(bench.run(iter(keys("q0"))))
