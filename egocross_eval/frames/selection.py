"""Which frames of a clip are shown: `all`, `uniform:N`, `tail:N` or `none`; always in time order."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from egocross_eval.errors import UsageError

Item = TypeVar("Item")


class FrameSelection(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed `--frames` value."""

    kind: str
    count: int = 0

    @classmethod
    def parse(cls, text: str) -> FrameSelection:
        """Reads `all`, `none`, `uniform:N` or `tail:N` (N >= 1); anything else is a `UsageError`."""
        if text in ("all", "none"):
            return cls(kind=text)
        kind, _, number = text.partition(":")
        if kind in ("uniform", "tail") and number.isascii() and number.isdigit() and int(number) > 0:
            return cls(kind=kind, count=int(number))
        raise UsageError(
            f"--frames {text!r} is none of: all, none, uniform:N, tail:N (N a whole number from 1), e.g. uniform:8"
        )

    def apply(self, frames: tuple[Item, ...]) -> tuple[Item, ...]:
        """The chosen frames. `uniform:N` keeps the first and the last and spreads the others evenly between them."""
        if self.kind == "none":
            return ()
        if self.kind == "all" or len(frames) <= self.count:
            return frames
        if self.kind == "tail":
            return frames[-self.count :]
        if self.count == 1:
            return (frames[len(frames) // 2],)
        last = len(frames) - 1
        return tuple(frames[round(k * last / (self.count - 1))] for k in range(self.count))
