"""The order in which people expect names with numbers in them."""

from __future__ import annotations

import re

_DIGITS = re.compile(r"([0-9]+)")


def natural_key(name: str) -> tuple[tuple[tuple[int, str] | str, ...], str]:
    """Sort key in which runs of digits count as numbers: `f_2` before `f_10`. Different names are never equal."""
    # Text and digits alternate, starting with text, so that like is compared with like. Without leading zeros, digits
    # compare as numbers by their length first, however long they are.
    key: list[tuple[int, str] | str] = []
    for place, part in enumerate(_DIGITS.split(name)):
        digits = part.lstrip("0")
        key.append((len(digits), digits) if place % 2 else part)
    return tuple(key), name
