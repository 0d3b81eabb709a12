"""A run may be killed at any instant, many times over: the drill says what must hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from calling import call


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the drill forks")
def test_nothing_is_lost_twice_or_in_the_way_after_kills_at_random_instants() -> None:
    drill = Path(__file__).with_name("kill_drill.py")
    command = [sys.executable, str(drill), "--kills", "40", "--late", "12"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=1700)
    assert found.returncode == 0, found.stdout + found.stderr
    said = json.loads(found.stdout)
    assert said["kills"] >= 40
    assert said["late_kills"] >= 12
    assert said["wrong"] == []


def test_answers_that_a_kill_left_after_the_last_sample_go_at_the_next_start(demo: Path, tmp_path: Path) -> None:
    words = (
        "--model",
        "baseline:longest",
        "--data",
        demo,
        "--limit",
        "4",
        "--method",
        "rotate",
        "--output",
        tmp_path / "run",
    )
    assert call(*words) == 0
    (tmp_path / "run" / "answers.jsonl").write_bytes(b"")
    assert call(*words) == 0
    assert not (tmp_path / "run" / "answers.jsonl").exists()
