"""Tables and texts that fit the terminal, and what makes any terminal fit to be written to."""

from __future__ import annotations

import codecs
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, TextIO, cast

from egocross_eval.counted import counted
from egocross_eval.visible import visible

NARROWEST = 40
PIPED = 120
"""Columns where the output is no terminal and COLUMNS isn't set."""

_GAP = 2
_PADDING = 2
"""Characters that tabulate keeps beside a heading."""

_LEAST = 16
"""Characters that a column that's wrapped keeps, unless it needs less."""

_CURSOR_UP = re.compile(r"(?:\x1b\[A)+")
_LINK = re.compile(r"\[((?:\\.|[^\]\\])*)\]\([^)]*\)")


def settle_terminal() -> None:
    """Makes every terminal one that can be written to: whatever is written is `visible`, letters that its encoding
    lacks are replaced, and a width of nothing isn't believed."""
    for name in ("COLUMNS", "LINES"):
        if name in os.environ and not (os.environ[name].isdecimal() and int(os.environ[name])):
            del os.environ[name]
    _open_closed_streams()
    sys.stdout, sys.stderr = _settled(sys.stdout), _settled(sys.stderr, fitted=True)


def _open_closed_streams() -> None:
    """Standard streams that were closed (`>&-`) lead nowhere: the next file that's opened would be in their place."""
    while (place := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(place)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115


def _settled(stream: TextIO, *, fitted: bool = False) -> TextIO:
    if isinstance(stream, _VisibleStream):
        return stream
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        # Click would write past us, as UTF-8, to a stream that takes ASCII alone.
        ascii_only = codecs.lookup(stream.encoding or "ascii").name == "ascii"
        reconfigure(errors="replace", encoding="utf-8" if ascii_only else None)
    return cast(TextIO, _VisibleStream(stream, fitted=fitted and stream.isatty()))


class _VisibleStream:
    """A stream that everything goes through which is written as text: verbs, plugins, warnings, errors, tracebacks."""

    def __init__(self, stream: TextIO, *, fitted: bool) -> None:
        self.rich_proxied_file = stream
        """By this name rich finds the stream that it draws on; texts in what it draws, see `rich_console`."""
        self._fitted = fitted

    def write(self, text: str) -> int:
        """Writes `text` as it may be shown. Bars of progress go back to the beginning of a line, and lines up."""
        if not _CURSOR_UP.fullmatch(text):
            back = text[:1] == "\r"
            text = "\r" * back + visible(text[back:])
        if self._fitted:
            text = "\n".join(map(_fitting, text.split("\n")))
        return self.rich_proxied_file.write(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Writes one after the other."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)


def _fitting(line: str) -> str:
    """A line for people, broken between words at the screen's edge; code and tracebacks, which are indented, aren't."""
    return line if len(line) < screen_width() or line[:1].isspace() else wrapped(line)


def screen_width() -> int:
    """Columns that a line may take."""
    fallback = 80 if sys.stdout.isatty() or sys.stderr.isatty() else PIPED
    return max(NARROWEST, shutil.get_terminal_size((fallback, 24)).columns)


def fitted_table(
    rows: Sequence[Sequence[str]], headers: Sequence[str], *, wrap: int = 0, right: str = "", drop: int = 0
) -> str:
    """A plain table of at most the screen's width.

    Where it must be, up to `drop` columns go, the last ones first, and the column `wrap` is broken between words.
    `right` has an `r` at the places of columns of numbers.
    """
    from tabulate import tabulate

    wrap %= len(headers)
    widths = [
        max(len(name) + _PADDING, *(len(line) for row in rows for line in row[at].split("\n")), 0)
        for at, name in enumerate(headers)
    ]
    count = len(headers)
    while _room(widths[:count], wrap) < min(_LEAST, widths[wrap]) and count > len(headers) - drop:
        count -= 1
    room = _room(widths[:count], wrap)
    if room < min(_LEAST, widths[wrap]):
        table = _stacked([row[:count] for row in rows], headers[:count], wrap)
    else:
        table = tabulate(
            [[_broken(cell, room) if at == wrap else cell for at, cell in enumerate(row[:count])] for row in rows],
            headers=list(headers[:count]),
            disable_numparse=True,
            colalign=["right" if letter == "r" else "left" for letter in right.ljust(count)[:count]],
        )
    gone = [name for name in headers[count:] if name]
    return table + ("\n" + wrapped(f"(no room for: {', '.join(gone)})") if gone else "")


def _broken(text: str, width: int) -> str:
    """`text` in lines of at most `width` characters: broken between words, names behind their marks, and only what has
    neither within."""
    lines = [""]
    for piece in re.findall(r"\n|[^\S\n]+|[^\s/_,=-]*[/_,=-]|[^\s/_,=-]+", text):
        if piece == "\n" or len(lines[-1]) + len(piece.rstrip()) > width:
            lines.append("")
        kept = piece.lstrip() if not lines[-1] else piece
        while len(kept) > width:
            lines[-1], kept = kept[:width], kept[width:]
            lines.append("")
        lines[-1] += kept
    return "\n".join(line.rstrip() for line in lines)


def _room(widths: Sequence[int], wrap: int) -> int:
    """Characters that the other columns leave to the one that's wrapped."""
    return screen_width() - sum(widths) + widths[wrap] - _GAP * (len(widths) - 1)


def _stacked(rows: Sequence[Sequence[str]], headers: Sequence[str], wrap: int) -> str:
    """Where the columns leave no room for the text: it stands below each row."""
    from tabulate import tabulate

    others = [at for at in range(len(headers)) if at != wrap]
    table = tabulate(
        [[row[at] for at in others] for row in rows], [headers[at] for at in others], disable_numparse=True
    ).splitlines()
    lines = table[:2]
    for line, row in zip(table[2:], rows, strict=True):
        lines.append(line)
        lines += [f"    {piece}" for piece in textwrap.wrap(row[wrap], screen_width() - 4)]
    return "\n".join(lines)


def described(pairs: Iterable[tuple[str, str]], *, indent: int = 0) -> str:
    """Names and what they are, one below the other, the texts broken between words."""
    listed = list(pairs)
    column = indent + max((len(name) for name, _ in listed), default=0) + _GAP
    return "\n".join(
        wrapped(text, first=f"{'':{indent}}{name}".ljust(column), rest=" " * column) for name, text in listed
    )


def wrapped(text: str, *, first: str = "", rest: str = "") -> str:
    """`text` broken between words at the screen's edge; `first` and `rest` begin its lines."""
    return textwrap.fill(
        text,
        screen_width() - 1,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def shortened(text: str, width: int) -> str:
    """`text` in at most `width` characters, its middle left out: names differ at their ends."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[-tail:]}"


def size_text(size: int) -> str:
    """`1.05 GB`, `12.3 MB`, `40 kB`."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale:
            return f"{size / scale:.3g} {unit}"
    return counted(size, "byte")


def on_screen(markdown: str) -> str:
    """Markdown as it is read on a terminal: no escapes, no marks, tables that fit. As it is where there's none."""
    if not sys.stdout.isatty():
        return markdown
    return "\n\n".join(_block(block.splitlines()) for block in markdown.strip("\n").split("\n\n")) + "\n"


def _block(lines: list[str]) -> str:
    if len(lines) > 1 and lines[0].startswith("|"):
        headers, marks, *rows = (
            [_plain(cell) for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])] for line in lines
        )
        right = "".join("r" if mark.endswith(":") else "l" for mark in marks)
        # Ranks stand before the names, which may be long.
        return fitted_table(rows, headers, wrap=right.index("l"), right=right, drop=max(0, len(headers) - 4))
    return "\n".join(wrapped(_plain(line), rest="  " if line.startswith("- ") else "") for line in lines)


def _plain(text: str) -> str:
    import html

    text = _LINK.sub(r"\1", text.strip())
    text = re.sub(r"(?<!\\)\*\*", "", text)
    return html.unescape(re.sub(r"\\([\\`*_\[\]|~])", r"\1", text))
