"""What reading gives: a letter with the rule that read it, or the reason for having none."""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple

import msgspec

RULES = MappingProxyType(
    {
        "json_field": 'an answer field of JSON, whole, fenced, embedded or cut off: {"answer": "B"}',
        "answer_tag": "an answer tag: <answer>B</answer>, [ANSWER]B[/ANSWER]",
        "boxed": r"a LaTeX box: \boxed{B}, \boxed{\text{(B) red}}",
        "whole_output": "nothing but one letter, one letter and its text, or an option's exact text",
        "correction": '"no wait, B", "actually it is B": what was said before is taken back',
        "statement": '"the answer is B", "Answer: B", "B is the correct option", in several languages',
        "choice": '"I would choose B", "let\'s go with (B)"',
        "conclusion": '"therefore, B", "so it is (B)"',
        "last_line": "a last line that holds only an option",
        "leading_letter": 'an output that begins with an option: "B. red", "B because ...", "Yes, ..."',
        "verdict": '"B is correct", "this matches (B)", a list that judges every option and finds one right',
        "only_letter": "the one letter in brackets, in bold or with its own text that the output names",
        "option_text": "the text of exactly one option, said as the answer",
    }
)
"""The rules by name. Those down to `leading_letter` find decided answers, of which the last in the output counts; an
answer decided by its text alone is named `option_text` too. The rest are asked one after the other when nothing is
decided. None takes the article "a", a refuted letter or a question for an answer."""

REASONS = MappingProxyType(
    {
        "empty": "the output holds no text at all",
        "error_text": "the output is an error page, a traceback or an API message, not an answer",
        "unfinished_thinking": "the output ends inside its reasoning, before any answer",
        "several_letters": "the output names more than one option and does not decide",
        "contradiction": "the answer's letter and its text are those of two different options",
        "out_of_range": "the answer given is none of the valid letters",
        "refusal": "the output declines to answer or says that no option holds",
        "refuted": "options are only ruled out or taken back, none is chosen",
        "no_answer": "no option is named as the answer",
    }
)
"""Why an output has no letter: short word and meaning."""


class Extraction(msgspec.Struct, frozen=True, kw_only=True):
    """The answer read from an output.

    `letter` is one of the valid letters, `rule` the name of the rule that read it (see `RULES`) and `span` the
    character offsets (start, end) of the evidence in the raw output. Without an answer the three are None and
    `reason` is one of `REASONS`.
    """

    letter: str | None = None
    rule: str | None = None
    span: tuple[int, int] | None = None
    reason: str | None = None


class Reading(NamedTuple):
    """What one place says: a letter with its raw span, or the reason why none; "" when it can't be read."""

    letter: str | None
    span: tuple[int, int]
    reason: str = ""


class Claim(NamedTuple):
    """A decided answer, or a decided lack of one, at a raw offset."""

    at: int
    rule: str
    reading: Reading
