"""What a validation found, in plain words."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from egocross_eval.documents.known import known_names, steps
from egocross_eval.documents.text import CITED, cited
from egocross_eval.errors import did_you_mean

_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "null": "null",
    "array": "a list",
    "object": "a mapping",
}


def explained(error: msgspec.ValidationError, kind: Any = None) -> str:
    """What a validation found, in plain words, such as `entry 4: 'id' is a text, not a whole number`.

    With the `kind` that was wanted, unknown names are answered with those that there are.
    """
    message, _, place = str(error).partition(" - at ")
    place = place.strip("`")
    entry, field = _place(place)
    what = repr(field) if field else "this" if entry else "the content"
    if match := re.fullmatch(r"Expected `(.+?)`, got `(.+?)`", message):
        fault = f"{what} is {_TYPES.get(match[2], match[2])}, not {_named(match[1])}"
    elif match := re.fullmatch(r"Object missing required field `(.+)`", message):
        inside = f"{what} " if field else ""
        fault = f"{inside}{'has' if field else 'there is'} no {match[1]!r}"
    elif match := re.fullmatch(r"Object contains unknown field `(.+)`", message, re.DOTALL):
        fault = f"{f'{what} has an' if field else 'there is an'} unknown field {cited(match[1])}"
        fault += _known(match[1], known_names(kind, place))
    elif match := re.fullmatch(r"Invalid (?:enum )?value (.+)", message, re.DOTALL):
        value = match[1] if len(match[1]) <= CITED else f"{match[1][:CITED]}..."
        fault = f"{what} is {value}, which is none of the values it can have"
        fault += _known(match[1].strip("'"), known_names(kind, place))
    elif match := re.fullmatch(r"Expected `(\w+)` (.+)", message):
        fault = f"{what} must be {_named(match[1])} {_bound(match[2])}"
    else:
        fault = f"{what} can't be used: {message[:1].lower()}{message[1:]}"
    return f"{entry}: {fault}" if entry else fault


def fault_keys(error: msgspec.ValidationError) -> tuple[str | int, ...]:
    """The keys that lead to what a validation found, as far as its message names them."""
    message, _, place = str(error).partition(" - at ")
    keys: list[str | int] = []
    for name, number in steps(place.strip("`")):
        if not name and not number.isdigit():
            break
        keys.append(name or int(number))
    if match := re.fullmatch(r"Object contains unknown field `(.+)`", message, re.DOTALL):
        keys.append(match[1])
    return tuple(keys)


def _known(name: str, names: list[str]) -> str:
    return f"{did_you_mean(name, names)}; known: {', '.join(names)}" if names else ""


def _bound(text: str) -> str:
    """`from 1` for `>= 1`, and so on."""
    for sign, word in ((">=", "from"), ("<=", "up to"), (">", "above"), ("<", "below"), ("matching regex", "like")):
        text = re.sub(rf"^{sign}(?= )", word, text)
    return text


def _named(types: str) -> str:
    return " or ".join(_TYPES.get(name, name) for name in types.split(" | "))


def _place(path: str) -> tuple[str, str]:
    """`entry N` of a list at the top, and the rest of a path such as `$[3].messages[0].role`."""
    match = re.match(r"(?:key in )?\$(?:\[(\d+)\])?\.?", path)
    if match is None:
        return "", path
    entry = f"entry {int(match[1]) + 1}" if match[1] else ""
    return entry, path[match.end() :].replace("[...]", ".*").removeprefix(".")
