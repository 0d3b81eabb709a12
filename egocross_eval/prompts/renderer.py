"""The one renderer: a question becomes a prompt here, for evaluation, support examples and training data alike."""

from __future__ import annotations

import random
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from egocross_eval.contracts.faults import guarded
from egocross_eval.contracts.style import PromptStyle, StyledText
from egocross_eval.errors import UsageError
from egocross_eval.prompts.turns import Turns
from egocross_eval.prompts.untimed import is_untimed
from egocross_eval.schema import Ask, ImagePart, Message, Part, Prompt, Question, TextPart, Turn
from egocross_eval.settings import PromptSettings

if TYPE_CHECKING:
    from egocross_eval.frames.roots import DataRoot
    from egocross_eval.prompts.shots import Shot, Shots

PLAIN = Ask()
"""The question itself, as the style words it."""


def option_block(options: dict[str, str]) -> str:
    """The options, one a line as `A: text`, whatever label style the source has."""
    return "\n".join(f"{label}: {text}" for label, text in options.items())


def choices_in_words(options: dict[str, str]) -> str:
    """What a question that is answered in free words may be answered by; no labels, as none is asked for."""
    return f"Choose among: {'; '.join(options.values())}." if options else ""


def as_shown(question: Question, settings: PromptSettings, seed: int) -> Question:
    """The question as methods and styles see it: with those of its frames that the settings show, in the order shown,
    and without what is known of its answer."""
    shown = settings.selection().apply(question.frames)
    if settings.shuffled:
        draw = random.Random(f"{seed} {question.key}")  # noqa: S311 - repeatable, no secret
        shown = tuple(draw.sample(shown, len(shown)))
    return msgspec.structs.replace(question.without_target(), frames=shown)


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
        return self.prompts(question, root).of(ask)

    def prompts(self, question: Question, root: DataRoot | None) -> QuestionPrompts:
        """As `render`, for several asks about a question. Raises as it does."""
        self.check(question)
        return QuestionPrompts(self, question, root)

    def frames_shown(self, question: Question) -> int:
        """How many frames a question is asked with at most, those of its examples among them."""
        own = len(self.as_shown(question).frames)
        if self.shots is None or self.shots.setting.form == "text":
            return own
        return own + sum(len(self.as_shown(shot.question).frames) for shot in self.shots.of(question))

    def as_shown(self, question: Question) -> Question:
        """The question as methods and styles see it."""
        return as_shown(question, self.settings, self.seed)

    def words(self, question: Question) -> StyledText:
        """What the style says of a question and its shown frames."""
        return self.styled(self.as_shown(question))

    def styled(self, shown: Question) -> StyledText:
        """What the style says of a question whose frames are those that are shown."""
        hidden = shown.hidden_options if self.settings.show_options and shown.needs_options else {}
        with guarded("prompt_styles", self.style.name, f"on {shown.key}", kind=UsageError):
            return self.style.render(shown, option_block(shown.options) or choices_in_words(hidden))


class QuestionPrompts:
    """Renders the asks about one question. What they have in common, frames and examples, is made once."""

    def __init__(self, renderer: Renderer, question: Question, root: DataRoot | None) -> None:
        self._renderer = renderer
        self._question = question
        self._shown = renderer.as_shown(question)
        self._turns = Turns(renderer.settings, root)

    def of(self, ask: Ask) -> Prompt:
        """The prompt for an ask."""
        renderer = self._renderer
        asked = self._asked(ask)
        words = renderer.styled(asked)
        # With earlier turns it stands before the first of them: as for the question itself, whatever this one shows.
        system = renderer.styled(self._shown).system if ask.turns else words.system
        messages = [Message(role="system", parts=(TextPart(text=system),))] if system else []
        examples, feedback = self._examples
        messages += examples
        for turn in ask.turns:
            messages.append(Message(role=turn.role, parts=(*feedback, *self._earlier(turn))))
            feedback = ()
        own = words if ask.after is None else StyledText(after=ask.after)
        parts = self._turns.parts(own, asked.frames, numbered=ask.numbered)
        messages.append(Message(role="user", parts=(*feedback, *parts)))
        return Prompt(messages=tuple(messages), style=renderer.style.name, max_pixels=renderer.settings.max_pixels)

    def _asked(self, ask: Ask) -> Question:
        """The question as the ask shows it: its frames, options and text."""
        shown = self._shown
        return msgspec.structs.replace(
            shown,
            frames=shown.frames if ask.frames is None else tuple(shown.frames[place] for place in ask.frames),
            options=shown.options if ask.options is None else ask.options,
            text=shown.text if ask.text is None else ask.text,
        )

    def _earlier(self, turn: Turn) -> tuple[Part, ...]:
        """The parts of an earlier turn that the method puts before the question."""
        if turn.text is None:
            return self._turns.parts(self._renderer.styled(self._shown), self._shown.frames)
        frames = self._renderer.settings.selection().apply(turn.frames)
        return self._turns.parts(StyledText(after=turn.text), frames)

    @cached_property
    def _examples(self) -> tuple[list[Message], tuple[TextPart, ...]]:
        """The examples as turns, and what is said of the last one's answer at the beginning of the next turn."""
        renderer, shots = self._renderer, self._renderer.shots
        messages: list[Message] = []
        said: tuple[TextPart, ...] = ()
        if shots is None:
            return messages, said
        turns = Turns(renderer.settings, shots.root)
        for shot in shots.of(self._question):
            example = renderer.as_shown(shot.question)
            if shots.setting.form == "text":
                example = msgspec.structs.replace(example, frames=())
            renderer.check(example)
            parts = turns.parts(renderer.styled(example), example.frames)
            messages.append(Message(role="user", parts=(*said, *parts)))
            messages.append(Message(role="assistant", parts=(TextPart(text=_reply(renderer.style, example, shot)),)))
            said = (TextPart(text=f"{shot.feedback}\n"),) if shot.feedback else ()
        return messages, said


def _reply(style: PromptStyle, example: Question, shot: Shot) -> str:
    """How the style words the answer to an example, which it sees whole: that answer is no secret."""
    if style.reply is None:
        return shot.reply
    known = shot.question
    whole = msgspec.structs.replace(example, target=known.target, references=known.references)
    with guarded("prompt_styles", style.name, f"to word the answer to {known.key}", kind=UsageError):
        return style.reply(whole, shot.reply)


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
