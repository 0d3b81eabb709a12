"""Families other than Qwen3-VL on a real vLLM: what `hf:` answers in float32, of as many tokens."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from families import FAMILIES, WITH_VIDEO
from hf_requests import answers, make_request, mixed_requests, scores_of, text_of
from vllm_parts import EAGER, MEDIA

from egocross_eval.contracts.registry import registry
from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.spec import build_adapter, parse_spec
from egocross_eval.schema import ImagePart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from egocross_eval.schema import Request, Response
    from egocross_eval.settings import Media

pytestmark = [pytest.mark.slow, pytest.mark.vllm, pytest.mark.timeout(600)]

CLOSE = 5e-4
"""Log-probabilities of two engines in float32, whose kernels sum in other orders."""

IMAGES_ALONE = {
    "smolvlm": r"SmolVLMForConditionalGeneration takes no videos.*only images",
    "llava_onevision": r"a video ends vLLM's engine with LlavaOnevisionForConditionalGeneration",
}
"""Families whose videos vLLM doesn't take, though their processors do, and what is said of it."""


class Family(msgspec.Struct):
    """A family's checkpoint on both engines."""

    name: str
    checkpoint: Path
    vllm: Any

    @property
    def media(self) -> list[Media]:
        return ["images", "video"] if self.name in WITH_VIDEO and self.name not in IMAGES_ALONE else ["images"]

    def by_vllm(self, asked: list[Request]) -> dict[str, Response]:
        return {response.key: response for response in self.vllm.generate(iter(asked))}

    def by_hf(self, asked: list[Request]) -> dict[str, Response]:
        return answers(self.checkpoint, asked)


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest, family_checkpoint: Callable[[str], Path]) -> Iterator[Family]:
    """Each family's engine, one at a time."""
    found = Family(name=request.param, checkpoint=family_checkpoint(request.param), vllm=None)
    both = f",{MEDIA}" if len(found.media) > 1 else ""
    found.vllm = build_adapter(parse_spec(f"vllm:{found.checkpoint},{EAGER}{both}"), registry())
    yield found
    found.vllm.close()


def comparable(family: Family, asked: list[Request]) -> list[Request]:
    """Those that both engines can show alike: vLLM cuts each of several frames into tiles for LLaVA-OneVision."""
    if family.name != "llava_onevision":
        return asked
    return [request for request in asked if sum(isinstance(p, ImagePart) for p in request.prompt.messages[0].parts) < 2]


def test_letters_are_those_of_transformers(family: Family, tmp_path: Path) -> None:
    for media in family.media:
        asked = comparable(family, mixed_requests(tmp_path, media=media, max_pixels=6000))
        ours, theirs = family.by_vllm(asked), family.by_hf(asked)
        assert ours.keys() == theirs.keys()
        for key, response in ours.items():
            assert scores_of(response) == pytest.approx(scores_of(theirs[key]), abs=CLOSE), (media, key)
            assert response.input_tokens == theirs[key].input_tokens, (media, key)
        leads = [scores_of(response)["A"] - scores_of(response)["B"] for response in ours.values()]
        assert max(leads) - min(leads) > 0.2, "the model hardly varies"


def test_greedy_texts_are_those_of_transformers(family: Family, tmp_path: Path) -> None:
    for media in family.media:
        asked = comparable(family, mixed_requests(tmp_path, mode="generate", media=media, max_pixels=6000))
        ours, theirs = family.by_vllm(asked), family.by_hf(asked)
        same = [text_of(response) == text_of(theirs[key]) for key, response in ours.items()]
        # Greedy decoding goes another way for good once a near tie turns.
        assert sum(same) >= len(same) - 1, media


def placeholders(adapter: Any, request: Request) -> list[int]:
    """How many tokens the engine itself puts in place of each picture."""
    from egocross_eval.model_adapters.vllm.engine.prompts import engine_prompt

    engine = adapter._started(request)
    preparer = adapter._preparer(engine)
    prompt = engine_prompt(preparer.load(preparer.plan(request)), preparer)

    async def rendered() -> list[int]:
        found = await engine.render(prompt, add_special_tokens=True)
        return [one.length for one in found["mm_placeholders"]["image"]]

    return list(engine.loop.submit(rendered()).result())


def test_the_row_says_how_many_tokens_the_engine_made_of_a_frame(family: Family, tmp_path: Path) -> None:
    asked = mixed_requests(tmp_path, max_pixels=None)[1]
    counts = placeholders(family.vllm, asked)
    family.vllm._prepared = None  # counts from here on
    [response] = family.vllm.generate(iter([asked]))
    assert response.failure is None
    assert family.vllm.details()["frame_tokens"] == pytest.approx(sum(counts) / len(counts), abs=1)


def test_frames_that_vllm_shows_otherwise_are_told(family: Family, tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        family.by_vllm(mixed_requests(tmp_path, max_pixels=None)[1:2])
    told = [str(one.message) for one in caught if "cuts a lone one into tiles" in str(one.message)]
    assert len(told) == (family.name == "llava_onevision")
    assert all("70 tokens a frame, where its own processor makes 17" in text for text in told)


@pytest.mark.parametrize("name", IMAGES_ALONE)
def test_videos_that_vllm_does_not_take_are_refused_before_the_engine_starts(
    family_checkpoint: Callable[[str], Path], tmp_path: Path, name: str
) -> None:
    adapter: Any = build_adapter(parse_spec(f"vllm:{family_checkpoint(name)},{EAGER}"), registry())
    asked = make_request("q", [tmp_path / "1.jpg"], media="video")
    with pytest.raises(UsageError, match=IMAGES_ALONE[name]):
        list(adapter.generate(iter([asked])))
    adapter.close()


def test_settings_of_the_processor_are_counted_as_the_engine_does(
    family_checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    told = r'mm_processor_kwargs={"images_kwargs":{"crop_to_patches":false}}'
    adapter: Any = build_adapter(parse_spec(f"vllm:{family_checkpoint('internvl')},{EAGER},{told}"), registry())
    asked = mixed_requests(tmp_path, max_pixels=None)[1]
    try:
        [response] = adapter.generate(iter([asked]))
        assert response.failure is None
        counts = placeholders(adapter, asked)
        assert adapter.details()["frame_tokens"] == sum(counts) / len(counts) == 6
    finally:
        adapter.close()
    by_hf = answers(family_checkpoint("internvl"), [asked], processor_kwargs='{"crop_to_patches":false}')
    assert scores_of(by_hf[asked.key]) == pytest.approx(scores_of(response), abs=CLOSE)
