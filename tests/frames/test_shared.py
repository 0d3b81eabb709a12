"""Clips that show the same: told by content, whatever the files' names, formats and metadata."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from egocross_eval.directories import cache_directory
from egocross_eval.frames import pixels
from egocross_eval.frames.pixels import KEPT_FILE, Seen, pixel_hashes
from egocross_eval.frames.shared import Clip, Shared, shared_frames

SIZE = (48, 32)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EGOCROSS_CACHE", str(tmp_path / "cache"))


def picture(seed: int) -> Image.Image:
    return Image.frombytes("RGB", (6, 4), random.Random(seed).randbytes(72)).resize(SIZE)


def clip(folder: Path, name: str, seeds: list[int], owner: str = "") -> Clip:
    paths = [folder / name / f"{place}.jpg" for place in range(len(seeds))]
    for path, seed in zip(paths, seeds, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(seed).save(path)
    return Clip(name, owner or name, tuple(map(str, paths)))


def split(folder: Path, **others: list[int]) -> list[Clip]:
    """Eight clips with pictures of their own, and others."""
    own = [clip(folder, f"own{number}", [100 * number + place for place in range(3)]) for number in range(1, 9)]
    return own + [clip(folder, name, seeds) for name, seeds in others.items()]


def told(found: Shared) -> set[tuple[str, str]]:
    return {(one.shown.name, one.tested.name) for one in found.told}


def test_clips_with_other_pictures_have_nothing_in_common(tmp_path: Path) -> None:
    assert shared_frames([clip(tmp_path, "e", [1, 2, 3])], split(tmp_path)) == Shared((), 0)


def test_a_frame_of_one_owner_tells_its_clip(tmp_path: Path) -> None:
    found = shared_frames([clip(tmp_path, "e", [1, 2, 301])], split(tmp_path))
    assert told(found) == {("e", "own3")}


def test_a_picture_of_several_owners_tells_no_clip_and_a_whole_clip_of_theirs_does(tmp_path: Path) -> None:
    shown = clip(tmp_path, "e", [1, 2, 3, 4])
    assert shared_frames([shown], split(tmp_path / "one", a=[1, 50, 51], b=[60, 1])) == Shared((), 1)
    assert told(shared_frames([shown], split(tmp_path / "two", a=[1, 2, 3], b=[2, 3]))) == {("e", "a"), ("e", "b")}
    assert told(shared_frames([shown], split(tmp_path / "all", a=[1, 2, 3, 4, 5], b=[9, 1, 2, 3, 4]))) == {
        ("e", "a"),
        ("e", "b"),
    }


def test_stand_in_pictures_that_most_clips_share_tell_none(tmp_path: Path) -> None:
    tested = [clip(tmp_path, f"t{number}", [(number + place) % 10 for place in range(4)]) for number in range(20)]
    found = shared_frames([clip(tmp_path, "e", list(range(10)))], tested)
    assert found == Shared((), 10)


def test_a_clip_of_its_own_video_is_no_finding(tmp_path: Path) -> None:
    shown = clip(tmp_path, "e", [1, 2], owner="a")
    assert shared_frames([shown], split(tmp_path, a=[1, 2, 3])) == Shared((), 0)


def padded(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def commented(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:2] + b"\xff\xfe\x00\x04hi" + data[2:])


def as_png(path: Path) -> None:
    with Image.open(path) as image:
        image.load()
    image.save(path, "PNG")


@pytest.mark.parametrize("change", [padded, commented, as_png])
@pytest.mark.parametrize("copies", [1, 2])
def test_a_clip_is_told_by_what_it_shows_whatever_its_files_hold(
    change: Callable[[Path], None], copies: int, tmp_path: Path
) -> None:
    shown = clip(tmp_path, "e", [1, 2, 3])
    tested = split(tmp_path, **{f"copy{number}": [1, 2, 3] for number in range(copies)})
    for one in tested[8:]:
        for path in one.paths:
            change(Path(path))
    assert told(shared_frames([shown], tested)) == {("e", f"copy{number}") for number in range(copies)}


def test_blank_pictures_tell_no_clip_even_where_one_owner_has_them(tmp_path: Path) -> None:
    shown, tested = clip(tmp_path, "e", [1, 2]), split(tmp_path, a=[8, 9])
    for path in (shown.paths[0], tested[-1].paths[0]):
        Image.new("RGB", SIZE, (3, 4, 5)).save(path)
    assert shared_frames([shown], tested) == Shared((), 1)


def test_what_is_missing_or_no_picture_is_passed_over(tmp_path: Path) -> None:
    shown, tested = clip(tmp_path, "e", [1, 2]), split(tmp_path, a=[1, 2])
    Path(shown.paths[0]).unlink()
    Path(tested[-1].paths[0]).write_bytes(b"no picture")
    assert told(shared_frames([shown], tested)) == {("e", "a")}


def test_frames_that_are_missing_are_no_stand_in_for_others(tmp_path: Path) -> None:
    shown = clip(tmp_path, "e", [1, 2, 3])
    tested = split(tmp_path, a=[1, 2, 3], b=[1, 2, 3])
    for path in (path for one in tested[:8] for path in one.paths[1:]):
        Path(path).unlink()
    assert told(shared_frames([shown], tested)) == {("e", "a"), ("e", "b")}


def test_a_picture_is_decoded_once_and_again_when_its_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    picture(1).save(path)
    (first,) = pixel_hashes([str(path)]).values()
    kept = cache_directory() / KEPT_FILE
    (state,) = msgspec.json.decode(kept.read_bytes(), type=dict[str, Seen])
    kept.write_bytes(msgspec.json.encode({state: Seen("as kept", b"")}))
    assert pixel_hashes([str(path)]) == {str(path): "as kept"}
    picture(2).save(path)
    os.utime(path, ns=(1, 1))
    (second,) = pixel_hashes([str(path)]).values()
    assert second not in (first, "as kept")
    kept.write_bytes(b"{torn")
    picture(1).save(path)
    assert pixel_hashes([str(path)]) == {str(path): first}


def test_who_waits_for_many_pictures_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    monkeypatch.setattr(pixels, "_WORTH_A_WORD", 3)
    paths = clip(tmp_path, "a", [1, 2, 3]).paths
    for _ in range(2):
        pixel_hashes(paths)
    assert [str(one.message) for one in recwarn if one.category is UserWarning] == [
        "3 pictures are decoded, to tell copies by what they show; this is done once"
    ]
