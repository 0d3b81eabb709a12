"""How far the answers of two passes over the same questions are apart."""

from __future__ import annotations


def differences(base: dict[str, dict[str, float]], found: dict[str, dict[str, float]]) -> tuple[int | None, str]:
    """How many letters two passes choose differently, and the largest difference of a log-probability."""
    both = [(base[key], found[key]) for key in base if key in found]
    if not both:
        return None, ""
    differ = sum(max(one, key=one.__getitem__) != max(other, key=other.__getitem__) for one, other in both)
    return differ, f"{max(abs(one[label] - other[label]) for one, other in both for label in one):.3f}"
