"""Numbers with what they count."""

from __future__ import annotations

from egocross_eval.counted import counted


def test_one_is_one_and_thousands_can_be_read() -> None:
    assert [counted(n, "frame") for n in (0, 1, 2, 12000)] == ["0 frames", "1 frame", "2 frames", "12,000 frames"]
    assert counted(2, "entry", "entries") == "2 entries"
