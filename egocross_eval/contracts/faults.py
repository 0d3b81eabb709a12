"""What a plugin's code raises becomes an error of ours, which names the part, its plugin and the cause in one line."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from egocross_eval.contracts.registry import KINDS, Registry, registry
from egocross_eval.errors import DataError, EgoCrossError, RunError

if TYPE_CHECKING:
    from egocross_eval.contracts.task import Benchmark

_PACKAGE = f"{Path(__file__).parents[1]}{os.sep}"

TRACEBACK = "EGOCROSS_TRACEBACK"
"""Environment variable: set, errors of plugins come with their traceback."""


@contextmanager
def guarded(
    part: str,
    name: str,
    doing: str = "",
    *,
    kind: type[EgoCrossError] = RunError,
    known: Registry | None = None,
) -> Iterator[None]:
    """Runs code of the part of that `name`, `part` being a list of the registry such as `methods`.

    Whatever it raises is raised as `kind` in its place; errors of this package and KeyboardInterrupt come through.
    `doing` says what it was to do, e.g. `making mine:model`.
    """
    try:
        yield
    except EgoCrossError:
        raise
    except (Exception, SystemExit) as error:
        word = next(one.word for one in KINDS if one.attribute == part)
        plugin = origin(part, name, known or registry())
        raise kind(f"the {word} {name!r}{plugin} failed{doing and f' {doing}'}: {cause(error)}") from error


def guarded_benchmark(benchmark: Benchmark, doing: str, known: Registry) -> AbstractContextManager[None]:
    """As `guarded`, for code of a benchmark, which its tasks bring along; what it raises is a `DataError`."""
    task = next(task.name for task in known.tasks.values() if task.benchmark.name == benchmark.name)
    return guarded("tasks", task, f"{doing} of {benchmark.title}", kind=DataError, known=known)


def origin(part: str, name: str, known: Registry) -> str:
    """Who registered a part, in brackets; empty where no plugin did."""
    for plugin in known.plugins:
        if name in getattr(plugin, part):
            version = f" {plugin.version}" if plugin.version else ""
            return f" (plugin {plugin.name!r} of {plugin.distribution}{version})"
    return ""


def cause(error: BaseException) -> str:
    """What was raised and where, in one line; its traceback below on request."""
    said = " ".join(str(error).split())
    shown = f"{type(error).__name__}{said and f': {said}'}"
    if place := _place(error):
        shown += f" ({'/'.join(Path(place.filename).parts[-2:])}, line {place.lineno})"
    if os.environ.get(TRACEBACK):
        return f"{shown}\n{''.join(traceback.format_exception(error))}"
    return f"{shown}; {TRACEBACK}=1 shows the traceback"


def _place(error: BaseException) -> traceback.FrameSummary | None:
    """Where it was raised, as far as that is in the package that we called and not in what that calls itself."""
    frames = traceback.extract_tb(error.__traceback__)
    others = [frame for frame in frames if not frame.filename.startswith(_PACKAGE)] or list(frames)
    home = os.path.dirname(others[0].filename) + os.sep if others else ""  # noqa: PTH120 - as frames have it
    return next((frame for frame in reversed(others) if frame.filename.startswith(home)), None)


def as_ours(error: Exception) -> EgoCrossError:
    """An error of this package as it is; any other that broke a run, in its place."""
    if isinstance(error, EgoCrossError):
        return error
    return RunError(f"{type(error).__name__}: {error}\n{''.join(traceback.format_exception(error))}")
