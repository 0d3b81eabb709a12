"""Texts that are an error page, a traceback or the message of a server rather than an answer."""

from __future__ import annotations

from egocross_eval.reading.patterns import Pattern, any_of, words

_FAULTY = words(
    """
    api | http | server | request | internal | runtime | value | connection | timeout | openai | client | network
    model | inference | generation | fatal | response | proxy | ssl | read | key | type | json | cuda | assertion
    attribute | index | os | io | bad ?request | rate ?limit | authentication | permission ?denied | not ?found | remote
    max ?retry | chunked ?encoding
    """
)
_MESSAGES = any_of(
    r"""
    error \d{3} | error occurred | an error occurred | exception(?: occurred)?: | too many requests
    (?:http(?:/\d(?:\.\d)?)? ?)?[45]\d\d (?:too many|internal|bad|gateway|service|forbidden|unauthorized|not found)
    (?:http(?:/\d(?:\.\d)?)? ?)?[45]\d\d (?:payload|request|client|server) | internal server error | bad gateway
    service unavailable | gateway time-?out | rate limit (?:reached|exceeded)
    failed to (?:obtain|get|generate|fetch|call|connect|process|load) | request (?:timed out|failed)
    connection (?:error|refused|reset|timed out|aborted) | upstream connect error
    (?:torch\.)?(?:cuda\.)?outofmemoryerror | cuda (?:out of memory|error)
    (?:\w{1,30}\.){1,4}\w{0,40}(?:error|exception)\b | \w{3,40}(?:error|exception):\s | you exceeded your current quota
    the server had an error | the model is (?:overloaded|currently) | (?:i'm|i am) overloaded | content[ _]?filter
    response (?:was )?(?:blocked|filtered) | blocked by | \(?['\"]?connection aborted
    (?:none|null|nan|undefined)\s{0,3}\Z | \[object object\]
    """
)
_ERROR_START = Pattern(
    r"\s{0,8}(?:<!doctype html|<html\b|<\?xml|traceback \(most recent call last\)|error code: ?\d"
    r"|<[\w.]{3,120} object at 0x"
    r"|\{\s{0,8}[\"']error[\"']\s?:|\{\s{0,8}[\"']object[\"']\s?:\s?[\"']error[\"']|\[?error\]?\s?[:\-!]|\[error\]"
    rf"|\[?{_FAULTY}[ _-]?(?:server[ _-]?)?(?:error|exception|timeout|time-out)\b|{_MESSAGES})"
)


def is_error(text: str) -> bool:
    """Whether a whole output is an error page, a traceback or an API message."""
    return bool(_ERROR_START.match(text[:400]))
