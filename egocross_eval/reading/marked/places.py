"""All marked places of an output: JSON fields, answer tags and boxes, none inside another."""

from __future__ import annotations

from egocross_eval.reading.extraction import Reading
from egocross_eval.reading.marked.boxes import box_answers
from egocross_eval.reading.marked.json_fields import json_answers
from egocross_eval.reading.marked.slot import Marked
from egocross_eval.reading.marked.tags import tag_answers
from egocross_eval.reading.options import OptionSet
from egocross_eval.reading.patterns import Pattern
from egocross_eval.reading.text.offsets import View

_JOINT = Pattern(r"[\s$.)\\]{0,4}(?:,|and|or|/|&|、|和|或)?[\s$(\\]{0,4}(?:and|or)?[\s$(\\]{0,4}", 0)


def marked_answers(view: View, options: OptionSet) -> list[Marked]:
    """All marked places in order, those inside another left out; side by side they are one answer."""
    found = [*json_answers(view, options), *tag_answers(view, options), *box_answers(view, options)]
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
        if kept and _is_joint(view, kept[-1], each):
            span = (kept[-1].reading.span[0], each.reading.span[1])
            kept[-1] = Marked(kept[-1].start, each.end, each.rule, Reading(None, span, "several_letters"))
        else:
            kept.append(each)
    return kept


def _is_joint(view: View, one: Marked, two: Marked) -> bool:
    gap = view.text[one.end : two.start][:40]
    differ = None not in (one.reading.letter, two.reading.letter) and one.reading.letter != two.reading.letter
    return differ and one.rule == two.rule != "json_field" and _JOINT.fullmatch(gap) is not None
