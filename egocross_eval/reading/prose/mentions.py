"""The ways a text can speak of an option."""

from __future__ import annotations

import re
from typing import NamedTuple

_NUMBER = re.compile(r"\W{0,2}(?:\d|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)", re.IGNORECASE)


class Mention(NamedTuple):
    """One option spoken of.

    `letter` is upper case for a letter written down (it may be outside the valid ones) and as given otherwise;
    `kind` is "marked" (bracketed, quoted, "option B", "B." at a line start), "bare" (a lone capital), "lower" (a lone
    small letter), "named" ("point A", which may be a thing in the picture), "article" (an A that is rather the article,
    an I that is the pronoun), "ordinal" or "text".
    `start`:`end` covers the brackets and the option's text behind the letter; `core` the letter or text itself.
    `closed` tells whether the phrase ends there, `own` whether the option's own text stands beside the letter,
    `contrary` whether another option's does, `generic` whether the text is a number or a word like "no", which a text
    may say for other reasons.
    """

    start: int
    end: int
    core: tuple[int, int]
    letter: str
    kind: str
    valid: bool
    closed: bool = True
    own: bool = False
    generic: bool = False
    contrary: bool = False

    def core_is_number(self, text: str) -> bool:
        """Whether the option's text is a number, in digits or as a word."""
        return bool(_NUMBER.match(text, self.core[0])) and self.kind == "text"


class Group(NamedTuple):
    """Mentions joined by "and", "or", commas or slashes; one mention as a rule."""

    start: int
    end: int
    mentions: tuple[Mention, ...]

    @property
    def letters(self) -> tuple[str, ...]:
        """The distinct letters in order."""
        return tuple(dict.fromkeys(mention.letter for mention in self.mentions))
