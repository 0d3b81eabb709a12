"""Turns of a conversation about one question: words, and frames as images or as a video."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egocross_eval.contracts.style import StyledText
from egocross_eval.errors import UsageError
from egocross_eval.prompts.untimed import is_untimed
from egocross_eval.schema import Frame, ImagePart, Part, TextPart, VideoPart
from egocross_eval.settings import PromptSettings

if TYPE_CHECKING:
    from egocross_eval.frames.roots import DataRoot

VIDEO_RATE = 25.0
"""Frames a second in which a video's frame indices count; 0.5 and 1 fps divide it."""


def frame_mark(frame: Frame) -> str:
    """The time of a frame as it stands beside it, e.g. `<4.0 seconds>`."""
    return f"<{frame.time:.1f} seconds>"


class Turns:
    """Makes the parts of turns whose frames lie below `root` (None only where no frame is shown).

    Parts of the same frames are made once and shared: a method may ask a dozen times about them.
    """

    def __init__(self, settings: PromptSettings, root: DataRoot | None) -> None:
        self._settings = settings
        self._root = root
        self._made: list[tuple[tuple[Frame, ...], bool, tuple[Part, ...]]] = []
        """Frames, whether they're numbered, and their parts; the same frames are found by identity, mostly."""

    def parts(self, words: StyledText, shown: tuple[Frame, ...], *, numbered: bool = False) -> tuple[Part, ...]:
        """The words before the frames, the frames, and the words after them."""
        before = (TextPart(text=words.before),) if words.before else ()
        after = (TextPart(text=words.after),) if words.after else ()
        return (*before, *(self._frames(shown, numbered=numbered) if shown else ()), *after)

    def _frames(self, shown: tuple[Frame, ...], *, numbered: bool) -> tuple[Part, ...]:
        for frames, marked, parts in self._made:
            if marked == numbered and frames == shown:
                return parts
        if self._root is None:
            raise UsageError("the question has frames, but its task names no data root")
        video = self._settings.media == "video"
        made = self._video(shown, self._root) if video else self._images(shown, self._root, numbered=numbered)
        self._made.append((shown, numbered, tuple(made)))
        return self._made[-1][2]

    def _images(self, shown: tuple[Frame, ...], root: DataRoot, *, numbered: bool) -> list[Part]:
        parts: list[Part] = []
        timed = self._settings.timestamps and not is_untimed(shown)
        for number, frame in enumerate(shown, 1):
            mark = f"Frame {number}:" if numbered else ""
            if timed:
                mark += frame_mark(frame)
            if mark:
                parts.append(TextPart(text=mark))
            parts.append(ImagePart(frame=frame, path=root.resolve_str(frame.name)))
        if timed or numbered:
            parts.append(TextPart(text="\n"))
        return parts

    def _video(self, shown: tuple[Frame, ...], root: DataRoot) -> list[Part]:
        indices = tuple(round((frame.time or 0.0) * VIDEO_RATE) for frame in shown)
        paths = tuple(root.resolve_str(frame.name) for frame in shown)
        parts: list[Part] = []
        if self._settings.timestamps:
            marks = ", ".join(f"{frame.time:.1f}" for frame in shown)
            parts.append(TextPart(text=f"The frames of this video are at these seconds: {marks}.\n"))
        parts.append(VideoPart(frames=shown, paths=paths, fps=VIDEO_RATE, indices=indices))
        return parts
