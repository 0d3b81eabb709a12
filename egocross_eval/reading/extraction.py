"""What reading one output gives: a letter, or the reason for having none."""

from __future__ import annotations

from types import MappingProxyType

import msgspec

REASONS = MappingProxyType(
    {
        "empty": "the output holds no text at all",
        "error_text": "the output is an error page, a traceback or an API message, not an answer",
        "unfinished_thinking": "the output ends inside its reasoning, before any answer",
        "several_letters": "the output names more than one option and does not decide",
        "out_of_range": "the answer given is none of the valid letters",
        "refusal": "the output declines to answer or says that no option holds",
        "refuted": "options are only ruled out or taken back, none is chosen",
        "no_answer": "no option is named as the answer",
    }
)
"""Why an output has no letter: short word and meaning."""


class Extraction(msgspec.Struct, frozen=True, kw_only=True):
    """The answer read from an output.

    ``letter`` is one of the valid letters, ``rule`` the name of the rule that read it (see ``RULES``) and ``span`` the
    character offsets (start, end) of the evidence in the raw output. Without an answer the three are None and
    ``reason`` is one of ``REASONS``.
    """

    letter: str | None = None
    rule: str | None = None
    span: tuple[int, int] | None = None
    reason: str | None = None
