"""What a check is, and how it says which line of which contract is broken."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from egocross_eval.errors import EgoCrossError, UsageError


class BrokenContractError(AssertionError):
    """A part doesn't do what its contract says; the message has the contract's words and place."""

    def __init__(self, found: str, place: str = "", words: str = "") -> None:
        """`found` is what was seen, `place` the file and line of the contract, `words` what stands there."""
        super().__init__(f"{found}. The contract ({place}): {words!r}" if place else found)
        self.found, self.place, self.words = found, place, words


class NotPromised(Exception):  # noqa: N818 - no fault: the check doesn't apply
    """The part doesn't promise what a check is about."""


class Check(NamedTuple):
    """One check of one part; call it."""

    name: str
    """The part and what is checked, e.g. `adapter echo: answers each request once`."""
    run: Callable[[], None]

    def __call__(self) -> None:
        """Raises `BrokenContractError`, or `NotPromised` where the check doesn't apply.

        Errors of ours that name something missing (data, a package, a server) come through as they are.
        """
        try:
            self.run()
        except (BrokenContractError, NotPromised, EgoCrossError):
            raise
        except Exception as error:
            raise BrokenContractError(f"{self.name}: raised {error!r}") from error


class Contract(NamedTuple):
    """A part that is held to a module of `egocross_eval.contracts`."""

    part: str
    """E.g. `adapter echo`."""
    module: str

    def require(self, kept: bool, words: str, found: str) -> None:
        """Raises where `kept` is false: `words` are the contract's own, `found` is what was seen instead."""
        if not kept:
            raise BrokenContractError(f"{self.part}: {found}", self.place(words), words)

    def place(self, words: str) -> str:
        """`file:line` of the contract's words, or of the noun's that it is about; they may be wrapped there."""
        for module in (f"contracts.{self.module}", "schema.question", "schema.sample"):
            path = _source(module)
            lines = path.read_text(encoding="utf-8").splitlines()
            for number, line in enumerate(lines, start=1):
                following = " ".join(" ".join(lines[number - 1 : number + 4]).split())
                if words.split()[0] in line and words in following:
                    return f"egocross_eval/{module.replace('.', '/')}.py:{number}"
        raise UsageError(f"the contract of {self.module} has no words {words!r}")


def _source(module: str) -> Path:
    found = importlib.util.find_spec(f"egocross_eval.{module}")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin)
