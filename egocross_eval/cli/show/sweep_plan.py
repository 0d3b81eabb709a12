"""`sweep --dry-run`: the runs of a sweep, their size, and the time that they will take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click
import msgspec

from egocross_eval.cli.show.dry_run import Estimate, estimate, range_said, unreadable_said
from egocross_eval.cli.show.pace import duration
from egocross_eval.cli.show.terminal import fitted_table, wrapped
from egocross_eval.contracts.registry import registry
from egocross_eval.counted import counted
from egocross_eval.errors import EgoCrossError
from egocross_eval.model_adapters.spec import adapter_type, carried, parse_spec
from egocross_eval.replies import Reply
from egocross_eval.runs.options import RunOptions
from egocross_eval.runs.plan import RunPlan, check_model
from egocross_eval.runs.store import RunFolder
from egocross_eval.runs.telling import followers
from egocross_eval.sweeps.expected import Basis, basis_of, expected_seconds
from egocross_eval.sweeps.file import Sweep
from egocross_eval.sweeps.planned import PlannedRun, Plans


class PlannedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A run of the plan."""

    name: str
    model: str
    state: Literal["new", "begun", "finished"]
    to_ask: int
    """Questions."""
    requests: int
    """Of all its questions, in the first round."""
    most_requests: int | None
    """In all rounds, at most; None where the method doesn't say."""
    tokens: int
    """Estimated input tokens of all its questions, in the first round."""
    most_tokens: int | None
    """In all rounds, if all that may follow is asked, without the answers; None where the method doesn't say."""
    seconds: float | None
    """Time that it will take, by the tokens of the first round; None where nothing tells."""
    judged_by: str = ""
    """The run that tells the time."""
    fault: str = ""
    """Why it can't be made so."""
    failing: int = 0
    """Questions that would fail, as a frame of theirs can't be read and the model looks at it."""
    unreadable: str = ""
    """Which frames those are, in words."""


class SweepPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The runs of a sweep before they are made."""

    output: Path
    runs: tuple[PlannedLine, ...]


def plan_sweep(sweep: Sweep, like: Sequence[Path], plans: Plans | None = None) -> SweepPlan:
    """Sizes and times of the runs; every model is checked. `plans` holds those that are made already."""
    plans = plans or Plans()
    sizes: dict[int, Estimate] = {}
    known = basis_of([*(one.folder for one in sweep.runs), *like])
    trackers = {one.options.track: _tracker_fault(one.options) for one in sweep.runs}
    lines = []
    for one in sweep.runs:
        plan = plans(one.options, one.way_at)
        if id(plan) not in sizes:
            sizes[id(plan)] = estimate(plan)
        lines.append(_line(one, plan, sizes[id(plan)], known, trackers[one.options.track]))
    return SweepPlan(output=sweep.output, runs=tuple(lines))


def sweep_plan_reply(sweep: Sweep, like: Sequence[Path], plans: Plans | None = None) -> Reply[SweepPlan]:
    """The plan; exit code 2 where a model can't be built or can't be asked so, 1 where questions would fail."""
    plans = plans or Plans()
    plan = plan_sweep(sweep, like, plans)
    for note in dict.fromkeys(note for one in sweep.runs for note in plans(one.options, one.way_at).warnings):
        click.echo(f"note: {note}", err=True)
    code = max((2 if one.fault else 1 if one.failing else 0 for one in plan.runs), default=0)
    return Reply(value=plan, show=lambda: _print_plan(plan), code=code)


def _print_plan(plan: SweepPlan) -> None:
    rows = [
        [
            line.name,
            line.state,
            str(line.to_ask),
            range_said(line.requests, line.most_requests),
            range_said(line.tokens, line.most_tokens),
            _time(line),
        ]
        for line in plan.runs
    ]
    click.echo(fitted_table(rows, ["run", "state", "to ask", "requests", "tokens in", "time"], right="llrrrr"))
    if any(line.most_requests != line.requests for line in plan.runs):
        text = (
            "from the first round of requests to all that may follow, tokens without those of the answers that later "
            "rounds show; times are by the first round"
        )
        click.echo(f"\n{wrapped(text)}")
    click.echo(f"\n{counted(len(plan.runs), 'run')} in {plan.output}")
    click.echo(wrapped(_total(plan.runs)))
    for line in plan.runs:
        if line.fault:
            click.echo(f"Error: {line.name}: {line.fault}", err=True)
        elif line.failing:
            click.echo(f"Error: {line.name}: unreadable: {line.unreadable}", err=True)


def _tracker_fault(options: RunOptions) -> str:
    """Why the trackers can't be used here; empty where they can."""
    try:
        followers(options, registry())
    except EgoCrossError as error:
        return str(error)
    return ""


def _line(one: PlannedRun, plan: RunPlan, size: Estimate, known: list[Basis], fault: str) -> PlannedLine:
    done = _answered(one.folder)
    to_ask = max(0, size.questions - done)
    spec, failing = parse_spec(one.model), 0
    try:
        if check_model(plan, spec, registry()).needs_content and to_ask:
            failing = size.failing
    except EgoCrossError as error:
        fault = f"{one.model_at}: {error}" if one.model_at else str(error)
    tokens = size.tokens if not size.questions else size.tokens * to_ask // size.questions
    model = carried(spec, registry())
    identity = model.without(adapter_type(model, registry()).neutral_options)
    found = expected_seconds(identity, to_ask, tokens, known) if to_ask else (0.0, None)
    seconds, basis = found if found is not None else (None, None)
    return PlannedLine(
        name=one.name,
        model=one.model,
        state="finished" if not to_ask else "begun" if done else "new",
        to_ask=to_ask,
        requests=size.requests,
        most_requests=size.most_requests,
        tokens=size.tokens,
        most_tokens=size.most_tokens,
        seconds=seconds,
        judged_by=basis.folder.name if basis is not None else "",
        fault=fault,
        failing=failing,
        unreadable=unreadable_said(size, failing) if failing else "",
    )


def _answered(folder: Path) -> int:
    """Questions that need not be asked again."""
    run = RunFolder(folder)
    return sum(sample.outcome != "errored" for sample in run.final_samples()) if run.exists() else 0


def _time(line: PlannedLine) -> str:
    return "" if not line.to_ask else "unknown" if line.seconds is None else duration(line.seconds)


def _total(lines: Sequence[PlannedLine]) -> str:
    """The time in all, and what it is judged by."""
    known = sum(line.seconds or 0.0 for line in lines)
    unknown = sum(line.seconds is None for line in lines)
    if unknown:
        return (
            f"time unknown for {unknown} of them: no run here or in --like says how fast a model answers; "
            "it is known after the first run"
        )
    by = ", ".join(dict.fromkeys(line.judged_by for line in lines if line.judged_by))
    return f"about {duration(known)} in all, loading left out" + (f", judged by {by}" if by else "")
