"""Results as a table for people: every figure with its n, interval and chance level."""

from __future__ import annotations

from egocross_eval.schema import Figure, Results

_TITLES = {
    "domain": "by domain",
    "category": "by category",
    "question_type": "by question type",
    "dataset": "by source dataset",
    "cell": "by dataset and question type",
}


def _line(name: str, figure: Figure) -> list[str]:
    chance = "" if figure.chance is None else f"{figure.chance:.1%}"
    return [
        name,
        f"{figure.accuracy:.2%}",
        f"{figure.low:.1%} to {figure.high:.1%}",
        str(figure.n),
        str(figure.right),
        str(figure.wrong),
        str(figure.not_parsed),
        str(figure.errored + figure.missing + figure.unscored),
        chance,
    ]


def figures_table(
    results: Results, groups: tuple[str, ...] = ("domain", "category", "question_type", "dataset")
) -> str:
    """The overall figures and the groups asked for. Errored, missing and unscored questions share the column `open`."""
    from tabulate import tabulate

    headers = ["", "accuracy", "95 % interval", "n", "right", "wrong", "not parsed", "open", "chance"]
    if results.micro is None:
        counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in results.counts.items() if count)
        return f"no score: no question has both an answer here and a known right one ({counts})"
    rows = [_line("micro (right / all)", results.micro)]
    if results.macro is not None:
        rows.append(_line("macro (mean of domains)", results.macro))
    for group in groups:
        figures = results.groups.get(group, {})
        if figures:
            rows.append([f"-- {_TITLES[group]}"])
            rows.extend(_line(name, figure) for name, figure in figures.items())
    return tabulate(rows, headers=headers, disable_numparse=True)
