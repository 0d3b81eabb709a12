"""Starts LLaMA-Factory, shows how far it is, keeps its log, and ends it with all its workers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.errors import RunError, UsageError
from egocross_eval.files import open_for_appending
from egocross_eval.training.inside.start_trainer import STARTED
from egocross_eval.training.trainer_faults import explain, last_words
from egocross_eval.training.waiting import Waiting

TRAINER_LOG = "trainer_log.jsonl"
"""Where LLaMA-Factory writes a line for each logged step."""

GRACE = 10.0
"""Seconds between asking the workers to end and killing them."""

MARK = "EGOCROSS_TRAINING_RUN"
"""Variable by which the processes of one run are known."""

WORK = "EGOCROSS_TRAINING_WORK"
"""Variable that names the output folder to the processes that train in it, and on which node."""

PROCESSES = Path("/proc")
"""Where Linux shows the processes and their variables."""

_LOOK = 0.25
"""Seconds between two looks at the trainer's log."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the trainer's log."""

    current_steps: int
    total_steps: int
    loss: float | None = None
    lr: float | None = None
    remaining_time: str = ""


def read_steps(folder: Path) -> list[Step]:
    """The logged steps in order, each once, as it was logged last."""
    steps = {step.current_steps: step for step in _logged(folder)}
    return [steps[number] for number in sorted(steps)]


def _logged(folder: Path) -> list[Step]:
    """The steps as they were logged: a training that was gone on with has some twice. A torn last line is left out."""
    path = folder / TRAINER_LOG
    return _steps(path.read_bytes()) if path.is_file() else []


def _steps(lines: bytes) -> list[Step]:
    steps: list[Step] = []
    for line in lines.decode(errors="replace").splitlines():
        try:
            step = msgspec.convert(json.loads(line), Step)
        except (ValueError, msgspec.ValidationError):
            continue
        if step.loss is not None:
            steps.append(step)
    return steps


class NewSteps:
    """What is logged from now on. The log is read on from where its last whole line ended; one that was begun anew is
    read from its beginning."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / TRAINER_LOG
        self._read = 0
        self()

    def __call__(self) -> list[Step]:
        """The steps since the last call."""
        try:
            with self._path.open("rb") as file:
                if file.seek(0, os.SEEK_END) < self._read:
                    self._read = 0
                file.seek(self._read)
                lines, newline, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            self._read = 0
            return []
        self._read += len(lines) + len(newline)
        return _steps(lines)


def run(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    log: Path,
    on_step: Callable[[Step], None] = lambda step: None,
    waiting: Waiting | None = None,
) -> None:
    """Runs the command to its end, its output appended to `log`.

    `waiting` is for the other nodes, until the log says that workers have started. Raises `RunError` with the remedy
    where the log shows a known fault, else with the end of the log. However this ends, no process of the command is
    left.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    mark = uuid.uuid4().hex
    start = log.stat().st_size if log.exists() else 0
    new_steps = NewSteps(folder)
    with open_for_appending(log) as out:
        child = subprocess.Popen(
            list(command),
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**environment, MARK: mark},
            cwd=log.parent,
            start_new_session=True,
        )
        try:
            with _ended_on_signal():
                while child.poll() is None:
                    for step in new_steps():
                        on_step(step)
                    if waiting is not None and STARTED in _written(log, start):
                        waiting = None
                    if waiting is not None:
                        waiting.look()
                    time.sleep(_LOOK)
        finally:
            end_group(child)
            end_marked(mark)
    for step in new_steps():
        on_step(step)
    if child.returncode != 0:
        raise RunError(_reason(log, start, child.returncode))


@contextlib.contextmanager
def _ended_on_signal() -> Any:
    """Turns SIGTERM into KeyboardInterrupt, so that the workers end with us."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def end_group(child: subprocess.Popen[bytes]) -> None:
    """Ends a process started in a session of its own with all that it has started."""
    if os.name == "nt":
        child.kill()
        child.wait()
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not _sent(child.pid, number):
            break
        limit = time.monotonic() + GRACE
        while time.monotonic() < limit:
            child.poll()
            if not _sent(child.pid, 0):
                break
            time.sleep(0.05)
    child.wait()


def _sent(group: int, number: int) -> bool:
    """Sends a signal (0: none) to a group of processes; False where nothing of it is left."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a group that has ended
        return False
    return True


def end_marked(mark: str) -> None:
    """Kills what is left of a run by the variable that all its processes inherit.

    torchrun starts each worker in a session of its own, so ending a group doesn't reach the workers of an agent that
    was killed. Does nothing where there's no /proc.
    """
    for process in _having(MARK, mark):
        with contextlib.suppress(OSError):
            os.kill(process, signal.SIGKILL)


def refuse_trainers_of(work: str) -> None:
    """Raises `UsageError` where processes of a call that was killed still train what `work` names; see `WORK`."""
    left = _having(WORK, work)
    if left:
        numbers = " ".join(map(str, sorted(left)))
        raise UsageError(
            f"the trainer of a call that was killed is still at work on {work}: wait until it has ended, or end it: "
            f"kill {numbers}"
        )


def _having(variable: str, value: str) -> list[int]:
    """The processes that have this variable; none where there's no /proc."""
    wanted, found = f"{variable}={value}".encode(), []
    for entry in PROCESSES.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


def _written(log: Path, start: int) -> str:
    """The log from a position on."""
    with log.open("rb") as file:
        file.seek(start)
        return file.read().decode(errors="replace")


def _reason(log: Path, start: int, code: int) -> str:
    text = _written(log, start)
    # The system's killer of processes writes nothing into the log.
    known = explain(text) or (explain(f"exitcode: {code}") if code == -signal.SIGKILL else "")
    if known:
        return f"LLaMA-Factory stopped: {known}\nits log: {log}"
    return f"LLaMA-Factory stopped with exit code {code}; its log, {log}, ends with:\n{last_words(text)}"
