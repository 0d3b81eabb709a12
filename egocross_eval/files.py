"""How the package touches files: written whole or not at all and never through a link, read only as far as is safe.

Run folders, rows, recipes and checkpoints are passed around, so whatever lies in a folder may have been put there to
do harm: a link where a file is to be written, a device where one is to be read.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from egocross_eval.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

LARGEST = 2**30
"""Most bytes of a file that is read whole."""

_SCRATCH = ".egocross-"
"""How the names of scratch files begin."""

# Not there on Windows, where links need rights of their own and there are no pipes among files.
_PRIVATE = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)


def write_file(path: Path, content: bytes | str, *, durable: bool = True) -> None:
    """Puts `content` (text as UTF-8) into `path` in one step, as `writing` does."""
    with writing(path, durable=durable) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def make_parent(path: Path) -> None:
    """Makes the folder that `path` lies in, where it isn't there. Raises `UsageError` if it can't be made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"can't make the folder {path.parent}: {error.strerror or error}") from error


@contextlib.contextmanager
def writing(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """A file that takes the place of `path` when the block ends: a reader or a crash sees the old one or the new one.

    Nothing is written through a link: one at `path` is replaced, and the scratch file beside it has a random name that
    must be new. A file that is replaced hands its permissions on. `durable` waits for the disk; leave it out for what
    can be made again and is checked when read. Raises `UsageError` if it can't be written or isn't a regular file.
    """
    mode = _mode_of_old(path)
    scratch = path.with_name(_scratch_name())
    try:
        with os.fdopen(_new_scratch(scratch, 0o666 if mode is None else mode), "wb") as file:
            yield file
            file.flush()
            if mode is not None and hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), mode)
            if durable:
                os.fsync(file.fileno())
        scratch.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            scratch.unlink()
        if isinstance(error, OSError) and error.errno is not None:  # none: a broken archive that is read from
            raise UsageError(f"can't write {path}: {error.strerror or error}") from error
        raise


def _new_scratch(path: Path, mode: int) -> int:
    """Opens a new file for writing, locked for as long as it's open."""
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | _NO_LINK | _PRIVATE
    while True:
        descriptor = os.open(path, flags, mode)
        _lock(descriptor)
        if os.fstat(descriptor).st_nlink:
            return descriptor
        # `remove_unfinished` found it before it was locked.
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Locks an open file; False where another process has it, or where there are no locks."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True


def remove_unfinished(folder: Path) -> None:
    """Removes the scratch files that killed processes left in a folder; those that are being written stay."""
    for path in folder.glob(f"{_SCRATCH}*.part"):
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDWR | _NO_LINK | _NO_WAIT | _PRIVATE)
            try:
                if _lock(descriptor):
                    path.unlink()
            finally:
                os.close(descriptor)


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A scratch folder that becomes `path` when the block ends, or vanishes where it raises.

    If `path` has become a folder meanwhile, that one stays: another process made the same. Raises `UsageError` if it
    can't be made.
    """
    scratch = path.with_name(_scratch_name())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.mkdir()
    except OSError as error:
        raise UsageError(f"can't make the folder {path}: {error.strerror or error}") from error
    try:
        yield scratch
        try:
            scratch.rename(path)
        except OSError as error:
            if path.is_symlink() or not path.is_dir():
                raise UsageError(f"can't make the folder {path}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def holds_nothing(folder: Path, *, but: Collection[str] = ()) -> bool:
    """Whether a folder isn't there, or holds only files named in `but` and what killed processes left unfinished."""
    return not folder.is_dir() or all(path.name in but or path.name.startswith(_SCRATCH) for path in folder.iterdir())


def open_for_appending(path: Path) -> BinaryIO:
    """Opens a regular file, made where it isn't there, unbuffered for reading and appending; an OSError for a link."""
    flags = os.O_CREAT | os.O_RDWR | os.O_APPEND | _NO_LINK | _NO_WAIT | _PRIVATE
    try:
        descriptor = os.open(path, flags, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "it is a link; put the file itself there") from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_regular()
    return os.fdopen(descriptor, "ab+", buffering=0)


def open_regular(path: str | Path, *, follow: bool = True) -> tuple[int, os.stat_result]:
    """A descriptor for reading a regular file, and its status. An OSError for a pipe or a device, which isn't opened.

    Without `follow` a link is refused too.
    """
    if not stat.S_ISREG(_status(path, follow).st_mode):
        raise _not_regular(path)
    descriptor = os.open(path, os.O_RDONLY | _NO_WAIT | _PRIVATE | (0 if follow else _NO_LINK))
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):  # swapped since
        os.close(descriptor)
        raise _not_regular()
    return descriptor, status


def read_bytes(path: Path, *, limit: int = LARGEST, follow: bool = True) -> bytes:
    """The contents of a regular file of at most `limit` bytes; without `follow`, a link is refused.

    Raises `DataError` naming the file.
    """
    try:
        descriptor, status = open_regular(path, follow=follow)
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(limit + 1) if status.st_size <= limit else None
    except FileNotFoundError as error:
        raise DataError(f"can't read {path}: there is no such file") from error
    except OSError as error:
        raise DataError(f"can't read {path}: {error.strerror or error}") from error
    if data is None or len(data) > limit:
        raise DataError(f"can't read {path}: it has more than {limit:,} bytes, so it is another kind of file")
    return data


def _status(path: str | Path, follow: bool) -> os.stat_result:
    status = os.stat(path, follow_symlinks=follow)  # noqa: PTH116 - called for every frame of a run
    if stat.S_ISLNK(status.st_mode):
        raise OSError(errno.ELOOP, "it is a link, and none is followed here")
    return status


def _not_regular(path: str | Path = "") -> OSError:
    if path and os.path.isdir(path):  # noqa: PTH112 - as above
        return IsADirectoryError(errno.EISDIR, "it is a folder")
    return OSError(errno.EINVAL, "it is no regular file but a pipe or a device")


def _mode_of_old(path: Path) -> int | None:
    """Permissions of the file at `path`; None for none or a link."""
    try:
        # What a link leads to counts here: /dev/stdout is no place for a file.
        kind = path.stat().st_mode
    except OSError:
        return None
    if not stat.S_ISREG(kind):
        raise UsageError(f"can't write {path}: {_not_regular(path).strerror}")
    return None if path.is_symlink() else kind & 0o777


def _scratch_name() -> str:
    return f"{_SCRATCH}{secrets.token_hex(8)}.part"


def slug(text: str) -> str:
    """A name for a file: letters, digits, dot, underscore and hyphen of `text`."""
    import re

    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-.")[:80] or "run"
