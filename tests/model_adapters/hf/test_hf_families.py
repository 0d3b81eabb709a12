"""Other families than Qwen3-VL: by the auto classes, in batches, with the answers that each question gets alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from families import FAMILIES, WITH_VIDEO
from hf_requests import adapter, answers, draw_frames, make_request, mixed_requests, scores_of, singly, text_of

from egocross_eval.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from egocross_eval.schema import Request

pytestmark = pytest.mark.slow

CASES = [(name, media) for name in FAMILIES for media in ("images", "video") if media == "images" or name in WITH_VIDEO]


def requests(folder: Path, mode: Any, media: Any) -> list[Request]:
    return mixed_requests(folder, mode=mode, media=media, max_pixels=6000)


@pytest.mark.parametrize("name", FAMILIES)
def test_videos_are_offered_by_the_families_that_take_them(family_checkpoint: Callable[[str], Path], name: str) -> None:
    assert adapter(family_checkpoint(name)).capabilities().video == (name in WITH_VIDEO)


@pytest.mark.parametrize(("name", "media"), CASES)
def test_batching_does_not_change_the_letters_scores(
    family_checkpoint: Callable[[str], Path], tmp_path: Path, name: str, media: str
) -> None:
    asked = requests(tmp_path, "choose", media)
    alone = singly(family_checkpoint(name), asked)
    together = answers(family_checkpoint(name), asked)
    for key in alone:
        assert scores_of(together[key]) == pytest.approx(scores_of(alone[key]), abs=5e-4)
    leads = [scores_of(response)["A"] - scores_of(response)["B"] for response in alone.values()]
    assert max(leads) - min(leads) > 0.2, "the model hardly varies"


# A tiny Gemma 3 says the same to all: that its batches change nothing, its scores show.
@pytest.mark.parametrize(("name", "media"), [case for case in CASES if case[0] != "gemma3"])
def test_batching_does_not_change_greedy_texts(
    family_checkpoint: Callable[[str], Path], tmp_path: Path, name: str, media: str
) -> None:
    asked = requests(tmp_path, "generate", media)
    alone = {key: text_of(response) for key, response in singly(family_checkpoint(name), asked).items()}
    assert {key: text_of(response) for key, response in answers(family_checkpoint(name), asked).items()} == alone
    assert len(set(alone.values())) > 3, "the model hardly varies"


def at_other_times(checkpoint: Path, folder: Path) -> dict[str, dict[str, float]]:
    """Letters' scores for the same frames as a slow video, a fast one, and one that is cut out of a longer one."""
    paths = draw_frames(folder, 6, (112, 112))
    times = {name: [start + step * i for i in range(6)] for name, start, step in MOMENTS}
    asked = [make_request(name, paths, media="video", times=t, max_pixels=None) for name, t in times.items()]
    return {name: scores_of(response) for name, response in answers(checkpoint, asked).items()}


MOMENTS = (("slow", 0, 2.0), ("fast", 0, 0.25), ("late", 60, 2.0))


def test_qwen2_5_vl_spaces_the_frames_of_a_video_by_their_times(
    family_checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    got = at_other_times(family_checkpoint("qwen2_5_vl"), tmp_path)
    assert got["late"] == pytest.approx(got["slow"], abs=5e-4)
    assert got["fast"] != pytest.approx(got["slow"], abs=1e-3)


@pytest.mark.parametrize("name", ["glm4v", "smolvlm"])
def test_families_that_write_the_times_of_a_video_write_the_true_ones(
    family_checkpoint: Callable[[str], Path], tmp_path: Path, name: str
) -> None:
    got = at_other_times(family_checkpoint(name), tmp_path)
    assert got["late"] != pytest.approx(got["slow"], abs=1e-3)
    assert got["fast"] != pytest.approx(got["slow"], abs=1e-3)


def test_internvl_numbers_the_frames_of_a_video(family_checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    got = at_other_times(family_checkpoint("internvl"), tmp_path)
    assert got["late"] == got["slow"] == got["fast"]


def test_frames_of_other_families_are_shrunk_to_the_budget(
    family_checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    paths = draw_frames(tmp_path, 1, (128, 128))
    asked = [make_request(str(budget), paths, max_pixels=budget) for budget in (None, 128 * 128, 64 * 64)]
    got = answers(family_checkpoint("idefics3"), asked)
    # Idefics3 scales what it gets up to its own size again: the tokens stay, the sharpness goes.
    assert len({response.input_tokens for response in got.values()}) == 1
    assert scores_of(got["None"]) == scores_of(got["16384"])
    assert scores_of(got["None"]) != pytest.approx(scores_of(got["4096"]), abs=1e-4)


@pytest.mark.parametrize("name", FAMILIES)
def test_lengths_are_known_before_a_processor_has_seen_a_frame(
    family_checkpoint: Callable[[str], Path], tmp_path: Path, name: str
) -> None:
    model = adapter(family_checkpoint(name))
    for number, (count, size) in enumerate([(1, (96, 64)), (3, (96, 64)), (2, (64, 160)), (1, (300, 200))]):
        paths = draw_frames(tmp_path, count, size, seed=number)
        asked = make_request("q", paths, max_pixels=None)
        planned = model._prepared.plan(asked)
        [response] = model.generate(iter([asked]))
        # Between two pictures of Gemma 3, the ends of lines become one token, unless words stand there.
        melted = count - 1 if name == "gemma3" else 0
        assert planned.tokens - melted == response.input_tokens, (count, size)
    model.close()


@pytest.mark.parametrize("name", WITH_VIDEO)
def test_lengths_of_videos_are_known_about(family_checkpoint: Callable[[str], Path], tmp_path: Path, name: str) -> None:
    model = adapter(family_checkpoint(name))
    for number, (count, size) in enumerate([(1, (96, 64)), (3, (96, 64)), (2, (64, 160)), (12, (96, 64))]):
        paths = draw_frames(tmp_path, count, size, seed=number)
        asked = make_request("q", paths, media="video", max_pixels=None)
        planned = model._prepared.plan(asked)
        [response] = model.generate(iter([asked]))
        # The numbers and times that some write beside frames get longer.
        assert planned.tokens == pytest.approx(response.input_tokens, abs=count + 4), (count, size)
    model.close()


# Of a lone frame of 96 x 64 pixels: tiles of 56 x 56 (InternVL, LLaVA-OneVision) or 64 x 64 and an overview, padding
# included; Qwen2.5-VL and GLM-4V round to whole patches.
SEEN = {
    "qwen2_5_vl": (84 * 56, 6),
    "llava": (56 * 56, 16),
    "llava_onevision": (5 * 56 * 56, 70),
    "idefics3": (5 * 64 * 64, 74),
    "smolvlm": (5 * 64 * 64, 74),
    "internvl": (3 * 56 * 56, 14),
    "gemma3": (56 * 56, 8),
    "glm4v": (84 * 56, 6),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_the_record_says_what_became_of_a_frame(
    family_checkpoint: Callable[[str], Path], tmp_path: Path, name: str
) -> None:
    model = adapter(family_checkpoint(name))
    list(model.generate(iter([make_request("q", draw_frames(tmp_path, 1), max_pixels=None)])))
    assert (model.details()["frame_pixels"], model.details()["frame_tokens"]) == SEEN[name]
    model.close()


@pytest.mark.parametrize("name", FAMILIES)
def test_a_picture_that_is_shown_otherwise_among_others_is_known(
    family_checkpoint: Callable[[str], Path], name: str
) -> None:
    model = adapter(family_checkpoint(name))
    found = model._prepared.counts.told_apart((64, 96))
    assert found == ((70, 17) if name == "llava_onevision" else None)
    model.close()


def test_prompts_too_long_are_refused_before_a_frame_is_decoded(
    family_checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    model = adapter(family_checkpoint("internvl"))
    planned = model._prepared.plan(make_request("q", draw_frames(tmp_path, 1) * 400, max_pixels=None))
    assert planned.failure.kind == "context_length"
    assert "the prompt has 5648 tokens, and the model's context holds 4096" in planned.failure.message
    model.close()


@pytest.mark.parametrize(
    ("name", "settings"), [("internvl", '{"crop_to_patches":false}'), ("idefics3", '{"do_image_splitting":false}')]
)
def test_settings_of_the_processor_reach_the_model_and_the_fingerprint(
    family_checkpoint: Callable[[str], Path], tmp_path: Path, name: str, settings: str
) -> None:
    asked = make_request("q", draw_frames(tmp_path, 2, (96, 64)), max_pixels=None)
    plain, told = adapter(family_checkpoint(name)), adapter(family_checkpoint(name), processor_kwargs=settings)
    [before], [after] = plain.generate(iter([asked])), told.generate(iter([asked]))
    assert scores_of(before) != scores_of(after)
    assert after.input_tokens < before.input_tokens
    assert told._prepared.plan(asked).tokens == after.input_tokens
    assert plain.fingerprint() != told.fingerprint()
    assert told.details()["processor_kwargs"] == json.loads(settings)
    for model in (plain, told):
        model.close()


def test_a_setting_that_the_processor_lacks_is_refused(
    family_checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    model = adapter(family_checkpoint("internvl"), processor_kwargs='{"crop_to_patch":false}')
    asked = make_request("q", draw_frames(tmp_path, 1))
    with pytest.raises(UsageError, match=r"no setting 'crop_to_patch'.*did you mean.*crop_to_patches"):
        list(model.generate(iter([asked])))
    model.close()
    with pytest.raises(UsageError, match=r"processor_kwargs='crop' is not a JSON object"):
        adapter(family_checkpoint("internvl"), processor_kwargs="crop")
