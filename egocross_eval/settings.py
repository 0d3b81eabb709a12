"""How a prompt is made and how text is generated: each setting stands here once, and is checked when it is made.

The structs are contained, never copied, in the options of a run, its record, training, the training card and the
experiment file. Command-line options, the fields of configuration files and Python keywords are made from their fields
(`option`); `api.RunKeywords` repeats the names for type checkers, and a test compares the two.
"""

from __future__ import annotations

import functools
import operator
import os
import types
import typing
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from egocross_eval.errors import UsageError, unknown
from egocross_eval.frames.selection import FrameSelection

AnswerMode = Literal["generate", "choose", "constrained"]
"""How a model answers: `generate` text that is read, `choose` by the log-probabilities of the choices' labels, or
`constrained`: generate text that can be nothing but one of the labels."""

Media = Literal["images", "video"]
"""How frames are sent: as separate images, or as one video whose frames carry their true times."""


def option(
    description: str,
    *,
    name: str = "",
    metavar: str = "",
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    joined: bool = False,
) -> msgspec.Meta:
    """What help says of a field, and its bounds.

    `name` is that of the option and keyword where it isn't the field's; `metavar` stands for its value in help. Of a
    `joined` one several values make one, with the separator of PATH between them.
    """
    # Not as msgspec's own bounds, which it refuses where None is possible too.
    bounds = {"from": ge, "above": gt, "up to": le}
    return msgspec.Meta(
        description=description, extra={"name": name, "metavar": metavar, "bounds": bounds, "joined": joined}
    )


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a settings struct as options and keywords show it."""

    field: str
    name: str
    """Of the keyword; the command line writes it with hyphens."""
    type: Any
    """Without its annotations."""
    default: Any
    description: str
    metavar: str
    choices: tuple[str, ...]
    """The values of a `Literal`; empty for other types."""
    bounds: dict[str, float]
    """By `from`, `above` and `up to`, those that there are."""
    joined: bool
    """Whether it may be repeated; the values are joined by `os.pathsep`."""

    @property
    def repeatable(self) -> bool:
        """Whether it holds several values, each of which a text may stand for alone."""
        return typing.get_origin(self.type) is tuple

    @property
    def flag(self) -> str:
        """The option on the command line."""
        return "--" + self.name.replace("_", "-")


@functools.cache
def options_of(struct: type[msgspec.Struct]) -> tuple[Option, ...]:
    """The fields of `struct` that are options: those annotated by `option`."""
    hints = typing.get_type_hints(struct, include_extras=True)
    found = []
    for field in msgspec.structs.fields(struct):
        plain, meta = _annotation(hints[field.name])
        if meta is None:
            continue
        extra = meta.extra or {}
        choices = typing.get_args(plain) if typing.get_origin(plain) is Literal else ()
        found.append(
            Option(
                field=field.name,
                name=extra.get("name") or field.name,
                type=plain,
                default=field.default,
                description=meta.description or "",
                metavar=extra.get("metavar", ""),
                choices=choices,
                bounds={word: bound for word, bound in extra.get("bounds", {}).items() if bound is not None},
                joined=extra.get("joined", False),
            )
        )
    return tuple(found)


def joined_paths(paths: Iterable[str | Path]) -> Path:
    """Several paths as one, as PATH has them."""
    return Path(os.pathsep.join(map(str, paths)))


def parted_paths(joined: Path) -> tuple[Path, ...]:
    """The paths that `joined_paths` made one of; a folder is one, whatever its name."""
    return (joined,) if joined.is_dir() else tuple(Path(part) for part in str(joined).split(os.pathsep) if part)


def _annotation(hint: Any) -> tuple[Any, msgspec.Meta | None]:
    if typing.get_origin(hint) is not Annotated:
        return hint, None
    plain, *notes = typing.get_args(hint)
    return plain, next((note for note in notes if isinstance(note, msgspec.Meta)), None)


class Checked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of settings: every field that is an option has a possible value, however the struct was made."""

    def __post_init__(self) -> None:
        """Raises `UsageError` naming the option, its value and what it takes."""
        for known in options_of(type(self)):
            check_value(known, getattr(self, known.field))


def check_value(known: Option, value: Any) -> None:
    """Raises `UsageError` unless `value` is one that the option takes."""
    if known.choices:
        if value not in known.choices:
            raise unknown(f"value of {known.flag}:", str(value), known.choices)
        return
    try:
        msgspec.convert(value, known.type)
        fits = value is None or all(_WITHIN[word](value, bound) for word, bound in known.bounds.items())
    except msgspec.ValidationError:
        fits = False
    if not fits:
        raise UsageError(f"{known.flag} {value!r}: it must be {_expected(known)}")


_WITHIN: dict[str, Callable[[float, float], bool]] = {"from": operator.ge, "above": operator.gt, "up to": operator.le}

_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def _expected(known: Option) -> str:
    if known.repeatable:
        return "a text, or a list of texts"
    kinds = [kind for kind in typing.get_args(known.type) or (known.type,) if kind is not types.NoneType]
    text = " or ".join(_WORDS.get(kind, getattr(kind, "__name__", str(kind)).lower()) for kind in kinds)
    return text + "".join(f" {word} {bound:g}" for word, bound in known.bounds.items())


class PromptSettings(Checked, frozen=True, kw_only=True):
    """How a prompt is made of a question."""

    style: Annotated[
        str,
        option("Prompt style: letter, json, challenge, a plugin's, or a Jinja2 template file.", metavar="NAME|FILE.j2"),
    ] = "letter"
    frames: Annotated[str, option("all, uniform:N, tail:N, or none (the blind baseline).", metavar="CHOICE")] = "all"
    shuffled: Annotated[bool, option("Frames in an order drawn by the seed instead of time order: for audits.")] = False
    media: Annotated[Media, option("Frames as images, or as one video with true times.")] = "images"
    timestamps: Annotated[bool, option("Write each frame's time beside it.")] = False
    show_options: Annotated[
        bool, option("Show the options of free-answer questions that can't be answered without them.")
    ] = False
    max_pixels: Annotated[int | None, option("Pixel budget per frame (width x height).", metavar="N", ge=1)] = None

    def __post_init__(self) -> None:
        """Raises `UsageError` for an impossible value or combination."""
        super().__post_init__()
        self.selection()
        if self.shuffled and (self.timestamps or self.media == "video"):
            raise UsageError(
                "shuffled frames can't carry their times: use neither --timestamps nor --media video with --shuffled"
            )

    def selection(self) -> FrameSelection:
        """The parsed `frames`."""
        return FrameSelection.parse(self.frames)


Prematch = Literal["exact", "substring", "none"]
"""What counts as right without asking a judge: an answer that says the very same as the reference (numbers, times and
ranges understood), one that holds the reference as a substring (as the paper's script has it), or none."""


class JudgeSettings(Checked, frozen=True, kw_only=True):
    """How answers in free words are judged."""

    judge_threshold: Annotated[
        float, option("Least mark, of 0 to 5, that counts as right.", metavar="X", gt=0, le=5)
    ] = 4.0
    prematch: Annotated[
        Prematch,
        option(
            "What is right without asking the judge: an answer that says just what the reference says, one that holds "
            "it as a substring (the paper's script), or none."
        ),
    ] = "exact"
    judge_answer: Annotated[
        Literal["generate", "choose"],
        option(
            "Judges write a mark and a reason, or the mark is the expectation over 0 to 5 by the log-probabilities of "
            "the six marks."
        ),
    ] = "generate"
    rubric: Annotated[
        str, option("YAML file with the judge's instructions, in place of the built-in ones.", metavar="FILE")
    ] = ""
    judge_grader: Annotated[
        str, option("Grader that asks the judges: judge, which marks by a rubric, or a plugin's.", metavar="NAME")
    ] = "judge"
    judge_max_new_tokens: Annotated[int, option("Bound of a judge's generated tokens.", metavar="N", ge=1)] = 1024
    judge_temperature: Annotated[float, option("0 decodes greedily.", metavar="X", ge=0)] = 0.0


class GenerationSettings(Checked, frozen=True, kw_only=True):
    """How an adapter is to answer."""

    answer_mode: Annotated[
        AnswerMode,
        option(
            "Generate text and read the answer from it, choose by the log-probabilities of the options' labels, or "
            "generate with decoding constrained to the labels.",
            name="answer",
        ),
    ] = "generate"
    max_new_tokens: Annotated[int, option("Bound of generated tokens.", metavar="N", ge=1)] = 1024
    """Generous, so that thinking isn't cut off."""
    temperature: Annotated[float, option("0 decodes greedily.", metavar="X", ge=0)] = 0.0
    top_p: Annotated[float, option("Nucleus sampling.", metavar="X", gt=0, le=1)] = 1.0
    seed: Annotated[int, option("For sampling, shuffled frames and --limit.", metavar="N")] = 0
