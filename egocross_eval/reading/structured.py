"""Answers in a marked place: JSON fields, XML-like tags, LaTeX boxes."""

from __future__ import annotations

import re
from typing import NamedTuple

from egocross_eval.reading.jsonish import Field, Region, json_regions
from egocross_eval.reading.options import OptionSet
from egocross_eval.reading.patterns import Pattern, any_of
from egocross_eval.reading.values import Reading, read_value
from egocross_eval.reading.view import View


class Marked(NamedTuple):
    """A marked place in a view: its extent there, the rule that found it and what it holds."""

    start: int
    end: int
    rule: str
    reading: Reading


_TAG_NAME = any_of(
    """
    final[_ -]?answer | answer | ans | final | choice | option | prediction | predicted[_ -]?answer | conclusion
    solution | result | output | response | selected[_ -]?(?:option|answer) | correct[_ -]?(?:option|answer|choice)
    letter | label | verdict | answer[_ -]?choice | answer[_ -]?letter
    """
)
_TAG = Pattern(
    rf"<\s?(?P<slash>/?)\s?(?P<name>{_TAG_NAME})(?:\s(?P<attributes>[^<>\n]{{0,80}}))?\s?/?>"
    r"|<\|(?P<box>begin|end)_of_box\|>|\[(?P<square>/?)(?P<square_name>ANSWER|FINAL|FINAL ANSWER)\]"
)
_ATTRIBUTE = Pattern(r"=\s?[\"']?([A-Za-z])[\"']?(?=\s|/|\Z)", 0)
_BOX = Pattern(r"(?:\\+|\x08|(?<![A-Za-z]))(?:b?oxed|fbox|framebox)\s{0,3}(?:\{|(?=[A-Z]\b))", 0)
_JOINT = Pattern(r"[\s$.)\\]{0,4}(?:,|and|or|/|&|、|和|或)?[\s$(\\]{0,4}(?:and|or)?[\s$(\\]{0,4}", 0)
_BOX_LIMIT = 600


def marked_answers(view: View, options: OptionSet) -> list[Marked]:
    """All marked places in order; those inside another one are left out."""
    found = [*_json(view, options), *_tags(view, options), *_boxes(view, options)]
    found.sort(key=lambda each: (each.start, -each.end))
    kept: list[Marked] = []
    for each in found:
        if kept and each.start < kept[-1].end:
            if (
                kept[-1].reading.letter is None
                and not kept[-1].reading.reason
                and (each.reading.letter or each.reading.reason)
            ):
                kept[-1] = each
            continue
        kept.append(each)
    return kept


def _tags(view: View, options: OptionSet) -> list[Marked]:
    found = []
    opened: re.Match[str] | None = None
    done = 0
    for token in _TAG.finditer(view.text):
        closing = bool(token["slash"] or token["square"] or token["box"] == "end")
        if not closing:
            attribute = _ATTRIBUTE.search(token["attributes"] or "")
            if attribute:
                at = token.start("attributes")
                content = view.slice(at + attribute.start(1), at + attribute.end(1))
                found.append(Marked(token.start(), token.end(), "answer_tag", read_value(content, options)))
            opened = token
        elif opened is not None and _tag_name(opened) == _tag_name(token):
            reading = read_value(view.slice(opened.end(), token.start()), options)
            found.append(Marked(opened.start(), token.end(), "answer_tag", reading))
            opened = None
        elif opened is None and token.start() - done <= 60:
            content = view.slice(done, token.start())
            reading = read_value(content, options)
            if reading.letter is not None:
                found.append(Marked(done, token.end(), "answer_tag", reading))
        done = token.end()
    if opened is not None and opened["square"] is None and len(view.text) - opened.end() <= _BOX_LIMIT:
        reading = read_value(view.slice(opened.end()), options)
        found.append(Marked(opened.start(), len(view.text), "answer_tag", reading))
    return found


def _tag_name(token: re.Match[str]) -> str:
    return (token["name"] or token["square_name"] or "box").lower()


def _boxes(view: View, options: OptionSet) -> list[Marked]:
    found: list[Marked] = []
    at = 0
    while match := _BOX.search(view.text, at):
        stop = _closing_brace(view.text, match.end()) if match[0].endswith("{") else match.end() + 1
        reading = read_value(view.slice(match.end(), stop), options)
        end = min(stop + 1, len(view.text)) if match[0].endswith("{") else stop
        last = found[-1] if found else None
        if (
            last
            and _JOINT.fullmatch(view.text[last.end : match.start()][:40])
            and last.reading.letter != reading.letter
        ):
            joined = Reading(None, (last.reading.span[0], reading.span[1]), "several_letters")
            found[-1] = Marked(last.start, end, "boxed", joined)
        else:
            found.append(Marked(match.start(), end, "boxed", reading))
        at = max(end, match.end())
    return found


def _closing_brace(text: str, start: int) -> int:
    """Where the brace opened just before ``start`` closes; the line's end when it never does."""
    depth = 1
    for at in range(start, min(len(text), start + _BOX_LIMIT)):
        if text[at] == "{":
            depth += 1
        elif text[at] == "}":
            depth -= 1
            if depth == 0:
                return at
    line = text.find("\n", start)
    return min(len(text), start + _BOX_LIMIT) if line < 0 else line


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


def _json(view: View, options: OptionSet) -> list[Marked]:
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
            return readings[-1]
        if len(letters) > 1:
            return Reading(None, (readings[0].span[0], readings[-1].span[1]), "several_letters")
    if unread is not None:
        return unread
    return _unnamed_field(view, region, options)


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
        readings = [read_value(view.slice(*item), options) for item in field.items]
        letters = {reading.letter for reading in readings}
        if len(letters) == 1 and readings:
            return readings[0]
        return Reading(None, view.span(field.start, field.end), "several_letters" if len(letters) > 1 else "")
    if view.text[field.start : field.end].strip().lower() in ("null", "none", "nan"):
        return Reading(None, view.span(field.start, field.end), "refusal")
    return read_value(view.slice(field.start, field.end), options)


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
