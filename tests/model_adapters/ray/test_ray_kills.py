"""Replicas, the driver and Ray's head may be killed at any instant: the drill says what must hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.ray]


@pytest.mark.timeout(1800)
@pytest.mark.skipif(not os.environ.get("EGOCROSS_RAY_TESTS"), reason="'make test-ray' runs these")
def test_nothing_is_lost_or_twice_after_kills_at_random_instants() -> None:
    pytest.importorskip("ray", reason="ray is not installed: the extra ray")
    drill = Path(__file__).with_name("ray_drill.py")
    command = [sys.executable, str(drill), "--replicas", "6", "--drivers", "1", "--heads", "1"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=1700)
    assert found.returncode == 0, found.stdout + found.stderr
    said = json.loads(found.stdout)
    assert (said["replicas"], said["drivers"], said["heads"]) == (6, 1, 1)
    assert said["wrong"] == []
