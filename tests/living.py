"""Processes of this machine, as Linux's /proc tells; one that has ended and waits to be reaped is none."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class Living(NamedTuple):
    """What is known of a process."""

    parent: int
    group: int
    command: str
    folder: str
    """That it works in."""


def living() -> dict[int, Living]:
    """Those that this user may look into, by their numbers."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile, or is another user's
            state, parent, group = (path / "stat").read_text(errors="replace").rpartition(")")[2].split()[:3]
            command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if state != "Z":
                found[int(path.name)] = Living(int(parent), int(group), command, str((path / "cwd").readlink()))
    return found


def below(process: int) -> dict[int, Living]:
    """Those that a process has started, and what these have started."""
    everything, found = living(), dict[int, Living]()
    while grown := {n: one for n, one in everything.items() if one.parent in (process, *found) and n not in found}:
        found |= grown
    return found


def kill(processes: Iterable[int]) -> None:
    """SIGKILL to each that is still there."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
