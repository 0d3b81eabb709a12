"""The one renderer: a question becomes a prompt here, for evaluation, support examples and training data alike."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import msgspec

from egocross_eval.contracts.style import PromptStyle, StyledText
from egocross_eval.errors import UsageError
from egocross_eval.prompts.selection import FrameSelection
from egocross_eval.schema import Frame, ImagePart, Media, Message, Part, Prompt, Question, TextPart, VideoPart

if TYPE_CHECKING:
    from egocross_eval.frames.roots import DataRoot

VIDEO_RATE = 25.0
"""Frames a second in which a video's frame indices count: the frame numbers of the sources are at 25 fps (FACTS:
time of each
frame), and 0.5 and 1 fps divide it."""


def option_block(options: dict[str, str]) -> str:
    """The options, one a line, in the label style of the testbed (`A: text`), whatever the source wrote."""
    return "\n".join(f"{letter}: {text}" for letter, text in options.items())


def frame_mark(frame: Frame) -> str:
    """The time of a frame as it stands beside it, e.g. `<4.0 seconds>`."""
    return f"<{frame.time:.1f} seconds>"


class Renderer(msgspec.Struct, frozen=True, kw_only=True):
    """Renders prompts: wording (`style`), choice of frames, media, time marks and pixel budget."""

    style: PromptStyle
    selection: FrameSelection
    media: Media = "images"
    timestamps: bool = False
    max_pixels: int | None = None
    shuffle_seed: int | None = None
    """Puts the shown frames in an order drawn from this seed and the question: for audits. None: time order."""

    def check(self, question: Question) -> None:
        """Raises `UsageError` where times are needed and a shown frame of the question has none."""
        if not self.timestamps and self.media == "images":
            return
        if any(frame.time is None for frame in self.selection.apply(question.frames)):
            raise UsageError(
                f"{question.question_id}: the times of its frames are not known (no rule for {question.dataset} here); "
                f"run without --timestamps and with --media images"
            )

    def render(self, question: Question, root: DataRoot) -> Prompt:
        """The prompt for a question whose frames lie below `root`.

        Raises `UsageError` where times are asked for and a frame has none, and `UnsafePathError` for a frame outside
        the root.
        """
        self.check(question)
        shown = self._shown(question)
        words = self.words(question)
        parts: list[Part] = []
        if words.before:
            parts.append(TextPart(text=words.before))
        parts.extend(self._media_parts(shown, root))
        if words.after:
            parts.append(TextPart(text=words.after))
        messages = [Message(role="user", parts=tuple(parts))]
        if words.system:
            messages.insert(0, Message(role="system", parts=(TextPart(text=words.system),)))
        return Prompt(messages=tuple(messages), style=self.style.name, max_pixels=self.max_pixels)

    def words(self, question: Question) -> StyledText:
        """What the style says of a question and its shown frames."""
        shown = msgspec.structs.replace(question, frames=self._shown(question))
        return self.style.render(shown, option_block(question.options))

    def _shown(self, question: Question) -> tuple[Frame, ...]:
        shown = self.selection.apply(question.frames)
        if self.shuffle_seed is not None:
            draw = random.Random(f"{self.shuffle_seed} {question.question_id}")  # noqa: S311 - repeatable, no secret
            shown = tuple(draw.sample(shown, len(shown)))
        return shown

    def _media_parts(self, shown: tuple[Frame, ...], root: DataRoot) -> list[Part]:
        if not shown:
            return []
        if self.media == "video":
            return self._video_parts(shown, root)
        parts: list[Part] = []
        for frame in shown:
            if self.timestamps:
                parts.append(TextPart(text=frame_mark(frame)))
            parts.append(ImagePart(frame=frame, path=root.resolve_str(frame.name)))
        if self.timestamps:
            parts.append(TextPart(text="\n"))
        return parts

    def _video_parts(self, shown: tuple[Frame, ...], root: DataRoot) -> list[Part]:
        indices = tuple(round((frame.time or 0.0) * VIDEO_RATE) for frame in shown)
        paths = tuple(root.resolve_str(frame.name) for frame in shown)
        parts: list[Part] = []
        if self.timestamps:
            marks = ", ".join(f"{frame.time:.1f}" for frame in shown)
            parts.append(TextPart(text=f"The frames of this video are at these seconds: {marks}.\n"))
        parts.append(VideoPart(frames=shown, paths=paths, fps=VIDEO_RATE, indices=indices))
        return parts


def prompt_text(prompt: Prompt) -> tuple[tuple[str, str], ...]:
    """(role, text) of each message, with `<image>` or `<video>` where media stand."""
    texts: list[tuple[str, str]] = []
    for message in prompt.messages:
        pieces = [
            part.text if isinstance(part, TextPart) else "<image>" if isinstance(part, ImagePart) else "<video>"
            for part in message.parts
        ]
        texts.append((message.role, "".join(pieces)))
    return tuple(texts)
