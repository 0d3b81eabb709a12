"""Reads JSON, JSON lines and YAML that anyone may have written; whatever is wrong is said with file and place.

All of it is UTF-8, with or without a byte-order mark. Messages are in the words of this package, not in those of a
library, and what they cite is cut short.
"""

from __future__ import annotations

import codecs
import functools
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec

from egocross_eval.errors import DataError, did_you_mean
from egocross_eval.files import LARGEST, read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    import yaml

T = TypeVar("T")

YAML_LARGEST = 2**20
"""Most bytes of a YAML file: people write them by hand."""

_YAML_DEPTH = 32
_CITED = 60

_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "null": "null",
    "array": "a list",
    "object": "a mapping",
}
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def cited(value: object) -> str:
    """`value` as it's shown in a message: on one line, and not longer than that."""
    text = repr(value)
    return text if len(text) <= _CITED else f"{text[: _CITED - 3]}..."


def decode_text(data: bytes, where: str) -> str:
    """The text in `data`, without its byte-order mark. Raises `DataError` for anything but UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        kind = "UTF-16" if data.startswith(_UTF_16) else f"not UTF-8 in line {line}"
        raise DataError(f"{where} is {kind}; save it as UTF-8") from None


def read_text(path: Path, *, what: str = "", limit: int = LARGEST) -> str:
    """The text of a file. A `DataError` names it, as `what` it is, if it's too large or no UTF-8."""
    return decode_text(read_bytes(path, limit=limit), _named_file(path, what))


def decode_json(data: bytes, kind: type[T], where: str) -> T:
    """The JSON in `data` as `kind`. A `DataError` begins with `where` and names the entry and field, or the line."""
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        decode_text(data, where)
        raise DataError(f"{where}: {explained(error)}{_entry_name(data, str(error))}") from error
    except RecursionError:
        raise DataError(f"{where} is nested too deeply") from None
    except (msgspec.DecodeError, ValueError) as error:
        decode_text(data, where)
        raise DataError(f"{where} is no valid JSON: {_json_place(data, str(error))}") from None


def refuse_repeated_keys(data: bytes, where: str) -> None:
    """Raises `DataError` where a mapping of the valid JSON in `data` has a key twice: only the last one would count."""
    import json

    def pairs(found: list[tuple[str, object]]) -> dict[str, object]:
        content: dict[str, object] = {}
        for key, value in found:
            if key in content:
                raise DataError(f"{where}: {cited(key)} is there twice")
            content[key] = value
        return content

    try:
        json.loads(data, object_pairs_hook=pairs)
    except RecursionError:
        raise DataError(f"{where} is nested too deeply") from None


def read_json(path: Path, kind: type[T], *, what: str = "", limit: int = LARGEST) -> T:
    """The content of a JSON file as `kind`; errors as `decode_json` and `read_bytes` raise them."""
    return decode_json(read_bytes(path, limit=limit), kind, _named_file(path, what))


def decode_json_lines(data: bytes, kind: type[T], where: str) -> Iterator[tuple[int, T]]:
    """The number of each line of a JSON lines file and what it holds, empty lines left out; errors name the line."""
    for number, line in enumerate(data.removeprefix(codecs.BOM_UTF8).split(b"\n"), 1):
        if line.strip():
            yield number, decode_json(line, kind, f"{where}, line {number}")


def not_finite(value: object) -> str:
    """Where in a value that JSON is made of a number is infinite or none at all, which JSON would have as null: such as
    `decision.scores.A is inf`; empty where none is."""
    kind = type(value)
    if kind is float:
        return "" if math.isfinite(value) else f" is {value}"  # type: ignore[arg-type]
    # By exact types first: it's asked of every sample.
    if value is None or kind is str or kind is int or kind is bool:
        return ""
    for name, entry in _entries(value):
        if found := not_finite(entry):
            return f"{name}{'' if found.startswith(' ') else '.'}{found}"
    return ""


def _entries(value: object) -> Iterable[tuple[object, object]]:
    """What is in a struct, mapping or list, by name or place."""
    if isinstance(value, msgspec.Struct):
        return [(name, getattr(value, name)) for name in value.__struct_fields__]
    if isinstance(value, Mapping):
        return value.items()
    return enumerate(value) if isinstance(value, list | tuple) else ()


def decode_entries(data: bytes, kind: type[T], where: str) -> list[T]:
    """The entries of a JSON list, or of JSON lines, whichever it is."""
    first = data.removeprefix(codecs.BOM_UTF8).lstrip().partition(b"\n")[0].rstrip()
    if first.startswith(b"{") and first.endswith(b"}"):
        return [entry for _, entry in decode_json_lines(data, kind, where)]
    return decode_json(data, list[kind], where)  # type: ignore[valid-type]


def decode_yaml(text: str, kind: type[T], where: str) -> T:
    """The YAML in `text` as `kind`. Keys are always texts, so that `on` is no boolean; `5e-5` is a number.

    Raises `DataError` with the line for malformed YAML, for aliases, tags, repeated keys and deep nesting, and for what
    isn't of that kind.
    """
    return _converted(_parsed_yaml(text, where), kind, where, text)


class Place(NamedTuple):
    """A YAML file that is read, as errors name places in it."""

    path: Path
    what: str
    lines: Mapping[tuple[str | int, ...], int]
    """By the keys that lead to a value, its line."""

    def at(self, *keys: str | int) -> str:
        """The file, and the line of a value in it, or of the nearest around it."""
        return f"{self.what} {self.path}{_line(self.lines, keys)}"


def yaml_lines(text: str) -> dict[tuple[str | int, ...], int]:
    """The line of every key and entry of valid YAML, counted from 1, by its path: `("rules", 0, "frames")`."""
    import yaml

    found: dict[tuple[str | int, ...], int] = {}

    def walk(node: yaml.Node, path: tuple[str | int, ...]) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                found[*path, key.value] = key.start_mark.line + 1
                walk(value, (*path, key.value))
        elif isinstance(node, yaml.SequenceNode):
            for place, entry in enumerate(node.value):
                found[*path, place] = entry.start_mark.line + 1
                walk(entry, (*path, place))

    node = yaml.compose(text, Loader=_loader())
    if node is not None:
        walk(node, ())
    return found


def read_yaml(path: Path, kind: type[T], *, what: str = "") -> T:
    """The content of a YAML file as `kind`, a file of nothing but comments as a mapping without entries.

    Errors as `decode_yaml` and `read_bytes` raise them.
    """
    where, text = _named_file(path, what), read_text(path, what=what, limit=YAML_LARGEST)
    content = _parsed_yaml(text, where)
    return _converted({} if content is None else content, kind, where, text)


def read_place(path: Path, what: str) -> Place:
    """The lines of a valid YAML file. Raises as `read_yaml`."""
    return Place(path, what, yaml_lines(read_text(path, what=what, limit=YAML_LARGEST)))


def _converted(content: Any, kind: type[T], where: str, text: str) -> T:
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        line = _line(yaml_lines(text), fault_keys(error))
        raise DataError(f"{where}{line}: {explained(error, kind)}") from error


def _line(lines: Mapping[tuple[str | int, ...], int], keys: tuple[str | int, ...]) -> str:
    """`, line N` of the value that the keys lead to, or of the nearest around it that has one."""
    found = (lines[keys[:length]] for length in range(len(keys), 0, -1) if keys[:length] in lines)
    line = next(found, None)
    return f", line {line}" if line else ""


def fault_keys(error: msgspec.ValidationError) -> tuple[str | int, ...]:
    """The keys that lead to what a validation found, as far as its message names them."""
    message, _, place = str(error).partition(" - at ")
    keys: list[str | int] = []
    for name, number in _steps(place.strip("`")):
        if not name and not number.isdigit():
            break
        keys.append(name or int(number))
    if match := re.fullmatch(r"Object contains unknown field `(.+)`", message, re.DOTALL):
        keys.append(match[1])
    return tuple(keys)


def _steps(place: str) -> list[tuple[str, str]]:
    """A path such as `$.train[3].set[...]` as its names and the numbers in brackets, one of each pair being empty."""
    return re.findall(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]", place)


def _could_stand(kind: Any, place: str) -> list[str]:
    """At a place in a document of that kind, the names of its fields, or the values that it can have."""
    if kind is None:
        return []
    found = [msgspec.inspect.type_info(kind)]
    for name, _ in _steps(place):
        found = [inner for one in found for inner in _inside(one, name)]
    return [str(value) for one in found for value in _names(one)]


def _inside(info: msgspec.inspect.Type, name: str) -> list[msgspec.inspect.Type]:
    """The type of a field of that name, or of entries where it's empty."""
    inner: list[msgspec.inspect.Type] = []
    match info:
        case msgspec.inspect.StructType(fields=fields) if name:
            inner = [field.type for field in fields if field.encode_name == name]
        case msgspec.inspect.DictType(value_type=value) if not name:
            inner = [value]
        case msgspec.inspect.CollectionType(item_type=item) if not name:
            inner = [item]
    return [
        one for found in inner for one in (found.types if isinstance(found, msgspec.inspect.UnionType) else [found])
    ]


def _names(info: msgspec.inspect.Type) -> list[object]:
    match info:
        case msgspec.inspect.StructType(fields=fields):
            return [field.encode_name for field in fields]
        case msgspec.inspect.LiteralType(values=values):
            return list(values)
        case msgspec.inspect.Metadata(type=inner):
            return _names(inner)
    return []


def _parsed_yaml(text: str, where: str) -> Any:
    import yaml

    try:
        return yaml.load(text, Loader=_loader())  # noqa: S506 - derived from the safe one
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f", line {mark.line + 1}" if mark else ""
        raise DataError(f"{where}{place}: {_yaml_fault(error)}") from None
    except (yaml.YAMLError, ValueError):
        raise DataError(f"{where} has a character or a number that YAML doesn't allow") from None


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
        fault += _known(match[1], _could_stand(kind, place))
    elif match := re.fullmatch(r"Invalid (?:enum )?value (.+)", message, re.DOTALL):
        value = match[1] if len(match[1]) <= _CITED else f"{match[1][:_CITED]}..."
        fault = f"{what} is {value}, which is none of the values it can have"
        fault += _known(match[1].strip("'"), _could_stand(kind, place))
    elif match := re.fullmatch(r"Expected `(\w+)` (.+)", message):
        fault = f"{what} must be {_named(match[1])} {_bound(match[2])}"
    else:
        fault = f"{what} can't be used: {message[:1].lower()}{message[1:]}"
    return f"{entry}: {fault}" if entry else fault


def _known(name: str, names: list[str]) -> str:
    return f"{did_you_mean(name, names)}; known: {', '.join(names)}" if names else ""


def _bound(text: str) -> str:
    """`from 1` for `>= 1`, and so on."""
    for sign, word in ((">=", "from"), ("<=", "up to"), (">", "above"), ("<", "below"), ("matching regex", "like")):
        text = re.sub(rf"^{sign}(?= )", word, text)
    return text


def _named_file(path: Path, what: str) -> str:
    return f"{what} {path}" if what else str(path)


def _named(types: str) -> str:
    return " or ".join(_TYPES.get(name, name) for name in types.split(" | "))


def _place(path: str) -> tuple[str, str]:
    """`entry N` of a list at the top, and the rest of a path such as `$[3].messages[0].role`."""
    match = re.match(r"(?:key in )?\$(?:\[(\d+)\])?\.?", path)
    if match is None:
        return "", path
    entry = f"entry {int(match[1]) + 1}" if match[1] else ""
    return entry, path[match.end() :].replace("[...]", ".*").removeprefix(".")


def _entry_name(data: bytes, message: str) -> str:
    """The id of the entry of a list that a message points at by its place, as a clause."""
    match = re.search(r"`\$\[(\d+)\]", message)
    if match is None:
        return ""
    try:
        entry: Any = msgspec.json.decode(data)[int(match[1])]
    except (msgspec.DecodeError, RecursionError, ValueError):
        return ""  # what comes behind the entry isn't even JSON
    name = (
        next((entry[key] for key in ("id", "question_id") if key in entry), None) if isinstance(entry, dict) else None
    )
    return "" if name is None else f" (id {cited(name)})"


def _json_place(data: bytes, message: str) -> str:
    match = re.search(r"\(byte (\d+)\)", message)
    if match is None:
        return (
            "it is empty" if not data.strip() else "it is cut off" if "truncated" in message else "is it another file?"
        )
    before = data[: int(match[1])]
    line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
    rest = cited(data[int(match[1]) :][:20].decode(errors="replace"))
    return f"line {line}, column {column}, at {rest}"


def _yaml_fault(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or ""
    if problem.startswith("refused: "):
        return problem.removeprefix("refused: ")
    if "constructor for the tag" in problem:
        return "it has a tag ('!...'), and only plain values are read"
    if "\\t" in problem:
        return "there is a tab; indent by spaces"
    if "mapping values" in problem:
        return "there is a colon too many; is the indentation right, and is a text with ': ' in quotes?"
    return "this is no valid YAML; is the indentation right, and is every quote and bracket closed?"


@functools.cache
def _loader() -> type[yaml.SafeLoader]:
    """PyYAML's safe loader without what harms or surprises."""
    import yaml

    class Loader(yaml.SafeLoader):
        depth = 0

        def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
            if self.check_event(yaml.AliasEvent):
                self._refuse(self.peek_event().start_mark, "aliases ('*name') are refused; write the value out")  # type: ignore[no-untyped-call]
            self.depth += 1
            if self.depth > _YAML_DEPTH:
                self._refuse(self.peek_event().start_mark, "it is nested too deeply")  # type: ignore[no-untyped-call]
            node = super().compose_node(parent, index)
            self.depth -= 1
            return node

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            content: dict[str, Any] = {}
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    self._refuse(key.start_mark, "a key must be a plain text")
                if key.value in content:
                    self._refuse(key.start_mark, f"{cited(key.value)} is there twice")
                content[key.value] = self.construct_object(value, deep=True)
            return content

        def _refuse(self, mark: yaml.Mark, why: str) -> None:
            raise yaml.MarkedYAMLError(problem=f"refused: {why}", problem_mark=mark)

    # A date is a text here, and YAML 1.1 takes 5e-5 for one, as it wants a point in it.
    Loader.yaml_implicit_resolvers = {
        first: [(tag, form) for tag, form in forms if not tag.endswith(":timestamp")]
        for first, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    exponent = re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+$")
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", exponent, list("-+0123456789"))
    return Loader
