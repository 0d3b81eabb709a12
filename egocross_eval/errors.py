"""Errors that a user can act on: each names the thing, the place and the remedy."""

from __future__ import annotations

import difflib
import os
import sys
import warnings
from collections.abc import Iterable

_PACKAGE = f"{os.path.dirname(__file__)}{os.sep}"  # noqa: PTH120


class EgoCrossError(Exception):
    """Base of every error this package raises on purpose; the command line prints its text without a traceback."""

    exit_code = 1


class UsageError(EgoCrossError):
    """Wrong input: an unknown name, an impossible option, a malformed file. Exit code 2."""

    exit_code = 2


class DataError(UsageError):
    """A benchmark file or frame is missing or malformed."""


class UnsafePathError(DataError):
    """A path in a data file leads outside the data root."""


class RunError(EgoCrossError):
    """A run can't go on (its adapter raised, its folder is in use or unwritable)."""


class MissingExtraError(UsageError):
    """An optional dependency isn't installed."""

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(f"the module {module!r} is not installed; {how_to_install(extra)}")


def how_to_install(extra: str) -> str:
    """What makes an optional part of the package work."""
    return f"in the clone of egocross-eval: pip install '.[{extra}]'"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A clause such as " (did you mean 'animal'?)" for an unknown `name`, or the empty string when nothing is near."""
    near = difflib.get_close_matches(name.lower(), list(known), n=3, cutoff=0.6)
    return f" (did you mean {' or '.join(repr(n) for n in near)}?)" if near else ""


def unknown(what: str, name: str, known: Iterable[str], where: str = "") -> UsageError:
    """The error for a `name` that is none of the `known` ones: the nearest are suggested and all are listed."""
    names = sorted(known)
    said = f"unknown {what} {name!r}{did_you_mean(name, names)}; known: {', '.join(names) or 'none'}"
    return UsageError(f"{where}: {said}" if where else said)


def warn_caller(message: str) -> None:
    """Warns at the line that called this package: the nearest one outside of it."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(_PACKAGE) and frame.f_back is not None:
        frame = frame.f_back
    # Not by stacklevel: how many frames of ours lie between differs from call to call.
    warnings.warn_explicit(
        message,
        UserWarning,
        frame.f_code.co_filename,
        frame.f_lineno,
        module=frame.f_globals.get("__name__", "<string>"),
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )
