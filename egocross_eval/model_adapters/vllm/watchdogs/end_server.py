"""Ends a server when the process that wants it is gone. Run as a script; uses the standard library alone.

    python end_server.py COMMAND...

Starts the command in a session of its own and waits for it. When this script's standard input ends, which it does when
the process that holds its other end closes it, crashes or is killed, the whole session of the command is ended: first
by SIGTERM, and by SIGKILL what is left after `GRACE` seconds. The exit code is the command's.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time

GRACE = 15.0
"""Seconds that the command has to end by itself."""

_SET_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""By this script, whose time comes with the end of its standard input."""


def _before_command() -> None:
    """The command ignores nothing of that, as it would by inheritance: it is asked to end by SIGTERM. Linux is asked to
    kill it should this script be killed itself; elsewhere there's no such call."""
    for number in _IGNORED:
        signal.signal(number, signal.SIG_DFL)
    try:
        ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
    except (AttributeError, OSError):
        return


def _send(process: subprocess.Popen[bytes], number: int) -> bool:
    """Sends a signal (0: none) to the command's whole session; False where nothing of it is left."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS says so of a group of zombies
        return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    _send(process, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline and _send(process, 0):
        process.poll()
        time.sleep(0.05)
    _send(process, signal.SIGKILL)


def main(command: list[str]) -> int:
    """Runs the command until it ends or standard input does; returns its exit code."""
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_before_command)

    def wait_for_end() -> None:
        while os.read(0, 4096):
            pass
        _end(process)

    threading.Thread(target=wait_for_end, daemon=True).start()
    code = process.wait()
    _end(process)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
