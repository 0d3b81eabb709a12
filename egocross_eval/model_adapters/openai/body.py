"""The JSON body of a chat request as a list of pieces: text that is ready to send, and frames still to be encoded.

Nothing larger than one frame is ever joined or copied: a body of 11 frames of 100 kB stays 11 references to file bytes
until each is written.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from egocross_eval.errors import UsageError
from egocross_eval.frames.store import scaled_frame
from egocross_eval.model_adapters.json_option import json_object
from egocross_eval.model_adapters.openai.options import OpenAIOptions
from egocross_eval.model_adapters.openai.pieces import EncodedFrame, Piece
from egocross_eval.schema import ImagePart, Message, Part, Prompt, Request, TextPart, VideoPart
from egocross_eval.settings import GenerationSettings

if TYPE_CHECKING:
    from egocross_eval.model_adapters.openai.vllm_fields import VllmFields

RESERVED = frozenset({"model", "messages", "stream", "n"})
"""Body fields that `extra` and `drop` may not touch."""

_encode = msgspec.json.encode


class UnsupportedPromptError(ValueError):
    """A prompt that has no form in this protocol."""


class BodyWriter:
    """Turns requests into bodies for one model and one set of options."""

    def __init__(self, options: OpenAIOptions, *, tokens_field: str, vllm: VllmFields | None = None) -> None:
        self._options = options
        self._vllm = vllm
        self._tokens_field = tokens_field
        self._extra = _extra_fields(options.extra)
        self._dropped = _dropped_fields(options.drop)
        self._tails: dict[GenerationSettings, dict[str, Any]] = {}

    def fixed_fields(self, settings: GenerationSettings) -> dict[str, Any]:
        """The body fields beside `model` and `messages` that the settings and options ask for."""
        known = self._tails.get(settings)
        if known is None:
            fields = self._sampling(settings) | self._extra
            known = self._tails[settings] = {k: v for k, v in fields.items() if k not in self._dropped}
        return known

    def _sampling(self, settings: GenerationSettings) -> dict[str, Any]:
        # A seed decides nothing at temperature 0, and neither does top_p at 1: some servers refuse the fields, so they
        # are sent only where they matter.
        fields: dict[str, Any] = {"temperature": settings.temperature}
        if settings.top_p != 1.0:
            fields["top_p"] = settings.top_p
        if settings.temperature > 0:
            fields["seed"] = settings.seed
        if settings.answer_mode == "choose":
            fields |= {self._tokens_field: 1, "logprobs": True, "top_logprobs": self._options.logprobs}
        else:
            fields[self._tokens_field] = settings.max_new_tokens
        return fields

    def beginning(self, request: Request, model: str) -> list[Piece]:
        """The body of a request as far as others may share it: all before the last words of its last message.

        Reads its frames, and scales those beyond the prompt's pixel budget. Raises `FrameError`
        for a frame that can't be read.
        """
        *earlier, last = request.prompt.messages
        writer = _FrameWriter(request, self._options, self._vllm)
        output = _Pieces()
        output.text(b'{"model":' + _encode(model) + b',"messages":[')
        for message in earlier:
            _begin_message(output, message, writer)
            output.text(_end_of(message) + b",")
        _begin_message(output, last, writer)
        return output.done()

    def end(self, request: Request) -> bytes:
        """What follows the body's `beginning`. Raises `UnsupportedPromptError`."""
        fields = self.fixed_fields(request.settings)
        if self._vllm is not None:
            fields = self._vllm.fields(request) | fields
        video = _only_video(request.prompt)
        if video is not None:
            fields = _with_video_times(fields, video)
        return _end_of(request.prompt.messages[-1]) + b"]" + (b"," if fields else b"") + _encode(fields)[1:]


class _Pieces:
    """Collects pieces; neighbouring texts become one."""

    def __init__(self) -> None:
        self._pieces: list[Piece] = []
        self._text: list[bytes] = []

    def text(self, data: bytes) -> None:
        self._text.append(data)

    def frame(self, data: bytes) -> None:
        self._pieces.append(b"".join(self._text))
        self._text.clear()
        self._pieces.append(EncodedFrame(data))

    def done(self) -> list[Piece]:
        self._pieces.append(b"".join(self._text))
        return self._pieces


class _FrameWriter:
    """Writes the frames of one request."""

    def __init__(self, request: Request, options: OpenAIOptions, vllm: VllmFields | None) -> None:
        self._max_pixels = request.prompt.max_pixels
        self._jpeg = options.jpeg
        self._detail = b',"detail":' + _encode(options.detail) if options.detail else b""
        self._hashes = iter(request.frame_hashes)
        self._vllm = vllm

    def image(self, output: _Pieces, part: ImagePart) -> None:
        frame_hash = next(self._hashes, "")
        if self._vllm is not None and self._vllm.files:
            output.text(b'{"type":"image_url","image_url":{"url":' + _encode(Path(part.path).as_uri()))
        else:
            data, mime = scaled_frame(part.path, self._max_pixels, jpeg=self._jpeg)
            output.text(b'{"type":"image_url","image_url":{"url":"data:' + mime.encode() + b";base64,")
            output.frame(data)
            output.text(b'"')
        output.text(self._detail + b"}")
        if self._vllm is not None and frame_hash:
            output.text(b',"uuid":' + _encode(f"{frame_hash}-{self._max_pixels or ''}"))
        output.text(b"}")

    def video(self, output: _Pieces, part: VideoPart) -> None:
        """vLLM's form of a clip that is given as frames: one data URL, frames in base64 joined by commas.

        The media type is always `video/jpeg`; each frame is decoded by its content, so PNG frames may stand in it too.
        """
        output.text(b'{"type":"video_url","video_url":{"url":"data:video/jpeg;base64,')
        for index, path in enumerate(part.paths):
            next(self._hashes, "")
            output.text(b"," if index else b"")
            output.frame(scaled_frame(path, self._max_pixels, jpeg=self._jpeg)[0])
        output.text(b'"}}')


def before_last_words(message: Message) -> tuple[Part, ...]:
    """The parts of a message but for the last one, if that is text."""
    parts = message.parts
    return parts[:-1] if parts and isinstance(parts[-1], TextPart) else parts


def _begin_message(output: _Pieces, message: Message, frames: _FrameWriter) -> None:
    """Writes a message as far as its last words."""
    output.text(b'{"role":' + _encode(message.role) + b',"content":')
    for index, part in enumerate(before_last_words(message)):
        output.text(b"," if index else b"[")
        if isinstance(part, TextPart):
            output.text(b'{"type":"text","text":' + _encode(part.text) + b"}")
        elif isinstance(part, ImagePart):
            frames.image(output, part)
        else:
            frames.video(output, part)


def _end_of(message: Message) -> bytes:
    """The last words of a message, if it has any, and its end."""
    last = message.parts[-1] if message.parts else None
    if not isinstance(last, TextPart):
        return b"]}" if last else b"[]}"
    if len(message.parts) == 1:
        # The plain form: chat templates of some servers know no other for the system role.
        return _encode(last.text) + b"}"
    return b',{"type":"text","text":' + _encode(last.text) + b"}]}"


def _only_video(prompt: Prompt) -> VideoPart | None:
    videos = [part for message in prompt.messages for part in message.parts if isinstance(part, VideoPart)]
    if len(videos) > 1:
        raise UnsupportedPromptError(
            "the prompt holds several videos, and a server takes frame times for one only; send the frames as images"
        )
    return videos[0] if videos else None


def _with_video_times(fields: dict[str, Any], video: VideoPart) -> dict[str, Any]:
    """Adds the frame times in the form of vLLM's `media_io_kwargs` (its JPEG-sequence reader, vLLM pull request
    40133)."""
    if not video.indices:
        return fields
    last = max(video.indices)
    times = {
        "num_frames": -1,
        "fps": video.fps,
        "frames_indices": list(video.indices),
        "total_num_frames": max(last + 1, len(video.indices)),
        "duration": last / video.fps,
        "do_sample_frames": False,
    }
    return fields | {"media_io_kwargs": {"video": times}}


def _extra_fields(text: str) -> dict[str, Any]:
    fields = json_object("openai", "extra", text, example='{"reasoning_effort":"low"}')
    _refuse_reserved("extra", fields)
    return fields


def _dropped_fields(text: str) -> frozenset[str]:
    names = frozenset(name.strip() for name in text.split("+") if name.strip())
    _refuse_reserved("drop", names)
    return names


def _refuse_reserved(option: str, names: dict[str, Any] | frozenset[str]) -> None:
    reserved = sorted(RESERVED.intersection(names))
    if reserved:
        raise UsageError(f"openai: {option} can't change the body field {reserved[0]!r}")
