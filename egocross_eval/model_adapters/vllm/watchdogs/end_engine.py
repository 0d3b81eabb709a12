"""Ends the engine's processes when the process that started them is killed. Run as a script; standard library alone.

    python end_engine.py PID

vLLM's engine outlives a parent that dies without ending it, and keeps its memory, the GPU's included. This script
remembers what processes come into being below PID until it reads the line `started` (and replies `seen`), and waits:
for the line `done`, after which it just leaves, or for the end of standard input, which comes when the parent is gone,
however that happened: then it kills what it has remembered, with all that is below. Needs Linux's /proc; elsewhere it
does nothing.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from pathlib import Path

POLL_SECONDS = 1.0
"""Between two looks at the processes, while the engine starts."""

Known = dict[int, str]
"""Start time (in ticks since boot) by process id: together they name a process for good."""


def start_time(pid: int) -> str:
    """The start time of a process, or the empty string where it's gone."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return status.rpartition(")")[2].split()[19]


def below(pid: int) -> list[int]:
    """All processes below one, by what the kernel lists as the children of its threads."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:  # it has ended
        return []
    found: list[int] = []
    for thread in threads:
        with contextlib.suppress(OSError):
            for child in (thread / "children").read_text(encoding="utf-8").split():
                found += [int(child), *below(int(child))]
    return found


def look(parent: int, known: Known, ignored: Known) -> None:
    """Adds the processes below `parent` to the known ones."""
    for pid in below(parent):
        if ignored.get(pid) != start_time(pid) and pid != os.getpid():
            known.setdefault(pid, start_time(pid))


def kill(known: Known) -> None:
    """Kills the known processes that still are what they were, with all below them."""
    same = [pid for pid, started in known.items() if started and start_time(pid) == started]
    for pid in dict.fromkeys(one for known_pid in same for one in (known_pid, *below(known_pid))):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def main(parent: int) -> None:
    """Watches until the parent says `done`, or is gone."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    ignored = {pid: start_time(pid) for pid in below(parent)}
    known: Known = {}
    print("ready", flush=True)
    starting = True
    while True:
        if starting and not select.select([0], [], [], POLL_SECONDS)[0]:
            look(parent, known, ignored)
            continue
        said = os.read(0, 4096).split()
        if b"done" in said:
            return
        if not said:
            kill(known)
            return
        look(parent, known, ignored)
        print("seen", flush=True)
        starting = False


if __name__ == "__main__":
    main(int(sys.argv[1]))
