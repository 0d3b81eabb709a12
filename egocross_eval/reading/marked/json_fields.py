"""The answer field of a JSON value: which key holds the answer, and what it says."""

from __future__ import annotations

from egocross_eval.reading.extraction import Reading
from egocross_eval.reading.marked.json_text import Field, Region, json_regions
from egocross_eval.reading.marked.slot import Marked, read_slot
from egocross_eval.reading.options import OptionSet
from egocross_eval.reading.patterns import Pattern
from egocross_eval.reading.text.offsets import View

_KEY_TIERS = (
    Pattern(
        r"(?:final|revised|corrected|updated)\w*(?:answer|choice|option|prediction|letter|selection|decision)?|最终答案|最终选项",
        0,
    ),
    Pattern(
        r"(?:(?:the|my|your|correct|predicted|selected|chosen|best|model|true|right|likely)\w{0,12})?(?:answer|ans|answers)(?:choice|letter|option|id|key|label)?|prediction|predictions|predicted|pred|答案|正确答案|"
        r"(?:correct|predicted|selected|chosen|best|right)(?:option|choice|letter|label|class)\w{0,8}",
        0,
    ),
    Pattern(
        r"(?:choice|option|letter|selection|selected|choose|chosen|label|pick|guess|choiceletter|optionletter|optionid|选项|选择|正确选项)",
        0,
    ),
    Pattern(
        r"(?:response|result|output|verdict|conclusion|solution|decision|value|answertext|answervalue|text|content|arguments|return|结论|结果)",
        0,
    ),
)


def json_answers(view: View, options: OptionSet) -> list[Marked]:
    """Every JSON value of a view that has an answer field, or is cut off before it."""
    found = []
    for region in json_regions(view):
        reading = _read_region(view, region, options)
        if reading is not None:
            found.append(Marked(region.start, region.end, "json_field", reading))
    return found


def _read_region(view: View, region: Region, options: OptionSet) -> Reading | None:
    """The reading of a JSON value's answer field; None when it has no such field and is complete."""
    judged = _judged_letters(view, region, options)
    if judged is not None:
        return judged
    unread: Reading | None = None
    for tier in _KEY_TIERS:
        by_field: dict[tuple[str, int], Reading] = {}  # a key given twice in one object: the last value counts
        for field in region.fields:
            if tier.fullmatch(field.key):
                reading = _read_field(view, field, options)
                if reading.letter or reading.reason:
                    by_field[field.key, field.owner] = reading
                unread = unread or reading
        readings = list(by_field.values())
        letters = {reading.letter for reading in readings}
        if len(letters) == 1:
            return _unless_contradicted(view, region, readings[-1], options)
        if len(letters) > 1:
            return Reading(None, (readings[0].span[0], readings[-1].span[1]), "several_letters")
    if unread is not None:
        return unread
    return _unnamed_field(view, region, options)


_TEXT_KEY = Pattern(r"(?:(?:answer|option|choice|selected|predicted)?(?:text|content|value|description|name))", 0)


def _unless_contradicted(view: View, region: Region, reading: Reading, options: OptionSet) -> Reading:
    """The reading, unless another field gives the text of another option: {"answer": "B", "text": "red"}."""
    if reading.letter is None:
        return reading
    for field in region.fields:
        if field.items is None and (_TEXT_KEY.fullmatch(field.key) or any(t.fullmatch(field.key) for t in _KEY_TIERS)):
            value = view.text[field.start : field.end].strip()
            said = options.exact(value) or options.valid(value)
            by_letter = options.valid(value) is not None
            if (
                said
                and not options.alike(said, reading.letter)
                and by_letter != (reading.span[1] - reading.span[0] == 1)
            ):
                return Reading(None, view.span(region.start, region.end), "contradiction")
    return reading


_NO_ANSWER_KEY = Pattern(
    r"(?:confidence|score|prob|grade|rating|difficulty|level|question|id|index|name|domain|type|task)\w*", 0
)


def _unnamed_field(view: View, region: Region, options: OptionSet) -> Reading | None:
    """Without an answer field: the letter under the only key; None for an object that may tell the answer in prose."""
    whole = view.span(region.start, region.end)
    if not region.complete:
        return Reading(None, whole, "unfinished")
    if len(region.fields) == 1 and not _NO_ANSWER_KEY.fullmatch(region.fields[0].key):
        field = region.fields[0]
        if field.items is None and len(view.text[field.start : field.end].strip()) == 1:
            return _read_field(view, field, options)
    return Reading(None, whole) if all(field.end - field.start < 12 for field in region.fields) else None


def _read_field(view: View, field: Field, options: OptionSet) -> Reading:
    if field.items is not None:
        readings = [read_slot(view.slice(*item), options) for item in field.items]
        letters = {reading.letter for reading in readings}
        if len(letters) == 1 and readings:
            return readings[0]
        return Reading(None, view.span(field.start, field.end), "several_letters" if len(letters) > 1 else "")
    if view.text[field.start : field.end].strip().lower() in ("null", "none", "nan"):
        return Reading(None, view.span(field.start, field.end), "refusal")
    return read_slot(view.slice(field.start, field.end), options)


_YES = Pattern(r"\s*(?:true|yes|correct|right|1)\b")
_NO = Pattern(r"\s*(?:false|no|incorrect|wrong|not|0)\b")


def _judged_letters(view: View, region: Region, options: OptionSet) -> Reading | None:
    """An object that marks every letter true or false: the one that is true."""
    judged = [field for field in region.fields if len(field.key) == 1 and options.valid(field.key)]
    if len(judged) < 2:
        return None
    values = [view.text[field.start : field.end] for field in judged]
    right = [field for field, value in zip(judged, values, strict=True) if _YES.match(value)]
    if len(right) == 1 and all(_YES.match(value) or _NO.match(value) for value in values):
        return Reading(
            options.valid(right[0].key), view.span(right[0].key_start, right[0].key_start + len(right[0].key))
        )
    return None
