"""Batches after memory ran out: as large as fits, whatever the first estimate was. The card is a stand-in."""

from __future__ import annotations

import math
import random
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hf_requests import make_request
from hypothesis import given, settings
from hypothesis import strategies as st

from egocross_eval.model_adapters.checkpoints.preparation import Item, Loaded, PlannedFrame
from egocross_eval.model_adapters.hf import engine
from egocross_eval.model_adapters.hf.batching import cut_batches
from egocross_eval.model_adapters.hf.engine import Engine
from egocross_eval.model_adapters.hf.full_memory import is_out_of_memory
from egocross_eval.model_adapters.hf.memory import NEAR, Room
from egocross_eval.model_adapters.hf.opening import Openings
from egocross_eval.model_adapters.hf.padding import LONG, equal_length
from egocross_eval.model_adapters.hf.pipeline import Limits, Pipeline
from egocross_eval.model_adapters.hf.prompt_groups import Group, group_items
from egocross_eval.schema import Request, Response

if TYPE_CHECKING:
    from collections.abc import Sequence

QUESTIONS, MEDIAN, P95, LONGEST = 957, 3006, 10_750, 30_462
"""Prompt tokens of the testbed at 360,000 pixels a frame."""

CACHED = 0.32
"""Share of a token's memory that is keys and values in Qwen3-VL-4B."""


def lengths(count: int = QUESTIONS) -> list[int]:
    """Lengths distributed as the testbed's: log-normal by its median and its 95 % quantile, cut at both ends."""
    spread = math.log(P95 / MEDIAN) / 1.645
    chance = random.Random(0)
    return [min(LONGEST, max(600, round(MEDIAN * math.exp(chance.gauss(0, spread))))) for _ in range(count)]


def item(number: int, tokens: int, **settings: Any) -> Item:
    request = make_request(str(number), [], **settings)
    frame = PlannedFrame(path=str(number), key=str(number), size=(64, 64), exact=True)
    return Item(request=request, text="", images=(frame,), clips=(), tokens=tokens, ids=(1, 2, number), kind="")


class Preparer:
    """Plans requests of known lengths."""

    def __init__(self, tokens: dict[str, int]) -> None:
        self.tokens = tokens
        self.processor = SimpleNamespace(tokenizer=None)
        self.placeholder = None

    def plan(self, request: Request) -> Item:
        return item(int(request.key), self.tokens[request.key], mode=request.settings.answer_mode)

    def load(self, planned: Item) -> Loaded:
        return Loaded(item=planned, images=[], videos=[], metadata=[])


class Card(Engine):
    """The engine with its own way of splitting and learning, on a card that holds batches up to `limit`."""

    def __init__(self, room: Room, limit: int) -> None:
        self.room = room
        self.apart = None
        self.limit = limit
        self.out_of_memory = 0
        self._openings = Openings(None, None, 0)
        self.answered: list[int] = []
        self.tried: list[int] = []

    def inputs(self, batch: list[Loaded]) -> Any:
        items = [one for loaded in batch for one in loaded.items]
        return SimpleNamespace(batch=batch, items=items, tensors={}), []

    def _answer(self, inputs: Any) -> list[Response]:
        self.tried.append(self.room.size(inputs.batch))
        if self.tried[-1] > self.limit:
            raise RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")
        self.answered.append(len(inputs.items))
        return [Response(key=one.request.key, text="A") for one in inputs.items]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Collecting garbage takes a second, and a stand-in leaves none."""
    monkeypatch.setattr(engine, "free_memory", lambda: None)


def answer_all(card: Card, asked: list[int], mode: Any = "choose") -> list[Response]:
    tokens = {str(number): length for number, length in enumerate(asked)}
    requests = (make_request(key, [], mode=mode) for key in tokens)
    ready: Future[Any] = Future()
    ready.set_result(card)
    limits = Limits(window=512, threads=2, batch_size=None, collators=1, start_thread=lambda: None)
    with ThreadPoolExecutor(1) as device:
        preparer: Any = Preparer(tokens)
        return list(Pipeline(preparer, ready, limits, device).run(requests))


def possible(asked: list[int], limit: int) -> float:
    """Mean size of the batches that who knows the limit would make, window by window as the pipeline draws them."""
    room = Room(limit, CACHED)
    batches = 0
    for start, end in ((0, 32), (32, 96), (96, 224), (224, 480), (480, 957)):
        groups = [Group(items=(item(n, asked[n]),)) for n in range(start, end)]
        batches += len(cut_batches(groups, max_items=None, holds=room.holds))
    return len(asked) / batches


@pytest.mark.parametrize(
    ("estimate", "limit"), [(61_000, 58_000), (61_000, 45_000), (61_000, 15_000), (12_000, 9_000), (52_000, 31_000)]
)
def test_after_running_out_of_memory_batches_are_nearly_as_large_as_fits(estimate: int, limit: int) -> None:
    asked = lengths()
    card = Card(Room(estimate, CACHED), limit)
    responses = answer_all(card, asked)
    failed = {response.key for response in responses if response.failure}
    assert len(responses) == QUESTIONS
    assert failed == {str(n) for n, length in enumerate(asked) if length > limit}, "only what can't fit alone fails"
    mean = sum(card.answered) / len(card.answered)
    assert mean > 0.8 * possible(asked, min(limit, estimate))
    together = [size for size in card.tried if size > limit]
    assert len(together) - len(failed) < 12, "few batches were tried in vain"


def test_an_estimate_that_holds_is_never_left() -> None:
    card = Card(Room(61_000, CACHED), 61_000)
    answer_all(card, lengths(200))
    assert card.room.bound == 61_000
    assert card.out_of_memory == 0


def test_a_question_that_can_not_fit_alone_makes_no_batch_smaller() -> None:
    room = Room(20_000)
    card = Card(room, 25_000)
    responses = answer_all(card, [30_000, 40_000, *[4_000] * 20])
    assert sorted(r.key for r in responses if r.failure) == ["0", "1"]
    assert room.bound == 20_000
    assert max(card.answered) == 5


@given(st.integers(1000, 100_000), st.lists(st.integers(1, 200_000), max_size=40), st.integers(1, 100_000))
@settings(deadline=None)
def test_the_bound_stays_between_what_fits_and_what_does_not(most: int, tried: list[int], limit: int) -> None:
    room = Room(most)
    for size in tried:
        batch = [Group(items=(item(0, size // 2),)), Group(items=(item(1, size // 2),))]
        (room.failed if room.size(batch) > limit else room.fitted)(batch)
        assert 1 <= room.bound <= most
    failing = [2 * (size // 2) for size in tried if 2 * (size // 2) > limit]
    if failing:
        assert room.bound < min(failing)


def test_a_wrong_estimate_is_found_by_halving() -> None:
    room = Room(61_000)
    limit, failures = 40_000, 0
    for _ in range(30):
        size = room.bound // 2
        batch = [Group(items=(item(0, size),)), Group(items=(item(1, size),))]
        if 2 * size > limit:
            failures += 1
            room.failed(batch)
        else:
            room.fitted(batch)
    assert NEAR * limit <= room.bound <= limit
    assert failures <= 4


def test_tokens_that_will_be_generated_count_by_what_they_keep() -> None:
    def rows(new: int) -> int:
        asked = [item(n, 1000, mode="generate", max_new_tokens=new) for n in range(200)]
        room = Room(60_000, CACHED)
        return max(map(len, cut_batches(single(asked), max_items=None, holds=room.holds)))

    assert rows(1) == 59
    assert rows(8192) == int(60_000 / (1000 + CACHED * 8192))
    choose = Room(60_000, CACHED).size(single([item(0, 1000, mode="choose", max_new_tokens=8192)]))
    assert choose == 1000, "choosing generates nothing"


def single(items: Sequence[Item]) -> list[Group]:
    return [Group(items=(one,)) for one in items]


def test_rotations_are_taken_together_as_far_as_their_caches_fit() -> None:
    def alike(tokens: int) -> list[Item]:
        frame = PlannedFrame(path="x", key="x", size=(64, 64), exact=True)
        ids = tuple(range(100))
        return [
            Item(
                request=make_request(f"q#{n}", [], mode="choose"),
                text="",
                images=(frame,),
                clips=(),
                tokens=tokens,
                ids=(*ids, n),
                kind="",
            )
            for n in range(4)
        ]

    def counts(tokens: int, bound: int) -> list[int]:
        return [group.count for group in group_items(alike(tokens), max_items=None, holds=Room(bound, CACHED).holds)]

    assert counts(20_000, 61_000) == [4]
    assert counts(20_000, 13_600) == [1, 1, 1, 1], "24 GB hold the caches of no two"
    assert counts(7_000, 13_600) == [2, 2]


@pytest.mark.parametrize(
    "message",
    [
        "CUDA out of memory. Tried to allocate 2.00 GiB",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "cuDNN error: CUDNN_STATUS_NOT_INITIALIZED",
        "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
        "cusolver error: CUSOLVER_STATUS_ALLOC_FAILED, when calling `cusolverDnCreate(handle)`",
        "cuFFT error: CUFFT_ALLOC_FAILED",
        'NVML_SUCCESS == r INTERNAL ASSERT FAILED at "CUDACachingAllocator.cpp":1016',
        "Invalid buffer size: 21.50 GiB",
        "[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory",
    ],
)
def test_a_full_memory_is_known_by_all_its_names(message: str) -> None:
    assert is_out_of_memory(RuntimeError(message))
    assert not is_out_of_memory(ValueError(message))
    assert not is_out_of_memory(RuntimeError("CUDA error: an illegal memory access was encountered"))


def test_long_prompts_that_are_only_read_share_a_batch_with_equals_alone() -> None:
    def batches(mode: Any) -> list[list[int]]:
        items = [item(n, tokens, mode=mode) for n, tokens in enumerate([3000, 3000, 2900, LONG - 1, 500])]
        cut = cut_batches(single(items), max_items=None, holds=Room(60_000).holds, apart=equal_length)
        return [[group.tokens for group in batch] for batch in cut]

    assert batches("choose") == [[3000, 3000], [2900], [LONG - 1, 500]]
    assert batches("generate") == [[3000, 3000, 2900, LONG - 1, 500]]
