"""Log-probabilities of labels among the likeliest first tokens that a server lists, in any tokenizer's spelling."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from egocross_eval.model_adapters.openai.faults import AttemptFault, not_finite

_OPENING = "<>()[]{}\"'`*_:.\n\r\t "
"""Signs around a label that leave it the same answer within a token (` A`, `(A`, `**A`)."""

_ABOVE = 0.01

_BYTES = re.compile(r"(?:<0x[0-9A-Fa-f]{2}>)+|bytes:(?:\\x[0-9A-Fa-f]{2})+")
"""Tokens that are bytes: as SentencePiece names them, and as OpenAI's protocol did."""


def label_scores(logprobs: Any, labels: Sequence[str]) -> dict[str, float]:
    """Log-probability of each label as the first token, from the likeliest tokens that the server listed.

    Tokens that differ only in spelling, or in spaces or signs around the label (`A`, ` A`, `(A`, `▁A`, `ĠA`), are the
    same answer: their probabilities add up. Labels that aren't listed are left out: each is less likely than every
    token listed. Raises `AttemptFault` of kind `no_label_scores` where none is listed, and `not_finite` where the
    server's figures are no numbers.
    """
    listed = _listed(logprobs)
    if not listed:
        raise _fault("the server sent no log-probabilities; it can't compare labels, so let the model generate instead")
    finite = _finite(listed)
    if not finite:
        raise not_finite()
    sums = _sums(finite, labels)
    # A token whose probability is 0 in a double has no logarithm and could decide nothing.
    scores = {label: math.log(sums[label]) for label in labels if sums.get(label, 0.0) > 0}
    likeliest, value = max(finite, key=lambda pair: pair[1])
    begun = _begun(likeliest.strip(_OPENING), labels)
    if begun and math.exp(value) > max(sums.values(), default=0.0):
        raise _fault(
            f"the likeliest first token {likeliest!r} only begins the label {begun!r}, which takes several tokens, so "
            f"that its chance can't be told from one; let the model generate instead"
        )
    if not scores:
        seen = ", ".join(repr(token) for token, _ in listed[:8])
        raise _fault(
            f"none of the labels {', '.join(labels)} is among the {len(listed)} likeliest first tokens ({seen}); "
            f"a model that thinks first has to generate instead"
        )
    return scores


def refuse_no_numbers(logprobs: Any) -> None:
    """Raises `AttemptFault` of kind `not_finite` where a token of an answer is listed with a figure that is no number.

    Nothing is said of a reply without log-probabilities.
    """
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    for entry in content if isinstance(content, list) else []:
        figure = _figure(entry.get("logprob")) if isinstance(entry, dict) and "logprob" in entry else 0.0
        if figure is None or not math.isfinite(figure):
            raise not_finite()


def likeliest_other(logprobs: Any, labels: Sequence[str]) -> str | None:
    """The likeliest first token if it's no label and likelier than all labels together."""
    finite = _finite(_listed(logprobs))
    if not finite:
        return None
    token, value = max(finite, key=lambda pair: pair[1])
    sums = _sums(finite, labels)
    is_label = token in labels or token.strip(_OPENING) in labels
    return token if not is_label and math.exp(value) > sum(sums.values()) else None


def _finite(listed: list[tuple[str, float | None]]) -> list[tuple[str, float]]:
    """Those whose figure is a log-probability; rounding may put it a little above 0."""
    return [
        (plain(token), min(value, 0.0))
        for token, value in listed
        if value is not None and math.isfinite(value) and value <= _ABOVE
    ]


def _sums(finite: list[tuple[str, float]], labels: Sequence[str]) -> dict[str, float]:
    """Probability of each label that is listed."""
    sums: dict[str, float] = {}
    for token, value in finite:
        label = token if token in labels else token.strip(_OPENING)
        if label in labels:
            sums[label] = sums.get(label, 0.0) + math.exp(value)
    return sums


def plain(token: str) -> str:
    """A token's text where the server gives its name in the vocabulary instead.

    Names of SentencePiece have `▁` for a space and `<0x41>` for a byte; those of byte-level vocabularies have one
    character for each byte (`Ġ` for a space), as GPT-2 has it.
    """
    if _BYTES.fullmatch(token):
        return bytes.fromhex("".join(re.findall(r"x([0-9A-Fa-f]{2})", token))).decode("utf-8", "replace")
    if any(sign in _BYTE_OF for sign in token) and all(sign in _BYTE_OF or sign in _SAME for sign in token):
        return bytes(_BYTE_OF[sign] if sign in _BYTE_OF else ord(sign) for sign in token).decode("utf-8", "replace")
    return token.replace("\u2581", " ")


_SAME = {chr(code) for code in (*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100))}
"""Characters that stand for the byte of their own number in byte-level vocabularies."""

_BYTE_OF = {chr(0x100 + place): code for place, code in enumerate(c for c in range(256) if chr(c) not in _SAME)}
"""Bytes by the characters that stand for all others."""


def _begun(token: str, labels: Sequence[str]) -> str | None:
    """The label that a token begins without being one, if there's such a label."""
    if not token or token in labels:
        return None
    return next((label for label in labels if label.startswith(token)), None)


def _fault(message: str) -> AttemptFault:
    return AttemptFault("no_label_scores", message, retryable=False)


def _listed(logprobs: Any) -> list[tuple[str, float | None]]:
    """(token, log-probability) at the first place of the output, each token once; also in the form of completions."""
    if not isinstance(logprobs, dict):
        return []
    content = logprobs.get("content")
    if isinstance(content, list) and content and isinstance(content[0], dict):
        top = content[0].get("top_logprobs")
        entries = [*(top if isinstance(top, list) else []), content[0]]
        pairs = [(entry.get("token"), entry.get("logprob")) for entry in entries if isinstance(entry, dict)]
    else:
        places = logprobs.get("top_logprobs")
        first = places[0] if isinstance(places, list) and places else None
        pairs = list(first.items()) if isinstance(first, dict) else []
    tokens: dict[str, float | None] = {}
    for token, value in pairs:
        if isinstance(token, str):
            tokens.setdefault(token, _figure(value))
    return list(tokens.items())


def _figure(value: Any) -> float | None:
    """A number as a float; None for anything else, and for one beyond all floats."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None
