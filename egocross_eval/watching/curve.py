"""Accuracy by step, with the band of its 95 % intervals: as a picture, and in letters."""

from __future__ import annotations

from collections.abc import Sequence

from egocross_eval.schema import Figure

Steps = Sequence[tuple[int, Figure]]

_WIDTH, _HEIGHT, _MARGIN = 640, 360, 48


def curve_svg(points: Steps) -> str:
    """An SVG picture of the curve; `points` are in the order of their steps, at least one."""
    low, high = _range(points)
    first, last = points[0][0], points[-1][0]

    def x(step: int) -> float:
        share = (step - first) / (last - first) if last > first else 0.5
        return _MARGIN + share * (_WIDTH - 2 * _MARGIN)

    def y(value: float) -> float:
        return _HEIGHT - _MARGIN - (value - low) / (high - low) * (_HEIGHT - 2 * _MARGIN)

    def path(values: Sequence[tuple[float, float]]) -> str:
        return " ".join(f"{a:.1f},{b:.1f}" for a, b in values)

    over = [(x(step), y(figure.high)) for step, figure in points]
    under = [(x(step), y(figure.low)) for step, figure in reversed(points)]
    middle = [(x(step), y(figure.accuracy)) for step, figure in points]
    dots = "".join(
        f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3"><title>step {step}: {100 * figure.accuracy:.1f} % '
        f"({100 * figure.low:.1f} to {100 * figure.high:.1f})</title></circle>"
        for (a, b), (step, figure) in zip(middle, points, strict=True)
    )
    labels = "".join(
        [
            *(_text(_MARGIN - 6, y(value) + 4, f"{100 * value:.0f} %", "end") for value in (low, high)),
            *(_text(x(step), _HEIGHT - _MARGIN + 18, f"step {step}", "middle") for step in {first, last}),
        ]
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        f'font-size="12" fill="#1f5fa8"><rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>'
        f'<polygon points="{path([*over, *under])}" fill-opacity="0.2"/>'
        f'<polyline points="{path(middle)}" fill="none" stroke="#1f5fa8" stroke-width="2"/>{dots}{labels}</svg>\n'
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#333333">{text}</text>'


def bars(points: Steps, width: int = 40) -> list[str]:
    """For each point its interval as a line of `width` letters, `o` at the accuracy, all on one scale."""
    low, high = _range(points)

    def place(value: float) -> int:
        return round((value - low) / (high - low) * (width - 1))

    lines = []
    for _, figure in points:
        letters = [" "] * width
        letters[place(figure.low) : place(figure.high) + 1] = "-" * (place(figure.high) + 1 - place(figure.low))
        letters[place(figure.accuracy)] = "o"
        lines.append("".join(letters).rstrip())
    return lines


def _range(points: Steps) -> tuple[float, float]:
    low, high = min(figure.low for _, figure in points), max(figure.high for _, figure in points)
    return (low, high) if high > low else (low - 0.01, high + 0.01)
