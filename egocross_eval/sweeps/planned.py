"""Runs that are planned, and carrying them out one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from egocross_eval.api import Run, run
from egocross_eval.contracts.event import Event
from egocross_eval.contracts.faults import as_ours
from egocross_eval.contracts.registry import registry
from egocross_eval.errors import EgoCrossError, UsageError
from egocross_eval.runs.options import RunOptions
from egocross_eval.runs.plan import RunPlan, plan_run


class PlannedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that is to be made, or gone on with."""

    name: str
    """Unique among those that are carried out together."""
    model: str
    """Model spec."""
    options: RunOptions
    folder: Path
    setting: dict[str, str] = {}
    """What tells it from the others of its model, for tables."""
    way_at: str = ""
    """Where its file says how it's asked: file, line and keys."""
    model_at: str = ""
    """Where its file names the model."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a planned run."""

    planned: PlannedRun
    run: Run | None
    """None where it broke before it had a folder."""
    error: EgoCrossError | None = None

    @property
    def complete(self) -> bool:
        """Nothing broke, and the run's results are complete."""
        return self.run is not None and self.error is None and self.run.results.complete


Watch = Callable[[PlannedRun], Callable[[Event], None]]
"""What is to be told of the events of a run, made when its turn comes."""


class Plans:
    """Plans of runs, made once for equal options: the models of a sweep are asked the same questions."""

    def __init__(self) -> None:
        self._known: dict[tuple[RunOptions, str], RunPlan] = {}

    def __call__(self, options: RunOptions, at: str = "") -> RunPlan:
        """The plan of a run. Raises as `plan_run`, naming the place that the options are from where it's given."""
        # The rules of a strategy hold mappings, which have no hash.
        key = msgspec.structs.replace(options, name="", rules=None), repr(options.rules)
        if key not in self._known:
            try:
                self._known[key] = plan_run(options, registry())
            except UsageError as error:
                if not at:
                    raise
                raise UsageError(f"{at}: {error}") from error
        return self._known[key]


def carry_out(
    planned: Iterable[PlannedRun],
    *,
    watch: Watch,
    after: Callable[[Made], None] = lambda made: None,
    plans: Plans | None = None,
) -> list[Made]:
    """Makes the runs one after the other; one that breaks doesn't stop the rest.

    A run whose folder is finished is not asked again: its adapter is built, which loads no model, so that a changed
    checkpoint or setting is refused and not passed over. `after` is called with what became of each as soon as it's
    known. KeyboardInterrupt comes through; the same call goes on from there.
    """
    plans = plans or Plans()
    found = []
    for one in planned:
        found.append(made(one, watch, plans))
        after(found[-1])
    return found


def made(one: PlannedRun, watch: Watch, plans: Plans) -> Made:
    """Makes a run, whatever it raises; KeyboardInterrupt comes through."""
    try:
        return Made(
            planned=one,
            run=run(
                one.options, one.model, output=one.folder, on_event=watch(one), plan=plans(one.options, one.way_at)
            ),
        )
    except Exception as error:
        # An engine may raise anything; the other runs go on all the same.
        return Made(planned=one, run=_left(one), error=as_ours(error))


def _left(one: PlannedRun) -> Run | None:
    """What a broken run left in its folder."""
    from egocross_eval.runs.store import RunFolder

    folder = RunFolder(one.folder)
    return Run(folder) if folder.exists() and folder.has_results() else None
