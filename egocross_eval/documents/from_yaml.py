"""YAML as values of a wanted kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from egocross_eval.documents.faults import explained, fault_keys
from egocross_eval.documents.places import line_of, yaml_lines
from egocross_eval.documents.text import named_file, read_text
from egocross_eval.documents.yaml_loader import YAML_LARGEST, parsed_yaml
from egocross_eval.errors import DataError

T = TypeVar("T")


def decode_yaml(text: str, kind: type[T], where: str) -> T:
    """The YAML in `text` as `kind`. Keys are always texts, so that `on` is no boolean; `5e-5` is a number.

    Raises `DataError` with the line for malformed YAML, for aliases, tags, repeated keys and deep nesting, and for what
    isn't of that kind.
    """
    return _converted(parsed_yaml(text, where), kind, where, text)


def read_yaml(path: Path, kind: type[T], *, what: str = "") -> T:
    """The content of a YAML file as `kind`, a file of nothing but comments as a mapping without entries.

    Errors as `decode_yaml` and `read_bytes` raise them.
    """
    where, text = named_file(path, what), read_text(path, what=what, limit=YAML_LARGEST)
    content = parsed_yaml(text, where)
    return _converted({} if content is None else content, kind, where, text)


def _converted(content: Any, kind: type[T], where: str, text: str) -> T:
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        line = line_of(yaml_lines(text), fault_keys(error))
        raise DataError(f"{where}{line}: {explained(error, kind)}") from error
