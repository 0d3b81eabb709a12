"""Requests for tests of the chat adapter."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from egocross_eval.model_adapters.openai.adapter import OpenAIAdapter, build
from egocross_eval.model_adapters.openai.options import OpenAIOptions
from egocross_eval.schema import Frame, ImagePart, Message, Part, Prompt, Request, Response, TextPart
from egocross_eval.settings import GenerationSettings

OPTIONS = {"A": "one", "B": "two", "C": "three", "D": "four"}


def request(
    key: str, *, frames: Iterable[Path] = (), system: str = "", max_pixels: int | None = None, **settings: Any
) -> Request:
    """A request whose text holds its key."""
    parts: list[Part] = [ImagePart(frame=Frame(name=path.name), path=str(path)) for path in frames]
    parts.append(TextPart(text=f'Question {key}: which? é "quoted" \\ <b>'))
    messages = [Message(role="user", parts=tuple(parts))]
    if system:
        messages.insert(0, Message(role="system", parts=(TextPart(text=system),)))
    return Request(
        key=key,
        prompt=Prompt(messages=tuple(messages), style="letter", max_pixels=max_pixels),
        settings=GenerationSettings(**settings),
        options=OPTIONS,
    )


def requests(count: int, **settings: Any) -> Iterator[Request]:
    """Requests with the keys q0, q1, ..."""
    return (request(f"q{k}", **settings) for k in range(count))


def adapter(server: Any, *, model: str = "fake", **options: Any) -> OpenAIAdapter:
    """An adapter for a fake server that waits hardly at all between attempts."""
    url = server if isinstance(server, str) else server.base_url
    return build(model, OpenAIOptions(**{"base_url": url, "backoff": 0.01, "concurrency": 8, **options}))


def ask(model: OpenAIAdapter, asked: Iterable[Request]) -> dict[str, Response]:
    """All responses by key; fails if a key comes twice."""
    responses: dict[str, Response] = {}
    for response in model.generate(iter(asked)):
        assert response.key not in responses
        responses[response.key] = response
    return responses


def picture(path: Path, size: tuple[int, int] = (64, 48), seed: int = 0) -> Path:
    """Writes a noisy picture in the format of the path's suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = random.Random(seed).randbytes(size[0] * size[1] * 3)
    Image.frombytes("RGB", size, noise).save(path)
    return path
