"""`sweep --dry-run`: the runs of a sweep, their size, and the time that they will take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from egocross_eval.cli.show.dry_run import Estimate, estimate
from egocross_eval.cli.show.reporter import duration
from egocross_eval.cli.show.terminal import fitted_table, wrapped
from egocross_eval.contracts.registry import registry
from egocross_eval.errors import EgoCrossError
from egocross_eval.model_adapters.spec import adapter_type, carried, parse_spec
from egocross_eval.runs.plan import RunPlan, check_model
from egocross_eval.runs.store import RunFolder
from egocross_eval.sweeps.expected import Basis, basis_of, expected_seconds
from egocross_eval.sweeps.file import Sweep
from egocross_eval.sweeps.planned import PlannedRun, Plans


class _Line(NamedTuple):
    """A run of the plan."""

    state: str
    to_ask: int
    tokens: int
    """Of all its questions."""
    seconds: float | None
    basis: Basis | None
    fault: str


def print_sweep_plan(sweep: Sweep, like: Sequence[Path]) -> int:
    """Prints the plan and checks every model; exit code 2 where one can't be built or can't be asked so."""
    plans = Plans()
    sizes: dict[int, Estimate] = {}
    known = basis_of([*(one.folder for one in sweep.runs), *like])
    lines = []
    for one in sweep.runs:
        plan = plans(one.options)
        if id(plan) not in sizes:
            sizes[id(plan)] = estimate(plan)
        lines.append(_line(one, plan, sizes[id(plan)], known))
    rows = [
        [one.name, line.state, str(line.to_ask), f"{line.tokens:,}", _time(line)]
        for one, line in zip(sweep.runs, lines, strict=True)
    ]
    click.echo(fitted_table(rows, ["run", "state", "to ask", "tokens in", "time"], right="llrrr"))
    click.echo(f"\n{len(lines)} runs in {sweep.output}")
    click.echo(wrapped(_total(lines)))
    faults = [f"{one.name}: {line.fault}" for one, line in zip(sweep.runs, lines, strict=True) if line.fault]
    for fault in faults:
        click.echo(f"Error: {fault}", err=True)
    return 2 if faults else 0


def _line(one: PlannedRun, plan: RunPlan, size: Estimate, known: list[Basis]) -> _Line:
    done = _answered(one.folder)
    to_ask = max(0, size.questions - done)
    state = "finished" if not to_ask else "begun" if done else "new"
    spec, fault = parse_spec(one.model), ""
    try:
        check_model(plan, spec, registry())
    except EgoCrossError as error:
        fault = str(error)
    tokens = size.tokens if not size.questions else size.tokens * to_ask // size.questions
    model = carried(spec, registry())
    identity = model.without(adapter_type(model, registry()).neutral_options)
    found = expected_seconds(identity, to_ask, tokens, known) if to_ask else (0.0, None)
    seconds, basis = found if found is not None else (None, None)
    return _Line(state, to_ask, size.tokens, seconds, basis, fault)


def _answered(folder: Path) -> int:
    """Questions that need not be asked again."""
    run = RunFolder(folder)
    return sum(sample.outcome != "errored" for sample in run.final_samples()) if run.exists() else 0


def _time(line: _Line) -> str:
    return "" if not line.to_ask else "unknown" if line.seconds is None else duration(line.seconds)


def _total(lines: Sequence[_Line]) -> str:
    """The time in all, and what it is judged by."""
    known = sum(line.seconds or 0.0 for line in lines)
    unknown = sum(line.seconds is None for line in lines)
    if unknown:
        return (
            f"time unknown for {unknown} of them: no run here or in --like says how fast a model answers; "
            "it is known after the first run"
        )
    by = ", ".join(dict.fromkeys(line.basis.folder.name for line in lines if line.basis is not None))
    return f"about {duration(known)} in all, loading left out" + (f", judged by {by}" if by else "")
