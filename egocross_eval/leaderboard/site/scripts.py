"""Data as script files that a page opened from disk can load, and names that are safe in paths and links.

A page at `file://` may not fetch its neighbours but may load them as scripts. So each data file is one call,
`egocross.put(name, value)`, whose value is JSON: nothing in it is ever run.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import msgspec

_ESCAPES = {
    b"<": b"\\u003c",
    b">": b"\\u003e",
    b"&": b"\\u0026",
    "\u2028".encode(): b"\\u2028",
    "\u2029".encode(): b"\\u2029",
}
"""In JSON these occur within strings only, where the escape means the same. The first three could end a script or
start a comment if a file were ever put into a page; the others end a line in older JavaScript."""


def data_script(name: str, value: Any) -> bytes:
    """The script that hands `value` (anything msgspec can encode) to the page under `name`."""
    return b"egocross.put(%s, %s);\n" % (_json(name), _json(value))


def _json(value: Any) -> bytes:
    encoded = msgspec.json.encode(value)
    for raw, escaped in _ESCAPES.items():
        encoded = encoded.replace(raw, escaped)
    return encoded


def slug(text: str, taken: set[str]) -> str:
    """A name of letters, digits and hyphens for `text` that isn't in `taken`, to which it's added."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48].strip("-") or "run"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    taken.add(name)
    return name


def utf16_span(text: str, span: tuple[int, int]) -> tuple[int, int]:
    """Offsets of `span` in UTF-16 units, which is what JavaScript counts in, cut to the text."""
    start, end = (max(0, min(len(text), place)) for place in span)
    before = len(text[:start].encode("utf-16-le", "surrogatepass")) // 2
    return before, before + len(text[start : max(start, end)].encode("utf-16-le", "surrogatepass")) // 2
