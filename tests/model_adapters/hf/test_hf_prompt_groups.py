"""Prompts with the same frames and the same beginning are computed together, where that spares enough."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import pytest
from hf_requests import make_request
from hypothesis import given
from hypothesis import strategies as st

from egocross_eval.model_adapters.checkpoints.preparation import Item, PlannedFrame
from egocross_eval.model_adapters.hf.batching import cut_batches
from egocross_eval.model_adapters.hf.engine import sees_windows
from egocross_eval.model_adapters.hf.memory import Room
from egocross_eval.model_adapters.hf.prompt_groups import LEAST_GAIN, by_opening, group_items
from egocross_eval.schema import Frame, ImagePart, Message, TextPart

FRAME_TOKENS = 50

CACHED = 0.3
"""Share of a token's memory that is kept for each prompt of a group."""


FRAME = "#"
"""Stands for a frame."""


def item(key: str, frames: str, ids: str, kind: str = "", earlier: str = "", shots: int = 0) -> Item:
    """A prompt of one token for each letter of `ids`, and fifty more for each letter of `frames`; `shots` of these
    stand in an earlier turn, whose words are `earlier`."""
    request = make_request(key, [])
    if earlier:
        shown = [ImagePart(frame=Frame(name=name), path=name) for name in frames[:shots]]
        turn = Message(role="user", parts=(*shown, TextPart(text=earlier)))
        prompt = msgspec.structs.replace(request.prompt, messages=(turn, *request.prompt.messages))
        request = msgspec.structs.replace(request, prompt=prompt)
    return Item(
        request=request,
        text=ids,
        images=tuple(PlannedFrame(path=name, key=name, size=(64, 64), exact=True) for name in frames),
        clips=(),
        tokens=len(ids) + FRAME_TOKENS * len(frames),
        ids=tuple(map(ord, ids)),
        kind=kind,
    )


def keys(items: list[Item], *, most: int | None = None, tokens: int = 10_000) -> list[tuple[list[str], int]]:
    groups = group_items(items, max_items=most, holds=Room(tokens, CACHED).holds)
    return [([one.request.key for one in group.items], group.shared) for group in groups]


def test_the_rotations_of_a_question_are_one_group() -> None:
    assert keys([item(f"q#r{turn}", "xy", f"which {turn}") for turn in range(4)]) == [
        (["q#r0", "q#r1", "q#r2", "q#r3"], len("which "))
    ]


def test_questions_on_the_same_frames_share_them_wherever_they_stand() -> None:
    items = [item("a", "xy", "ab cd"), item("b", "z", "ab cd"), item("c", "xy", "ab ef")]
    assert keys(items) == [(["a", "c"], 3), (["b"], 0)]


def test_other_frames_other_settings_and_no_frames_keep_prompts_apart() -> None:
    items = [item("a", "x", "abc"), item("b", "y", "abc"), item("c", "x", "abc", kind="k"), item("d", "", "abc")]
    assert keys([*items, item("e", "", "abc")]) == [([key], 0) for key in "abcde"]


def test_prompts_with_little_in_common_stay_alone() -> None:
    assert keys([item("a", "x", "a" + "b" * 200), item("b", "x", "a" + "c" * 200)]) == [(["a"], 0), (["b"], 0)]


def test_every_prompt_keeps_a_token_of_its_own() -> None:
    assert keys([item("a", "xy", "same"), item("b", "xy", "same")]) == [(["a", "b"], len("same") - 1)]
    assert keys([item("a", "xy", "same"), item("b", "xy", "same and more")]) == [(["a", "b"], len("same") - 1)]


def openings(items: list[Item]) -> list[tuple[list[str], tuple[int, int]]]:
    groups = group_items(items, max_items=None, holds=Room(10_000, CACHED).holds)
    found = []
    for alike in by_opening(groups, ord(FRAME)):
        opening = alike[0].opening
        assert {group.opening for group in alike} == {opening}
        found.append(
            ([group.items[0].request.key for group in alike], (opening.size, opening.images) if opening else (0, 0))
        )
    return found


def test_the_examples_of_a_cell_are_its_opening_and_cells_come_one_after_the_other() -> None:
    animal = [item(f"a{n}", f"xy{n}", f"see # # so: # {n}?", earlier="animal", shots=2) for n in range(3)]
    surgery = [item(f"s{n}", f"z{n}", f"see # so: # {n}?", earlier="surgery", shots=1) for n in range(3)]
    lone = item("l", "q", "# which?")
    mixed = [animal[0], surgery[0], lone, animal[1], surgery[1], animal[2], surgery[2]]
    assert openings(mixed) == [
        (["a0", "a1", "a2"], (len("see # # so: "), 2)),
        (["s0", "s1", "s2"], (len("see # so: "), 1)),
        (["l"], (0, 0)),
    ]


def test_turns_of_one_question_alone_and_short_openings_are_none() -> None:
    assert openings([item("a", "x", "# one", earlier="one"), item("b", "y", "# two", earlier="two")]) == [
        (["a", "b"], (0, 0))
    ]
    long = [item(f"{n}", f"x{n}", "#" + "#" + f"{n}" * 300, earlier="same", shots=1) for n in range(2)]
    assert openings(long) == [(["0", "1"], (0, 0))]


def test_words_before_a_questions_own_frames_count_as_far_as_they_agree() -> None:
    items = [item(f"{n}", "", f"examples, then {n}?", earlier="same") for n in range(3)]
    assert openings(items) == [(["0", "1", "2"], (len("examples, then "), 0))]


ITEMS = st.lists(
    st.builds(lambda frames, ids: item("q", frames, ids), st.sampled_from(["", "x", "xy"]), st.text("ab", min_size=1)),
    max_size=30,
)


@given(ITEMS, st.none() | st.integers(1, 6), st.integers(1, 600))
def test_groups_keep_the_bounds_and_lose_nothing(items: list[Item], most: int | None, tokens: int) -> None:
    room = Room(tokens, CACHED)
    groups = group_items(items, max_items=most, holds=room.holds)
    assert sorted(one.text for group in groups for one in group.items) == sorted(one.text for one in items)
    for group in groups:
        assert {one.ids[: group.shared] for one in group.items} == {group.items[0].ids[: group.shared]}
        assert all(len(one.ids) > group.shared for one in group.items)
        if group.count > 1:
            assert most is None or group.count <= most
            assert group.tokens * (1 + CACHED * group.count) <= tokens + 1
            beginning = group.items[0].tokens - len(group.items[0].ids) + group.shared
            assert (group.count - 1) * beginning >= LEAST_GAIN * sum(one.tokens for one in group.items)
    for batch in cut_batches(groups, max_items=most, holds=room.holds):
        assert len({group.shared > 0 for group in batch}) == 1
        prompts = sum(group.count for group in batch)
        assert len(batch) == 1 or most is None or prompts <= most
        assert len(batch) == 1 or room.size(batch) <= tokens


@pytest.mark.parametrize(("window", "context", "sees"), [(None, 4096, False), (512, 4096, True), (4096, 4096, False)])
def test_models_whose_windows_are_shorter_than_prompts_may_be_go_on_from_no_beginning(
    window: int | None, context: int, sees: bool
) -> None:
    text = SimpleNamespace(sliding_window=window, max_position_embeddings=context)
    assert sees_windows(SimpleNamespace(get_text_config=lambda: text)) == sees
