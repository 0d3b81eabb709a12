"""Unpacks downloaded archives, which are untrusted: nothing leaves the folder, no links, no bombs."""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from egocross_eval.errors import DataError, UnsafePathError
from egocross_eval.files import writing
from egocross_eval.frames.roots import DataRoot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")

MAX_RATIO = 20
"""Pictures hardly shrink and JSON shrinks tenfold: a larger ratio of unpacked to packed size is a bomb."""
MAX_FILES = 1_000_000
_ALLOWANCE = 64 * 2**20
_CHUNK = 2**18
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, lzma.LZMAError, zlib.error)


class _Member(msgspec.Struct, kw_only=True):
    name: str
    size: int
    handle: object


class _Bounded:
    """A stream whose reads are short: the header of an entry that wants more memory than a chunk is a bomb."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size: int) -> bytes:
        if size > _CHUNK:
            raise tarfile.ReadError("a header is too long")
        return self._stream.read(size)


def _unpacked(path: Path) -> BinaryIO:
    """The tar within a compressed file, or the file itself."""
    openers = {".gz": gzip.open, ".tgz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
    return openers.get(path.suffix.lower(), open)(path, "rb")  # type: ignore[operator, no-any-return]


def is_archive(path: Path) -> bool:
    """Whether the name is that of an archive."""
    return path.name.lower().endswith(SUFFIXES)


def unpack(path: Path, folder: Path, *, own_folder: str = "") -> int:
    """Unpacks `path` below `folder`; returns the number of files written. A file already there in full is left alone.

    An archive whose entries lie in another folder than `own_folder` is unpacked beside itself. The whole index is
    checked before anything is written: `UnsafePathError` for an entry that leads outside or is a link or device,
    `DataError` for a broken archive or one that unpacks to more than `MAX_RATIO` times its size.
    """
    try:
        if path.name.lower().endswith(".zip"):
            with zipfile.ZipFile(path) as archive:
                return _write(path, folder, own_folder, list(_zip_members(path, archive)), archive)
        with _unpacked(path) as stream, tarfile.open(fileobj=_Bounded(stream), mode="r:") as tar:  # type: ignore[call-overload]
            return _write(path, folder, own_folder, list(_tar_members(path, tar)), tar)
    # A RuntimeError is a password, or headers within headers without end.
    except (*_BROKEN, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"the archive {path} is broken: {error}; delete it and fetch again") from error


def _zip_members(path: Path, archive: zipfile.ZipFile) -> Iterator[_Member]:
    for entry in archive.infolist():
        if entry.filename.endswith("/"):
            continue
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise UnsafePathError(f"the archive {path} is refused: {entry.filename!r} is a link or a device")
        yield _Member(name=entry.filename, size=entry.file_size, handle=entry)


def _tar_members(path: Path, archive: tarfile.TarFile) -> Iterator[_Member]:
    limit = _limit(path)
    total = 0
    # Counted while the index is read: reading on through a bomb is what it wants.
    for count, entry in enumerate(archive, 1):
        total += entry.size
        if total > limit:
            raise _bomb(path)
        if count > MAX_FILES:
            raise _too_many(path, f"more than {MAX_FILES}")
        if entry.isdir():
            continue
        if not entry.isreg():
            raise UnsafePathError(f"the archive {path} is refused: {entry.name!r} is a link or a device")
        yield _Member(name=entry.name, size=entry.size, handle=entry)


def _limit(path: Path) -> int:
    return MAX_RATIO * path.stat().st_size + _ALLOWANCE


def _bomb(path: Path) -> DataError:
    return DataError(f"the archive {path} is refused: it unpacks to more than {MAX_RATIO} times its size")


def _too_many(path: Path, count: str) -> DataError:
    return DataError(f"the archive {path} is refused: it has too many files, {count}")


def _write(
    path: Path, folder: Path, own_folder: str, members: list[_Member], archive: zipfile.ZipFile | tarfile.TarFile
) -> int:
    if len(members) > MAX_FILES:
        raise _too_many(path, f"{len(members)}, more than {MAX_FILES}")
    if sum(member.size for member in members) > _limit(path):
        raise _bomb(path)
    for member in members:
        member.name = member.name.removeprefix("./")
    inside = bool(own_folder) and all(member.name.startswith(own_folder + "/") for member in members)
    root = DataRoot(folder if inside or not own_folder else path.parent)
    targets = [root.resolve(member.name, owner=f"archive {path.name}") for member in members]
    written = 0
    for member, target in zip(members, targets, strict=True):
        if target.is_file() and target.stat().st_size == member.size:
            continue
        _extract(path, archive, member, target)
        written += 1
    return written


def _extract(path: Path, archive: zipfile.ZipFile | tarfile.TarFile, member: _Member, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"the archive {path} can't be unpacked: {member.name!r}: {error.strerror or error}") from error
    # A half-written file must not pass for a whole one after an interruption.
    with _open_member(path, archive, member) as source, writing(target, durable=False) as out:
        size = 0
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > member.size:
                raise _bomb(path)
            out.write(chunk)
        if size != member.size:
            raise DataError(f"the archive {path} is broken: {member.name!r} is cut off; delete it and fetch again")


def _open_member(path: Path, archive: zipfile.ZipFile | tarfile.TarFile, member: _Member) -> BinaryIO:
    if isinstance(archive, zipfile.ZipFile):
        assert isinstance(member.handle, zipfile.ZipInfo)
        return archive.open(member.handle)  # type: ignore[return-value]
    assert isinstance(member.handle, tarfile.TarInfo)
    stream = archive.extractfile(member.handle)
    if stream is None:
        raise DataError(f"the archive {path} is broken: {member.name!r} has no data")
    return stream  # type: ignore[return-value]
