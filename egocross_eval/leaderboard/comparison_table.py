"""Comparisons in words and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from egocross_eval.counted import agreed, counted
from egocross_eval.leaderboard.render import escape_markdown
from egocross_eval.scoring.accuracy import LEVEL
from egocross_eval.scoring.comparison import Comparison, Verdict
from egocross_eval.scoring.difference import FEWEST_CLUSTERS
from egocross_eval.scoring.live import LiveLook
from egocross_eval.scoring.verdict import verdict_sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egocross_eval.scoring.comparison import Look


class StatedComparison(Comparison, frozen=True, kw_only=True):
    """A comparison with what it says."""

    sentence: str
    """In words."""
    verdict: Verdict
    """Of all questions."""


class StatedLook(LiveLook, frozen=True, kw_only=True):
    """A look at two runs under way, with what it says in words."""

    first: str
    second: str
    sentence: str


def stated(comparison: Comparison) -> StatedComparison:
    """The comparison with its verdict, for programs."""
    own = msgspec.structs.asdict(comparison)
    return StatedComparison(sentence=verdict_sentence(comparison), verdict=comparison.verdict, **own)


def comparisons_markdown(comparisons: Sequence[Comparison], *, flips: int = 10) -> str:
    """Each comparison: the sentence, what differs, the tables, and up to `flips` questions flipped in each
    direction."""
    return "\n\n".join(_markdown(comparison, flips) for comparison in comparisons) + "\n"


def _markdown(comparison: Comparison, flips: int) -> str:
    first, second = escape_markdown(comparison.first), escape_markdown(comparison.second)
    look = comparison.micro
    blocks = [f"**{second} against {first}**", escape_markdown(verdict_sentence(comparison))]
    blocks.append(
        f"Of {counted(look.n, 'question')}, {comparison.same_letter} "
        f"{agreed(comparison.same_letter, 'has', 'have')} the same answer and {comparison.same_outcome} the same "
        f"outcome; {look.gained} are right only in {second}, {look.lost} only in {first}."
    )
    if comparison.notes:
        blocks.append("\n".join(f"- {escape_markdown(note)}" for note in comparison.notes))
    blocks.append(_what_differs(comparison, first, second))
    blocks.append(_figures(comparison, first, second))
    blocks.append("\n".join(f"- {note}" for note in _notes(comparison)))
    for title, names in ((f"Right only in {second}", comparison.gained), (f"Right only in {first}", comparison.lost)):
        if names and flips:
            more = f" and {len(names) - flips} more (--flips)" if len(names) > flips else ""
            blocks.append(f"{title}: {', '.join(escape_markdown(name) for name in names[:flips])}{more}")
    return "\n\n".join(blocks)


def _what_differs(comparison: Comparison, first: str, second: str) -> str:
    if not comparison.differences:
        return "Both were run with the same settings."
    rows = [[escape_markdown(text) for text in (d.what, d.first, d.second)] for d in comparison.differences]
    return _table(rows, ["What differs", first, second], "lll")


def _figures(comparison: Comparison, first: str, second: str) -> str:
    rows = [_row("all (micro)", comparison.micro), _row("all (macro)", comparison.macro)]
    for group in comparison.looks.values():
        rows += [_row(escape_markdown(look.name), look) for look in group]
    clusters = f"{comparison.cluster}s".capitalize()
    headers = ["", "n", "Difference", "95 % interval", first, second, "p corrected", "p", "Gained", "Lost", clusters]
    return _table(rows, headers, "lrrrrrrrrrr")


def _row(name: str, look: Look) -> list[str]:
    return [
        name,
        str(look.n),
        f"{100 * look.difference:+.1f}".replace("-0.0", "+0.0"),
        f"{100 * look.low:.1f} to {100 * look.high:.1f}".replace("-0.0", "0.0"),
        f"{100 * look.first:.2f}",
        f"{100 * look.second:.2f}",
        _p(look.p_adjusted) + (" *" if look.verdict == "shown" else ""),
        _p(look.p),
        str(look.gained),
        str(look.lost),
        str(look.clusters),
    ]


def _p(value: float | None) -> str:
    if value is None:
        return "too few"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _notes(comparison: Comparison) -> list[str]:
    cluster, micro = comparison.cluster, comparison.micro
    families = {"over all questions": micro.family}
    families |= {f"by {name.replace('_', ' ')}": group[0].family for name, group in comparison.looks.items() if group}
    sizes = ", ".join(f"{size} {name}" for name, size in families.items() if size)
    return [
        "Differences in points, the second run less the first. Interval and p are from one statistic, by how "
        f"{cluster}s differ; below {FEWEST_CLUSTERS} {cluster}s there is no p, and the interval stands alone.",
        f"Corrected by Holm's method within each family of looks ({sizes or 'none'}), of all pairs of the runs given; "
        f"the intervals of a family hold all together; \\* p corrected below {LEVEL}.",
        f"All questions, second opinions: p {_p(comparison.p_flip)} by flipping the runs {cluster} by {cluster}; "
        f"p {_p(comparison.p_independent)} by McNemar's exact test, if questions were independent.",
    ]


def _table(rows: Sequence[Sequence[str]], headers: Sequence[str], align: str) -> str:
    from tabulate import tabulate

    columns = ["right" if letter == "r" else "left" for letter in align]
    return tabulate(rows, headers=headers, tablefmt="pipe", disable_numparse=True, colalign=columns)
