"""LaTeX boxes: \\boxed{B}, \\boxed{\\text{(B) red}}."""

from __future__ import annotations

from egocross_eval.reading.marked.slot import Marked, read_slot
from egocross_eval.reading.options import OptionSet
from egocross_eval.reading.patterns import Pattern
from egocross_eval.reading.text.offsets import View

_BOX = Pattern(r"(?:\\+|\x08|(?<![A-Za-z]))(?:b?oxed|fbox|framebox)\s{0,3}(?:\{|(?=[A-Z]\b))", 0)
_BOX_LIMIT = 600


def box_answers(view: View, options: OptionSet) -> list[Marked]:
    """Every box of a view."""
    found: list[Marked] = []
    at = 0
    while match := _BOX.search(view.text, at):
        stop = _closing_brace(view.text, match.end()) if match[0].endswith("{") else match.end() + 1
        reading = read_slot(view.slice(match.end(), stop), options)
        end = min(stop + 1, len(view.text)) if match[0].endswith("{") else stop
        found.append(Marked(match.start(), end, "boxed", reading))
        at = max(end, match.end())
    return found


def _closing_brace(text: str, start: int) -> int:
    """Where the brace opened just before `start` closes; the line's end when it never does."""
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
