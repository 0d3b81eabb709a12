"""Answer tags: <answer>B</answer>, [ANSWER]B[/ANSWER], <option letter="B"/>, [[B]]."""

from __future__ import annotations

import re

from egocross_eval.reading.marked.slot import Marked, read_slot
from egocross_eval.reading.options import OptionSet
from egocross_eval.reading.patterns import Pattern, any_of
from egocross_eval.reading.text.offsets import View

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
_OPEN_TAG_LIMIT = 600
_DOUBLE_BRACKETS = Pattern(r"\[\[([^\[\]\n]{1,60})\]\]", 0)


def tag_answers(view: View, options: OptionSet) -> list[Marked]:
    """Every answer tag of a view: closed, by the opening mark again too, left open at the end, or only closed."""
    found = [
        Marked(*match.span(), "answer_tag", read_slot(view.slice(*match.span(1)), options))
        for match in _DOUBLE_BRACKETS.finditer(view.text)
    ]
    opened: re.Match[str] | None = None
    done = 0
    for token in _TAG.finditer(view.text):
        again = opened is not None and token[0] == opened[0] and token.start() - opened.end() <= 60
        closing = bool(token["slash"] or token["square"] or token["box"] == "end" or again)
        if not closing:
            attribute = _ATTRIBUTE.search(token["attributes"] or "")
            if attribute:
                at = token.start("attributes")
                content = view.slice(at + attribute.start(1), at + attribute.end(1))
                found.append(Marked(token.start(), token.end(), "answer_tag", read_slot(content, options)))
            opened = token
        elif opened is not None and _tag_name(opened) == _tag_name(token):
            reading = read_slot(view.slice(opened.end(), token.start()), options)
            found.append(Marked(opened.start(), token.end(), "answer_tag", reading))
            opened = None
        elif opened is None and token.start() - done <= 60:
            content = view.slice(done, token.start())
            reading = read_slot(content, options)
            if reading.letter is not None:
                found.append(Marked(done, token.end(), "answer_tag", reading))
        done = token.end()
    if opened is not None and opened["square"] is None and len(view.text) - opened.end() <= _OPEN_TAG_LIMIT:
        reading = read_slot(view.slice(opened.end()), options)
        found.append(Marked(opened.start(), len(view.text), "answer_tag", reading))
    return found


def _tag_name(token: re.Match[str]) -> str:
    return (token["name"] or token["square_name"] or "box").lower()
