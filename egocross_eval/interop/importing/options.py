"""How a question's options stood where an answer was given, as far as the log tells: in the words that were asked, and
in fields of its own. Letters mean what stood beside them there."""

from __future__ import annotations

import ast
import contextlib
import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from egocross_eval.contracts.importer import ForeignAnswer
from egocross_eval.reading.response import read_response
from egocross_eval.schema import Question, Response

Trouble = Literal["", "other_options", "unsure_options", "other_target"]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_LABELS = (tuple(LETTERS), tuple(LETTERS.lower()), tuple(str(number) for number in range(1, 27)))
"""Labels that options can have, in their order."""

_ON_A_LINE = re.compile(
    r"^[^\w\n]*(?:(?:option|choice)\s+)?([A-Za-z]|\d{1,2})(?:[^\w\s]{0,3}\s+(?:[-–—|=]+\s+)?|[^\w\s]{1,3})",
    re.MULTILINE | re.IGNORECASE,
)
_WITHIN = re.compile(r"(?<![\w'’])[(\[<\"'*]{0,3}([A-Za-z]|\d{1,2})[^\w\s]{0,2}[)\].:=|>][\"'*]{0,2}\s*")
_OWN_LABEL = re.compile(r"\s*\(?([A-Z])[).:]+\s+(.*)", re.DOTALL)
_ESCAPED = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")
_BEHIND = re.compile(
    r"\W*$|[^\w<\[]{0,3}(?:<[^\s<>]+>|\[/?[A-Z_]+\])"
    r"|[^\w\s]{0,3}\s(?:#+\s)?(?:[Pp]lease\b|(?:Answer|ANSWER|Assistant|ASSISTANT|Response)\b|[A-Z]\w*,?\s[a-z])"
)
"""What may stand behind an option's text and is none of it: signs alone, a tag or mark of a chat's template, or the
next sentence."""
_AROUND = " \t\r\n\"'*_`.,;{}"
"""What may stand around an option's text."""

_FIELDS = ("options", "choices")
_CELL = 10_000
"""Most characters of a cell that holds a list."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How the options stood."""

    shown: dict[str, str] | None = None
    """The question's options by the label that each had, where they stood in another order."""
    trouble: Trouble = ""
    """Why the answer isn't surely one to this question: its options were others, or may have been; or another one is
    right there."""
    told: bool = False
    """Whether the log tells the options."""


def standing(answer: ForeignAnswer, question: Question) -> Standing:
    """How the question's options stood where it was answered, by all that the log tells."""
    texts = _Texts(question.options or question.hidden_options)
    told = _asked(answer.prompt, question.text, texts)
    if not question.options:
        return Standing(trouble="other_options" if any(told) else "")  # closed there, open here
    if answer.options:
        told.append(texts.stood(answer.options))
    known = [found for found in told if found is not None]
    if len(known) < len(told):
        return Standing(trouble="other_options")
    if any(found != known[0] or set(found) != set(question.options) for found in known):
        return Standing(trouble="unsure_options")
    shown = known[0] if known else question.options
    if not _same_right(answer.target, question, shown, told=bool(known)):
        return Standing(trouble="other_target")
    same = all(question.options[label] == text for label, text in shown.items())
    return Standing(shown=None if same else shown, told=bool(known))


def told_options(entry: Mapping[str, Any]) -> dict[str, str]:
    """The options by label that an entry has: under `options` or `choices`, or in columns A, B, C ...; else none."""
    for name in _FIELDS:
        if found := listed_options(entry.get(name)):
            return found
    columns = [(letter, _text(entry[letter])) for letter in LETTERS if letter in entry]
    return {letter: text for letter, text in columns if text}


def listed_options(value: Any) -> dict[str, str]:
    """Options by label in a list of texts, with their labels or without, in a mapping, in lists of both, or in any of
    these as a text; else none."""
    if isinstance(value, str):
        value = _written(value)
    if isinstance(value, Mapping):
        if isinstance(value.get("text"), list) and isinstance(value.get("label"), list):
            pairs = zip(value["label"], value["text"], strict=False)
            return {str(label): _text(text) for label, text in pairs}
        return {str(label): _text(text) for label, text in value.items() if _text(text)}
    texts = [_text(one) for one in value] if isinstance(value, list) else []
    if not all(texts) or len(texts) > len(LETTERS):
        return {}
    matches = [_OWN_LABEL.match(text) for text in texts]
    if all(match and match[1] == letter for match, letter in zip(matches, LETTERS, strict=False)):
        texts = [match[2] for match in matches if match]
    return dict(zip(LETTERS, texts, strict=False))


def unescaped(prompt: str) -> str:
    """A prompt with the line breaks and characters that it has as JSON escapes them, within JSON."""
    return _ESCAPED.sub(lambda escaped: str(json.loads(f'"{escaped[0]}"')), prompt.replace("\\n", "\n"))


def _written(text: str) -> Any:
    """The list or mapping that a cell of a table holds as JSON or as Python writes it; None for other texts."""
    if len(text) <= _CELL and text.lstrip()[:1] in ("[", "{"):
        for reader in (json.loads, ast.literal_eval):
            # TypeError: Python's words for a set of lists, and the like.
            with contextlib.suppress(ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
                return reader(text.strip())
    return None


def told_target(value: Any) -> str:
    """The right answer in a field of that value; empty where it holds no single one."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return _text(value)


def _text(value: Any) -> str:
    """A cell's text; spreadsheets keep whole numbers as 3.0."""
    if isinstance(value, float):
        value = int(value) if value.is_integer() else "" if math.isnan(value) else str(value)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


class _Texts:
    """A question's options, found by their texts."""

    def __init__(self, options: Mapping[str, str]) -> None:
        self._texts = list(options.values())
        self._plain = {text: _plain(text) for text in self._texts}
        if len(set(self._plain.values())) != len(self._plain):
            self._plain = {text: _spaced(text) for text in self._texts}
        self._make = _plain if all(_plain(text) == plain for text, plain in self._plain.items()) else _spaced
        self._own = {plain: text for text, plain in self._plain.items()}

    def find(self, text: str) -> str | None:
        """The option of that text, as the question has it."""
        return self._own.get(self._make(text))

    def opening(self, text: str) -> str | None:
        """The longest option that a text begins with, where what is behind it is none of an option."""
        made = self._make(text)
        own = [plain for plain in self._own if made.startswith(plain) and _BEHIND.match(made[len(plain) :])]
        return self._own[max(own, key=len)] if own else None

    def in_other_order(self, text: str) -> bool:
        """Whether all options stand in a text, and not in their order."""
        words = [rf"(?<!\w){re.escape(_plain(one))}(?!\w)" for one in self._texts]
        spaced, end = _spaced(text), 0
        if not all(re.search(word, spaced) for word in words):
            return False
        for word in words:
            found = re.compile(word).search(spaced, end)
            if found is None:
                return True
            end = found.end()
        return False

    def stood(self, options: Mapping[str, str]) -> dict[str, str] | None:
        """The question's options by those labels; None where they aren't the same, each as often."""
        found = {label: self.find(text) for label, text in options.items()}
        known = {label: text for label, text in found.items() if text is not None}
        same = len(known) == len(found) and Counter(known.values()) == Counter(self._texts)
        return known if same else None


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _plain(text: str) -> str:
    return _spaced(text).strip(_AROUND) or _spaced(text)


_Stood = dict[str, str] | None
"""The question's options by label; empty where it isn't sure which list is the question's, None for other options."""


def _asked(prompt: str, text: str, texts: _Texts) -> list[_Stood]:
    """What the lists of options say that belong to the question: those behind its words where these stand last, or
    before them.

    Where some list the question's options, others are no lists of options: prose has letters too. Without any list, the
    options' texts in another order leave it open.
    """
    for segment, behind in _segments(unescaped(prompt), text):
        stood = [(block[0][0].isalpha(), _stood(block, texts)) for block in _blocks(segment)]
        own = [found for _, found in stood if found is not None]
        lettered = [found for is_letter, found in stood if is_letter]
        # In front of the question, examples may stand: with several lists, which is its own isn't sure.
        if own and not behind and any(found != own[0] for found in lettered):
            return [{}]
        if own or lettered:
            return [*own] or [None]
        if texts.in_other_order(segment):
            return [{}]
    return []


def _segments(prompt: str, text: str) -> Iterator[tuple[str, bool]]:
    """The parts of a prompt behind each occurrence of the question, the last one first, then what stands before."""
    words = r"\s+".join(re.escape(word) for word in text.split())
    found = list(re.finditer(words, prompt, re.IGNORECASE)) if words else []
    ends = [*(match.start() for match in found[1:]), len(prompt)]
    for match, end in reversed(list(zip(found, ends, strict=False))):
        yield prompt[match.end() : end], True
    yield prompt[: found[0].start()] if found else prompt, not found


_Listed = list[tuple[str, list[str]]]
"""Labels with what may be their texts, the whole first."""


def _blocks(segment: str) -> list[_Listed]:
    """Lists of options, one on a line and within lines. Numbers count instructions too."""
    return [
        block
        for marker, whole_lines in ((_ON_A_LINE, True), (_WITHIN, False))
        for labels in _LABELS
        for block in _in_order(list(marker.finditer(segment)), labels, segment, whole_lines)
    ]


def _in_order(
    marks: list[re.Match[str]], labels: tuple[str, ...], segment: str, whole_lines: bool
) -> Iterator[_Listed]:
    """Runs of marks with the labels in their order, from the first on."""
    runs: list[list[re.Match[str]]] = []
    for mark in marks:
        if mark[1] == labels[0]:
            runs.append([mark])
        elif runs and len(runs[-1]) < len(labels) and mark[1] == labels[len(runs[-1])]:
            runs[-1].append(mark)
    for run, after in itertools.zip_longest(runs, runs[1:]):
        end = after[0].start() if after else len(segment)
        ends = [*(mark.start() for mark in run[1:]), end]
        listed = [(mark[1], segment[mark.end() : stop]) for mark, stop in zip(run, ends, strict=True)]
        block = [*((label, [text]) for label, text in listed[:-1]), (listed[-1][0], _last(listed[-1][1], whole_lines))]
        # Within a line, letters that nothing stands at are only named: (A), (B), (C) or (D).
        if len(block) > 1 and (whole_lines or all(_plain(found[0]).strip("()[]") for _, found in block)):
            yield block


def _last(text: str, whole_lines: bool) -> list[str]:
    """What the last option's text may be: it ends with its paragraph, or with its line."""
    paragraph = re.split(r"\n\s*\n", text.strip())[0]
    line = text.strip().partition("\n")[0]
    return [paragraph, line] if whole_lines else [line]


def _stood(block: _Listed, texts: _Texts) -> _Stood:
    found = {
        label: next((own for read in (texts.find, texts.opening) for one in candidates if (own := read(one))), "")
        for label, candidates in block
    }
    return texts.stood(found)


def _same_right(target: str, question: Question, shown: Mapping[str, str], *, told: bool) -> bool:
    """Whether the right answer there, where both are known, is an option that is right here."""
    accepted = {question.options[label] for label in question.accepted()}
    if not target.strip() or not accepted:
        return True
    right = _right(target, shown)
    return bool(right & accepted) if right else told or target.strip().isdigit()


def _right(target: str, shown: Mapping[str, str]) -> set[str]:
    """The options that a target may be: by its text, its label, or both in words. A number that is an option's text may
    also be an option's place, from 0 on."""
    plain = target.strip().strip("()[].:").casefold()
    label = next((label for label in shown if label.casefold() == plain), None)
    if label is None and (own := _Texts(shown).find(target)) is not None:
        places = {str(place): text for place, text in enumerate(shown.values())}
        return {own, places.get(plain, own)}
    if label is None:
        label = read_response(Response(key="", text=target), shown, tuple(shown)).label
    return {shown[label]} if label is not None else set()
