"""How many tokens a text has, about, where no tokenizer is at hand."""

from __future__ import annotations

CHARACTERS_PER_TOKEN = 3.5
"""Of English questions with their options; rather too few, so that an estimate is rather too large."""


def text_tokens(characters: int) -> int:
    """Estimated tokens of a text of that length."""
    return round(characters / CHARACTERS_PER_TOKEN)
