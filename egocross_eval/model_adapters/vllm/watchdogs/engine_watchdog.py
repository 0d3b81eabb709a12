"""Starts the script that ends an engine's processes should this process be killed; see `end_engine.py`."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from egocross_eval.model_adapters.vllm.watchdogs import end_engine


class EngineWatchdog:
    """The watching script, from before an engine starts until it has ended."""

    def __init__(self) -> None:
        script = str(Path(end_engine.__file__))
        self._process = subprocess.Popen(
            [sys.executable, "-I", script, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for this process
        )
        self._reply()  # it has seen what was there before

    def started(self) -> None:
        """All processes of the engine are there."""
        self._say(b"started\n")
        self._reply()

    def close(self) -> None:
        """The engine has ended by itself."""
        self._say(b"done\n")
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.wait()

    def _reply(self) -> None:
        if self._process.stdout is not None:
            self._process.stdout.readline()

    def _say(self, word: bytes) -> None:
        if self._process.stdin is not None and not self._process.stdin.closed:
            with contextlib.suppress(OSError):
                self._process.stdin.write(word)
                self._process.stdin.flush()
