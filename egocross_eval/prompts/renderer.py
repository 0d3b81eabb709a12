"""The one renderer: a question becomes a prompt here, for evaluation, support examples and training data alike."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import msgspec

from egocross_eval.contracts.style import PromptStyle, StyledText
from egocross_eval.errors import EgoCrossError, UsageError
from egocross_eval.prompts.untimed import is_untimed
from egocross_eval.schema import Ask, Frame, ImagePart, Message, Part, Prompt, Question, TextPart, VideoPart
from egocross_eval.settings import PromptSettings

if TYPE_CHECKING:
    from egocross_eval.frames.roots import DataRoot
    from egocross_eval.prompts.shots import Shots

VIDEO_RATE = 25.0
"""Frames a second in which a video's frame indices count; 0.5 and 1 fps divide it."""

PLAIN = Ask()
"""The question itself, as the style words it."""


def option_block(options: dict[str, str]) -> str:
    """The options, one a line as `A: text`, whatever label style the source has."""
    return "\n".join(f"{label}: {text}" for label, text in options.items())


def choices_in_words(options: dict[str, str]) -> str:
    """What a question that is answered in free words may be answered by; no labels, as none is asked for."""
    return f"Choose among: {'; '.join(options.values())}." if options else ""


def frame_mark(frame: Frame) -> str:
    """The time of a frame as it stands beside it, e.g. `<4.0 seconds>`."""
    return f"<{frame.time:.1f} seconds>"


def as_shown(question: Question, settings: PromptSettings, seed: int) -> Question:
    """The question with those of its frames that the settings show, in the order shown."""
    shown = settings.selection().apply(question.frames)
    if settings.shuffled:
        draw = random.Random(f"{seed} {question.key}")  # noqa: S311 - repeatable, no secret
        shown = tuple(draw.sample(shown, len(shown)))
    return msgspec.structs.replace(question, frames=shown)


class Renderer(msgspec.Struct, frozen=True, kw_only=True):
    """Renders prompts by the settings, in the words of a style."""

    style: PromptStyle
    settings: PromptSettings = PromptSettings()
    seed: int = 0
    """Draws the order of shuffled frames, with the question's key."""
    shots: Shots | None = None
    """Examples before the question."""

    def check(self, question: Question) -> None:
        """Raises `UsageError` where the question's frames are to be a video, which says when each was taken, and the
        time of one isn't known. Images of unknown times are shown without them."""
        if self.settings.media == "video" and is_untimed(self.settings.selection().apply(question.frames)):
            raise UsageError(f"{question.key}: the times of its frames are not known; use --media images")

    def render(self, question: Question, root: DataRoot | None, ask: Ask = PLAIN) -> Prompt:
        """The prompt for an ask about a question whose frames lie below `root` (None only where no frame is shown).

        Raises `UsageError` for a video with frames of unknown time, and `UnsafePathError` for a frame outside the root.
        """
        self.check(question)
        asked = self._asked(question, ask)
        words = self._words(asked)
        # With earlier turns it stands before the first of them: as for the question itself, whatever this one shows.
        system = self.words(question).system if ask.turns else words.system
        messages = [Message(role="system", parts=(TextPart(text=system),))] if system else []
        examples, feedback = self._examples(question)
        messages += examples
        for turn in ask.turns:
            if turn.text is None:
                shown = self._shown(question)
                parts = self._turn(self._words(msgspec.structs.replace(question, frames=shown)), shown, root)
            else:
                shown = self.settings.selection().apply(turn.frames)
                parts = self._turn(StyledText(after=turn.text), shown, root)
            messages.append(Message(role=turn.role, parts=(*feedback, *parts)))
            feedback = ()
        own = words if ask.after is None else StyledText(after=ask.after)
        messages.append(
            Message(role="user", parts=(*feedback, *self._turn(own, asked.frames, root, numbered=ask.numbered)))
        )
        return Prompt(messages=tuple(messages), style=self.style.name, max_pixels=self.settings.max_pixels)

    def _examples(self, question: Question) -> tuple[list[Message], tuple[TextPart, ...]]:
        """The examples as turns, and what is said of the last one's answer at the beginning of the next turn."""
        messages: list[Message] = []
        said: tuple[TextPart, ...] = ()
        for shot in self.shots.of(question) if self.shots is not None else ():
            assert self.shots is not None
            example = self.as_shown(shot.question)
            if self.shots.setting.form == "text":
                example = msgspec.structs.replace(example, frames=())
            self.check(example)
            parts = self._turn(self._words(example), example.frames, self.shots.root)
            messages.append(Message(role="user", parts=(*said, *parts)))
            reply = self.style.reply(example, shot.reply) if self.style.reply is not None else shot.reply
            messages.append(Message(role="assistant", parts=(TextPart(text=reply),)))
            said = (TextPart(text=f"{shot.feedback}\n"),) if shot.feedback else ()
        return messages, said

    def frames_shown(self, question: Question) -> int:
        """How many frames a question is asked with at most, those of its examples among them."""
        own = len(self.as_shown(question).frames)
        if self.shots is None or self.shots.setting.form == "text":
            return own
        return own + sum(len(self.as_shown(shot.question).frames) for shot in self.shots.of(question))

    def as_shown(self, question: Question) -> Question:
        """The question with those of its frames that the settings show, in the order shown."""
        return as_shown(question, self.settings, self.seed)

    def words(self, question: Question) -> StyledText:
        """What the style says of a question and its shown frames."""
        return self._words(self._asked(question, PLAIN))

    def _asked(self, question: Question, ask: Ask) -> Question:
        """The question as the ask shows it: its frames, options and text."""
        shown = self._shown(question)
        return msgspec.structs.replace(
            question,
            frames=shown if ask.frames is None else tuple(shown[place] for place in ask.frames),
            options=question.options if ask.options is None else ask.options,
            text=question.text if ask.text is None else ask.text,
        )

    def _words(self, shown: Question) -> StyledText:
        hidden = shown.hidden_options if self.settings.show_options and shown.needs_options else {}
        try:
            return self.style.render(shown, option_block(shown.options) or choices_in_words(hidden))
        except EgoCrossError:
            raise
        except Exception as error:
            raise UsageError(f"the prompt style {self.style.name!r} failed on {shown.key}: {error!r}") from error

    def _shown(self, question: Question) -> tuple[Frame, ...]:
        return self.as_shown(question).frames

    def _turn(
        self, words: StyledText, shown: tuple[Frame, ...], root: DataRoot | None, *, numbered: bool = False
    ) -> tuple[Part, ...]:
        parts: list[Part] = [TextPart(text=words.before)] if words.before else []
        if shown:
            if root is None:
                raise UsageError("the question has frames, but its task names no data root")
            video = self.settings.media == "video"
            parts.extend(self._video(shown, root) if video else self._images(shown, root, numbered=numbered))
        if words.after:
            parts.append(TextPart(text=words.after))
        return tuple(parts)

    def _images(self, shown: tuple[Frame, ...], root: DataRoot, *, numbered: bool) -> list[Part]:
        parts: list[Part] = []
        timed = self.settings.timestamps and not is_untimed(shown)
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
        if self.settings.timestamps:
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
