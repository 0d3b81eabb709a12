"""Requests over drawn frames, for the tests of the `hf` adapter."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

from egocross_eval.schema import Frame, ImagePart, Message, Part, Prompt, Request, TextPart, VideoPart
from egocross_eval.settings import GenerationSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egocross_eval.schema import Response
    from egocross_eval.settings import AnswerMode, Media

OPTIONS = {"A": "turn left", "B": "turn right", "C": "jump", "D": "stop"}


def draw_frames(folder: Path, count: int, size: tuple[int, int] = (96, 64), seed: int = 0) -> list[Path]:
    """JPEG files of noise on a colour, all different, the same for each seed; `size` is (width, height)."""
    from PIL import Image

    chance = random.Random(seed)
    paths = []
    for index in range(count):
        path = folder / f"frame_{seed}_{index:05d}.jpg"
        ground = Image.new("RGB", size, tuple(chance.randrange(256) for _ in range(3)))
        coarse = (max(1, size[0] // 8), max(1, size[1] // 8))
        noise = Image.frombytes("RGB", coarse, chance.randbytes(3 * coarse[0] * coarse[1])).resize(size)
        Image.blend(ground, noise, 0.4).save(path, quality=90)
        paths.append(path)
    return paths


def make_request(
    key: str,
    paths: list[Path],
    *,
    mode: AnswerMode = "choose",
    media: Media = "images",
    text: str = "Which action comes next?",
    times: list[float] | None = None,
    max_pixels: int | None = 4096,
    system: str = "",
    **settings: Any,
) -> Request:
    """A request that shows the frames, two seconds apart unless `times` says otherwise, and then asks."""
    times = times or [2.0 * index for index in range(len(paths))]
    frames = [Frame(name=path.name, time=time) for path, time in zip(paths, times, strict=True)]
    parts: list[Part] = []
    if media == "video" and paths:
        indices = tuple(round(time * 25) for time in times)
        names = tuple(str(path) for path in paths)
        parts.append(VideoPart(frames=tuple(frames), paths=names, fps=25.0, indices=indices))
    else:
        parts.extend(ImagePart(frame=f, path=str(p)) for f, p in zip(frames, paths, strict=True))
    block = "\n".join(f"{letter}: {option}" for letter, option in OPTIONS.items())
    parts.append(TextPart(text=f"{text}\n{block}\nAnswer with the letter."))
    messages = [Message(role="user", parts=tuple(parts))]
    if system:
        messages.insert(0, Message(role="system", parts=(TextPart(text=system),)))
    return Request(
        key=key,
        prompt=Prompt(messages=tuple(messages), style="test", max_pixels=max_pixels),
        settings=GenerationSettings(answer_mode=mode, **({"max_new_tokens": 8} | settings)),
        options=OPTIONS,
    )


def mixed_requests(
    folder: Path, *, mode: AnswerMode = "choose", media: Media = "images", **settings: Any
) -> list[Request]:
    """Nine requests of different lengths: one to six frames of two shapes, short and long questions."""
    requests = []
    for index in range(9):
        size = (96, 64) if index % 2 else (64, 128)
        paths = draw_frames(folder, 1 + index * 5 % 6, size, seed=index)
        text = "Which action comes next? " + "The person turns and jumps. " * (index % 4)
        requests.append(make_request(f"q{index}", paths, mode=mode, media=media, text=text, **settings))
    return requests


def adapter(checkpoint: Path | str, **options: Any) -> Any:
    """The adapter of a checkpoint, as the command line builds it."""
    from egocross_eval.model_adapters.hf.adapter import build
    from egocross_eval.model_adapters.hf.options import HfOptions

    return build(str(checkpoint), HfOptions(**options))


def answers(checkpoint: Path, requests: list[Request], **options: Any) -> dict[str, Response]:
    """All responses by key; exactly one for each request."""
    model = adapter(checkpoint, **options)
    try:
        responses = list(model.generate(iter(requests)))
    finally:
        model.close()
    keys = [response.key for response in responses]
    assert sorted(keys) == sorted(request.key for request in requests)
    return {response.key: response for response in responses}


def singly(checkpoint: Path, requests: list[Request], **options: Any) -> dict[str, Response]:
    """All responses by key, each request in a batch of its own."""
    return answers(checkpoint, requests, batch_size=1, **options)


def text_of(response: Response) -> str:
    assert response.failure is None, response.failure
    assert response.text is not None
    return response.text


def scores_of(response: Response) -> dict[str, float]:
    assert response.failure is None, response.failure
    assert response.scores is not None
    return response.scores


def counting(requests: list[Request], drawn: list[str]) -> Iterator[Request]:
    """The requests, noting each key as it's drawn."""
    for request in requests:
        drawn.append(request.key)
        yield request
