"""Text of others as it may be shown: nothing in it moves a cursor, fills a clipboard or turns letters round."""

from __future__ import annotations

import functools
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
# Control characters but line feed and tab; marks of direction; separators of lines and paragraphs.
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_FIRST_PICTURE = 0x2400
"""The control pictures of Unicode stand in the order of the characters that they show."""


def visible(text: str) -> str:
    """`text` with a visible character in place of each that a terminal or a reader would obey; colours are dropped.

    As many characters as before, but for colours: tables keep their columns.
    """
    if "\x1b" in text:
        text = _COLOUR.sub("", text)
    return _HIDDEN.sub(_picture, text.replace("\r\n", "\n"))


def on_one_line(text: str) -> str:
    """`text` on one line: white space and all that `visible` would show become single spaces."""
    return " ".join(_HIDDEN.sub(" ", text).split())


def visible_json(content: str) -> str:
    """JSON in which such characters are written as escapes, which says the same."""
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", content)


def json_text(value: Any) -> str:
    """`value` as indented JSON for a screen or a pipe, such characters as escapes."""
    import msgspec

    return visible_json(msgspec.json.format(msgspec.json.encode(value, enc_hook=_path_text), indent=2).decode())


def _path_text(value: object) -> str:
    if isinstance(value, Path):
        # JSON can't have the bytes of a name that is no text.
        return str(value).encode(errors="replace").decode()
    raise NotImplementedError(f"{type(value).__name__} has no form in JSON")


def rich_console(**settings: Any) -> Console:
    """A console of rich, which draws by escapes of its own and lets none through that are in a text."""
    stream = sys.stderr if settings.get("stderr") else sys.stdout
    while hasattr(stream, "rich_proxied_file"):
        # A bar puts a stream of its own before ours, and rich looks behind one alone.
        stream = stream.rich_proxied_file
    return _console_type()(**{"file": stream, **settings})


@functools.cache
def _console_type() -> type[Console]:
    from rich.console import Console

    class VisibleConsole(Console):
        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
            for segment in super().render(renderable, options):
                yield segment if segment.control else segment._replace(text=visible(segment.text))

    return VisibleConsole


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    return chr(_FIRST_PICTURE + code) if code < 0x20 else "␡" if code == 0x7F else "�"
