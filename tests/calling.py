"""Calls the command line as a shell would."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import pytest

from egocross_eval.cli.main import main


def call(*arguments: str | Path) -> int:
    """The exit code of a command line."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def on_terminal(monkeypatch: pytest.MonkeyPatch, columns: int = 80) -> None:
    """What is written goes to a terminal of so many columns."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("PAGER", "cat")
    monkeypatch.setenv("TERM", "dumb")


def call_on_full_disk(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    """The exit code of a command line whose standard output is a file on a disk without room."""
    code = -1
    with contextlib.suppress(OSError), open("/dev/full", "w") as full, monkeypatch.context() as patched:  # noqa: PTH123
        patched.setattr(sys, "stdout", full)
        code = call(*arguments)
    return code
