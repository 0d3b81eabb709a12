"""Threads are as many as the cores that a process may use, not as the machine has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from egocross_eval.model_adapters.checkpoints import threads
from egocross_eval.model_adapters.checkpoints.threads import MOST_THREADS, frame_threads, usable_cores


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("max 100000\n", 48),
        ("400000 100000\n", 4),
        ("50000 100000\n", 1),
        ("9900000 100000\n", 48),
        ("", 48),
        (None, 48),
    ],
)
def test_a_containers_share_counts(
    quota: str | None, cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cpu.max"
    if quota is not None:
        path.write_text(quota)
    monkeypatch.setattr(threads, "QUOTA", path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(48)), raising=False)
    assert usable_cores() == cores
    assert frame_threads("auto") == min(MOST_THREADS, cores)


def test_a_number_that_was_asked_for_is_taken() -> None:
    assert frame_threads(3) == 3
