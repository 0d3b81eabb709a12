"""Find options named by their place: "the second option", "option 2"."""

from __future__ import annotations

from egocross_eval.reading.options import OptionSet
from egocross_eval.reading.patterns import Pattern, any_of
from egocross_eval.reading.prose.mentions import Mention

_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "last": -1,
    "final": -1,
    "1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "5th": 5, "6th": 6, "7th": 7, "8th": 8,
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10,
}  # fmt: skip
_NTH = any_of(
    "final(?= option| choice) | last"
    " | first | second | third | fourth | fifth | sixth | seventh | eighth | [1-8](?:st|nd|rd|th)"
)
_CARDINAL = any_of("[1-9]\\d? | one | two | three | four | five | six | seven | eight")
_PLACE_NOUN = any_of("options? | choices? | alternatives? | answers? | captions? | sentences? | descriptions?")
_NUMBERED_NOUN = any_of(
    "options? | choices? | alternatives? | captions? | sentences? | descriptions? | answer (?=number|no|#)"
)
_ORDINAL = Pattern(
    rf"\b(?:the\s)?(?P<nth>{_NTH})\s(?:(?:answer|given|listed)\s)?{_PLACE_NOUN}\b(?!\s[A-Z]\b)"
    rf"|\b{_NUMBERED_NOUN}\s?(?:number\s?|no\.?\s?|#\s?)?(?P<number>{_CARDINAL})(?![\w%°/]|\s?[-–]\s?\d|\.\d)"
    rf"|\bthe\s(?P<alone>{_NTH})(?:\sone)?(?=[.!]?\s*\Z)"
    rf"|\b(?:the\s)?(?P<also>{_NTH})(?=,?\s(?:and|or)\s(?:the\s)?{_NTH}\s(?:answer\s)?{_PLACE_NOUN}\b)"
    r"|第\s?(?P<chinese>[一二三四五六七八九十]|\d{1,2})\s?个?\s?(?:选项|项|个答案|种说法|(?=[。.\s]*\Z))"
    r"|(?:选项|选择)\s?(?P<chosen>[一二三四五六七八])(?![个种项])"
)
# Before "the third" or "the third one", where it cannot be a thing that is told about.
_ANSWERING = Pattern(
    r"(?:\A\W{0,4}|\b(?:answer|option|choice)\b[^.\n]{0,30}?(?:\sis|\swould\sbe|:)\s"
    r"|\bi(?:'d|'ll|\swould|\swill)?\s(?:choose|select|go\swith)\s)\Z"
)


def find_ordinals(text: str, options: OptionSet) -> list[Mention]:
    """Every "second option", "option 2", "第二个选项"."""
    found = []
    for match in _ORDINAL.finditer(text):
        if match["alone"] and not _ANSWERING.search(text, 0, match.start()):
            continue
        word = next(group for group in match.groups() if group).lower()
        letter = options.by_number(_ORDINALS.get(word) or int(word))
        found.append(Mention(match.start(), match.end(), match.span(), letter or "?", "ordinal", letter is not None))
    return found
