"""Frame files: bytes unchanged, hashed by content, scaled only where a budget asks for it."""

from __future__ import annotations

import io
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from egocross_eval.frames import store as frame_store
from egocross_eval.frames.store import (
    FrameError,
    frame_bytes,
    frame_hash,
    frame_mime,
    frame_size,
    scaled_frame,
)


def picture(path: Path, size: tuple[int, int] = (64, 48), seed: int = 0, mode: str = "RGB", **save: object) -> str:
    noise = random.Random(seed).randbytes(size[0] * size[1] * 3)
    Image.frombytes("RGB", size, noise).convert(mode).save(path, **save)  # type: ignore[arg-type]
    return str(path)


def test_bytes_and_hash_are_those_of_the_file(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.jpg")
    data = Path(path).read_bytes()
    assert frame_bytes(path) == data
    assert frame_hash(path) == xxhash.xxh3_128_hexdigest(data)


def test_equal_hashes_are_equal_contents_whatever_the_name(tmp_path: Path) -> None:
    first, copy = picture(tmp_path / "a.jpg", seed=1), picture(tmp_path / "b.jpg", seed=1)
    other = picture(tmp_path / "c.jpg", seed=2)
    assert frame_hash(first) == frame_hash(copy) != frame_hash(other)


def test_a_replaced_file_is_read_again(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.jpg", seed=1)
    before = frame_hash(path), frame_bytes(path)
    Path(picture(tmp_path / "new.jpg", seed=2)).replace(path)
    assert frame_hash(path) != before[0]
    assert frame_bytes(path) != before[1]


def test_a_file_is_read_once_for_hash_and_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = picture(tmp_path / "a.jpg", seed=77)
    frame_hash(path)

    def no_reading(descriptor: int, size: int) -> bytes:
        raise AssertionError("read again")

    monkeypatch.setattr(frame_store, "_read", no_reading)
    assert frame_bytes(path) == Path(path).read_bytes()
    assert frame_hash(path)


def test_what_is_kept_is_bounded() -> None:
    kept = frame_store._KeptBytes(100)
    for k in range(50):
        kept.put((0, k, 0, 0), bytes(30))
    assert sum(len(data) for data in kept._files.values()) <= 100
    assert kept.get((0, 49, 0, 0)) is not None
    assert kept.get((0, 0, 0, 0)) is None
    kept.put((0, 99, 0, 0), bytes(101))
    assert kept.get((0, 99, 0, 0)) is None


@pytest.mark.parametrize("call", [frame_bytes, frame_hash])
def test_missing_empty_and_unreadable_files_are_named(call: object, tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "folder.jpg").mkdir()
    for name, why in (("gone.jpg", "no such file"), ("empty.jpg", "empty"), ("folder.jpg", "can't be read")):
        with pytest.raises(FrameError, match=why) as error:
            call(str(tmp_path / name))  # type: ignore[operator]
        assert name in str(error.value)


def test_threads_agree(tmp_path: Path) -> None:
    paths = [picture(tmp_path / f"{k}.jpg", seed=k) for k in range(20)]
    with ThreadPoolExecutor(8) as pool:
        hashes = list(pool.map(frame_hash, paths * 10))
    assert hashes == [xxhash.xxh3_128_hexdigest(Path(path).read_bytes()) for path in paths] * 10


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "bmp"])
def test_size_and_type_come_from_the_content(suffix: str, tmp_path: Path) -> None:
    data = Path(picture(tmp_path / f"a.{suffix}", (37, 21))).read_bytes()
    assert frame_size(data, "a") == (37, 21)
    assert frame_mime(data) == "image/" + suffix.replace("jpg", "jpeg")


def test_size_of_unusual_jpegs(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[270] = "x" * 5000
    for number, save in enumerate(({"progressive": True}, {"exif": exif}, {"comment": b"hello"})):
        data = Path(picture(tmp_path / f"{number}.jpg", (50, 31), **save)).read_bytes()
        assert frame_size(data, "x") == (50, 31)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_a_picture_that_fits_keeps_its_bytes(suffix: str, tmp_path: Path) -> None:
    path = picture(tmp_path / f"a.{suffix}", (40, 30))
    for budget in (None, 1200, 10**9):
        assert scaled_frame(path, budget)[0] == Path(path).read_bytes()


@pytest.mark.parametrize(("suffix", "mime"), [("jpg", "image/jpeg"), ("png", "image/png"), ("webp", "image/jpeg")])
def test_a_larger_picture_is_scaled_to_the_budget(suffix: str, mime: str, tmp_path: Path) -> None:
    path = picture(tmp_path / f"a.{suffix}", (800, 450))
    data, kind = scaled_frame(path, 50_000)
    width, height = Image.open(io.BytesIO(data)).size
    assert kind == mime == frame_mime(data)
    assert 49_000 < width * height <= 50_000
    assert width / height == pytest.approx(800 / 450, rel=0.01)


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1"])
def test_other_colour_modes_are_scaled_too(mode: str, tmp_path: Path) -> None:
    suffix = "jpg" if mode == "CMYK" else "png"
    data, _ = scaled_frame(picture(tmp_path / f"a.{suffix}", (100, 100), mode=mode), 400)
    assert Image.open(io.BytesIO(data)).size == (20, 20)


@given(st.integers(1, 10_000), st.integers(1, 10_000), st.integers(1, 100_000))
def test_the_scaled_size_never_exceeds_the_budget(width: int, height: int, budget: int) -> None:
    new_width, new_height = frame_store._fitting(width, height, budget)
    assert new_width >= 1
    assert new_height >= 1
    assert new_width * new_height <= budget


@given(st.binary(max_size=300))
def test_broken_headers_never_pass_for_a_size(tail: bytes) -> None:
    for magic in (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b""):
        try:
            width, height = frame_size(magic + tail, "broken")
        except FrameError:
            continue
        assert width >= 0
        assert height >= 0


def test_what_is_no_picture_or_cut_off_is_named(tmp_path: Path) -> None:
    (tmp_path / "page.jpg").write_bytes(b"<html>not found</html>")
    with pytest.raises(FrameError, match=r"page\.jpg"):
        scaled_frame(str(tmp_path / "page.jpg"), None)
    whole = Path(picture(tmp_path / "whole.jpg", (400, 300))).read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FrameError, match=r"cut\.jpg"):
        scaled_frame(str(tmp_path / "cut.jpg"), 100)
