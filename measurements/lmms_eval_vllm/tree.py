"""CPU time and memory of a process together with the processes it started."""

from __future__ import annotations

import os
from pathlib import Path


def processes() -> list[int]:
    """This process and all that descend from it."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [os.getpid()]
    for number in found:
        found.extend(parents.get(number, []))
    return found


def cpu_seconds() -> float:
    """CPU time so far, user and system, of the living processes and of those that they waited for."""
    ticks = sum(sum(int(value) for value in _stat(number)[11:15]) for number in processes())
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_bytes() -> int:
    """The sum of the living processes' peaks of resident memory; what they share counts in each."""
    return sum(_peak(number) for number in processes())


def _stat(process: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on (proc_pid_stat(5)); empty for a process that has ended."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _peak(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
