"""The examples before the questions of a cell are computed once, and the answers are those of each question alone."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from families import FAMILIES
from hf_requests import adapter, draw_frames, make_request, scores_of, text_of

from egocross_eval.schema import Message, TextPart

if TYPE_CHECKING:
    from collections.abc import Callable

    from egocross_eval.schema import Request, Response

pytestmark = pytest.mark.slow

CELLS, QUESTIONS = 2, 4


def shots(folder: Path, cell: int, *, frames: int) -> tuple[Message, ...]:
    """Two examples with their answers."""
    found = []
    for number in range(2):
        paths = draw_frames(folder, frames, (96, 64), seed=100 * cell + number + 1)
        (asked,) = make_request("", paths, text=f"Example {number} of {cell}?", max_pixels=None).prompt.messages
        found += [asked, Message(role="assistant", parts=(TextPart(text="AB"[number]),))]
    return tuple(found)


def with_shots(folder: Path, *, asks: int = 1, frames: int = 3, shown: int = 2, **settings: Any) -> list[Request]:
    """Questions of two cells, each asked `asks` times in other words, with the examples of their cell before them."""
    found = []
    for cell in range(CELLS):
        examples = shots(folder, cell, frames=frames)
        for number, ask in itertools.product(range(QUESTIONS), range(asks)):
            paths = draw_frames(folder, shown and shown + number % 2, (96, 64), seed=1000 * (cell + 1) + number)
            text = "What happens? " * (1 + number)
            asked = make_request(f"{cell}.{number}#{ask}", paths, text=text, max_pixels=None, **settings)
            *parts, words = asked.prompt.messages[-1].parts
            assert isinstance(words, TextPart)
            last = Message(role="user", parts=(*parts, TextPart(text=words.text + " Quickly!" * ask)))
            prompt = msgspec.structs.replace(asked.prompt, messages=(*examples, last))
            found.append(msgspec.structs.replace(asked, prompt=prompt))
    return found


def answered(
    checkpoint: Path, requests: list[Request], *, opens: bool | None = None, **options: Any
) -> tuple[dict[str, Response], dict[str, Any]]:
    """Responses by key, and the adapter's details; `opens=False`: each prompt is computed from its beginning on."""
    model = adapter(checkpoint, **options)
    model._loading(model._prepared).result()._opens = opens
    got = {response.key: response for response in model.generate(iter(requests))}
    details = model.details()
    model.close()
    return got, details


def alone(checkpoint: Path, requests: list[Request]) -> dict[str, Response]:
    return answered(checkpoint, requests, opens=False, batch_size=1)[0]


def examples_tokens(checkpoint: Path, requests: list[Request]) -> int:
    """Tokens that the prompts of all cells share with others of their cell, less those of the first, as the tokenizer
    and the frames have them."""
    model = adapter(checkpoint)
    preparer = model._prepared
    items = [preparer.plan(request) for request in requests]
    model.close()
    spared = 0
    for cell in range(CELLS):
        mine = [item for item in items if item.request.key.startswith(f"{cell}.")]
        ids = [item.ids for item in mine]
        size = next(place for place, column in enumerate(zip(*ids, strict=False)) if len(set(column)) > 1)
        places = [place for place, token in enumerate(ids[0]) if token == preparer.processor.image_token_id]
        images = sum(len(m.parts) - 1 for m in mine[0].request.prompt.messages[:-1] if m.role == "user")
        size = min([size, *places[images : images + 1]])
        frames = [preparer.image_rule.tokens(image.size) - 1 for image in mine[0].images[:images]]
        spared += (len(mine) - 1) * (size + sum(frames))
    return spared


@pytest.mark.parametrize("options", [{}, {"batch_size": 1}, {"batch_size": 3}, {"batch_tokens": 900}])
def test_letters_score_as_they_do_alone_and_examples_are_computed_once_a_cell(
    vivid_checkpoint: Path, tmp_path: Path, options: dict[str, Any]
) -> None:
    requests = with_shots(tmp_path)
    one_by_one = alone(vivid_checkpoint, requests)
    got, details = answered(vivid_checkpoint, requests, **options)
    for key, response in one_by_one.items():
        assert scores_of(got[key]) == pytest.approx(scores_of(response), abs=5e-4)
        assert got[key].input_tokens == response.input_tokens
    assert len({tuple(scores_of(response).values()) for response in one_by_one.values()}) == len(requests)
    assert details["reused_prompt_tokens"] == examples_tokens(vivid_checkpoint, requests)
    assert details["reused_prompt_tokens"] > 0.4 * details["prompt_tokens"]


@pytest.mark.parametrize(("frames", "shown"), [(0, 2), (3, 0), (0, 0)])
def test_examples_or_questions_without_frames_are_gone_on_from_too(
    vivid_checkpoint: Path, tmp_path: Path, frames: int, shown: int
) -> None:
    requests = with_shots(tmp_path, frames=frames, shown=shown)
    one_by_one = alone(vivid_checkpoint, requests)
    got, details = answered(vivid_checkpoint, requests)
    for key, response in one_by_one.items():
        assert scores_of(got[key]) == pytest.approx(scores_of(response), abs=5e-4)
    assert details["reused_prompt_tokens"] == examples_tokens(vivid_checkpoint, requests)


@pytest.mark.parametrize("settings", [{}, {"temperature": 1.0, "seed": 3}])
def test_texts_are_those_that_come_alone(vivid_checkpoint: Path, tmp_path: Path, settings: dict[str, Any]) -> None:
    requests = with_shots(tmp_path, mode="generate", **settings)
    one_by_one = {key: text_of(response) for key, response in alone(vivid_checkpoint, requests).items()}
    got, details = answered(vivid_checkpoint, requests)
    assert {key: text_of(response) for key, response in got.items()} == one_by_one
    assert details["reused_prompt_tokens"] == examples_tokens(vivid_checkpoint, requests)
    assert len(set(one_by_one.values())) > 3, "the model hardly varies"


GOES_ON = {name: name not in ("llava_onevision", "gemma3") for name in FAMILIES}
"""LLaVA-OneVision's frames depend on how many a prompt has, and Gemma 3's see each other and stand in windows."""


@pytest.mark.parametrize("options", [{}, {"batch_size": 3}])
@pytest.mark.parametrize("name", FAMILIES)
def test_other_families_go_on_from_examples_where_that_is_exact(
    family_checkpoint: Callable[[str], Path], tmp_path: Path, name: str, options: dict[str, Any]
) -> None:
    checkpoint = family_checkpoint(name)
    for mode in ("choose", "generate"):
        requests = with_shots(tmp_path, mode=mode, asks=1 + (mode == "choose"))
        one_by_one = alone(checkpoint, requests)
        got, details = answered(checkpoint, requests, **options)
        for key, response in one_by_one.items():
            if mode == "choose":
                assert scores_of(got[key]) == pytest.approx(scores_of(response), abs=5e-4)
            else:
                assert text_of(got[key]) == text_of(response)
            assert got[key].input_tokens == response.input_tokens
        if mode == "generate":
            assert (details["reused_prompt_tokens"] > 0.4 * details["prompt_tokens"]) == GOES_ON[name]


@pytest.mark.parametrize(("frames", "shown"), [(3, 0), (1, 1), (2, 3)])
def test_frames_cut_into_tiles_are_told_apart(
    family_checkpoint: Callable[[str], Path], tmp_path: Path, frames: int, shown: int
) -> None:
    requests = with_shots(tmp_path, frames=frames, shown=shown)
    cases: dict[str, dict[str, Any]] = {
        "internvl": {"processor_kwargs": '{"crop_to_patches":true}'},
        "smolvlm": {},
    }
    for name, options in cases.items():
        checkpoint = family_checkpoint(name)
        one_by_one = answered(checkpoint, requests, opens=False, batch_size=1, **options)[0]
        got, details = answered(checkpoint, requests, **options)
        for key, response in one_by_one.items():
            assert scores_of(got[key]) == pytest.approx(scores_of(response), abs=5e-4)
        assert details["reused_prompt_tokens"] > 0.3 * details["prompt_tokens"]


def test_asks_of_a_question_share_its_frames_and_its_cells_examples(vivid_checkpoint: Path, tmp_path: Path) -> None:
    requests = with_shots(tmp_path, asks=3)
    one_by_one = alone(vivid_checkpoint, requests)
    got, details = answered(vivid_checkpoint, requests)
    for key, response in one_by_one.items():
        assert scores_of(got[key]) == pytest.approx(scores_of(response), abs=5e-4)
    assert details["reused_prompt_tokens"] > 0.8 * details["prompt_tokens"]


def test_a_model_that_cannot_go_on_from_examples_computes_each_prompt(
    vivid_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from egocross_eval.model_adapters.hf.opening import Openings

    requests = with_shots(tmp_path)
    one_by_one = alone(vivid_checkpoint, requests)
    whole = Openings._arguments

    def shifted(self: Openings, rows: Any, kept: Any, counts: Any) -> dict[str, Any]:
        arguments = whole(self, rows, kept, counts)
        return arguments | {"position_ids": arguments["position_ids"] + 1, "pixel_values": -arguments["pixel_values"]}

    def refusing(self: Openings, rows: Any, kept: Any, counts: Any) -> dict[str, Any]:
        raise NotImplementedError("no positions")

    for broken in (shifted, refusing):
        monkeypatch.setattr(Openings, "_arguments", broken)
        got, details = answered(vivid_checkpoint, requests)
        assert details["reused_prompt_tokens"] == 0
        for key, response in one_by_one.items():
            assert scores_of(got[key]) == pytest.approx(scores_of(response), abs=5e-4)


def test_memory_that_runs_out_takes_the_kept_examples_first(
    vivid_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from egocross_eval.model_adapters.hf.engine import Engine

    requests = with_shots(tmp_path)
    one_by_one = alone(vivid_checkpoint, requests)
    whole = Engine._choose
    held: list[bool] = []

    def full(self: Engine, inputs: Any, tensors: Any) -> Any:
        held.append("past_key_values" in tensors)
        if held.count(True) == 1 and held[-1]:
            raise RuntimeError("CUDA out of memory")
        return whole(self, inputs, tensors)

    monkeypatch.setattr(Engine, "_choose", full)
    got, details = answered(vivid_checkpoint, requests, batch_size=1)
    assert held[:2] == [True, False]
    assert details["out_of_memory"] == 1
    assert details["reused_prompt_tokens"] > 0
    for key, response in one_by_one.items():
        assert scores_of(got[key]) == pytest.approx(scores_of(response), abs=5e-4)
