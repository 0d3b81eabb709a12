"""Requests that begin alike share what they begin with, and each arrives as it would alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fake_server import FakeServer
from openai_requests import adapter, ask, picture, request

from egocross_eval import Message, Prompt, Request, TextPart
from egocross_eval.frames.store import scaled_frame
from egocross_eval.model_adapters.openai import body


def about(frames: list[Path], count: int, *, name: str = "q", max_pixels: int | None = None) -> list[Request]:
    """Requests about the same frames with different last words, behind an earlier turn."""
    first = request(name, frames=frames, max_pixels=max_pixels, system="Be brief.")
    *earlier, last = first.prompt.messages
    found = []
    for number in range(count):
        parts = (*last.parts[:-1], TextPart(text=f"{name} {number}: which?"))
        prompt = msgspec.structs.replace(first.prompt, messages=(*earlier, Message(role="user", parts=parts)))
        found.append(msgspec.structs.replace(first, key=f"{name}#{number}", prompt=prompt))
    return found


def bodies(server: FakeServer, asked: list[Request], **options: Any) -> Counter[bytes]:
    """What arrives, in whatever order."""
    before = len(server.calls)
    ask(adapter(server, **options), asked)
    return Counter(call.raw for call in server.calls[before:])


@pytest.mark.parametrize("max_pixels", [None, 1200])
def test_each_arrives_as_it_would_alone(tmp_path: Path, max_pixels: int | None) -> None:
    frames = [picture(tmp_path / f"{k}.jpg", (80, 60), seed=k) for k in range(3)]
    asked = about(frames, 6, max_pixels=max_pixels) + about(frames[:2], 3, name="other", max_pixels=max_pixels)
    with FakeServer() as server:
        together = bodies(server, asked)
        alone = sum((bodies(server, [one]) for one in asked), Counter())
    assert together == alone


def test_a_body_larger_than_what_is_written_at_once_arrives_whole(tmp_path: Path) -> None:
    frames = [picture(tmp_path / f"{k}.png", (400, 300), seed=k) for k in range(2)]
    with FakeServer() as server:
        ask(adapter(server), about(frames, 3))
        assert [[data for _, data in call.images] for call in server.calls] == [[f.read_bytes() for f in frames]] * 3


def test_frames_are_read_and_scaled_once_for_all_that_is_asked_about_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = [picture(tmp_path / f"{k}.jpg", (80, 60), seed=k) for k in range(3)]
    scaled: Counter[str] = Counter()

    def counted(path: str, max_pixels: int | None, *, jpeg: bool) -> tuple[bytes, str]:
        scaled[path] += 1
        return whole(path, max_pixels, jpeg=jpeg)

    whole = scaled_frame
    monkeypatch.setattr(body, "scaled_frame", counted)
    with FakeServer() as server:
        ask(adapter(server), about(frames, 12, max_pixels=1200))
        assert len(server.calls) == 12
    assert scaled == {str(path): 1 for path in frames}


def test_a_frame_that_is_missing_fails_each_of_them(tmp_path: Path) -> None:
    frames = [picture(tmp_path / "a.jpg"), tmp_path / "gone.jpg"]
    with FakeServer() as server:
        answers = ask(adapter(server), [*about(frames, 4), *about(frames[:1], 2, name="fine")])
    failed = {key for key, answer in answers.items() if answer.failure and "gone.jpg" in answer.failure.message}
    assert failed == {f"q#{number}" for number in range(4)}
    assert {key for key, answer in answers.items() if answer.failure is None} == {"fine#0", "fine#1"}


def test_a_prompt_of_words_alone_shares_its_earlier_turns() -> None:
    turns = tuple(Message(role=role, parts=(TextPart(text=role),)) for role in ("system", "user", "assistant"))
    asked = []
    for number in range(3):
        messages = (*turns, Message(role="user", parts=(TextPart(text=str(number)),)))
        asked.append(msgspec.structs.replace(request(f"q{number}"), prompt=Prompt(messages=messages, style="letter")))
    with FakeServer() as server:
        ask(adapter(server), asked)
        contents = [[message["content"] for message in call.body["messages"]] for call in server.calls]
    assert sorted(contents) == [["system", "user", "assistant", str(number)] for number in range(3)]
