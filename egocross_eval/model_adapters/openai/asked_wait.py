"""How long a server asks to wait before the next request, in all the forms that servers use."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Mapping
from datetime import UTC, datetime

_NUMBER = re.compile(r"\d+(\.\d+)?")
_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[dhms]))+", re.IGNORECASE)
_PIECE = re.compile(r"(\d+(?:\.\d+)?)(ms|[dhms])", re.IGNORECASE)
_SAID = re.compile(
    r"(?:try again|retry(?: again)?|wait)(?: in| after| for)? (\d+(?:\.\d+)?) ?"
    r"(ms|milliseconds?|s|sec(?:ond)?s?|m|minutes?)\b",
    re.IGNORECASE,
)

EARLIEST_MOMENT = 1e9
"""A larger number of seconds is a moment, counted from 1970; a thousand times as large, in milliseconds."""

LONGEST = 86400.0
"""A moment that is further away, or as far in the past, is a clock that's wrong: it says nothing."""


def asked_wait(headers: Mapping[str, str], said: str = "") -> float | None:
    """Seconds to wait by the reply's headers or else by its message, or None where they don't say.

    `Retry-After` has seconds or an HTTP date (RFC 9110, 10.2.3); servers also send durations (`1m30s`), ISO dates, and
    moments in seconds or milliseconds. `Retry-After-Ms`, which OpenAI sends beside it, is finer and comes first.
    """
    milliseconds, value = headers.get("Retry-After-Ms", "").strip(), headers.get("Retry-After", "").strip()
    if _NUMBER.fullmatch(milliseconds):
        return float(milliseconds) / 1000
    if _NUMBER.fullmatch(value):
        seconds = float(value)
        if seconds < EARLIEST_MOMENT:
            return seconds
        return _until(seconds / 1000 if seconds >= 1000 * EARLIEST_MOMENT else seconds)
    if _DURATION.fullmatch(value):
        return sum(float(number) * _UNITS[unit.lower()] for number, unit in _PIECE.findall(value))
    moment = _moment(value)
    if moment is not None:
        return _until(moment.timestamp())
    found = _SAID.search(said)
    if found is None:
        return None
    unit = found.group(2).lower()
    return float(found.group(1)) * _UNITS["ms" if unit.startswith(("ms", "milli")) else unit[0]]


def _moment(value: str) -> datetime | None:
    for read in (email.utils.parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(value)
        except (ValueError, OverflowError):
            continue
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        # Years at both ends of the calendar have no moment in every zone.
        return moment if 1 < moment.year < 9999 else None
    return None


def _until(moment: float) -> float | None:
    left = moment - datetime.now(UTC).timestamp()
    return max(0.0, left) if abs(left) <= LONGEST else None
