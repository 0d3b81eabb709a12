"""From a question to the request that is sent, with the hash of its content."""

from __future__ import annotations

import hashlib

import msgspec

from egocross_eval.prompts.renderer import prompt_text
from egocross_eval.schema import (
    GenerationSettings,
    Prompt,
    Question,
    Request,
    Sent,
    SentFrame,
    TextPart,
    VideoPart,
)


def _canonical(prompt: Prompt, hashes: tuple[str, ...]) -> list[object]:
    """The prompt with frame contents in place of paths: equal for equal requests wherever the files lie."""
    remaining = iter(hashes)
    messages: list[object] = []
    for message in prompt.messages:
        parts: list[object] = []
        for part in message.parts:
            if isinstance(part, TextPart):
                parts.append(part.text)
            elif isinstance(part, VideoPart):
                parts.append([part.fps, part.indices, [next(remaining, "") for _ in part.paths]])
            else:
                parts.append([next(remaining, "")])
        messages.append([message.role, parts])
    return messages


def build_request(
    question: Question, prompt: Prompt, settings: GenerationSettings, *, split: str, read_frames: bool
) -> Request:
    """The request for a rendered question; `read_frames` hashes the frames' contents.

    Raises `FrameError` for a frame that can't be read.
    """
    hashes: tuple[str, ...] = ()
    if read_frames:
        from egocross_eval.frames.store import frame_hash

        hashes = tuple(frame_hash(path) for path in prompt.frame_paths())
    letters = "".join(question.options)
    content = msgspec.msgpack.encode([_canonical(prompt, hashes), prompt.max_pixels, settings, letters])
    return Request(
        key=question.question_id,
        prompt=prompt,
        settings=settings,
        options=question.options,
        labels={
            "split": split,
            "domain": question.domain,
            "dataset": question.dataset,
            "category": question.category,
            "question_type": question.question_type,
            "video": question.video,
        },
        frame_hashes=hashes,
        content_hash=hashlib.sha256(content).hexdigest(),
    )


def sent(request: Request) -> Sent:
    """What the sample keeps of a request."""
    frames = request.prompt.frames()
    hashes = request.frame_hashes or ("",) * len(frames)
    return Sent(
        messages=prompt_text(request.prompt),
        frames=tuple(
            SentFrame(name=frame.name, time=frame.time, hash=digest)
            for frame, digest in zip(frames, hashes, strict=True)
        ),
        content_hash=request.content_hash,
    )
