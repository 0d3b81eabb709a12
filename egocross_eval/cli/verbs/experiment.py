"""`egocross-eval experiment FILE.yaml`: train per domain, evaluate, compare, and join the experts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from egocross_eval.cli.show.train_plan import PlannedExperiment
    from egocross_eval.schema import Figure
    from egocross_eval.sweeps.planned import PlannedRun
    from egocross_eval.training.experiment import Made
    from egocross_eval.training.experiment_file import Experiment

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
    from egocross_eval.contracts.registry import registry
    from egocross_eval.training.attention import check_attention
    from egocross_eval.training.environment import find_environment
    from egocross_eval.training.experiment import conduct
    from egocross_eval.training.experiment_file import experts_of, read_experiment, train_options
    from egocross_eval.training.fitting import check_fit
    from egocross_eval.training.gpus import check_gpus, usable_gpus
    from egocross_eval.training.merging import merge
    from egocross_eval.training.options import TrainOptions
    from egocross_eval.training.planning import plan_training, settle_recipe
    from egocross_eval.training.train import train

    def say(text: str) -> None:
        click.echo(text, err=True)

    experiment = read_experiment(file, say)
    if dry_run:
        return _looked_at(experiment, python)

    check_gpus(settle_recipe(train_options(experiment, experts_of(experiment)[0]))[1], python)
    environment = find_environment(python, say=say)

    def train_one(options: TrainOptions) -> Path:
        plan = plan_training(options, registry())
        gpus = usable_gpus() if plan.launch.gpus else []
        attention = check_attention(plan.recipe.arguments, python)
        print_findings([*plan.findings, *check_fit(plan, gpus), *attention])
        return train(plan, environment, watcher=TrainProgress(), allow_difference=allow_difference).model

    def merge_one(adapter: Path, output: Path) -> Path:
        return merge(adapter, output, environment, say=say)

    made = conduct(experiment, train_one, merge_one, evaluate_with_bars, say)
    return Reply(value=made, show=lambda: _show(made))


def _looked_at(experiment: Experiment, python: Path | None) -> Reply[Made | PlannedExperiment]:
    """The plan of each expert's training, and of the evaluation that follows."""
    from egocross_eval.cli.show.train_plan import PlannedExperiment, planned_evaluation, print_plan, training_plan
    from egocross_eval.cli.show.train_report import print_findings
    from egocross_eval.contracts.registry import registry
    from egocross_eval.training.attention import check_attention
    from egocross_eval.training.experiment_file import experts_of, train_options
    from egocross_eval.training.fitting import check_fit
    from egocross_eval.training.gpus import usable_gpus
    from egocross_eval.training.planning import plan_training

    evaluation = planned_evaluation(experiment)
    plans, code = {}, 1 if evaluation is not None and evaluation.fault else 0
    for expert in experts_of(experiment):
        plan = plan_training(train_options(experiment, expert), registry())
        gpus = usable_gpus() if plan.launch.gpus else []
        code = 2 if plan.errors else code
        attention = check_attention(plan.recipe.arguments, python)
        plans[expert.name] = training_plan(plan, [*plan.findings, *check_fit(plan, gpus), *attention], gpus)

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
