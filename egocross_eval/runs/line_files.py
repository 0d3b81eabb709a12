"""Files of a run that grow by a line at a time: whatever ends a process, all but the last line is whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import IO

import msgspec

from egocross_eval.errors import RunError, UsageError, warn_caller
from egocross_eval.files import open_for_appending, open_regular


def opened(path: Path) -> BufferedReader:
    """A file of the folder, which others may have made: no link out of it is followed. Raises `UsageError`."""
    try:
        return os.fdopen(open_regular(path, follow=False)[0], "rb")
    except OSError as error:
        raise UsageError(f"can't read {path}: {error.strerror or error}") from error


def whole_lines(path: Path, *, warn: bool = False) -> Iterator[tuple[int, int, bytes]]:
    """(number from 1, offset, content) of each line that is written to its end; nothing where there's no file.

    A last one that isn't is being written, or was when a process was killed: where neither is expected, `warn` tells.
    """
    try:
        read = opened(path)
    except UsageError:
        if path.is_file():
            raise
        return
    start = 0
    with read as file:
        for number, line in enumerate(file, 1):
            if _is_whole(line):
                yield number, start, line
            elif warn:
                warn_caller(f"left out: {path}, line {number} is not written to its end")
            start += len(line)


def _is_whole(line: bytes) -> bool:
    """What is torn ends within its JSON; a line that lacks its newline alone, as editors leave it, doesn't."""
    if line.endswith(b"\n"):
        return True
    try:
        msgspec.json.decode(line)
    except (ValueError, RecursionError):
        return False
    return True


def append_to(path: Path) -> IO[bytes]:
    """Opens for appending, unbuffered; cuts off a last line that a killed process left unfinished.

    Raises `RunError`.
    """
    try:
        file = open_for_appending(path)
        size = file.seek(0, os.SEEK_END)
        keep = _end_of_last_line(file, size)
        if keep < size:
            file.seek(keep)
            if _is_whole(file.read()):
                file.write(b"\n")
            else:
                file.truncate(keep)
    except OSError as error:
        raise RunError(f"can't write {path}: {error.strerror or error}") from error
    return file


def _end_of_last_line(file: IO[bytes], size: int) -> int:
    """Offset just after the last newline; 0 where there is none."""
    end = size
    while end > 0:
        start = max(0, end - 65536)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def append_line(file: IO[bytes], path: Path, content: bytes) -> None:
    """Puts a line at the end of such a file by one write, so that a kill can't lose it once this returns.

    Raises `RunError`.
    """
    line = content + b"\n"
    try:
        written = file.write(line)
    except OSError as error:
        raise RunError(f"can't write to {path}: {error.strerror or error}") from error
    if written != len(line):
        raise RunError(f"can't write to {path}: the disk is full")
