"""Lists of options in a text: their labels, whether a list chooses or only goes through them, lists that judge each."""

from __future__ import annotations

import re
from typing import NamedTuple

from egocross_eval.reading.options import OptionSet
from egocross_eval.reading.patterns import Pattern
from egocross_eval.reading.prose.mentions import Group


class Line(NamedTuple):
    """A line by its offsets in the text, outer blanks left out."""

    start: int
    end: int


def lines(text: str) -> list[Line]:
    """The lines that hold more than blanks."""
    return [Line(match.start(), match.end()) for match in re.finditer(r"\S(?:[^\n]*[^\s])?", text)]


_LABEL_LINE = Pattern(r"(?:\A|\n)[\s\-+*•]{0,8}\Z", 0)
_LABEL_TAIL = Pattern(r"\s?(?:[.):,]|--?|–|—)|\s*(?:\n|\Z)", 0)


def label_groups(text: str, groups: list[Group]) -> list[Group]:
    """The groups that stand as a label at the start of a line: "A. red", "(B) blue", "- **C**: green"."""
    found = []
    for group in groups:
        first = group.mentions[0]
        if first.kind not in ("marked", "bare", "lower") or not _LABEL_LINE.search(
            text[max(0, group.start - 12) : group.start]
        ):
            continue
        behind = first.core[1]
        if (first.end > behind and text[behind : first.end].strip()) or _LABEL_TAIL.match(text, behind):
            found.append(group)
    return found


_ITEM = Pattern(r"[)\]:]\s?\S|\.\s[A-Z]", 0)
_ITEM_AHEAD = Pattern(r"[.;,]\s\Z|[^\W\d]\s(?=[(\[])\Z", 0)


def is_item(text: str, labels: list[Group], group: Group) -> bool:
    """Whether a group labels an item, at the start of its line or of a sentence: "(A) red. (B) blue"."""
    if group in labels:
        return True
    first = group.mentions[0]
    if first.kind not in ("marked", "bare") or not _ITEM.match(text, first.core[1]):
        return False
    ahead = text[max(0, group.start - 2) : group.start]
    return bool(_ITEM_AHEAD.search(ahead)) or (first.own and ahead.endswith(" "))


def is_listing(text: str, labels: list[Group], group: Group, options: OptionSet) -> bool:
    """Whether a group is one item of a list that goes through the options instead of choosing one."""
    inline = _inline_run(text, group, options)
    if inline:
        return True
    if group not in labels:
        return False
    at = labels.index(group)
    return _follows(text, labels, at, options) or (at > 0 and _follows(text, labels, at - 1, options))


def _follows(text: str, labels: list[Group], at: int, options: OptionSet) -> bool:
    """Whether label `at` and the next one are neighbours in the alphabet and in the text."""
    if at + 1 >= len(labels):
        return False
    one, two = labels[at].mentions[0].letter, labels[at + 1].mentions[0].letter
    if len(one) != 1 or len(two) != 1 or ord(two.upper()) != ord(one.upper()) + 1:
        return False
    between = text[labels[at].end : labels[at + 1].start]
    if between.count("\n") == between.rstrip(" (\"'[-+*•").count("\n") and not re.search(
        r"\n\s*[^\s\-+*•(\[\"'][^\n]*\n", between
    ):
        return True
    letters = [label.mentions[0].letter for label in labels[at:]]
    return (
        one == options.letters[0]
        and letters[: len(options.letters)] == list(options.letters)
        and not _EXPLAINS.search(between)
    )


_EXPLAINS = Pattern(
    r"\n\s*(?:\W*)(?:explanation|why|reason|rationale|analysis|the other|other options|here's|because|this is)\b",
)


def _inline_run(text: str, group: Group, options: OptionSet) -> bool:
    """Whether a labelled option is followed on its line by the next one: "A. red B. blue"."""
    stop = text.find("\n", group.end)
    line = text[group.end : min(stop if stop >= 0 else len(text), group.end + 2000)]
    letter = group.mentions[0].letter
    if len(letter) != 1 or len(group.letters) > 1 or group.mentions[0].kind != "marked":
        return False
    following = chr(ord(letter.upper()) + 1)
    if options.valid(following) is None:
        return False
    return (
        bool(re.search(rf"(?<![A-Za-z0-9.])(?:\({following}\)|{following}[.):]\s?\S)", line))
        and letter == options.letters[0]
    )


_ENDS_YES = Pattern(r"(?:\b(?:yes|correct|matches|fits|right|true)|[✓✔✅])\W*\Z")
_ENDS_NO = Pattern(r"(?:\b(?:no|incorrect|wrong|false|not correct|no match|out)|[❌✗✘×])\W*\Z")


def listed_verdict(text: str, labels: list[Group]) -> Group | None:
    """The one item of a list that ends with a yes where every other item ends with a no."""
    right, wrong = [], 0
    for place, label in enumerate(labels):
        end = labels[place + 1].start if place + 1 < len(labels) else text.find("\n\n", label.end)
        item = text[label.end : end if end >= 0 else len(text)].rstrip(" \n\t-*•([")[-60:]
        if _ENDS_NO.search(item):
            wrong += 1
        elif _ENDS_YES.search(item):
            right.append(label)
    return right[0] if len(right) == 1 and wrong == len(labels) - 1 > 0 else None
