"""Whole runs against a server: faults, a dead server, an interrupt, the whole real testbed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import fake_server
import pytest
from calling import call
from fake_server import STALL, Call, FakeServer, Fault
from ports import closed_port
from until import until
from whole_lines import whole_lines

from egocross_eval import load_run


def spec(server: FakeServer, *options: str) -> str:
    """The model spec of a server."""
    return ",".join([f"openai:fake,base_url={server.base_url}", "backoff=0.01", *options])


MIXED = [fake_server.rate_limit(0), fake_server.HTTP_500, fake_server.RESET, fake_server.HTML, fake_server.TRUNCATED]
"""Faults that pass; every third question meets one."""


def some_pass(call: Call) -> Fault | None:
    return MIXED[call.number % len(MIXED)] if call.number % 3 == 0 and call.attempt == 1 else None


def some_last(call: Call) -> Fault | None:
    return fake_server.HTTP_500 if call.number % 10 == 0 else None


def test_faults_that_pass_leave_no_trace_in_the_score(demo: Path, tmp_path: Path) -> None:
    with FakeServer(answers="B", faults=some_pass) as server:
        code = call("--model", spec(server), "--data", demo, "--output", tmp_path / "run", "--no-cache")
    run = load_run(tmp_path / "run")
    assert code == 0
    assert run.results.complete
    assert {sample.answers[0].response.text for sample in run.samples} == {"B"}
    assert server.count > len(run.samples)


def test_faults_that_last_are_counted_exactly_and_asked_again_by_the_same_command(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repaired = False
    with FakeServer(answers="B", faults=lambda call: None if repaired else some_last(call)) as server:
        model = spec(server, "max_retries=1")
        command = ("--model", model, "--data", demo, "--output", tmp_path / "run", "--no-cache")
        assert call(*command) == 1
        run = load_run(tmp_path / "run")
        total = len(run.samples)
        assert run.results.counts["errored"] == total // 10
        assert run.results.counts["right"] + run.results.counts["wrong"] == total - total // 10
        assert f"{total // 10} failed (http_500)" in capsys.readouterr().err
        repaired, asked_before = True, server.count
        assert call(*command) == 0
        assert server.count - asked_before == total // 10
    assert load_run(tmp_path / "run").results.complete


@pytest.mark.parametrize(
    "fault",
    [
        fake_server.http_error(400, "triggering the content management policy", code="content_filter"),
        Fault("status", 200, {}, '{"choices": [{"message": {"content": null}, "finish_reason": "SAFETY"}]}'),
        Fault("status", 200, {}, '{"choices": [{"message": {"refusal": "No."}, "finish_reason": "stop"}]}'),
    ],
)
def test_filtered_answers_are_counted_apart_and_leave_a_run_complete(
    fault: Fault, demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with FakeServer(answers="B", faults=lambda call: fault if call.number % 3 == 0 else None) as server:
        command = ["--model", spec(server), "--data", str(demo), "--output", str(tmp_path / "run"), "--limit", "9"]
        assert call(*command, "--no-cache") == 0
        said = capsys.readouterr()
        assert "3 withheld by a content filter; they count as wrong, e.g. question" in said.err
        assert "failed" not in said.err
        assert call(*command, "--no-cache") == 0
        assert server.count == 9
    assert "| Filtered |" in " ".join(said.out.split())
    capsys.readouterr()
    assert call("score", tmp_path / "run") == 0
    assert "filtered" in capsys.readouterr().out
    assert call("view", tmp_path / "run", "--filtered") == 0
    assert "filtered" in capsys.readouterr().out


def test_a_dead_server_ends_with_exit_code_1_and_no_score(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closed_port() as port:
        model = f"openai:fake,base_url=http://127.0.0.1:{port}/v1,backoff=0.01,max_retries=1"
        assert call("--model", model, "--data", demo, "--output", tmp_path / "run") == 1
    run = load_run(tmp_path / "run")
    assert run.results.micro is None
    assert run.results.counts["errored"] == len(run.samples)
    assert all(sample.answers[0].response.text is None for sample in run.samples)
    assert "failed (connection)" in capsys.readouterr().err


def test_the_key_reaches_the_server_and_nothing_else(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SERVER_API_KEY", "sk-very-secret")
    with FakeServer(api_key="sk-very-secret", faults=some_last) as server:
        call(
            "--model",
            spec(server, "max_retries=0", "api_key_env=SERVER_API_KEY"),
            "--data",
            demo,
            "--output",
            tmp_path / "run",
        )
    assert load_run(tmp_path / "run").results.counts["right"] > 0
    shown = capsys.readouterr()
    assert "very-secret" not in shown.out + shown.err
    for path in (tmp_path / "run").iterdir():
        assert b"very-secret" not in path.read_bytes(), path


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_an_interrupt_or_a_kill_keeps_what_was_answered_and_the_same_command_goes_on(
    sent: signal.Signals, code: int, demo: Path, tmp_path: Path
) -> None:
    samples, ended = tmp_path / "run" / "samples.jsonl", False
    with FakeServer(answers="B", faults=lambda call: None if ended or call.number <= 20 else STALL) as server:
        command: list[str | Path] = [
            "--model",
            spec(server, "concurrency=2"),
            "--data",
            str(demo),
            "--output",
            str(tmp_path / "run"),
        ]
        process = subprocess.Popen(
            [sys.executable, "-m", "egocross_eval", *command, "--no-cache"], stderr=subprocess.PIPE, text=True
        )
        # No request is on its way any longer: two wait for an answer that doesn't come.
        until(lambda: len(whole_lines(samples)) == 20 and server.count == 22, process)
        os.kill(process.pid, sent)
        _, errors = process.communicate(timeout=120)
        ended = True
        assert process.returncode == code
        assert "Traceback" not in errors
        if sent == signal.SIGINT:
            assert "To go on: the same command" in errors
        kept = len(load_run(tmp_path / "run").samples)
        assert kept == 20
        asked_before = server.count
        assert call(*command, "--no-cache") == 0
        asked = server.count - asked_before
    run = load_run(tmp_path / "run")
    assert run.results.complete
    assert asked == len(run.samples) - kept


def test_asking_again_for_a_finished_run_sends_nothing(demo: Path, tmp_path: Path) -> None:
    with FakeServer() as server:
        command: list[str | Path] = [
            "--model",
            spec(server),
            "--data",
            demo,
            "--output",
            tmp_path / "run",
            "--no-cache",
        ]
        assert call(*command) == 0
        count = server.count
        assert call(*command) == 0
        assert server.count == count


@pytest.fixture(scope="module")
def real_testbed(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with the real questions and a stand-in picture for every frame."""
    root = tmp_path_factory.mktemp("testbed")
    make_frames = shared_data.parent / "tools" / "make_frames.py"
    subprocess.run([sys.executable, str(make_frames), str(root), "--base", "20"], check=True, capture_output=True)
    questions = "egocross_testbed_imgs.json"
    (root / questions).write_bytes((shared_data / questions).read_bytes())
    return root


@pytest.mark.slow
def test_the_whole_real_testbed_goes_through_a_server(real_testbed: Path, tmp_path: Path) -> None:
    with FakeServer(keep_calls=False) as server:
        code = call("--model", spec(server), "--data", real_testbed, "--output", tmp_path / "run", "--no-cache")
        assert code == 0
        assert server.count == 957
    run = load_run(tmp_path / "run")
    assert len(run.samples) == 957
    assert sum(len(sample.answers[0].sent.frames) for sample in run.samples) == 10748
    assert run.results.counts["unscored"] == 957
    assert call("submit", tmp_path / "run") == 0
