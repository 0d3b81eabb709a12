"""Who observes a run is waited for, and given up where it doesn't come back: the run ends all the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from until import until

from egocross_eval import Answered, Ended, Run, TrackerType, Warned, evaluate, load_run
from egocross_eval.contracts.event import Event
from egocross_eval.contracts.registry import registry
from egocross_eval.errors import RunError, UsageError
from egocross_eval.runs import telling

Tell = Callable[[Event], object]


@pytest.fixture
def observed(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Tell], tuple[Run, list[str], list[Event]]]:
    """A small run that trackers follow; the warnings that name one, and all events."""

    def observed(*trackers: Tell) -> tuple[Run, list[str], list[Event]]:
        for number, tell in enumerate(trackers):
            kind = TrackerType(name=f"t{number}", description="", build=lambda place, options, tell=tell: tell)  # type: ignore[misc]
            monkeypatch.setitem(registry().trackers, kind.name, kind)
        events: list[Event] = []
        track = [f"t{number}:here" for number in range(len(trackers))]
        run = evaluate(
            "baseline:longest",
            data=demo,
            limit=4,
            track=track,
            output=tmp_path / "run",
            on_event=events.append,
            cache=False,
        )
        warned = [event.message for event in events if isinstance(event, Warned) and "tracker" in event.message]
        return run, warned, events

    return observed


@pytest.fixture
def never() -> Iterator[threading.Event]:
    """What is waited for in vain, until the test is over."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("kind", [Answered, Ended])
def test_a_tracker_that_hangs_is_warned_of_once_and_the_others_are_told_on(
    kind: type[Event],
    observed: Callable[..., tuple[Run, list[str], list[Event]]],
    never: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[Event] = []
    before = sys.stdout
    monkeypatch.setattr(telling, "PATIENCE", 2.0)
    monkeypatch.setattr(telling, "LAST_PATIENCE", 2.0)
    begun = time.monotonic()
    run, warned, events = observed(lambda event: never.wait() if isinstance(event, kind) else None, told.append)
    assert time.monotonic() - begun < 60
    assert run.results.complete
    assert warned == [
        f"the tracker 't0:here' did not come back from the event {kind.__name__} within 2 s and is told no more; "
        "the run goes on without it"
    ]
    assert sys.stdout is before
    assert [type(event) for event in told] == [type(event) for event in events if event not in _after(events, warned)]


def _after(events: list[Event], warned: list[str]) -> list[Event]:
    """Events that only the caller is told of: what is wrong with an observer."""
    return [event for event in events if isinstance(event, Warned) and event.message in warned]


def test_a_tracker_that_never_gets_ready_is_refused_before_anything_is_asked(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, never: threading.Event
) -> None:
    def build(place: str, options: object) -> Callable[[Event], None]:
        never.wait()
        return print

    monkeypatch.setattr(telling, "READY_PATIENCE", 0.2)
    monkeypatch.setitem(registry().trackers, "slow", TrackerType(name="slow", description="", build=build))
    with pytest.raises(UsageError, match=r"--track slow:here: it wasn't ready within 0\.2 s; look at its server"):
        evaluate("baseline:longest", data=demo, limit=4, track=["slow:here"], output=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_a_tracker_raises_while_it_is_made_is_its_own_fault(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(place: str, options: object) -> Callable[[Event], None]:
        raise TimeoutError("no answer of the socket")

    monkeypatch.setitem(registry().trackers, "slow", TrackerType(name="slow", description="", build=build))
    with pytest.raises(RunError, match="the tracker 'slow' failed at slow:here: TimeoutError: no answer of the socket"):
        evaluate("baseline:longest", data=demo, limit=4, track=["slow:here"], output=tmp_path / "run")


def test_events_come_in_order_from_one_thread_and_before_the_next_answer(
    observed: Callable[..., tuple[Run, list[str], list[Event]]],
) -> None:
    threads: set[int] = set()
    told: list[Event] = []

    def slow(event: Event) -> None:
        threads.add(threading.get_ident())
        time.sleep(0.01)
        told.append(event)

    _, warned, events = observed(slow)
    assert warned == []
    assert told == events
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_a_tracker_that_exits_is_warned_of_like_one_that_raises(
    observed: Callable[..., tuple[Run, list[str], list[Event]]],
) -> None:
    def exits(event: Event) -> None:
        sys.exit(3)

    run, (warned,), _ = observed(exits)
    assert run.results.complete
    assert "failed on the event Warned and is told no more: SystemExit(3)" in warned


def test_threads_of_observers_end_with_the_run(observed: Callable[..., tuple[Run, list[str], list[Event]]]) -> None:
    observed(lambda event: None)
    until(lambda: "tracker 't0:here'" not in [thread.name for thread in threading.enumerate()])


PLUGIN = """
import threading
from egocross_eval import Ended, hookimpl

@hookimpl
def egocross_event(event):
    if isinstance(event, Ended):
        # As clients of servers do: a thread that Python would wait for at its end.
        threading.Thread(target=threading.Event().wait).start()
        print("sending", flush=True)
        threading.Event().wait()
"""

RUN = """
import sys
from egocross_eval.cli.main import main
from egocross_eval.runs import telling
telling.LAST_PATIENCE = float(sys.argv.pop(1))
main()
"""


@pytest.fixture
def hanging(tmp_path: Path) -> Path:
    """A folder in which a distribution with an observer that never comes back is installed."""
    site = tmp_path / "site"
    info = site / "egocross_hangs-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: egocross-hangs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[egocross_eval]\nhangs = egocross_hangs\n")
    (site / "egocross_hangs.py").write_text(PLUGIN)
    return site


def started(site: Path, demo: Path, folder: Path, patience: float) -> subprocess.Popen[str]:
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))
    words = ["--model", "baseline:longest", "--data", str(demo), "--limit", "4", "--output", str(folder)]
    command = [sys.executable, "-c", RUN, str(patience), *words]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    )


def test_a_third_party_observer_that_hangs_at_the_end_holds_up_neither_run_nor_process(
    hanging: Path, demo: Path, tmp_path: Path
) -> None:
    with started(hanging, demo, tmp_path / "run", 0.5) as run:
        out, said = run.communicate(timeout=180)
    assert run.returncode == 0, said
    assert said.count("is told no more") == 1
    assert "the plugin 'hangs' did not come back from the event Ended within 0.5 s" in said
    assert "Micro" in out
    assert load_run(tmp_path / "run").results.complete


def test_ctrl_c_ends_the_wait_for_an_observer(hanging: Path, demo: Path, tmp_path: Path) -> None:
    with started(hanging, demo, tmp_path / "run", 300.0) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if "sending" in line:
                break
        run.send_signal(signal.SIGINT)
        _, said = run.communicate(timeout=120)
    assert run.returncode == 130, said
    assert "interrupted" in said
    assert load_run(tmp_path / "run").results.complete
