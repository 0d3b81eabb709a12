"""From an ask to the request that is sent, with the hash of its content."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from egocross_eval.prompts.renderer import PLAIN, prompt_text
from egocross_eval.schema import Ask, Frame, Prompt, Question, Request, Sent, SentFrame, TextPart, VideoPart

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


class RequestMaker:
    """Makes the requests of a run. What those about one question have in common is made once, if they come in a row."""

    def __init__(self, plan: RunPlan) -> None:
        self._plan = plan
        self._last: _QuestionRequests | None = None

    def made(self, question: Question, ask: Ask, *, read_frames: bool) -> tuple[Request, Sent]:
        """The request for an ask about a question of the run, and what its sample keeps of it.

        Raises `DataError` for a frame that is missing or can't be read.
        """
        if self._last is None or self._last.question is not question:
            self._last = _QuestionRequests(self._plan, question)
        return self._last.made(ask, read_frames=read_frames)


class _QuestionRequests:
    """Makes the requests about one question, which show the same frames as a rule."""

    def __init__(self, plan: RunPlan, question: Question) -> None:
        approach = plan.approach(question)
        self.question = question
        self._prompts = approach.renderer.prompts(question, plan.root)
        self._generation = approach.options.generation
        self._labels = request_labels(question, plan.settings.split)
        self._data_root = str(plan.root.path) if plan.root else ""
        self._changed: dict[tuple[object, ...], GenerationSettings] = {}
        self._hashed: tuple[list[str], tuple[str, ...]] = ([], ())
        """Paths of the last request's frames, and their hashes."""
        self._kept: tuple[list[Frame], tuple[SentFrame, ...]] = ([], ())

    def made(self, ask: Ask, *, read_frames: bool) -> tuple[Request, Sent]:
        prompt = self._prompts.of(ask)
        hashes = self._frame_hashes(prompt) if read_frames else ()
        settings, root = self._settings(ask), self._data_root
        request = _request(self.question, ask, prompt, settings, hashes=hashes, labels=self._labels, data_root=root)
        return request, self._sent(request)

    def _frame_hashes(self, prompt: Prompt) -> tuple[str, ...]:
        paths = prompt.frame_paths()
        if paths != self._hashed[0]:
            self._hashed = (paths, frame_hashes(paths))
        return self._hashed[1]

    def _settings(self, ask: Ask) -> GenerationSettings:
        changed = (ask.answer_mode, ask.max_new_tokens, ask.temperature, ask.seed)
        if changed not in self._changed:
            self._changed[changed] = _settings(self._generation, ask)
        return self._changed[changed]

    def _sent(self, request: Request) -> Sent:
        frames = request.prompt.frames()
        if frames != self._kept[0]:
            self._kept = (frames, _sent_frames(frames, request.frame_hashes))
        return Sent(messages=prompt_text(request.prompt), frames=self._kept[1], content_hash=request.content_hash)


def request_of(plan: RunPlan, question: Question, ask: Ask, *, read_frames: bool) -> Request:
    """The request for one ask about a question of a run; raises as `RequestMaker.made` does."""
    return RequestMaker(plan).made(question, ask, read_frames=read_frames)[0]


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
    return _request(
        question,
        ask,
        prompt,
        settings,
        hashes=frame_hashes(prompt.frame_paths()) if read_frames else (),
        labels=request_labels(question, split),
        data_root=data_root,
    )


def frame_hashes(paths: Sequence[str]) -> tuple[str, ...]:
    """Content hashes of frame files. Raises `FrameError` for one that can't be read."""
    from egocross_eval.frames.store import frame_hash

    return tuple(map(frame_hash, paths))


def _request(
    question: Question,
    ask: Ask,
    prompt: Prompt,
    settings: GenerationSettings,
    *,
    hashes: tuple[str, ...],
    labels: dict[str, str],
    data_root: str,
) -> Request:
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
        labels=labels,
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


def _sent_frames(frames: Sequence[Frame], hashes: tuple[str, ...]) -> tuple[SentFrame, ...]:
    return tuple(
        SentFrame(name=frame.name, time=frame.time, hash=digest)
        for frame, digest in zip(frames, hashes or ("",) * len(frames), strict=True)
    )
