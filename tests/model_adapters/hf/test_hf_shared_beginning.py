"""Prompts that begin alike get the answers that each would get alone, and their beginning is computed once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from families import FAMILIES
from hf_requests import OPTIONS, adapter, draw_frames, make_request, scores_of, singly, text_of

from egocross_eval.schema import TextPart

if TYPE_CHECKING:
    from egocross_eval.schema import Request, Response

pytestmark = pytest.mark.slow


def rotations(folder: Path, *, mode: Any = "choose", media: Any = "images", **settings: Any) -> list[Request]:
    """Five questions with two to six frames, each in four rotations of its options."""
    requests = []
    for index in range(5):
        paths = draw_frames(folder, 2 + index, (96, 64), seed=index)
        asked = make_request("", paths, mode=mode, media=media, text="What? " * (1 + index), **settings)
        *shown, last = asked.prompt.messages[-1].parts
        assert isinstance(last, TextPart)
        for turn in range(4):
            texts = list(OPTIONS.values())[turn:] + list(OPTIONS.values())[:turn]
            block = "\n".join(f"{letter}: {text}" for letter, text in zip(OPTIONS, texts, strict=True))
            words = last.text.split("\n")[0] + "\n" + block + "\nAnswer with the letter." + " Now." * (turn % 3)
            message = msgspec.structs.replace(asked.prompt.messages[-1], parts=(*shown, TextPart(text=words)))
            prompt = msgspec.structs.replace(asked.prompt, messages=(*asked.prompt.messages[:-1], message))
            requests.append(msgspec.structs.replace(asked, key=f"{index}#r{turn}", prompt=prompt))
    return requests


def grouped(checkpoint: Path, requests: list[Request], **options: Any) -> tuple[dict[str, Response], dict[str, Any]]:
    model = adapter(checkpoint, **options)
    got = {response.key: response for response in model.generate(iter(requests))}
    details = model.details()
    model.close()
    return got, details


@pytest.mark.parametrize("media", ["images", "video"])
@pytest.mark.parametrize("options", [{}, {"batch_size": 3}, {"batch_tokens": 600}])
def test_letters_score_as_they_do_alone(
    vivid_checkpoint: Path, tmp_path: Path, media: Any, options: dict[str, int]
) -> None:
    requests = rotations(tmp_path, media=media, max_pixels=None)
    alone = singly(vivid_checkpoint, requests)
    got, details = grouped(vivid_checkpoint, requests, **options)
    for key, response in alone.items():
        assert scores_of(got[key]) == pytest.approx(scores_of(response), abs=5e-4)
        assert got[key].input_tokens == response.input_tokens
    assert details["prompt_tokens"] == sum(response.input_tokens or 0 for response in alone.values())
    assert details["reused_prompt_tokens"] > (0.3 if not options else 0.1) * details["prompt_tokens"]


@pytest.mark.parametrize("media", ["images", "video"])
def test_texts_are_those_that_come_alone(vivid_checkpoint: Path, tmp_path: Path, media: Any) -> None:
    requests = rotations(tmp_path, mode="generate", media=media)
    alone = {key: text_of(response) for key, response in singly(vivid_checkpoint, requests).items()}
    got, details = grouped(vivid_checkpoint, requests)
    assert {key: text_of(response) for key, response in got.items()} == alone
    assert details["reused_prompt_tokens"] > 0
    assert len(set(alone.values())) > 3, "the model hardly varies"


def test_constrained_and_sampled_answers_are_those_that_come_alone(vivid_checkpoint: Path, tmp_path: Path) -> None:
    for settings in ({"mode": "constrained"}, {"mode": "generate", "temperature": 1.0, "seed": 3}):
        requests = rotations(tmp_path, **settings)
        alone = {key: text_of(response) for key, response in singly(vivid_checkpoint, requests).items()}
        got, _ = grouped(vivid_checkpoint, requests)
        assert {key: text_of(response) for key, response in got.items()} == alone


@pytest.mark.parametrize("name", FAMILIES)
def test_other_families_answer_as_they_do_alone(tmp_path: Path, name: str) -> None:
    checkpoint = FAMILIES[name](tmp_path / name)
    for mode in ("choose", "generate"):
        requests = rotations(tmp_path, mode=mode, max_pixels=6000)
        alone = singly(checkpoint, requests)
        got, details = grouped(checkpoint, requests)
        if mode == "choose":
            for key, response in alone.items():
                assert scores_of(got[key]) == pytest.approx(scores_of(response), abs=5e-4)
        else:
            assert {key: text_of(one) for key, one in got.items()} == {key: text_of(one) for key, one in alone.items()}
        # Gemma 3 sees frames both ways and by windows: each prompt is computed whole.
        assert (details["reused_prompt_tokens"] > 0) == (name != "gemma3")


def test_a_model_that_cannot_go_on_from_a_beginning_computes_each_prompt(
    vivid_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from transformers import DynamicCache

    requests = rotations(tmp_path)
    alone = singly(vivid_checkpoint, requests)
    whole = DynamicCache.batch_select_indices

    def forgetful(self: Any, indices: Any) -> None:
        whole(self, indices)
        for layer in self.layers:
            layer.values = torch.zeros_like(layer.values)

    def refusing(self: Any, indices: Any) -> None:
        raise NotImplementedError("this cache can't be taken apart")

    for broken in (forgetful, refusing):
        monkeypatch.setattr(DynamicCache, "batch_select_indices", broken)
        got, details = grouped(vivid_checkpoint, requests)
        assert details["reused_prompt_tokens"] == 0
        for key, response in alone.items():
            assert scores_of(got[key]) == pytest.approx(scores_of(response), abs=5e-4)


def test_a_frame_that_cannot_be_read_fails_every_prompt_that_shows_it(tiny_checkpoint: Path, tmp_path: Path) -> None:
    requests = rotations(tmp_path)
    broken = Path(requests[0].prompt.frame_paths()[0])
    broken.write_bytes(broken.read_bytes()[: broken.stat().st_size // 2])
    got, _ = grouped(tiny_checkpoint, requests)
    failed = {key for key, response in got.items() if response.failure and response.failure.kind == "frame"}
    assert failed == {"0#r0", "0#r1", "0#r2", "0#r3"}


def test_a_prompt_beyond_the_context_fails_alone(tmp_path: Path) -> None:
    from egocross_eval.model_adapters.checkpoints.tiny import TinyShape, build_tiny

    requests = rotations(tmp_path, media="video")
    build_tiny(tmp_path / "long")
    whole, _ = grouped(tmp_path / "long", requests)
    lengths = sorted({response.input_tokens or 0 for response in whole.values()})
    build_tiny(tmp_path / "short", shape=TinyShape(context=lengths[-2]))
    alone = singly(tmp_path / "short", requests)
    got, _ = grouped(tmp_path / "short", requests)
    too_long = {key for key, response in alone.items() if response.failure}
    assert {key for key, response in got.items() if response.failure} == too_long
    assert 0 < len(too_long) < len(requests)


def test_a_group_that_does_not_fit_the_memory_is_taken_apart(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from egocross_eval.model_adapters.hf.engine import Engine

    whole = Engine._answer

    def scarce(self: Engine, inputs: Any) -> Any:
        if len(inputs.items) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")
        return whole(self, inputs)

    monkeypatch.setattr(Engine, "_answer", scarce)
    got, details = grouped(tiny_checkpoint, rotations(tmp_path))
    assert len(got) == 20
    assert all(response.failure is None for response in got.values())
    assert details["out_of_memory"] > 0
