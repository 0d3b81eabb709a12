"""Find JSON in a text, tolerantly: fenced or not, single quotes, bare keys, unescaped quotes, cut off in the middle."""

from __future__ import annotations

from typing import NamedTuple

from egocross_eval.reading.patterns import Pattern
from egocross_eval.reading.text.offsets import View

_MAX_OBJECTS = 60
_MAX_DEPTH = 12


class Field(NamedTuple):
    """A key (lower case, letters only), where its value stands in the view and which object owns it (its offset).

    `items` holds the members of a list.
    """

    key: str
    key_start: int
    start: int
    end: int
    owner: int
    items: tuple[tuple[int, int], ...] | None = None


class Region(NamedTuple):
    """One outermost object with all its fields, nested ones included; `complete` unless the text ends inside it."""

    start: int
    end: int
    fields: tuple[Field, ...]
    complete: bool


_OPENING = Pattern(r"\{\s{0,40}(?:\\?[\"']|[A-Za-z\u4e00-\u9fff_]{2,30}\s?:)|\[\s{0,20}(?=[\"'{])", 0)
_KEY = Pattern(
    r"[\s,;]*(?:\\?\"([^\"\\\n]{1,60})\\?\"|'([^'\n]{1,60})'|([A-Za-z_\u4e00-\u9fff][\w \-\u4e00-\u9fff]{0,40}))"
    r"\s{0,10}[:=]\s{0,40}",
    0,
)
_VALUE_END = r"(?=\s{0,20}(?:,\s{0,20}(?:[\"'{\[\d\w]|\Z|[}\]])|[}\]]|\Z|;|//)|[ \t\r]{0,20}\n\s{0,20}[\"'}])"
_STRING_END = Pattern(rf"(?<!\\)\"{_VALUE_END}", 0)
_SINGLE_END = Pattern(rf"(?<!\\)'{_VALUE_END}", 0)
_ESCAPED_END = Pattern(r"\\\"(?=\s{0,20}(?:\\n\s{0,20})?(?:,|[}\]]|\Z))", 0)
_SEPARATORS = Pattern(r"[\s,;]*", 0)
_ALONE = Pattern(r"\s{0,20}(?:```\w{0,10}\s{0,20})?", 0)
_BARE = Pattern(r"[^,}\]\n]*", 0)
_NAME = Pattern(r"[^a-z\u4e00-\u9fff]", 0)


def json_regions(view: View) -> list[Region]:
    """The outermost JSON-like objects of a view in order (at most 60 are looked at)."""
    regions: list[Region] = []
    at = 0
    for _ in range(_MAX_OBJECTS):
        opening = _OPENING.search(view.text, at)
        if opening is None:
            break
        if view.text[opening.start()] == "[" and not _ALONE.fullmatch(view.text[: opening.start()]):
            at = opening.start() + 1
            continue
        reader = _Reader(view.text)
        end = reader.value(opening.start(), "", opening.start(), 0)
        if reader.fields:
            regions.append(Region(opening.start(), end, tuple(reader.fields), reader.complete))
            at = max(end, opening.end())
        else:
            at = opening.start() + 1
    return regions


class _Reader:
    """Walks one JSON value, keeping the fields it meets; never raises."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.fields: list[Field] = []
        self.complete = True
        self._owner = -1

    def value(self, at: int, key: str, key_start: int, depth: int) -> int:
        """Read the value at `at` for a key; returns the offset behind it."""
        char = self.text[at : at + 1]
        if char == "{" and depth < _MAX_DEPTH:
            return self._object(at, depth)
        if char == "[" and depth < _MAX_DEPTH:
            return self._list(at, key, key_start, depth)
        start, end, after = self._scalar(at)
        if key:
            self.fields.append(Field(key, key_start, start, end, self._owner))
        return after

    def _object(self, at: int, depth: int) -> int:
        outer, self._owner = self._owner, at
        at += 1
        while True:
            match = _KEY.match(self.text, at)
            if match is None:
                self._owner = outer
                return self._close(at, "}")
            group = match.lastindex or 1
            key = _NAME.sub("", match[group].lower())
            at = self.value(match.end(), key or "-", match.start(group), depth + 1)

    def _skip(self, at: int) -> int:
        found = _SEPARATORS.match(self.text, at)
        return found.end() if found else at

    def _close(self, at: int, bracket: str) -> int:
        at = self._skip(at)
        if self.text[at : at + 1] == bracket:
            return at + 1
        if at >= len(self.text):
            self.complete = False
        return at

    def _list(self, at: int, key: str, key_start: int, depth: int) -> int:
        items: list[tuple[int, int]] = []
        begin = at
        at += 1
        while True:
            at = self._skip(at)
            char = self.text[at : at + 1]
            if char in ("", "]"):
                break
            if char in "{[" and depth < _MAX_DEPTH - 1:
                at = self.value(at, key, key_start, depth + 1)
                continue
            start, end, after = self._scalar(at)
            if after <= at:
                break
            items.append((start, end))
            at = after
        end = self._close(at, "]")
        if items:
            self.fields.append(Field(key or "answer", key_start, begin, end, self._owner, tuple(items)))
        return end

    def _scalar(self, at: int) -> tuple[int, int, int]:
        """Offsets of a scalar's content and the offset behind it."""
        char = self.text[at : at + 1]
        if char == "\\" and self.text[at + 1 : at + 2] == '"':
            ending = _ESCAPED_END.search(self.text, at + 2)
            if ending:
                return at + 2, ending.start(), ending.end()
            char, at = '"', at + 1
        if char in ('"', "'") and char:
            ending = (_STRING_END if char == '"' else _SINGLE_END).search(self.text, at + 1)
            if ending is None:
                self.complete = False
                return at + 1, len(self.text), len(self.text)
            return at + 1, ending.start(), ending.end()
        match = _BARE.match(self.text, at)
        end = match.end() if match else at
        if end >= len(self.text):
            self.complete = False
        return at, end, end
