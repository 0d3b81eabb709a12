"""Clips that are copies with losses look alike; other clips don't."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from egocross_eval.frames.alike import alike_clips
from egocross_eval.frames.shared import Clip, shared_frames

SIZE = (320, 240)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EGOCROSS_CACHE", str(tmp_path / "cache"))


@functools.cache
def picture(seed: int) -> Image.Image:
    """Light, shapes and grain, all by the seed."""
    draw = random.Random(seed)
    coarse = Image.frombytes("RGB", (7, 5), draw.randbytes(105)).resize(SIZE, Image.Resampling.BICUBIC)
    grain = Image.frombytes("RGB", SIZE, draw.randbytes(3 * SIZE[0] * SIZE[1]))
    return Image.blend(coarse, grain, 0.1)


def saved(folder: Path, name: str, pictures: list[Image.Image], quality: int = 75) -> Clip:
    paths = [folder / name / f"{place}.jpg" for place in range(len(pictures))]
    for path, one in zip(paths, pictures, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        one.save(path, quality=quality)
    return Clip(name, name, tuple(map(str, paths)))


def clip(folder: Path, name: str, *seeds: int) -> Clip:
    return saved(folder, name, [picture(seed) for seed in seeds], quality=95)


def others(folder: Path) -> list[Clip]:
    return [clip(folder, f"other{number}", *range(100 * number, 100 * number + 3)) for number in range(1, 5)]


def scaled(one: Image.Image, share: float) -> Image.Image:
    return one.resize((round(share * one.width), round(share * one.height)), Image.Resampling.LANCZOS)


def middle(one: Image.Image, width: float, height: float) -> Image.Image:
    left, top = (1 - width) / 2 * one.width, (1 - height) / 2 * one.height
    return one.crop((round(left), round(top), round(one.width - left), round(one.height - top)))


def within(one: Image.Image, size: tuple[int, int], colour: str = "black") -> Image.Image:
    larger = Image.new("RGB", size, colour)
    larger.paste(one, ((size[0] - one.width) // 2, (size[1] - one.height) // 2))
    return larger


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "brighter": lambda one: ImageEnhance.Brightness(one).enhance(1.2),
    "flatter": lambda one: ImageEnhance.Contrast(one).enhance(0.7),
    "lighter shadows": lambda one: one.point([round(255 * (value / 255) ** 0.75) for value in range(256)] * 3),
    "without colours": lambda one: ImageOps.grayscale(one).convert("RGB"),
    "mirrored": ImageOps.mirror,
    "the middle of it": lambda one: middle(one, 0.9, 0.9),
    "cut to 16:9": lambda one: middle(one, 1.0, 0.75),
    "with bars above and below": lambda one: within(one, (320, 320)),
    "with bars at its sides": lambda one: within(one, (426, 240)),
    "cropped and brighter": lambda one: ImageEnhance.Brightness(middle(one, 0.85, 0.85)).enhance(1.15),
}

LOSSES: dict[str, Callable[[Clip, Path], Clip]] = {
    "compressed": lambda one, folder: saved(folder, "copy", opened(one), quality=25),
    "smaller": lambda one, folder: saved(folder, "copy", [scaled(p, 0.5) for p in opened(one)], quality=75),
    "larger": lambda one, folder: saved(folder, "copy", [scaled(p, 1.5) for p in opened(one)], quality=60),
    "a part of it": lambda one, folder: saved(folder, "copy", opened(one)[1:3], quality=40),
}


def opened(one: Clip) -> list[Image.Image]:
    return [Image.open(path).convert("RGB") for path in one.paths]


@pytest.mark.parametrize("loss", LOSSES)
def test_a_copy_with_losses_is_found_by_how_it_looks(loss: str, tmp_path: Path) -> None:
    shown = clip(tmp_path, "example", 1, 2, 3, 4)
    copy = LOSSES[loss](shown, tmp_path)
    tested = [*others(tmp_path), copy]
    assert not shared_frames([shown], tested).told
    assert [(one.shown.name, one.tested.name) for one in alike_clips([shown], tested)] == [("example", "copy")]


@pytest.mark.parametrize("change", CHANGES)
def test_a_recoloured_cropped_framed_or_mirrored_copy_is_found_from_either_side(change: str, tmp_path: Path) -> None:
    whole = clip(tmp_path, "whole", 1, 2, 3, 4)
    changed = saved(tmp_path, "changed", [CHANGES[change](one) for one in opened(whole)], quality=60)
    for shown, tested in ((whole, changed), (changed, whole)):
        found = alike_clips([shown], [*others(tmp_path), tested])
        assert [(one.shown, one.tested) for one in found] == [(shown, tested)]


def test_what_is_turned_or_cropped_elsewhere_is_not_told(tmp_path: Path) -> None:
    """The pages say so."""
    whole = clip(tmp_path, "whole", 1, 2, 3, 4)
    changes = {"turned": ImageOps.flip, "a corner": lambda one: one.crop((0, 0, 240, 180)), "negative": ImageOps.invert}
    tested = [saved(tmp_path, name, [change(p) for p in opened(whole)]) for name, change in changes.items()]
    assert alike_clips([whole], tested) == []


def test_clips_seen_through_a_scope_are_told_by_what_is_seen(tmp_path: Path) -> None:
    """The dark around a round view is alike in all of them."""

    def scoped(seed: int) -> Image.Image:
        mask = Image.new("L", SIZE)
        ImageDraw.Draw(mask).ellipse((28, -12, 292, 252), fill=255)
        dim = ImageEnhance.Contrast(picture(seed)).enhance(0.25)
        return Image.composite(dim, Image.new("RGB", SIZE), mask)

    clips = [saved(tmp_path, f"s{n}", [scoped(10 * n + place) for place in range(3)]) for n in range(6)]
    assert alike_clips(clips, clips) == []
    copy = saved(tmp_path, "copy", opened(clips[5]), quality=30)
    assert [one.shown for one in alike_clips(clips, [copy])] == [clips[5]]


def test_a_longer_copy_is_found_where_it_begins_alike(tmp_path: Path) -> None:
    shown = clip(tmp_path, "example", 1, 2)
    longer = saved(tmp_path, "copy", [picture(seed) for seed in (1, 2, 3)], quality=30)
    assert [one.tested for one in alike_clips([shown], [longer])] == [longer]
    later = saved(tmp_path, "later", [picture(seed) for seed in (3, 1, 2)], quality=30)
    assert alike_clips([shown], [later]) == []


def test_other_clips_are_not_alike(tmp_path: Path) -> None:
    assert alike_clips(others(tmp_path / "a")[:2], others(tmp_path / "b")[2:]) == []
    assert alike_clips([], others(tmp_path / "c")) == alike_clips(others(tmp_path / "d"), []) == []


def test_one_frame_alike_is_no_clip_alike(tmp_path: Path) -> None:
    shown = clip(tmp_path, "example", 1, 2, 3)
    assert alike_clips([shown], [saved(tmp_path, "begins", [picture(n) for n in (1, 8, 9)], quality=30)]) == []
    assert alike_clips([shown], [saved(tmp_path, "single", [picture(1)], quality=30)]) == []


def test_a_clip_of_its_own_video_is_no_finding(tmp_path: Path) -> None:
    shown = clip(tmp_path, "example", 1, 2)
    copy = saved(tmp_path, "copy", opened(shown), quality=30)
    assert alike_clips([shown], [copy._replace(owner="example")]) == []


def test_pictures_that_both_have_are_left_to_the_exact_comparison(tmp_path: Path) -> None:
    """So stand-in pictures, which clips share, are no copies."""
    shown, tested = clip(tmp_path, "example", 1, 2, 3), [clip(tmp_path, f"t{n}", 1, 2 + n % 2, 3) for n in range(6)]
    assert alike_clips([shown], tested) == []


@pytest.mark.parametrize("spread", [0.0, 0.02, 0.1])
def test_plain_and_dark_pictures_tell_nothing(spread: float, tmp_path: Path) -> None:
    def plain(seed: int) -> Image.Image:
        return ImageEnhance.Contrast(picture(seed)).enhance(spread)

    shown = saved(tmp_path, "example", [plain(seed) for seed in (1, 2, 3)])
    tested = [saved(tmp_path, f"t{n}", [plain(seed) for seed in (n, n + 1, n + 2)], quality=40) for n in range(1, 9)]
    assert alike_clips([shown], tested) == []


def test_what_is_missing_or_no_picture_is_passed_over(tmp_path: Path) -> None:
    shown = clip(tmp_path, "example", 1, 2, 3, 4)
    copy = saved(tmp_path, "copy", opened(shown), quality=30)
    Path(shown.paths[3]).unlink()
    Path(copy.paths[3]).write_bytes(b"no picture")
    assert [one.tested for one in alike_clips([shown], [copy])] == [copy]
    Path(copy.paths[0]).unlink()
    assert alike_clips([shown], [copy]) == []
