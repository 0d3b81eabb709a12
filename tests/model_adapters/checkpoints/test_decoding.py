"""Frames are decoded as transformers decodes them, errors name the file, and equal frames are decoded once."""

from __future__ import annotations

import io
import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hf_requests import draw_frames
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from egocross_eval.frames import pictures
from egocross_eval.frames.pictures import FrameError
from egocross_eval.model_adapters.checkpoints.decoding import (
    FrameCache,
    image_tensor,
    read_frame,
    read_size,
    read_tensor,
    shrunk_image,
)
from egocross_eval.model_adapters.checkpoints.scaling import shrunk


def test_transparent_parts_of_a_frame_become_white(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (4, 2), (255, 0, 0, 255))
    picture.putpixel((0, 0), (0, 0, 0, 0))
    picture.save(tmp_path / "a.png")
    frame = read_frame(str(tmp_path / "a.png"))
    assert frame.mode == "RGB"
    assert frame.getpixel((0, 0)) == (255, 255, 255)
    assert frame.getpixel((3, 1)) == (255, 0, 0)


def test_sizes_are_read_as_height_and_width(tmp_path: Path) -> None:
    (path,) = draw_frames(tmp_path, 1, (96, 64))
    assert read_size(str(path)) == (64, 96)


def test_missing_empty_foreign_and_cut_off_files_are_named(tmp_path: Path) -> None:
    (whole,) = draw_frames(tmp_path, 1, (300, 300))
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(whole.read_bytes()[:4000])
    empty = tmp_path / "empty.jpg"
    empty.touch()
    foreign = tmp_path / "foreign.jpg"
    foreign.write_text("<html>not found</html>")
    for path in (tmp_path / "missing.jpg", cut, empty, foreign):
        with pytest.raises(FrameError, match=path.name):
            read_frame(str(path))
    for path in (tmp_path / "missing.jpg", empty, foreign):
        with pytest.raises(FrameError, match=path.name):
            read_size(str(path))


def jpeg(mode: str, size: tuple[int, int], **options: Any) -> bytes:
    rng = random.Random(str((mode, size, options)))
    picture = Image.frombytes("RGB", (7, 5), rng.randbytes(105)).resize(size, Image.Resampling.BICUBIC).convert(mode)
    file = io.BytesIO()
    picture.save(file, "JPEG", **options)
    return file.getvalue()


def same_as_pillow(path: Path) -> bool:
    """Whether both ways to read a frame give the same values, or both refuse it."""
    try:
        expected = image_tensor(read_frame(str(path)))
    except FrameError:
        with pytest.raises(FrameError, match=path.name):
            read_tensor(str(path))
        return True
    return bool((read_tensor(str(path)) == expected).all())


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("RGB", {}),
        ("RGB", {"subsampling": 0}),
        ("RGB", {"subsampling": 1}),
        ("RGB", {"progressive": True}),
        ("RGB", {"keep_rgb": True}),
        ("RGB", {"quality": 20}),
        ("L", {}),
        ("CMYK", {}),
    ],
)
@pytest.mark.parametrize("size", [(64, 48), (37, 21), (1, 1)])
def test_tensors_have_the_very_values_that_pillow_decodes(
    tmp_path: Path, mode: str, options: dict[str, Any], size: tuple[int, int]
) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(jpeg(mode, size, **options))
    assert same_as_pillow(file)
    assert read_tensor(str(file)).shape == (3, size[1], size[0])


def test_a_png_becomes_a_tensor_too(tmp_path: Path) -> None:
    Image.new("RGBA", (5, 3), (255, 0, 0, 0)).save(tmp_path / "a.png")
    assert same_as_pillow(tmp_path / "a.png")


def test_a_picture_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "bomb.jpg"
    file.write_bytes(jpeg("RGB", (64, 48)))
    monkeypatch.setattr(pictures, "MAX_PIXELS", 1000)
    with pytest.raises(FrameError, match=r"bomb\.jpg.*pixels"):
        read_tensor(str(file))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.floats(0.0, 1.0), changed=st.lists(st.tuples(st.floats(0.0, 1.0), st.integers(0, 255)), max_size=4))
def test_damaged_frames_are_read_or_refused_as_pillow_does(
    tmp_path: Path, cut: float, changed: list[tuple[float, int]]
) -> None:
    data = bytearray(jpeg("RGB", (120, 80)))
    for place, value in changed:
        data[int(place * (len(data) - 1))] = value
    file = tmp_path / f"{os.urandom(8).hex()}.jpg"
    file.write_bytes(data[: int(cut * len(data))])
    assert same_as_pillow(file)


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 10**6))
def test_a_budget_is_never_exceeded_and_hardly_undershot(height: int, width: int, budget: int) -> None:
    new = shrunk((height, width), budget)
    assert new[0] * new[1] <= budget
    assert new[0] <= height
    assert new[1] <= width
    if height * width <= budget:
        assert new == (height, width)


def test_only_frames_above_the_budget_are_scaled() -> None:
    frame = Image.new("RGB", (300, 200))
    assert shrunk_image(frame, None) is frame
    assert shrunk_image(frame, 60_000) is frame
    assert shrunk_image(frame, 15_000).size == (150, 100)


def test_equal_frames_are_decoded_once_by_whichever_thread_comes_first() -> None:
    cache = FrameCache()
    decoded: list[str] = []
    gate = threading.Event()

    def decode() -> str:
        gate.wait(5)
        decoded.append("a")
        return "frame"

    with ThreadPoolExecutor(4) as threads:
        futures = [threads.submit(cache.get, "a", decode, 1) for _ in range(4)]
        gate.set()
        assert [future.result() for future in futures] == ["frame"] * 4
    assert decoded == ["a"]


def test_the_cache_forgets_the_frames_used_longest_ago() -> None:
    cache = FrameCache(limit=20)
    decoded: list[str] = []

    def get(name: str) -> None:
        cache.get(name, lambda: decoded.append(name), 10)

    for name in ("a", "b", "a", "c", "a", "b"):
        get(name)
    assert decoded == ["a", "b", "c", "b"]


def test_a_frame_that_failed_is_tried_again() -> None:
    cache = FrameCache()

    def fail() -> None:
        raise FrameError("frame x: gone")

    with pytest.raises(FrameError):
        cache.get("x", fail, 1)
    assert cache.get("x", lambda: "frame", 1) == "frame"
