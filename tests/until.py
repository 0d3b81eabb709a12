"""Waits for what processes and threads come to, however busy the machine is."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any


def until(happened: Callable[[], object], *processes: subprocess.Popen[Any], seconds: float = 500.0) -> None:
    """Returns as soon as it has happened; fails where one of the processes, which are to bring it about, has ended."""
    deadline = time.monotonic() + seconds
    while True:
        # Asked first: what a process did at its very end has happened too.
        ended = [process for process in processes if process.poll() is not None]
        if happened():
            return
        assert not ended, [process.stderr and process.stderr.read() for process in ended]
        assert time.monotonic() < deadline, "it didn't happen in time"
        time.sleep(0.01)
