"""Command lines that are killed at a place in their work: at an instant, some would have ended."""

from __future__ import annotations

import signal
import subprocess
import sys

_CODE = """
import os, signal, sys
from egocross_eval.cli.main import main
from egocross_eval.runs.store import SampleWriter

left, whole = int(sys.argv.pop(1)), SampleWriter.write_answer

def write_answer(self, key, answer):
    global left
    whole(self, key, answer)
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

SampleWriter.write_answer = write_answer
main()
"""


def killed_between_rounds(answers: int, *arguments: str) -> None:
    """The command line, killed once so many answers to questions that are not decided yet are on disk."""
    command = [sys.executable, "-c", _CODE, str(answers), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
