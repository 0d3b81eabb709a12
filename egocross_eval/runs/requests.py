"""From an ask to the request that is sent, with the hash of its content."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from egocross_eval.prompts.renderer import PLAIN, prompt_text
from egocross_eval.schema import Ask, Prompt, Question, Request, Sent, SentFrame, TextPart, VideoPart

if TYPE_CHECKING:
    from egocross_eval.runs.plan import RunPlan
    from egocross_eval.settings import GenerationSettings


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


def request_key(question: Question, ask: Ask) -> str:
    """The key of an ask's request: the question's own for an ask without a name."""
    return f"{question.key}#{ask.name}" if ask.name else question.key


def request_of(plan: RunPlan, question: Question, ask: Ask, *, read_frames: bool) -> Request:
    """The request for an ask about a question of a run.

    Raises `DataError` for a frame that is missing or can't be read.
    """
    approach = plan.approach(question)
    return build_request(
        question,
        approach.renderer.render(question, plan.root, ask),
        _settings(approach.options.generation, ask),
        ask=ask,
        split=plan.settings.split,
        data_root=str(plan.root.path) if plan.root else "",
        read_frames=read_frames,
    )


def build_request(
    question: Question,
    prompt: Prompt,
    settings: GenerationSettings,
    *,
    ask: Ask = PLAIN,
    split: str,
    data_root: str = "",
    read_frames: bool,
) -> Request:
    """The request for a rendered ask; `read_frames` hashes the frames' contents.

    Raises `FrameError` for a frame that can't be read.
    """
    hashes: tuple[str, ...] = ()
    if read_frames:
        from egocross_eval.frames.store import frame_hash

        hashes = tuple(frame_hash(path) for path in prompt.frame_paths())
    options = question.options if ask.options is None else ask.options
    choices = tuple(options) if ask.choices is None else ask.choices
    # Not the struct: it leaves out a value that is the default object, but not one that equals it.
    values = msgspec.structs.astuple(settings)
    content = msgspec.msgpack.encode([_canonical(prompt, hashes), prompt.max_pixels, values, choices])
    return Request(
        key=request_key(question, ask),
        prompt=prompt,
        settings=settings,
        options=options,
        choices=choices,
        labels=request_labels(question, split),
        data_root=data_root,
        frame_hashes=hashes,
        content_hash=hashlib.sha256(content).hexdigest(),
    )


def request_labels(question: Question, split: str) -> dict[str, str]:
    """The labels of every request about a question."""
    return {**question.labels, "cluster": question.cluster, "split": split}


def _settings(settings: GenerationSettings, ask: Ask) -> GenerationSettings:
    """The run's settings with what the ask says otherwise."""
    changed: dict[str, Any] = {
        name: value
        for name in ("answer_mode", "max_new_tokens", "temperature")
        if (value := getattr(ask, name)) is not None
    }
    if ask.seed:
        changed["seed"] = settings.seed + ask.seed
    return msgspec.structs.replace(settings, **changed) if changed else settings


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
