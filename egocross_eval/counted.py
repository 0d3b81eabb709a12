"""Numbers with what they count."""

from __future__ import annotations


def counted(count: int, noun: str, nouns: str = "") -> str:
    """`1 file`, `2,000 files`; `nouns` where more than one is called otherwise than with an s."""
    return f"{count:,} {noun if count == 1 else nouns or f'{noun}s'}"


def agreed(count: int, one: str, more: str) -> str:
    """The verb that goes with a number: `1 of 20 questions has`, `2 of 20 questions have`."""
    return one if count == 1 else more


def points(difference: float) -> str:
    """A difference of accuracies, a fraction, in points with its sign; `0.0` where rounding leaves nothing of it."""
    text = f"{100 * difference:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text
