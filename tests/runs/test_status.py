"""How runs stand, told from their folder: under way, standing still, killed, finished, of a sweep."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from calling import call
from until import until

from egocross_eval import Event, Failure, ModelAdapter, Request, Response, Warned, evaluate
from egocross_eval.runs import activity
from egocross_eval.runs.status import run_status
from egocross_eval.sweeps.status import standings

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


class Pausing(ModelAdapter):
    """Answers some questions, then waits until it may go on; the third fails."""

    def __init__(self, answers: int) -> None:
        self._answers = answers
        self.paused, self.go_on = threading.Event(), threading.Event()

    def waits_for(self) -> str:
        return "the engine on node seven"

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for number, request in enumerate(requests):
            if number == self._answers:
                self.paused.set()
                assert self.go_on.wait(300)
            if number == 2:
                yield Response(key=request.key, failure=Failure(kind="http_500", message="x", retryable=True))
            else:
                yield Response(key=request.key, text="A", input_tokens=100, output_tokens=5, replica=f"n/{number % 2}")


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "EVERY", 0.02)


def paused_run(tmp_path: Path, answers: int) -> tuple[Pausing, threading.Thread]:
    adapter = Pausing(answers)
    options = {"split": "demo", "limit": 20, "output": tmp_path / "run"}
    thread = threading.Thread(target=lambda: evaluate(adapter, **options))  # type: ignore[arg-type]
    thread.start()
    assert adapter.paused.wait(300)
    until(lambda: told_now(tmp_path / "run") == (answers, 1))
    return adapter, thread


def told_now(folder: Path) -> tuple[int, int]:
    """How many questions were answered and how many requests are out, by what the folder says."""
    found = activity.read_activity(folder)
    return (found.stints[-1].answered, found.open) if found is not None else (0, 0)


def test_a_run_under_way_tells_its_rate_what_is_left_and_what_failed(often: None, tmp_path: Path) -> None:
    adapter, thread = paused_run(tmp_path, 12)
    status = run_status(tmp_path / "run")
    assert (status.state, status.total, status.done) == ("running", 20, 11)
    assert status.failures == {"http_500": 1}
    assert status.rate is not None
    assert status.seconds_left == pytest.approx(9 / status.rate)
    assert status.tokens_in == pytest.approx(status.rate * 100 * 11 / 12)
    assert [(one.name, one.answered) for one in status.replicas] == [("n/0", 5), ("n/1", 6)]
    assert sum(one.rate or 0 for one in status.replicas) == pytest.approx(status.rate)
    assert status.waits == ""
    adapter.go_on.set()
    thread.join()
    after = run_status(tmp_path / "run")
    assert (after.state, after.done, after.seconds_left) == ("stopped", 19, None)


def test_a_run_that_stands_still_says_what_waits_and_since_when(often: None, tmp_path: Path) -> None:
    adapter, thread = paused_run(tmp_path, 5)
    soon = datetime.now(UTC) + timedelta(seconds=4)
    assert run_status(tmp_path / "run", soon).state == "running"
    path = tmp_path / "run" / "activity.json"
    adapter.go_on.set()
    thread.join()

    content = json.loads(path.read_text())
    later = datetime.now(UTC) + timedelta(hours=1)
    content["stints"][0] |= {"ended": False, "seen": later.isoformat(), "last": content["stints"][0]["begun"]}
    content |= {"open": 3, "oldest": "q7", "oldest_since": (later - timedelta(seconds=90)).isoformat()}
    content["waits_for"] = "the engine on node seven"
    path.write_text(json.dumps(content))
    status = run_status(tmp_path / "run", later)
    assert status.state == "stalled"
    assert "the engine on node seven; 3 requests are out, q7 for 90 s; the last answer was 36" in status.waits


def test_the_open_request_and_the_adapters_words_are_in_the_folder(often: None, tmp_path: Path) -> None:
    adapter, thread = paused_run(tmp_path, 0)
    content = json.loads((tmp_path / "run" / "activity.json").read_text())
    status = run_status(tmp_path / "run")
    adapter.go_on.set()
    thread.join()
    assert content["open"] == 1
    assert content["oldest"]
    assert content["waits_for"] == "the engine on node seven"
    assert status.state == "loading"
    assert "nothing was answered yet" in status.waits


def test_a_run_that_stands_still_says_so_itself_now_and_then(
    often: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity, "PATIENT", 0.3)
    adapter, heard, begun = Pausing(5), [], time.monotonic()

    def hear(event: Event) -> None:
        if isinstance(event, Warned) and event.message.startswith("no answer"):
            heard.append(event.message)

    options = {"split": "demo", "limit": 20, "output": tmp_path / "run", "on_event": hear}
    thread = threading.Thread(target=lambda: evaluate(adapter, **options))  # type: ignore[arg-type]
    thread.start()
    assert adapter.paused.wait(300)
    until(lambda: len(heard) > 1 and "1 request is out, " in heard[-1])
    adapter.go_on.set()
    thread.join()
    # Each time it has stood still for twice as long.
    assert 0.3 * 2 ** (len(heard) - 1) <= time.monotonic() - begun
    assert "the engine on node seven; 1 request is out, " in heard[-1]


def test_a_killed_run_is_not_taken_for_one_at_work(tmp_path: Path) -> None:
    evaluate("baseline:chance", split="demo", output=tmp_path / "run")
    path = tmp_path / "run" / "activity.json"
    content = json.loads(path.read_text())
    content["stints"][0]["ended"] = False
    path.write_text(json.dumps(content))
    (tmp_path / "run" / "samples.jsonl").write_bytes(
        b"".join((tmp_path / "run" / "samples.jsonl").read_bytes().splitlines(keepends=True)[:60])
    )
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert run_status(tmp_path / "run", later).state == "stopped"


@pytest.mark.parametrize("spoilt", ["", "{", '{"stints": 3}', None])
def test_a_run_is_told_of_without_its_activity_too(tmp_path: Path, spoilt: str | None) -> None:
    evaluate("baseline:chance", split="demo", output=tmp_path / "run")
    path = tmp_path / "run" / "activity.json"
    if spoilt is None:
        path.unlink()
    else:
        path.write_text(spoilt)
    status = run_status(tmp_path / "run")
    assert (status.state, status.done, status.rate) == ("finished", 100, None)


def test_a_sweep_shows_its_runs_the_broken_and_the_planned_ones_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content: dict[str, Any] = {
        "models": ["baseline:chance", "hf:./none"],
        "options": {"split": "demo", "limit": 5},
        "output": "out",
    }
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(content))
    assert call("sweep", tmp_path / "s.yaml") == 2
    assert [one.status.state for one in standings(tmp_path / "out")] == ["finished", "new"]
    capsys.readouterr()
    assert call("status", tmp_path / "out") == 0
    said = capsys.readouterr().out
    assert "finished" in said
    assert "hf-none broke: hf:./none: there is no folder" in said


def test_a_folder_without_runs_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("status", tmp_path) == 2
    assert "holds no run" in capsys.readouterr().err
