"""`egocross-eval experiment FILE.yaml`: train per domain, evaluate, compare, and join the experts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from egocross_eval.errors import DataError
from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from egocross_eval.cli.show.train_plan import PlannedExperiment
    from egocross_eval.nvidia import Gpu
    from egocross_eval.schema import Figure
    from egocross_eval.sweeps.planned import PlannedRun
    from egocross_eval.training.example_checks import Finding
    from egocross_eval.training.experiment import Made
    from egocross_eval.training.experiment_file import Experiment
    from egocross_eval.training.planning import TrainPlan

EXAMPLE = """\b
model: Qwen/Qwen3-VL-4B-Instruct
data: /data/egocross
output: results
domains: [animal, industry, xsports, surgery]
train: {recipe: lora, frames: "uniform:16", timestamps: true, holdout: 0.3}
evaluate: {split: testbed, answer: choose}
"""


@click.command(name="experiment", epilog=EXAMPLE)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--python", type=click.Path(path_type=Path), help="Interpreter that has llamafactory.")
@click.option("--dry-run", is_flag=True, help="Show what each training would do and stop; needs no GPU.")
@click.option("--allow-difference", is_flag=True, help="Train although evaluation shows other tokens.")
@replies()
def command(file: Path, python: Path | None, dry_run: bool, allow_difference: bool) -> Reply[Made | PlannedExperiment]:
    """Carry out the experiment in FILE: an expert per domain, base and experts on the testbed or the held-out part.

    Writes the leaderboard, paired tests, and the file that joins the experts. The same command again goes on there.

    \b
    egocross-eval experiment experiment.yaml --dry-run
    egocross-eval experiment experiment.yaml
    """
    from egocross_eval.cli.show.train_report import TrainProgress, print_findings
    from egocross_eval.training.environment import find_environment
    from egocross_eval.training.experiment import conduct
    from egocross_eval.training.experiment_file import experts_of, read_experiment, train_options
    from egocross_eval.training.gpus import check_gpus
    from egocross_eval.training.merging import merge
    from egocross_eval.training.options import TrainOptions
    from egocross_eval.training.planning import settle_recipe
    from egocross_eval.training.train import train

    def say(text: str) -> None:
        click.echo(text, err=True)

    experiment = read_experiment(file, say)
    if dry_run:
        return _looked_at(experiment, python)

    check_gpus(settle_recipe(train_options(experiment, experts_of(experiment)[0]))[1], python)
    planned = {one.plan.options.output: one for one in _settled(experiment, python, say)}
    environment = find_environment(python, say=say)

    def train_one(options: TrainOptions) -> Path:
        found = planned[options.output]
        print_findings(found.findings)
        return train(found.plan, environment, watcher=TrainProgress(), allow_difference=allow_difference).model

    def merge_one(adapter: Path, output: Path) -> Path:
        return merge(adapter, output, environment, say=say)

    made = conduct(experiment, train_one, merge_one, evaluate_with_bars, say)
    return Reply(value=made, show=lambda: _show(made))


class _PlannedTraining(NamedTuple):
    """The training of an expert before it's started."""

    name: str
    """Of the expert."""
    plan: TrainPlan
    findings: list[Finding]
    gpus: list[Gpu]


def _planned_trainings(experiment: Experiment, python: Path | None) -> Iterator[_PlannedTraining]:
    from egocross_eval.contracts.registry import registry
    from egocross_eval.nvidia import usable_gpus
    from egocross_eval.training.experiment_file import experts_of, train_options
    from egocross_eval.training.fitting import check_fit
    from egocross_eval.training.missing_modules import check_modules
    from egocross_eval.training.planning import plan_training

    for expert in experts_of(experiment):
        plan = plan_training(train_options(experiment, expert), registry())
        gpus = usable_gpus() if plan.launch.gpus else []
        missing = check_modules(plan.recipe.arguments, python)
        yield _PlannedTraining(expert.name, plan, [*plan.findings, *check_fit(plan, gpus), *missing], gpus)


def _settled(experiment: Experiment, python: Path | None, say: Callable[[str], None]) -> list[_PlannedTraining]:
    """All trainings, planned before the first one begins.

    Raises `DataError` where a training or the evaluation can't be done at all, so that no hours go into the others.
    """
    from egocross_eval.cli.show.train_plan import planned_evaluation

    evaluation = planned_evaluation(experiment)
    if evaluation is not None and evaluation.fault:
        if not evaluation.questions:
            raise DataError(f"evaluation: {evaluation.fault}; nothing was trained")
        say(f"warning: evaluation: {evaluation.fault}")
    planned = list(_planned_trainings(experiment, python))
    errors = [f"expert of {one.name}: {error.message}" for one in planned for error in one.plan.errors]
    if errors:
        raise DataError("\n".join(errors))
    return planned


def _looked_at(experiment: Experiment, python: Path | None) -> Reply[Made | PlannedExperiment]:
    """The plan of each expert's training, and of the evaluation that follows."""
    from egocross_eval.cli.show.train_plan import PlannedExperiment, planned_evaluation, print_plan, training_plan
    from egocross_eval.cli.show.train_report import print_findings
    from egocross_eval.training.gpus import warn_of_gpus

    evaluation = planned_evaluation(experiment)
    plans, code = {}, 1 if evaluation is not None and evaluation.fault else 0
    for name, plan, findings, gpus in _planned_trainings(experiment, python):
        code = 2 if plan.errors else code
        plans[name] = training_plan(plan, [*findings, *warn_of_gpus(plan.launch, python)], gpus)

    def show() -> None:
        for name, plan in plans.items():
            click.echo(f"\nexpert of {name}")
            print_findings(plan.findings)
            print_plan(plan)
        if evaluation is not None and evaluation.fault:
            click.echo(f"Error: evaluation: {evaluation.fault}", err=True)

    return Reply(value=PlannedExperiment(trainings=plans, evaluation=evaluation), show=show, code=code)


def _show(made: Made) -> None:
    for report in made.reports:
        click.echo(report.read_text(encoding="utf-8"))
    for name, path in made.experts.items():
        click.echo(f"expert of {name}: {path}")
    if made.routed is not None:
        click.echo(f"joined: routed:{made.routed}")
    for report in made.reports:
        click.echo(f"{report.stem}: {report}")


def evaluate_with_bars(planned: Sequence[PlannedRun]) -> list[Figure]:
    """Carries runs out and returns their accuracies over all questions.

    Raises `RunError` naming those that broke or of which some questions failed, after the others are done.
    """
    from egocross_eval.cli.show.reporter import Reporter
    from egocross_eval.errors import RunError
    from egocross_eval.sweeps.planned import carry_out

    told: set[str] = set()
    made = carry_out(planned, watch=lambda one: Reporter(one.name, told))
    figures = [one.run.results.micro if one.run is not None and one.complete else None for one in made]
    open_ = [
        f"{one.planned.folder}: {one.error or 'some questions failed or have no known answer'}"
        for one, figure in zip(made, figures, strict=True)
        if figure is None
    ]
    if open_:
        raise RunError("\n".join([*open_, "the same command goes on there"]))
    return [figure for figure in figures if figure is not None]


def evaluate_with_bar(spec: str, folder: Path, settings: Mapping[str, Any]) -> Figure:
    """As `evaluate_with_bars`, of one run, with the fields of `RunOptions`."""
    from egocross_eval.runs.options import options_from
    from egocross_eval.sweeps.planned import PlannedRun

    (figure,) = evaluate_with_bars(
        [PlannedRun(name=folder.name, model=spec, options=options_from(**settings), folder=folder)]
    )
    return figure
