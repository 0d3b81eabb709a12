"""The contract of an exporter: a run in somebody else's form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.schema import Results, RunRecord, Sample


class ExportedRun(msgspec.Struct, frozen=True, kw_only=True):
    """What an exporter gets of a run."""

    name: str
    """Of its folder."""
    record: RunRecord
    results: Results
    samples: Sequence[Sample]
    """In the order of the questions' ids."""


class Exporter(msgspec.Struct, frozen=True, kw_only=True):
    """A registered form."""

    name: str
    """As in `egocross-eval export RUN --to NAME`."""
    description: str
    """One line for help."""
    export: Callable[[ExportedRun, Path, Any], str]
    """Called as `export(run, path, options)`: writes the run to the path and says in one line what it wrote; raises
    `UsageError` for a run that can't be written in this form, and leaves nothing at the path then. Of the samples it
    shows all or none. What is at the path already is replaced, or refused with the same error. Questions of a run may
    have failed or not have been asked, and its words may be any."""
    options: type[msgspec.Struct] | None = None
    """Struct whose fields are the options `key=value`; None: it takes none, and `export` gets None."""
    default: str
    """File or folder name where no `--output` is given, within the run's folder."""
    benchmarks: tuple[str, ...] = ()
    """Names of the benchmarks whose runs it takes; empty: all."""
