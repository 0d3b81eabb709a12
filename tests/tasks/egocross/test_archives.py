"""Unpacking what was downloaded, safely."""

from __future__ import annotations

import contextlib
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from egocross_eval.errors import DataError, EgoCrossError, UnsafePathError
from egocross_eval.tasks.egocross import archives
from egocross_eval.tasks.egocross.archives import unpack


def make_zip(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def make_tar(path: Path, entries: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in entries.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


Maker = Callable[[Path, dict[str, bytes]], Path]
MAKERS = [pytest.param(make_zip, "a.zip", id="zip"), pytest.param(make_tar, "a.tar.gz", id="tar")]


@pytest.mark.parametrize(("make", "name"), MAKERS)
def test_entries_in_the_own_folder_go_below_the_root_and_others_beside_the_archive(
    make: Maker, name: str, tmp_path: Path
) -> None:
    (tmp_path / "box").mkdir()
    path = make(tmp_path / "box" / name, {"own/a.jpg": b"a", "own/b/c.jpg": b"c"})
    assert unpack(path, tmp_path, own_folder="own") == 2
    assert (tmp_path / "own" / "b" / "c.jpg").read_bytes() == b"c"
    path = make(tmp_path / "box" / name, {"EgoPet/a.jpg": b"a"})
    assert unpack(path, tmp_path, own_folder="own") == 1
    assert (tmp_path / "box" / "EgoPet" / "a.jpg").read_bytes() == b"a"


@pytest.mark.parametrize(("make", "name"), MAKERS)
def test_what_is_there_already_is_left_alone_and_what_is_cut_off_is_written_again(
    make: Maker, name: str, tmp_path: Path
) -> None:
    path = make(tmp_path / name, {"a.jpg": b"abc", "b.jpg": b"abc"})
    (tmp_path / "a.jpg").write_bytes(b"xyz")
    (tmp_path / "b.jpg").write_bytes(b"a")
    assert unpack(path, tmp_path) == 1
    assert (tmp_path / "a.jpg").read_bytes() == b"xyz"
    assert (tmp_path / "b.jpg").read_bytes() == b"abc"
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(("make", "name"), MAKERS)
@pytest.mark.parametrize("entry", ["../evil.jpg", "a/../../evil.jpg", "//evil.jpg", "C:/evil.jpg"])
def test_an_entry_that_leads_outside_refuses_the_whole_archive(
    make: Maker, name: str, entry: str, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    path = make(root / name, {"good.jpg": b"x", entry: b"x"})
    with pytest.raises(UnsafePathError):
        unpack(path, root)
    assert [found.name for found in tmp_path.rglob("*.jpg")] == []


def test_an_entry_below_a_link_that_leads_outside_is_refused(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "frames").symlink_to(outside, target_is_directory=True)
    with pytest.raises(UnsafePathError):
        unpack(make_zip(root / "a.zip", {"frames/a.jpg": b"x"}), root)
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(kind: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("a.jpg")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(UnsafePathError, match="link or a device"):
        unpack(path, tmp_path)


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("a.jpg")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(UnsafePathError, match="link or a device"):
        unpack(tmp_path / "a.zip", tmp_path)


@pytest.mark.parametrize(("make", "name"), MAKERS)
def test_a_bomb_is_refused_before_anything_is_written(
    make: Maker, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_ALLOWANCE", 1000)
    path = make(tmp_path / name, {"a.jpg": bytes(1_000_000)})
    with pytest.raises(DataError, match="more than 20 times"):
        unpack(path, tmp_path)
    assert not list(tmp_path.glob("a.jpg*"))


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_FILES", 2)
    path = make_zip(tmp_path / "a.zip", {f"{number}.jpg": b"" for number in range(3)})
    with pytest.raises(DataError, match="too many files, 3"):
        unpack(path, tmp_path)


def test_entries_without_content_and_without_end_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_FILES", 20)
    path = make_tar(tmp_path / "a.tar.gz", {f"{number}.jpg": b"" for number in range(30)})
    with pytest.raises(DataError, match="too many files, more than 20"):
        unpack(path, tmp_path)


def test_a_tar_header_that_wants_memory_without_end_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("x" * 50_000_000))
    with pytest.raises(DataError, match=r"a\.tar\.gz is broken"):
        unpack(tmp_path / "a.tar.gz", tmp_path)


def test_tar_headers_within_headers_are_refused(tmp_path: Path) -> None:
    header = tarfile.TarInfo("x" * 150).tobuf(tarfile.GNU_FORMAT)[:1024]
    (tmp_path / "a.tar").write_bytes(header * 5000)
    with pytest.raises(DataError, match=r"a\.tar is broken"):
        unpack(tmp_path / "a.tar", tmp_path)


@pytest.mark.parametrize("name", [".", "./", "a/../", ""])
def test_an_entry_that_names_the_folder_itself_writes_nothing(tmp_path: Path, name: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    path = make_zip(tmp_path / "a.zip", {"good.jpg": b"x"})
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo("x")
        info.filename = name
        archive.writestr(info, b"evil")
    with contextlib.suppress(EgoCrossError):
        unpack(path, root)
    assert {found.name for found in root.iterdir()} <= {"good.jpg"}


@pytest.mark.parametrize(("make", "name"), MAKERS)
def test_an_entry_below_another_file_is_an_error(make: Maker, name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"can't be unpacked: 'a\.jpg/b\.jpg'"):
        unpack(make(tmp_path / name, {"a.jpg": b"x", "a.jpg/b.jpg": b"x"}), tmp_path)


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tar"])
def test_a_broken_archive_is_an_error_that_names_it(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"not an archive at all" * 100)
    with pytest.raises(DataError, match=name):
        unpack(tmp_path / name, tmp_path)


@pytest.mark.parametrize(("make", "name"), MAKERS)
def test_an_archive_that_was_cut_off_is_an_error(make: Maker, name: str, tmp_path: Path) -> None:
    path = make(tmp_path / name, {f"{number}.jpg": bytes(range(256)) * 40 for number in range(20)})
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(DataError, match="broken"):
        unpack(path, tmp_path)
