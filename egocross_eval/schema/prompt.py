"""What a model is shown, in messages, and the request that an engine gets."""

from __future__ import annotations

from typing import Literal

from egocross_eval.schema.noun import Noun
from egocross_eval.schema.question import Frame
from egocross_eval.settings import GenerationSettings


class TextPart(Noun, frozen=True, kw_only=True, tag="text"):
    """A piece of text within a message."""

    text: str


class ImagePart(Noun, frozen=True, kw_only=True, tag="image"):
    """One frame within a message."""

    frame: Frame
    path: str
    """Absolute path of the file, already confined to the data root."""


class VideoPart(Noun, frozen=True, kw_only=True, tag="video"):
    """A clip within a message, as frames with true times."""

    frames: tuple[Frame, ...]
    paths: tuple[str, ...]
    fps: float
    """Rate that `indices` count in: frame k is at `indices[k] / fps` seconds."""
    indices: tuple[int, ...]


Part = TextPart | ImagePart | VideoPart


class Message(Noun, frozen=True, kw_only=True):
    """One turn of the conversation that a prompt is."""

    role: Literal["system", "user", "assistant"]
    parts: tuple[Part, ...]


class Prompt(Noun, frozen=True, kw_only=True):
    """What a model is shown for one question; the same renderer makes prompts for evaluation, support examples and
    training."""

    messages: tuple[Message, ...]
    style: str
    """Name of the prompt style that rendered it."""
    max_pixels: int | None = None
    """Pixel budget of each frame (width x height); larger frames are scaled down by the adapter. None: no budget."""

    def images(self) -> list[ImagePart]:
        """The image parts of all messages, in order."""
        return [part for message in self.messages for part in message.parts if isinstance(part, ImagePart)]

    def frame_paths(self) -> list[str]:
        """Absolute paths of every frame shown, images and videos alike, in order."""
        paths: list[str] = []
        for message in self.messages:
            for part in message.parts:
                if isinstance(part, ImagePart):
                    paths.append(part.path)
                elif isinstance(part, VideoPart):
                    paths.extend(part.paths)
        return paths

    def frames(self) -> list[Frame]:
        """Every frame shown, in the order of `frame_paths`."""
        frames: list[Frame] = []
        for message in self.messages:
            for part in message.parts:
                if isinstance(part, ImagePart):
                    frames.append(part.frame)
                elif isinstance(part, VideoPart):
                    frames.extend(part.frames)
        return frames


class Request(Noun, frozen=True, kw_only=True):
    """What an adapter answers and what the response cache is keyed by."""

    key: str
    """Unique within a run; the response carries it back."""
    prompt: Prompt
    settings: GenerationSettings
    options: dict[str, str] = {}
    """Option text by label as shown; may be empty."""
    choices: tuple[str, ...] = ()
    """Labels that are compared in choose mode and that decoding is held to in constrained mode."""
    labels: dict[str, str] = {}
    """The question's labels, its `cluster` and the `split`: for routing and ordering. Never the answer."""
    data_root: str = ""
    """Absolute path of the folder that the frames lie in; empty where there are none."""
    frame_hashes: tuple[str, ...] = ()
    """Content hash of each frame in the order of `prompt.frame_paths()`; equal hashes are equal bytes."""
    content_hash: str = ""
    """Hash of everything that determines the response besides the model: messages, frame contents, settings,
    choices."""
