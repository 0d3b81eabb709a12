"""The processes of an engine end when the process that started it is killed. Children that sleep stand in for them."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from living import kill, living

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="needs Linux's /proc")

PARENT = """
import signal, subprocess, sys, time
from egocross_eval.model_adapters.vllm.watchdogs.engine_watchdog import EngineWatchdog

SLEEPING = "import time; time.sleep(600)"
TREE = f"import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', {SLEEPING!r}]); "
TREE += "print(c.pid, flush=True); c.wait()"

def child(code):
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)

before = child(SLEEPING)
watch = EngineWatchdog()
engine = child(TREE)
worker = engine.stdout.readline().strip()
if ENDING != "starting":
    watch.started()
else:
    time.sleep(6)  # it looks each second
after = child(SLEEPING)
if ENDING == "done":
    watch.close()
print(before.pid, engine.pid, worker, after.pid, flush=True)
time.sleep(600)
"""


def killed_parent(ending: str) -> list[bool]:
    """Which of the children live a while after the parent was killed: older, engine, its worker, younger."""
    code = textwrap.dedent(PARENT).replace("ENDING", repr(ending))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pids = [int(word) for word in process.stdout.readline().split()]
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    deadline = time.monotonic() + (1.0 if ending == "done" else 240.0)
    while time.monotonic() < deadline and not living().keys().isdisjoint(pids[1:3]):
        time.sleep(0.05)
    left = [pid in living() for pid in pids]
    kill(pids)
    return left


def test_what_was_started_meanwhile_ends_with_its_own_children_and_nothing_else_does() -> None:
    assert killed_parent("running") == [True, False, False, True]


@pytest.mark.slow
def test_an_engine_that_is_still_starting_ends_too() -> None:
    assert killed_parent("starting")[1:3] == [False, False]


@pytest.mark.slow
def test_an_engine_that_was_ended_properly_is_left_alone() -> None:
    assert killed_parent("done") == [True, True, True, True]
