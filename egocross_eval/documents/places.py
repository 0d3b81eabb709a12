"""The lines of a YAML file, for errors about values in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from egocross_eval.documents.text import read_text
from egocross_eval.documents.yaml_loader import YAML_LARGEST, loader

if TYPE_CHECKING:
    import yaml


class Place(NamedTuple):
    """A YAML file that is read, as errors name places in it."""

    path: Path
    what: str
    lines: Mapping[tuple[str | int, ...], int]
    """By the keys that lead to a value, its line."""

    def at(self, *keys: str | int) -> str:
        """The file, and the line of a value in it, or of the nearest around it."""
        return f"{self.what} {self.path}{line_of(self.lines, keys)}"


def read_place(path: Path, what: str) -> Place:
    """The lines of a valid YAML file. Raises as `read_yaml`."""
    return Place(path, what, yaml_lines(read_text(path, what=what, limit=YAML_LARGEST)))


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

    node = yaml.compose(text, Loader=loader())
    if node is not None:
        walk(node, ())
    return found


def line_of(lines: Mapping[tuple[str | int, ...], int], keys: tuple[str | int, ...]) -> str:
    """`, line N` of the value that the keys lead to, or of the nearest around it that has one."""
    found = (lines[keys[:length]] for length in range(len(keys), 0, -1) if keys[:length] in lines)
    line = next(found, None)
    return f", line {line}" if line else ""
