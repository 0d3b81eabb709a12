"""Replaces the leaderboard between two markers of an existing file, e.g. of a README."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egocross_eval.errors import UsageError
from egocross_eval.files import read_bytes, write_file

if TYPE_CHECKING:
    from pathlib import Path

START = "<!-- egocross-eval:leaderboard:start -->"
END = "<!-- egocross-eval:leaderboard:end -->"


def replace_between(text: str, content: str, *, where: str = "the text") -> str:
    """`text` with `content` between its two markers, which stay; all else is kept byte for byte.

    Raises `UsageError`, naming `where`, unless there is exactly one start marker with exactly one end marker after
    it, or if `content` itself holds a marker.
    """
    if START in content or END in content:
        raise UsageError("the leaderboard itself holds one of the markers (in a model's name?); rename that model")
    for marker in (START, END):
        if (count := text.count(marker)) != 1:
            raise UsageError(f"{where} must hold the line {marker} once, and has it {count} times; nothing was changed")
    before, _, rest = text.partition(START)
    if END not in rest:
        raise UsageError(f"{where} has the end marker before the start marker; nothing was changed")
    newline = "\r\n" if f"{START}\r\n" in text else "\n"
    body = content.strip("\n").replace("\n", newline)
    return f"{before}{START}{newline}{newline}{body}{newline}{newline}{END}{rest.partition(END)[2]}"


def update_file(path: Path, content: str) -> bool:
    """Puts `content` between the markers of `path`, in one step; returns whether the file changed.

    Raises `UsageError` if the file can't be read or its markers aren't right (see `replace_between`).
    """
    try:
        old = read_bytes(path).decode("utf-8")  # with the byte-order mark that it may have
    except UnicodeDecodeError as error:
        raise UsageError(f"can't read {path}: it is not UTF-8") from error
    new = replace_between(old, content, where=str(path))
    if new != old:
        write_file(path.resolve(), new)  # the user named it, link or not
    return new != old
