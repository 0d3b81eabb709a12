"""Results as a table for people: every figure with its n, interval and chance level."""

from __future__ import annotations

from egocross_eval.schema import BenchmarkRecord, Figure, Results


def _line(name: str, figure: Figure, *, filtered: bool) -> list[str]:
    chance = "" if figure.chance is None else f"{figure.chance:.1%}"
    return [
        name,
        f"{figure.accuracy:.2%}",
        f"{figure.low:.1%} to {figure.high:.1%}",
        str(figure.right),
        str(figure.n),
        str(figure.not_parsed),
        *([str(figure.filtered)] if filtered else []),
        str(figure.open),
        str(figure.wrong),
        chance,
    ]


def figures_table(results: Results, benchmark: BenchmarkRecord, *, combined: bool = False) -> str:
    """The overall figures and the groups; `combined`: groupings of several labels too.

    Errored, missing and unscored questions share the column `ungraded`; there is one of filtered ones where some are.
    """
    from egocross_eval.cli.show.terminal import fitted_table

    if results.micro is None:
        counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in results.counts.items() if count)
        return f"no score: no question has both an answer here and a known right one ({counts})"
    filtered = results.micro.filtered > 0
    counted = ["right", "n", "not read", *(["filtered"] if filtered else []), "ungraded", "wrong"]
    headers = ["", "accuracy", "95 % interval", *counted, "chance"]
    rows = [_line("micro (all questions)", results.micro, filtered=filtered)]
    axis = benchmark.grouping(benchmark.macro)
    if results.macro is not None and axis is not None:
        rows.append(_line(f"macro ({axis.title}s)", results.macro, filtered=filtered))
    for grouping in benchmark.groupings:
        figures = results.groups.get(grouping.name, {})
        if figures and (combined or len(grouping.labels) == 1):
            rows.append([f"-- by {grouping.title}", *[""] * (len(headers) - 1)])
            rows.extend(_line(name, figures[name], filtered=filtered) for name in grouping.ordered(figures))
    return fitted_table(rows, headers, right="l" + "r" * (len(headers) - 1), drop=2)
