"""What a check is, and how it says which line of which contract is broken."""

from __future__ import annotations

import importlib.util
import traceback
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from egocross_eval.documents import explained
from egocross_eval.errors import EgoCrossError, UsageError

_SHOWN = 200
"""Letters of a value in a message."""


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
    contract: Contract | None = None
    words: str = ""
    """The contract's own, of what is checked: told where the part raises."""

    def __call__(self) -> None:
        """Raises `BrokenContractError`, or `NotPromised` where the check doesn't apply.

        Errors of ours that name something missing (data, a package, a server) come through as they are.
        """
        try:
            self.run()
        except (BrokenContractError, NotPromised, EgoCrossError):
            raise
        except (Exception, SystemExit) as error:
            place = self.contract.place(self.words) if self.contract is not None else ""
            raise BrokenContractError(f"{self.name}: raised {error!r}{_raised_at(error)}", place, self.words) from error


Tried = Mapping[str, tuple[str, Callable[..., None]]]
"""By the name of a check, the contract's words and what tries whether they hold."""


class Contract(NamedTuple):
    """A part that is held to a module of `egocross_eval.contracts`."""

    part: str
    """E.g. `adapter echo`."""
    module: str

    def check(self, name: str, words: str, run: Callable[[], None]) -> Check:
        """A check of what these words of the contract say."""
        return Check(f"{self.part}: {name}", run, self, words)

    def checks(self, tried: Tried, *given: object) -> Iterator[Check]:
        """A check for each name, tried with this contract and what is given."""
        for name, (words, try_it) in tried.items():
            yield self.check(name, words, partial(try_it, self, *given))

    def require_type(self, value: object, kind: type[msgspec.Struct], words: str) -> None:
        """Raises where a value isn't of that type, or has a field that isn't of its own."""
        fault = _type_fault(value, kind)
        self.require(not fault, words, fault)

    def require(self, kept: bool, words: str, found: str) -> None:
        """Raises where `kept` is false: `words` are the contract's own, `found` is what was seen instead."""
        if not kept:
            raise BrokenContractError(f"{self.part}: {found}", self.place(words), words)

    def place(self, words: str) -> str:
        """`file:line` of the contract's words, or of the noun's that it is about; they may be wrapped there."""
        for module in (f"contracts.{self.module}", "schema.question", "schema.answer", "schema.sample"):
            path = _source(module)
            lines = path.read_text(encoding="utf-8").splitlines()
            for number, line in enumerate(lines, start=1):
                following = " ".join(" ".join(lines[number - 1 : number + 4]).split())
                if words.split()[0] in line and words in following:
                    return f"egocross_eval/{module.replace('.', '/')}.py:{number}"
        raise UsageError(f"the contract of {self.module} has no words {words!r}")


def _raised_at(error: BaseException) -> str:
    """The last file and line that a traceback names."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" ({'/'.join(Path(frames[-1].filename).parts[-2:])}, line {frames[-1].lineno})" if frames else ""


def _type_fault(value: object, kind: type[msgspec.Struct]) -> str:
    if not isinstance(value, kind):
        return f"{_short(value)} is no {kind.__name__}"
    try:
        msgspec.convert(msgspec.to_builtins(value), kind)
    except msgspec.ValidationError as error:
        return f"a {kind.__name__} in which {explained(error)}: {_short(value)}"
    except TypeError as error:
        return f"a {kind.__name__} that no file can hold ({error}): {_short(value)}"
    return ""


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _source(module: str) -> Path:
    found = importlib.util.find_spec(f"egocross_eval.{module}")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin)
