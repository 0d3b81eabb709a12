"""The form of model specs and methods: `name[:target][,key=value...]`."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from egocross_eval.documents import cited, explained
from egocross_eval.errors import UsageError, did_you_mean


class SpecText(NamedTuple):
    """The pieces of a spec."""

    name: str
    target: str | None
    """What stands behind the colon; None where there's no colon."""
    options: dict[str, str]


def split_spec(text: str, what: str) -> SpecText:
    """Takes a spec apart; a backslash before a comma keeps it. `what` names it in errors, e.g. `model spec`.

    Raises `UsageError` naming the piece that is wrong.
    """
    head, *pieces = (piece.replace("\\,", ",") for piece in re.split(r"(?<!\\),", text))
    name, colon, target = head.partition(":")
    options: dict[str, str] = {}
    for piece in pieces:
        key, equals, value = piece.partition("=")
        key = key.strip()
        if not equals or not key:
            raise UsageError(f"{what} {text!r}: {piece!r} is not key=value")
        if key in options:
            raise UsageError(f"{what} {text!r}: {key!r} is given twice")
        options[key] = value
    return SpecText(name.strip(), target.strip() if colon else None, options)


def split_part(
    text: str, what: str, struct: type[msgspec.Struct] | None, *, takes_argument: bool, example: str = ""
) -> SpecText:
    """As `split_spec`, for a part with these options, the first of which may stand behind the colon.

    Where the part takes an argument too, `key=value` behind the colon is an option if the part has one of that name.
    Raises `UsageError` for an argument of a part that takes none, and for what looks like an option misspelt.
    """
    name, argument, given = split_spec(text, what)
    key, equals, value = (argument or "").partition("=")
    key, known = key.strip(), struct.__struct_fields__ if struct is not None else ()
    if equals and (key in known or not takes_argument):
        if key in given:
            raise UsageError(f"{what} {text!r}: {key!r} is given twice")
        return SpecText(name, None, {key: value, **given})
    if argument is not None and not takes_argument:
        but = f" but its options, e.g. {example}" if example and known else ""
        raise UsageError(f"{what} {text!r}: {name} takes nothing behind a colon{but}")
    if equals and (near := did_you_mean(key, known)):
        raise UsageError(f"{what} {text!r}: unknown option {key!r}{near}; known: {', '.join(known)}")
    return SpecText(name, argument, given)


def read_options(owner: str, struct: type[msgspec.Struct] | None, given: dict[str, str]) -> Any:
    """The options struct made of `key=value` texts; None where there's no struct.

    Raises `UsageError` for an unknown key or a value of the wrong type; `owner` names whose options they are.
    """
    known = struct.__struct_fields__ if struct is not None else ()
    for key in given:
        if key not in known:
            raise UsageError(
                f"{owner}: unknown option {key!r}{did_you_mean(key, known)}; known: {', '.join(known) or 'none'}"
            )
    if struct is None:
        return None
    try:
        return msgspec.convert(given, struct, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"{owner}: {explained_option(error, struct, given)}") from error


def explained_option(error: msgspec.ValidationError, struct: type[msgspec.Struct], given: Mapping[str, str]) -> str:
    """What is wrong with an option, in plain words, and what it can be: by its type, and by the examples, else the
    description, of a `Meta`."""
    missing = re.fullmatch(r"Object missing required field `(.+)`", str(error))
    name = missing[1] if missing else str(error).rpartition("$.")[2].rstrip("`")
    possible = _possible(typing.get_type_hints(struct, include_extras=True).get(name))
    if missing:
        return f"{name!r} is missing: type {name}={possible.removeprefix('like ')}"
    if not possible or name not in given:
        return explained(error)
    return f"{name!r} is {cited(given[name])}; it must be {possible}"


_WORDS = {int: "a whole number", float: "a number", bool: "true or false"}
_BOUNDS = {"ge": "from", "gt": "above", "le": "up to", "lt": "below"}


def _possible(hint: Any, notes: tuple[msgspec.Meta, ...] = ()) -> str:
    """What an option of that type can be; empty where the type doesn't say."""
    inner = typing.get_args(hint)
    if typing.get_origin(hint) is typing.Annotated:
        return _possible(inner[0], (*notes, *(note for note in inner[1:] if isinstance(note, msgspec.Meta))))
    if typing.get_origin(hint) is typing.Literal:
        return _either(str(value) for value in inner)
    if hint is str:
        examples = [f"like {example}" for note in notes for example in note.examples or ()]
        return _either(examples or [note.description for note in notes if note.description])
    if hint in _WORDS:
        bounds = [(word, getattr(note, bound)) for note in notes for bound, word in _BOUNDS.items()]
        return " ".join([_WORDS[hint], *(f"{word} {value:g}" for word, value in bounds if value is not None)])
    return _either(_possible(kind, notes) for kind in inner) if _is_union(hint) else ""


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def _either(words: Iterable[str]) -> str:
    *first, last = dict.fromkeys(filter(None, words)) or [""]
    return f"{', '.join(first)} or {last}" if first else last
