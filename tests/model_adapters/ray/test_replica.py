"""A replica without Ray: exchanges, engines that fill windows, faults; what a worker says of itself; shipped frames."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from egocross_eval import (
    Frame,
    GenerationSettings,
    ImagePart,
    Message,
    ModelAdapter,
    Prompt,
    Request,
    Response,
    RunError,
    TextPart,
    VideoPart,
)
from egocross_eval.model_adapters.ray import replica as module
from egocross_eval.model_adapters.ray.clips import ClipFolder, ClipShipper
from egocross_eval.model_adapters.ray.replica import Replica, Report
from egocross_eval.model_adapters.ray.worker import Worker
from egocross_eval.version import __version__


def request(key: str, *parts: ImagePart | VideoPart | TextPart) -> Request:
    prompt = Prompt(messages=(Message(role="user", parts=parts),), style="x")
    return Request(key=key, prompt=prompt, settings=GenerationSettings())


class Windows(ModelAdapter):
    """Draws some requests before it answers, as engines do that fill a batch."""

    def __init__(self, size: int, *, stops_at: str = "", breaks_at: str = "") -> None:
        self._size, self._stops_at, self._breaks_at = size, stops_at, breaks_at

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        window: list[str] = []
        for one in requests:
            if one.key == self._stops_at:
                return
            if one.key == self._breaks_at:
                raise RunError("no memory")
            window.append(one.key)
            if len(window) == self._size:
                yield from (Response(key=key, text="A") for key in window)
                window = []
        yield from (Response(key=key, text="A") for key in window)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.2)


def started(adapter: ModelAdapter) -> Replica:
    replica = Replica("baseline:chance")
    replica._adapter = adapter
    return replica


def exchange(replica: Replica, *keys: str, ended: bool = False) -> Report:
    given = msgspec.msgpack.encode([request(key) for key in keys])
    return msgspec.msgpack.decode(replica.exchange(given, ended), type=Report)


def drive(replica: Replica, keys: list[str]) -> list[str]:
    """Feeds a replica as the driver does; the keys that it answered."""
    left = list(keys)
    answered: list[str] = []
    report = exchange(replica, left.pop(0))
    while len(answered) < len(keys):
        answered += [response.key for response in report.responses]
        if len(answered) == len(keys):
            break
        given, left = left[: report.wanted], left[report.wanted :]
        report = exchange(replica, *given, ended=not left and not given)
    return answered


@pytest.mark.parametrize("window", [1, 3, 100])
def test_an_engine_that_fills_windows_gets_all_it_wants_and_ends(quick: None, window: int) -> None:
    keys = [str(number) for number in range(25)]
    replica = started(Windows(window))
    assert drive(replica, keys) == keys
    assert drive(replica, ["again", "and again"]) == ["again", "and again"]
    replica.close()


def test_requests_that_come_back_after_the_end_begin_another_round(quick: None) -> None:
    replica = started(Windows(10))
    assert drive(replica, ["a", "b"]) == ["a", "b"]
    answered = [response.key for response in exchange(replica, "c", ended=True).responses]
    while not answered:
        answered = [response.key for response in exchange(replica, ended=True).responses]
    assert answered == ["c"]
    replica.close()


def test_nothing_is_kept_ahead_of_a_slow_engine(quick: None) -> None:
    replica = started(Windows(1))
    assert exchange(replica, "a").wanted <= module.LEAST_AHEAD
    replica.close()


def test_an_engine_that_ends_early_says_that_it_is_idle(quick: None) -> None:
    replica = started(Windows(1, stops_at="b"))
    report = exchange(replica, "a", "b", "c", ended=True)
    answered = [response.key for response in report.responses]
    while not report.idle:
        report = exchange(replica, ended=True)
        answered += [response.key for response in report.responses]
    assert answered == ["a"]
    assert not report.error
    replica.close()


def test_a_broken_engine_says_why(quick: None) -> None:
    replica = started(Windows(1, breaks_at="b"))
    report = exchange(replica, "a", "b")
    while not report.error:
        report = exchange(replica)
    assert report.error == "no memory"
    assert not report.usage
    replica.close()


def test_a_stuck_engine_is_named_by_its_question(quick: None) -> None:
    replica = started(Windows(2))
    report = exchange(replica, "a")
    while not report.working:
        report = exchange(replica)
    assert (report.oldest, report.working) == ("a", 1)
    assert report.oldest_seconds >= 0
    replica.close()


@pytest.mark.parametrize(
    ("spec", "version", "error"),
    [
        ("baseline:chance", "0.0.1", f"egocross-eval {__version__} is installed there, and 0.0.1 here"),
        ("hf:./no-such-checkpoint", __version__, "there is no folder"),
        ("nothing:x", __version__, "unknown model adapter"),
    ],
)
def test_a_worker_that_can_not_be_used_says_so_with_its_node(spec: str, version: str, error: str) -> None:
    facts = Worker(spec, version).facts("", 0)
    assert error in facts["error"]
    assert facts["node"] == platform.node()


def test_a_worker_says_whether_it_sees_the_frames(tmp_path: Path) -> None:
    frame = tmp_path / "frame.jpg"
    frame.write_bytes(b"123")
    worker = Worker("baseline:chance", __version__)
    assert worker.facts(str(frame), 3)["sees_frames"]
    assert not worker.facts(str(frame), 4)["sees_frames"]
    assert not worker.facts(str(tmp_path / "other.jpg"), 3)["sees_frames"]
    assert worker.facts("", 0) == {
        "node": platform.node(),
        "pid": worker.facts("", 0)["pid"],
        "error": "",
        "sees_frames": True,
        "fingerprint": None,
    }


def test_frames_that_travel_are_put_once_a_clip_and_go_when_they_are_answered(tmp_path: Path) -> None:
    names = [tmp_path / name for name in ("a.jpg", "b.jpg")]
    for name in names:
        name.write_bytes(name.name.encode())
    images = [ImagePart(frame=Frame(name=name.name), path=str(name)) for name in names]
    video = VideoPart(
        frames=tuple(part.frame for part in images), paths=tuple(map(str, names)), fps=1.0, indices=(0, 1)
    )
    requests = [request("1", *images, TextPart(text="?")), request("2", *images), request("3", video), request("4")]
    put = []

    def reference(clip: dict[str, bytes]) -> int:
        put.append(clip)
        return len(put) - 1

    shipper = ClipShipper(reference)
    assert shipper.references(requests) == [0]
    assert shipper.references(requests[:1]) == [0]
    assert len(put) == 1

    for name in names:
        name.unlink()
    folder = ClipFolder()
    moved = msgspec.msgpack.decode(folder.take(msgspec.msgpack.encode(requests), put), type=list[Request])
    assert [one.key for one in moved] == ["1", "2", "3", "4"]
    for one in moved[:3]:
        paths = [Path(path) for path in one.prompt.frame_paths()]
        assert [path.read_bytes() for path in paths] == [b"a.jpg", b"b.jpg"]
        assert all(str(path).startswith(one.data_root) for path in paths)
        assert one.prompt.frames() == [part.frame for part in images]
    for key in ("1", "2", "3"):
        there = list(Path(moved[0].data_root).iterdir())
        assert len(there) == 2
        folder.release(msgspec.msgpack.encode(Report(responses=(Response(key=key, text="A"),))))
    assert list(Path(moved[0].data_root).iterdir()) == []
    folder.remove()
    assert not Path(moved[0].data_root).exists()
