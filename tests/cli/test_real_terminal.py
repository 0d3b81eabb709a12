"""The command line in a real terminal of 80 columns: a bar that can be interrupted, and lines broken between words."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_server import STALL, FakeServer

COLUMNS = 80
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def in_terminal(arguments: list[str | Path], *, interrupt: Callable[[str], bool] = lambda _: False) -> str:
    """All that is written, with its controls. Ctrl-C is pressed once `interrupt` of what was written is true."""
    terminal, inside = pty.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    environment.update(TERM="xterm", PAGER="cat")
    command = [sys.executable, "-m", "egocross_eval", *map(str, arguments)]
    process = subprocess.Popen(
        command, stdin=inside, stdout=inside, stderr=inside, env=environment, start_new_session=True
    )
    os.close(inside)
    written, pressed, deadline = b"", False, time.monotonic() + 300
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                written += os.read(terminal, 65536)
            except OSError:  # the other side is closed
                break
        if not pressed and interrupt(written.decode(errors="replace")):
            pressed = True
            os.write(terminal, b"\x03")
            os.killpg(process.pid, 2)  # the terminal isn't the process's controlling one, so it only echoes
    process.wait(timeout=120)
    os.close(terminal)
    return written.decode()


def answered(text: str) -> int:
    """The count that a bar of 100 questions shows."""
    return max(map(int, re.findall(r"(\d+)/100", text)), default=0)


@pytest.mark.slow
def test_ctrl_c_leaves_the_bar_once(demo: Path, tmp_path: Path) -> None:
    def late(text: str) -> bool:
        return answered(text) >= 12 and text.count("/100") > 3

    name = "organisation/Qwen3-VL-30B-A3B-Instruct-finetuned-v12-checkpoint-400"
    with FakeServer(answers="B", latency=0.2, faults=lambda call: STALL if call.number > 40 else None) as server:
        model = f"openai:fake,base_url={server.base_url},concurrency=4,name={name}"
        options: list[str | Path] = ["--data", demo, "--no-cache", "--output", tmp_path / "run"]
        written = in_terminal(["--model", model, *options], interrupt=late)
    assert "…\x1b[0m" not in written
    assert "interrupted; what was answered is kept" in written
    assert "␛" not in written
    drawn = [_COLOURS.sub("", line) for line in re.split(r"\r\x1b\[2K|\r\n", written) if "/100" in line]
    assert len(drawn) > 3
    # The bar is drawn over the last one in place, which it can only be while that takes one line, with ^C behind it.
    assert max(map(len, drawn)) <= COLUMNS
    assert [line for line in written.split("\n") if line.count("\r\x1b[2K") == 0 and "/100" in line] == []


def test_notes_and_errors_are_broken_between_words(demo: Path, tmp_path: Path) -> None:
    for arguments in (
        ["--model", "baseline:chance", "--data", demo, "--output", tmp_path / "run"],
        ["--model", "baseline:chance", "--tasks", "anmal"],
    ):
        lines = _COLOURS.sub("", in_terminal([*arguments])).replace("\r", "").split("\n")
        assert [line for line in lines if len(line) > COLUMNS and "/" not in line] == []
