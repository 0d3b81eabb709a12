"""UTF-8 text, with or without a byte-order mark, and values as messages cite them."""

from __future__ import annotations

import codecs
from pathlib import Path

from egocross_eval.errors import DataError
from egocross_eval.files import LARGEST, read_bytes

CITED = 60
"""Most characters of a value in a message."""

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def cited(value: object) -> str:
    """`value` as it's shown in a message: on one line, and not longer than that."""
    text = repr(value)
    return text if len(text) <= CITED else f"{text[: CITED - 3]}..."


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
    return decode_text(read_bytes(path, limit=limit), named_file(path, what))


def named_file(path: Path, what: str) -> str:
    """A file as messages begin with it: what it is, if that is known, and its path."""
    return f"{what} {path}" if what else str(path)
