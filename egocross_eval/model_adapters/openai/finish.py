"""What a server's finish reason means."""

from __future__ import annotations

import re

_MEANINGS = {
    "length": r"length|max_?(output_|new_|completion_)?tokens|token_limit",
    "filtered": r"filter|safety|recitation|blocklist|prohibited|spii|sensitive|guardrail|moderat|block|policy|refusal"
    r"|toxic|unsafe|censor|violation|inspection",
    "failed": r"error|abort|cancel|fail|time_?out|malformed|overload|insufficient|unavailable|interrupt|network"
    r"|internal|exception|unspecified|^other$|^unknown$|^language$",
    "stop": r"^(stop|stop_sequence|end_turn|end|eos|eos_token|complete|completed|finish|finished|done)$",
}
"""What finish reasons mean, in the words of OpenAI, Azure, Gemini, Anthropic, DeepSeek, vLLM, SGLang and others."""

_PATTERNS = {meaning: re.compile(pattern, re.IGNORECASE) for meaning, pattern in _MEANINGS.items()}


def finish_meaning(reason: str | None) -> str | None:
    """`stop`, `length`, `filtered` or `failed`; a word that means none of them is returned as it is."""
    if not reason:
        return None
    return next((meaning for meaning, pattern in _PATTERNS.items() if pattern.search(reason)), reason)
