"""Running the trainer: progress, remedies, no process left behind, whole checkpoints only."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from egocross_eval.errors import RunError
from egocross_eval.training.faults import explain
from egocross_eval.training.process import Step, end_group, read_steps, run
from egocross_eval.training.session import drop_torn_checkpoints

LOGGING = """
import json, pathlib, sys
path = pathlib.Path(sys.argv[1]) / "trainer_log.jsonl"
with path.open("a") as file:
    for step in range(1, 4):
        line = {"current_steps": step, "total_steps": 3, "loss": 2.0 / step, "lr": 1e-4, "epoch": 1}
        file.write(json.dumps(line) + "\\n")
print("done")
"""


def start(code: str, folder: Path, steps: list[Step] | None = None) -> None:
    run(
        [sys.executable, "-c", code, str(folder)],
        environment=os.environ,
        folder=folder,
        log=folder / "log.txt",
        on_step=(steps if steps is not None else []).append,
    )


def test_steps_are_told_and_the_output_is_kept(tmp_path: Path) -> None:
    steps: list[Step] = []
    start(LOGGING, tmp_path, steps)
    assert [step.current_steps for step in steps] == [1, 2, 3]
    assert steps[-1].loss == pytest.approx(2 / 3)
    assert "done" in (tmp_path / "log.txt").read_text(encoding="utf-8")


def test_a_resumed_training_counts_a_repeated_step_once(tmp_path: Path) -> None:
    start(LOGGING, tmp_path)
    start(LOGGING, tmp_path)
    assert [step.current_steps for step in read_steps(tmp_path)] == [1, 2, 3]


def test_a_torn_line_of_the_log_is_left_out(tmp_path: Path) -> None:
    line = json.dumps({"current_steps": 1, "total_steps": 9, "loss": 1.0})
    (tmp_path / "trainer_log.jsonl").write_text(line + "\n" + line[:20], encoding="utf-8")
    assert len(read_steps(tmp_path)) == 1


def test_a_fault_in_the_log_becomes_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="the memory ran out"):
        start("import sys; print('torch.OutOfMemoryError: CUDA out of memory.'); sys.exit(1)", tmp_path)


def test_an_unknown_fault_shows_the_end_of_the_log(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="something new"):
        start("import sys; print('something new'); sys.exit(3)", tmp_path)


def test_an_earlier_fault_in_the_log_is_not_mistaken_for_the_present_one(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("CUDA out of memory\n", encoding="utf-8")
    with pytest.raises(RunError, match="something new"):
        start("import sys; print('something new'); sys.exit(3)", tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="process groups of POSIX")
def test_ending_the_trainer_ends_what_it_has_started(tmp_path: Path) -> None:
    worker = tmp_path / "worker.pid"
    code = (
        "import subprocess, sys, pathlib, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import signal, time; signal.signal(signal.SIGTERM, "
        "signal.SIG_DFL); time.sleep(600)'])\n"
        f"pathlib.Path({str(worker)!r}).write_text(str(child.pid))\n"
        "time.sleep(600)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    while not worker.is_file() or not worker.read_text():
        time.sleep(0.02)
    end_group(child)
    assert child.returncode == -signal.SIGTERM
    state = Path(f"/proc/{worker.read_text()}/stat")
    if state.exists():  # not yet reaped by whoever adopted it
        assert state.read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_checkpoint_that_was_not_written_to_its_end_is_removed(tmp_path: Path) -> None:
    for step in (5, 10, 15):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"x")
        (folder / "trainer_state.json").write_text(json.dumps({"global_step": step}), encoding="utf-8")
    (tmp_path / "checkpoint-10" / "trainer_state.json").write_text('{"global_st', encoding="utf-8")
    (tmp_path / "checkpoint-15" / "trainer_state.json").unlink()
    told: list[str] = []
    assert drop_torn_checkpoints(tmp_path, told.append) == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-5"]
    assert len(told) == 3


@pytest.mark.parametrize(
    ("log", "remedy"),
    [
        ("ValueError: Template qwen9 does not exist.", "qwen3_vl_nothink"),
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("KeyError: 'from'", "lacks its tags"),
        ("FileNotFoundError: [Errno 2] No such file or directory: '/x/frame.jpg'", "a file is gone"),
        ("RuntimeError: operator torchvision::nms does not exist", "shipped lock"),
        ("OSError: ./nowhere is not a local folder and is not a valid model identifier", "check --model"),
        ("exitcode  : -9 (pid: 12)", "memory ran out"),
        ("all is well", ""),
    ],
)
def test_known_faults_have_a_remedy(log: str, remedy: str) -> None:
    found = explain(f"first line\n{log}\nlast line")
    assert remedy in found
    assert bool(found) == bool(remedy)
