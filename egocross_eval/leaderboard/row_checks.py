"""Whether a row that someone else made can be believed as far as it can be seen: every number fits the others."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, get_args

from egocross_eval.errors import DataError
from egocross_eval.schema import Outcome
from egocross_eval.scoring.efficiency import efficiency_problem
from egocross_eval.scoring.outcomes import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from egocross_eval.schema import Figure, Row

LARGEST_FILE = 2**26
"""Most bytes of a file of rows: a row over the whole of EgoCross has some ten thousand."""

_LONGEST = 1000
"""Most characters of a text in a row."""
_MOST = 10**9
"""Most questions, runs and clusters."""
_HASH = re.compile(r"[0-9a-f]{64}")
_DATE = re.compile(r"(\d{4}(-\d\d){0,2})?")
FATES = (*get_args(Outcome), "missing")
"""What a figure counts."""


def row_problem(row: Row) -> str:
    """What is wrong with a row from elsewhere; empty if nothing is."""
    if not row.published and not _HASH.fullmatch(row.origin_hash):
        return "origin_hash must be the SHA-256 of the samples that the row came from"
    if not row.published and (row.published_overall is not None or row.ranked_by or row.note):
        return "only a published row has published_overall, ranked_by or note"
    if not 1 <= row.repeats <= _MOST or not 0 <= row.decimals <= 6 or not 0 <= row.question_count <= _MOST:
        return "repeats, decimals or question_count is out of range"
    if any(len(text) > _LONGEST for text in _texts(row)):
        return f"a text has more than {_LONGEST} characters"
    if not _DATE.fullmatch(row.date):
        return "date is not of the form 2026-01-31"
    if problem := figures_problem({"micro": row.micro, "macro": row.macro, **row.parts}):
        return problem
    checks = (_totals_problem, _counts_problem, _outcomes_problem)
    return next(filter(None, (check(row) for check in checks)), "") or efficiency_problem(row.efficiency)


def figures_problem(figures: Mapping[str, Figure | None]) -> str:
    """What is wrong with one of the figures, by their names; empty if nothing is."""
    for name, figure in figures.items():
        if figure is not None and (problem := _figure_problem(figure, plain=name != "macro")):
            return f"{name}: {problem}"
    return ""


def _texts(row: Row) -> Iterator[str]:
    yield from (row.model, row.source, row.split, row.date, row.ranked_by, row.note, row.link, row.fingerprint)
    yield from (
        row.judge,
        row.judge_hash,
        row.efficiency.currency if row.efficiency is not None else "",
        row.questions_hash,
        row.asked_hash,
        row.answers_hash,
        row.benchmark.name,
        row.benchmark.title,
    )
    for names in (row.settings, row.parts, row.counts):
        yield from names
    yield from row.settings.values()
    yield from (figure.interval for figure in (row.micro, row.macro, *row.parts.values()) if figure is not None)


def _totals_problem(row: Row) -> str:
    """Micro is over all questions, macro is the mean of the parts, and the parts are within micro."""
    if row.complete and not row.published and (row.counts.get("errored") or row.counts.get("missing")):
        return "it is called complete, and not all questions are answered"
    if row.micro is None:
        return "there are figures without micro" if row.parts or row.macro is not None else ""
    if row.micro.n != row.question_count * row.repeats:
        return "micro is over another number of questions than question_count"
    if row.complete and row.micro.open:
        return "it is called complete, and not all questions are graded"
    parts = row.parts.values()
    for name in ("n", *FATES):
        if sum(getattr(figure, name) for figure in parts) > getattr(row.micro, name):
            what = "questions" if name == "n" else f"{name.replace('_', ' ')} answers"
            return f"the groups' {what} are more than those of micro"
    if row.macro is not None and parts:
        mean = sum(figure.accuracy for figure in parts) / len(parts)
        if abs(row.macro.accuracy - mean) > 1e-6:
            return "macro isn't the mean of the groups"
    spreads = [spread for spread in (row.micro_spread, row.macro_spread) if spread is not None]
    if not all(0 <= spread <= 1 for spread in spreads) or (spreads and row.repeats == 1):
        return "the spread is none of several runs"
    return ""


def _counts_problem(row: Row) -> str:
    """The counts of outcomes are those of micro."""
    if not all(0 <= count <= _MOST for count in row.counts.values()):
        return "a count is out of range"
    if row.micro is None:
        return ""
    wanted = {name: getattr(row.micro, name) for name in FATES} | {"total": row.micro.n}
    counts = dict(row.counts)
    # What wasn't read is counted as such also where no answer is known, while micro has it as unscored.
    for name in ("not_parsed", "filtered"):
        if row.micro.unscored and counts.get(name, 0) > wanted[name]:
            counts["unscored"] = counts.get("unscored", 0) + counts[name] - wanted[name]
            counts[name] = wanted[name]
    wrong = next((name for name, count in counts.items() if count != wanted.get(name, count)), None)
    return f"the count of {wrong.replace('_', ' ')} isn't that of micro" if wrong else ""


def _outcomes_problem(row: Row) -> str:
    """Outcomes must give the very figures that stand beside them: ranks rest on them."""
    if not row.outcomes or row.micro is None:
        return ""
    try:
        found = table(row.outcomes)
    except DataError as error:
        return str(error)
    known = [credit for credit in found.credits if credit is not None]
    if len(found.credits) * row.repeats != row.micro.n:
        return "the outcomes are of another number of questions than micro"
    if known and abs(sum(known) / len(found.credits) - row.micro.accuracy) > 1e-5:
        return "the outcomes don't give the accuracy of micro"
    return ""


def _figure_problem(figure: Figure, *, plain: bool) -> str:
    parts = tuple(getattr(figure, name) for name in FATES)
    shares = (figure.accuracy, figure.low, figure.high, figure.chance or 0.0)
    if not 1 <= figure.n <= _MOST or min(parts) < 0 or sum(parts) != figure.n:
        return "the counts don't add up to n"
    if not all(math.isfinite(share) and 0 <= share <= 1 for share in shares):
        return "accuracy, interval and chance must lie between 0 and 1"
    if not 0 <= figure.clusters <= figure.n:
        return "there are more clusters than questions"
    if not figure.low - 1e-9 <= figure.accuracy <= figure.high + 1e-9:
        return "the accuracy lies outside its interval"
    # Wrong answers may have a part of the mark.
    least, most = figure.right / figure.n, (figure.right + figure.wrong) / figure.n
    if plain and not least - 1e-9 <= figure.accuracy <= most + 1e-9:
        return "the accuracy doesn't follow from the counts"
    return ""
