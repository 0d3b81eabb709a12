"""A run may be killed at any instant, many times over: the drill says what must hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the drill forks")
def test_nothing_is_lost_twice_or_in_the_way_after_kills_at_random_instants() -> None:
    drill = Path(__file__).with_name("kill_drill.py")
    command = [sys.executable, str(drill), "--kills", "60", "--late", "20"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=500)
    assert found.returncode == 0, found.stdout + found.stderr
    said = json.loads(found.stdout)
    assert said["kills"] >= 60
    assert said["late_kills"] >= 20
    assert said["wrong"] == []
