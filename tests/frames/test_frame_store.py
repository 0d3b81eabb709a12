"""Frame files: bytes unchanged, hashed by content, scaled only where a budget asks for it."""

from __future__ import annotations

import io
import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from egocross_eval.frames import store as frame_store
from egocross_eval.frames.pictures import FrameError, picture_format
from egocross_eval.frames.store import frame_bytes, frame_hash, picture_size, scaled_frame


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


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_picture_that_fits_keeps_its_bytes(suffix: str, tmp_path: Path) -> None:
    path = picture(tmp_path / f"a.{suffix}", (40, 30))
    for budget in (None, 1200, 10**9):
        assert scaled_frame(path, budget)[0] == Path(path).read_bytes()


@pytest.mark.parametrize(("suffix", "mime"), [("jpg", "image/jpeg"), ("png", "image/png")])
def test_a_larger_picture_is_scaled_to_the_budget(suffix: str, mime: str, tmp_path: Path) -> None:
    path = picture(tmp_path / f"a.{suffix}", (800, 450))
    data, kind = scaled_frame(path, 50_000)
    width, height = Image.open(io.BytesIO(data)).size
    assert kind == mime == f"image/{picture_format(data)}".lower()
    assert 49_000 < width * height <= 50_000
    assert width / height == pytest.approx(800 / 450, rel=0.01)


@pytest.mark.parametrize("quality", [30, 60, 75, 90])
@pytest.mark.parametrize("size", [(854, 480), (960, 540), (1280, 720)])
def test_a_scaled_copy_is_never_larger_than_the_file(size: tuple[int, int], quality: int, tmp_path: Path) -> None:
    chance = random.Random(1)
    coarse = (size[0] // 16, size[1] // 16)
    image = Image.frombytes("RGB", coarse, chance.randbytes(3 * coarse[0] * coarse[1])).resize(size)
    path = tmp_path / "a.jpg"
    image.save(path, quality=quality)
    data, _ = scaled_frame(str(path), 360_000)
    assert len(data) <= path.stat().st_size


def test_a_png_becomes_a_jpeg_where_that_is_asked_for(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.png", (200, 100))
    data, mime = scaled_frame(path, None, jpeg=True)
    assert mime == "image/jpeg"
    assert picture_format(data) == "JPEG"
    assert Image.open(io.BytesIO(data)).size == (200, 100)
    kept = picture(tmp_path / "b.jpg", (200, 100))
    assert scaled_frame(kept, None, jpeg=True)[0] == Path(kept).read_bytes()


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1"])
def test_other_colour_modes_are_scaled_too(mode: str, tmp_path: Path) -> None:
    suffix = "jpg" if mode == "CMYK" else "png"
    data, _ = scaled_frame(picture(tmp_path / f"a.{suffix}", (100, 100), mode=mode), 400)
    assert Image.open(io.BytesIO(data)).size == (20, 20)


@given(st.integers(1, 10_000), st.integers(1, 10_000), st.integers(1, 100_000))
def test_the_scaled_size_never_exceeds_the_budget(width: int, height: int, budget: int) -> None:
    new_width, new_height = frame_store.fitting_size(width, height, budget)
    assert new_width >= 1
    assert new_height >= 1
    assert new_width * new_height <= budget


def test_what_is_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "page.jpg").write_bytes(b"<html>not found</html>")
    for call in (lambda path: scaled_frame(path, None), picture_size):
        with pytest.raises(FrameError, match=r"page\.jpg"):
            call(str(tmp_path / "page.jpg"))


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_picture_that_is_cut_off_is_never_handed_out(suffix: str, tmp_path: Path) -> None:
    whole = Path(picture(tmp_path / f"whole.{suffix}", (400, 300))).read_bytes()
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(whole[: len(whole) // 2])
    for call in (frame_bytes, frame_hash, lambda path: scaled_frame(path, None)):
        with pytest.raises(FrameError, match=rf"cut\.{suffix}.*truncated"):
            call(str(cut))


def test_a_picture_that_was_padded_behind_its_end_is_whole(tmp_path: Path) -> None:
    path = Path(picture(tmp_path / "a.jpg"))
    path.write_bytes(path.read_bytes() + bytes(1000))
    assert frame_bytes(str(path)) == path.read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="pipes and devices of POSIX")
@pytest.mark.parametrize("call", [frame_bytes, frame_hash, picture_size])
def test_pipes_and_devices_are_never_opened(call: Callable[[str], object], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "zero.jpg").symlink_to("/dev/zero")
    for name in ("pipe.jpg", "zero.jpg"):
        with pytest.raises(FrameError, match=rf"{name}.*no regular file"):
            call(str(tmp_path / name))


def test_a_file_larger_than_any_frame_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = picture(tmp_path / "a.jpg")
    monkeypatch.setattr(frame_store, "LARGEST", 100)
    with pytest.raises(FrameError, match="more than 100 bytes"):
        frame_bytes(path)


def deep_grey(path: Path, size: tuple[int, int] = (64, 64)) -> str:
    values = [number * 65535 // (size[0] * size[1] - 1) for number in range(size[0] * size[1])]
    Image.frombytes("I;16", size, b"".join(value.to_bytes(2, "little") for value in values)).save(path)
    return str(path)


def test_grey_of_16_bits_gets_the_8_bits_that_every_reader_understands(tmp_path: Path) -> None:
    data, kind = scaled_frame(deep_grey(tmp_path / "a.png"), None)
    assert kind == "image/png"
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "RGB"
        levels = image.getchannel(0).tobytes()
    assert levels == bytes(number * 65535 // 4095 >> 8 for number in range(4096))
    small, _ = scaled_frame(deep_grey(tmp_path / "a.png"), 256)
    with Image.open(io.BytesIO(small)) as image:
        levels = image.getchannel(0).tobytes()
    assert min(levels) < 20
    assert max(levels) > 235
