"""A session in a process of another environment: lines of JSON in, lines of JSON out.

The first line in is a `ModelOrder`, the first out a `Ready`; then each line in is a list of requests and each line out
the list of their responses. What lmms-eval prints goes to stderr.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import msgspec

from egocross_eval.errors import EgoCrossError
from egocross_eval.interop.lmms_eval.session import ModelOrder, Session
from egocross_eval.schema import Request, Response


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """That the model is loaded, or why it isn't."""

    details: dict[str, Any] = {}
    error: str = ""


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """The responses to a line of requests, or why there are none."""

    responses: list[Response] = []
    error: str = ""


def main() -> None:
    """Serves until stdin ends."""
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    lines = sys.stdin.buffer
    try:
        session = Session(msgspec.json.decode(lines.readline(), type=ModelOrder))
    except EgoCrossError as error:
        _tell(out, Ready(error=str(error)))
        return
    _tell(out, Ready(details=session.details()))
    for line in lines:
        try:
            found = Answered(responses=session.answer(msgspec.json.decode(line, type=list[Request])))
        except EgoCrossError as error:
            found = Answered(error=str(error))
        _tell(out, found)
    session.close()


def _tell(out: Any, message: msgspec.Struct) -> None:
    out.write(msgspec.json.encode(message) + b"\n")


if __name__ == "__main__":
    main()
