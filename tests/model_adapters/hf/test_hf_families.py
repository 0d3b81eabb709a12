"""Other families than Qwen3-VL: by the auto classes, in batches, with the answers that each question gets alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from families import FAMILIES
from hf_requests import adapter, answers, draw_frames, make_request, mixed_requests, scores_of, singly, text_of

from egocross_eval.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from egocross_eval.schema import Request

pytestmark = pytest.mark.slow

WITH_VIDEO = {"qwen2_5_vl", "llava_onevision", "smolvlm", "internvl", "glm4v"}

CASES = [
    (name, media)
    for name in FAMILIES
    for media in ("images", "video")
    # InternVL's tiny processor has no mark for videos, GLM-4V's takes no single frame: such videos fail by name.
    if media == "images" or name in WITH_VIDEO - {"internvl", "glm4v"}
]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Builds a family's checkpoint at first use."""
    root = tmp_path_factory.mktemp("families")

    def get(name: str) -> Path:
        path = root / name
        return path if path.exists() else FAMILIES[name](path)

    return get


def requests(folder: Path, mode: Any, media: Any) -> list[Request]:
    return mixed_requests(folder, mode=mode, media=media, max_pixels=6000)


@pytest.mark.parametrize("name", FAMILIES)
def test_videos_are_offered_by_the_families_that_take_them(checkpoint: Callable[[str], Path], name: str) -> None:
    assert adapter(checkpoint(name)).capabilities().video == (name in WITH_VIDEO)


@pytest.mark.parametrize(("name", "media"), CASES)
def test_batching_does_not_change_the_letters_scores(
    checkpoint: Callable[[str], Path], tmp_path: Path, name: str, media: str
) -> None:
    asked = requests(tmp_path, "choose", media)
    alone = singly(checkpoint(name), asked)
    together = answers(checkpoint(name), asked)
    for key in alone:
        assert scores_of(together[key]) == pytest.approx(scores_of(alone[key]), abs=5e-4)
    leads = [scores_of(response)["A"] - scores_of(response)["B"] for response in alone.values()]
    assert max(leads) - min(leads) > 0.2, "the model hardly varies"


# A tiny Gemma 3 says the same to all: that its batches change nothing, its scores show.
@pytest.mark.parametrize(("name", "media"), [case for case in CASES if case[0] != "gemma3"])
def test_batching_does_not_change_greedy_texts(
    checkpoint: Callable[[str], Path], tmp_path: Path, name: str, media: str
) -> None:
    asked = requests(tmp_path, "generate", media)
    alone = {key: text_of(response) for key, response in singly(checkpoint(name), asked).items()}
    assert {key: text_of(response) for key, response in answers(checkpoint(name), asked).items()} == alone
    assert len(set(alone.values())) > 3, "the model hardly varies"


def test_qwen2_5_vl_spaces_the_frames_of_a_video_by_their_times(
    checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    paths = draw_frames(tmp_path, 6, (112, 112))
    slow, fast, late = ([start + step * i for i in range(6)] for start, step in ((0, 2.0), (0, 0.25), (60, 2.0)))
    asked = [make_request(str(t), paths, media="video", times=t, max_pixels=None) for t in (slow, fast, late)]
    got = answers(checkpoint("qwen2_5_vl"), asked)
    assert scores_of(got[str(late)]) == pytest.approx(scores_of(got[str(slow)]), abs=5e-4)
    assert scores_of(got[str(fast)]) != pytest.approx(scores_of(got[str(slow)]), abs=1e-3)


def test_frames_of_other_families_are_shrunk_to_the_budget(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    paths = draw_frames(tmp_path, 1, (128, 128))
    asked = [make_request(str(budget), paths, max_pixels=budget) for budget in (None, 128 * 128, 64 * 64)]
    got = answers(checkpoint("idefics3"), asked)
    # Idefics3 scales what it gets up to its own size again: the tokens stay, the sharpness goes.
    assert len({response.input_tokens for response in got.values()}) == 1
    assert scores_of(got["None"]) == scores_of(got["16384"])
    assert scores_of(got["None"]) != pytest.approx(scores_of(got["4096"]), abs=1e-4)


@pytest.mark.parametrize("name", FAMILIES)
def test_lengths_are_known_before_a_processor_has_seen_a_frame(
    checkpoint: Callable[[str], Path], tmp_path: Path, name: str
) -> None:
    model = adapter(checkpoint(name))
    for number, (count, size) in enumerate([(1, (96, 64)), (3, (96, 64)), (2, (64, 160)), (1, (300, 200))]):
        paths = draw_frames(tmp_path, count, size, seed=number)
        asked = make_request("q", paths, max_pixels=None)
        planned = model._prepared.plan(asked)
        [response] = model.generate(iter([asked]))
        assert planned.tokens == response.input_tokens, (count, size)
    assert model.details()["frame_tokens"] > 0
    model.close()


@pytest.mark.parametrize(
    ("name", "settings"), [("internvl", '{"crop_to_patches":false}'), ("idefics3", '{"do_image_splitting":false}')]
)
def test_settings_of_the_processor_reach_the_model_and_the_fingerprint(
    checkpoint: Callable[[str], Path], tmp_path: Path, name: str, settings: str
) -> None:
    asked = make_request("q", draw_frames(tmp_path, 2, (96, 64)), max_pixels=None)
    plain, told = adapter(checkpoint(name)), adapter(checkpoint(name), processor_kwargs=settings)
    [before], [after] = plain.generate(iter([asked])), told.generate(iter([asked]))
    assert scores_of(before) != scores_of(after)
    assert after.input_tokens < before.input_tokens
    assert told._prepared.plan(asked).tokens == after.input_tokens
    assert plain.fingerprint() != told.fingerprint()
    assert told.details()["processor_kwargs"] == json.loads(settings)
    for model in (plain, told):
        model.close()


def test_a_setting_that_the_processor_lacks_is_refused(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    model = adapter(checkpoint("internvl"), processor_kwargs='{"crop_to_patch":false}')
    asked = make_request("q", draw_frames(tmp_path, 1))
    with pytest.raises(UsageError, match=r"no setting 'crop_to_patch'.*did you mean.*crop_to_patches"):
        list(model.generate(iter([asked])))
    model.close()
    with pytest.raises(UsageError, match=r"processor_kwargs='crop' is not a JSON object"):
        adapter(checkpoint("internvl"), processor_kwargs="crop")
