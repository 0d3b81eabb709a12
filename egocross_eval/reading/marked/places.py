"""All marked places of an output: JSON fields, answer tags and boxes, none inside another."""

from __future__ import annotations

from egocross_eval.reading.marked.boxes import box_answers
from egocross_eval.reading.marked.json_fields import json_answers
from egocross_eval.reading.marked.slot import Marked
from egocross_eval.reading.marked.tags import tag_answers
from egocross_eval.reading.options import OptionSet
from egocross_eval.reading.text.offsets import View


def marked_answers(view: View, options: OptionSet) -> list[Marked]:
    """All marked places in order; those inside another one are left out."""
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
        kept.append(each)
    return kept
