"""Running the trainer: progress, remedies, no process left behind, whole checkpoints only."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from living import living
from until import until
from whole_lines import whole_lines

from egocross_eval.errors import RunError, UsageError
from egocross_eval.training import trainer_process
from egocross_eval.training.trainer_checkpoints import drop_resume_checkpoints, drop_torn_checkpoints
from egocross_eval.training.trainer_faults import explain
from egocross_eval.training.trainer_process import (
    WORK,
    NewSteps,
    Step,
    end_group,
    read_steps,
    refuse_trainers_of,
    run,
)

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


def test_each_line_of_the_log_is_told_once_as_soon_as_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "trainer_log.jsonl"
    lines = [json.dumps({"current_steps": n, "total_steps": 9, "loss": 1.0}) + "\n" for n in range(1, 5)]
    path.write_text(lines[0], encoding="utf-8")
    new_steps = NewSteps(tmp_path)
    told: list[list[int]] = []

    def write(text: str, mode: str = "a") -> None:
        with path.open(mode, encoding="utf-8") as file:
            file.write(text)
        told.append([step.current_steps for step in new_steps()])

    write("")
    write(lines[1] + lines[2][:9])
    write(lines[2][9:])
    write(lines[0], "w")  # a training that begins anew writes its own
    path.unlink()
    assert new_steps() == []
    write(lines[0] + lines[1])
    assert told == [[], [2], [3], [1], [1, 2]]


def test_a_resumed_training_counts_a_repeated_step_once(tmp_path: Path) -> None:
    start(LOGGING, tmp_path)
    start(LOGGING, tmp_path)
    assert [step.current_steps for step in read_steps(tmp_path)] == [1, 2, 3]


def test_a_line_of_the_log_that_is_written_in_two_goes_is_told_once_it_is_there(tmp_path: Path) -> None:
    path = tmp_path / "trainer_log.jsonl"
    first, second = (json.dumps({"current_steps": n, "total_steps": 9, "loss": 1.0}) + "\n" for n in (1, 2))
    for size in range(len(second) - 1):
        path.write_text(first, encoding="utf-8")
        new_steps = NewSteps(tmp_path)
        path.write_text(first + second[:size], encoding="utf-8")
        assert ([step.current_steps for step in read_steps(tmp_path)], new_steps()) == ([1], [])
        path.write_text(first + second, encoding="utf-8")
        assert [step.current_steps for step in new_steps()] == [2]


def test_a_fault_in_the_log_becomes_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="the memory ran out"):
        start("import sys; print('torch.OutOfMemoryError: CUDA out of memory.'); sys.exit(1)", tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_trainer_that_the_system_killed_has_a_remedy_too(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="mostly because memory ran out"):
        start("import os; print('step 3'); os.kill(os.getpid(), 9)", tmp_path)


def test_an_unknown_fault_shows_the_end_of_the_log(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="something new"):
        start("import sys; print('something new'); sys.exit(3)", tmp_path)


AGENT = """\
step 7
terminate called without an active exception
W1126 07:44:49.724000 26921 torch/distributed/elastic/multiprocessing/api.py:1028] Sending process 27051 closing signal SIGTERM
E1126 07:44:49.734000 26921 torch/distributed/elastic/multiprocessing/api.py:1002] failed (exitcode: -6) local_rank: 1 (pid: 27052) of binary: python
Traceback (most recent call last):
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
"""  # noqa: E501
"""The log of a training with two processes, of which the second aborts, as torchrun of torch 2.11 leaves it."""


def test_an_unknown_fault_of_several_processes_shows_what_was_written_before_the_launchers_report(
    tmp_path: Path,
) -> None:
    with pytest.raises(RunError) as raised:
        start(f"import sys; print({AGENT!r} + 'a line of the summary\\n' * 1000); sys.exit(1)", tmp_path)
    shown = str(raised.value).partition("ends with:\n")[2]
    assert shown.splitlines() == [
        "step 7",
        "terminate called without an active exception",
        "the process of local rank 1 ended first, with exit code -6",
    ]


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
        f"pathlib.Path({str(worker)!r}).write_text(f'{{child.pid}}\\n')\n"
        "time.sleep(600)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    until(lambda: whole_lines(worker), child)
    end_group(child)
    assert child.returncode == -signal.SIGTERM
    assert int(worker.read_text()) not in living()


def test_where_a_group_that_has_ended_may_not_be_asked_a_run_ends_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS, which has no /proc either."""

    def killpg(group: int, number: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "killpg", killpg)
    monkeypatch.setattr(trainer_process, "PROCESSES", tmp_path / "no-proc")
    steps: list[Step] = []
    start(LOGGING, tmp_path, steps)
    assert len(steps) == 3
    with pytest.raises(RunError, match="no GPU of that kind"):
        start("import sys; sys.exit('no GPU of that kind')", tmp_path)
    refuse_trainers_of(str(tmp_path))


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_a_worker_in_a_session_of_its_own_does_not_outlive_its_run(tmp_path: Path) -> None:
    """As torchrun starts its workers; the agent here fails and leaves one behind."""
    worker = tmp_path / "worker.pid"
    code = (
        "import subprocess, sys, pathlib\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
        f"pathlib.Path({str(worker)!r}).write_text(str(child.pid))\n"
        "sys.exit('the agent failed')\n"
    )
    with pytest.raises(RunError, match="the agent failed"):
        start(code, tmp_path)
    until(lambda: int(worker.read_text()) not in living())


def test_a_checkpoint_that_was_not_written_to_its_end_is_removed(tmp_path: Path) -> None:
    for step in (5, 10, 15):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"x")
        (folder / "trainer_state.json").write_text(json.dumps({"global_step": step}), encoding="utf-8")
    (tmp_path / "checkpoint-10" / "trainer_state.json").write_text('{"global_st', encoding="utf-8")
    (tmp_path / "checkpoint-15" / "trainer_state.json").unlink()
    (tmp_path / "checkpoint-mine").mkdir()
    told: list[str] = []
    assert drop_torn_checkpoints(tmp_path, told.append) == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-5", "checkpoint-mine"]
    assert len(told) == 3


@pytest.mark.parametrize(("limit", "left"), [(1, []), (None, ["checkpoint-5"])])
def test_a_finished_training_keeps_no_checkpoint_to_go_on_from(
    tmp_path: Path, limit: int | None, left: list[str]
) -> None:
    (tmp_path / "checkpoint-5").mkdir()
    drop_resume_checkpoints(tmp_path, {"save_total_limit": limit}, lambda text: None)
    assert [path.name for path in tmp_path.iterdir()] == left


OUT_OF_MEMORY = "the memory ran out"
DISK_FULL = "the disk is full"
TEMPLATE = "--set template=qwen3_vl_nothink"
PATH = "check --model"


@pytest.mark.parametrize(
    ("log", "remedy"),
    [
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has 1 GiB free", OUT_OF_MEMORY),
        ("RuntimeError: [enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory", OUT_OF_MEMORY),
        ("RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", OUT_OF_MEMORY),
        ("RuntimeError: CUDA error: out of memory", OUT_OF_MEMORY),
        ("RuntimeError: CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`", OUT_OF_MEMORY),
        ("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED", OUT_OF_MEMORY),
        ("OSError: [Errno 12] Cannot allocate memory", OUT_OF_MEMORY),
        ("exitcode  : -9 (pid: 12)", "memory ran out"),
        ("Root Cause: time, host, rank: 1, Signal 9 (SIGKILL) received by PID 12", "memory ran out"),
        ("OSError: [Errno 28] No space left on device", DISK_FULL),
        ("RuntimeError: [enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0", DISK_FULL),
        ("safetensors_rust.SafetensorError: Error while serializing: I/O error: No space left on device", DISK_FULL),
        ("OSError: [Errno 122] Disk quota exceeded: '/out/model'", DISK_FULL),
        ("ValueError: Template qwen9 does not exist.", TEMPLATE),
        ("OSError: ./nowhere is not a local folder and is not a valid model identifier", PATH),
        ("huggingface_hub.errors.HFValidationError: Repo id must be in the form 'name': '/no/where'", PATH),
        ("OSError: /data/base does not appear to have a file named config.json.", PATH),
        ("FileNotFoundError: [Errno 2] No such file or directory: '/x/frame.jpg'", "a file is gone"),
        ("PermissionError: [Errno 13] Permission denied: '/out/model'", "check the rights of --output"),
        ("KeyError: 'from'", "lacks its tags"),
        ("ValueError: Your setup doesn't support bf16/gpu. You need to assign use_cpu if", "580 or newer"),
        ("ValueError: Please launch distributed training with `llamafactory-cli` or `torchrun`.", "--gpus"),
        ("ValueError: Image features and image tokens do not match, tokens: 5, features: 7", "--max-pixels"),
        ("RuntimeError: DataLoader worker (pid 7) is killed by signal: Bus error.", "--shm-size"),
        ("RuntimeError: operator torchvision::nms does not exist", "shipped lock"),
        ("torch.distributed.DistNetworkError: ... EADDRINUSE, message: address already in use", "--address"),
        ("all is well", ""),
    ],
)
def test_known_faults_have_a_remedy(log: str, remedy: str) -> None:
    found = explain(f"first line\n{log}\nlast line")
    assert remedy in found
    assert bool(found) == bool(remedy)


def test_the_remedy_stands_beside_the_line_that_shows_the_fault() -> None:
    line = "torch.OutOfMemoryError: CUDA out of memory."
    assert explain(f"Traceback:\n  {line}\nmore").splitlines()[0] == line


def test_what_went_wrong_last_is_what_is_explained() -> None:
    log = "CUDA out of memory; the batch is tried again\nOSError: [Errno 28] No space left on device"
    assert DISK_FULL in explain(log)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_the_trainer_of_a_killed_call_is_named_until_it_has_ended(tmp_path: Path) -> None:
    work, sleeping = str(tmp_path), [sys.executable, "-c", "import time; time.sleep(600)"]
    child = subprocess.Popen(sleeping, env={**os.environ, WORK: work}, start_new_session=True)
    try:
        with pytest.raises(UsageError, match=f"still at work on {work}: .*kill {child.pid}"):
            refuse_trainers_of(work)
        refuse_trainers_of(f"{work} (node 1)")
    finally:
        child.kill()
        child.wait()
    refuse_trainers_of(work)
