"""`egocross-eval train`: checkpoints and LoRA adapters by LLaMA-Factory, and what is done with them afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
import msgspec

from egocross_eval.cli.options import load_config
from egocross_eval.cli.train_options import data_choices, launch_choices, read_options
from egocross_eval.command_options import options_of_settings
from egocross_eval.contracts.task import DataOptions
from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from egocross_eval.cli.show.train_plan import TrainingPlan
    from egocross_eval.cli.show.train_report import ExaminedCheckpoint, PreparedData, RecipeEntry, TrainedModel
    from egocross_eval.training.checkpoint_comparison import Look
    from egocross_eval.training.environment import TrainingEnvironment
    from egocross_eval.training.recipes import Recipe

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class DefaultRun(click.Group):
    """Arguments that start with an option mean `run`."""

    default_verb = "run"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts `run` in front of options."""
        if args and args[0].startswith("-") and args[0] not in ("--help", "-h"):
            args = [self.default_verb, *args]
        return super().parse_args(ctx, args)


@click.group(name="train", cls=DefaultRun, context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Train on the support set, in an environment that is built from the shipped lock where it's needed.

    \b
    egocross-eval train --model Qwen/Qwen3-VL-4B-Instruct --data ROOT --domain animal --output runs/animal
    egocross-eval train --model Qwen/Qwen3-VL-4B-Instruct --data ROOT --recipe full --gpus 4 --output runs/all --dry-run
    egocross-eval train merge runs/animal/model --output runs/animal-merged

    Options without a verb mean 'run': egocross-eval train run --help lists them.
    """


@command.command(name="run")
@launch_choices
@data_choices
@click.option("--dry-run", is_flag=True, help="Show configuration, steps, memory and time, and stop.")
@click.option("--allow-difference", is_flag=True, help="Train although evaluation shows other tokens.")
@click.option(
    "--config",
    is_eager=True,
    expose_value=False,
    callback=load_config,
    type=_FILE,
    help="YAML file with these options.",
)
@replies()
def run_command(
    python: Path | None, dry_run: bool, allow_difference: bool, **settings: Any
) -> Reply[TrainedModel | TrainingPlan]:
    """Check the examples, compare tokens with evaluation, train, and write the card. The same command again goes on.

    \b
    egocross-eval train --model ./base --data ROOT --domain surgery --recipe lora --output runs/surgery
    egocross-eval train --model ./tiny --data ./demo --recipe tiny --gpus 0 --output runs/tiny
    """
    from egocross_eval.cli.show.train_plan import print_plan, training_plan
    from egocross_eval.cli.show.train_report import TrainProgress, print_findings, print_result, trained_model
    from egocross_eval.contracts.registry import registry
    from egocross_eval.nvidia import usable_gpus
    from egocross_eval.training.environment import find_environment
    from egocross_eval.training.fitting import check_fit
    from egocross_eval.training.gpus import check_gpus, warn_of_gpus
    from egocross_eval.training.missing_modules import check_modules
    from egocross_eval.training.planning import plan_training
    from egocross_eval.training.train import train
    from egocross_eval.training.trainer_arguments import check_arguments, known_arguments, locked_arguments

    plan = plan_training(read_options(settings), registry())
    known = locked_arguments() if python is None else known_arguments(find_environment(python))
    check_arguments(plan.recipe.arguments, known, f"recipe {plan.recipe.name}")
    gpus = usable_gpus() if plan.launch.gpus else []
    findings = [*plan.findings, *check_fit(plan, gpus), *check_modules(plan.recipe.arguments, python)]
    if dry_run:
        findings += warn_of_gpus(plan.launch, python)
    print_findings(findings)
    if dry_run:
        planned = training_plan(plan, findings, gpus)
        return Reply(value=planned, show=lambda: print_plan(planned), code=2 if plan.errors else 0)
    check_gpus(plan.launch, python)
    progress = TrainProgress()
    environment = find_environment(python, say=progress.say)
    done = trained_model(train(plan, environment, watcher=progress, allow_difference=allow_difference))
    return Reply(value=done, show=lambda: print_result(done, plan))


@command.command(name="data")
@launch_choices
@data_choices
@click.option("--parity/--no-parity", default=True, help="Compare the tokens with evaluation's.")
@replies()
def data_command(python: Path | None, parity: bool, **settings: Any) -> Reply[PreparedData]:
    """Write the dataset and LLaMA-Factory's configuration, and check them, without training.

    \b
    egocross-eval train data --model ./base --data ROOT --domain animal --output prepared/animal
    """
    from egocross_eval.cli.show.train_report import PreparedData, print_findings, print_written
    from egocross_eval.contracts.registry import registry
    from egocross_eval.training.environment import find_environment
    from egocross_eval.training.output_files import write_files
    from egocross_eval.training.parity import compare_tokens, refuse_difference
    from egocross_eval.training.planning import plan_training
    from egocross_eval.training.trainer_arguments import check_arguments, known_arguments, locked_arguments

    plan = plan_training(read_options(settings), registry())
    known = locked_arguments() if python is None else known_arguments(find_environment(python))
    check_arguments(plan.recipe.arguments, known, f"recipe {plan.recipe.name}")
    print_findings(plan.findings)
    prepared = PreparedData(
        examples=len(plan.trained), held_out=len(plan.examples.holdout), findings=list(plan.findings)
    )
    if plan.errors:
        return Reply(value=prepared, code=2)
    written = write_files(plan)
    print_written(written, prepared)
    prepared = msgspec.structs.replace(prepared, written=written)
    if not parity:
        return Reply(value=prepared)
    found = compare_tokens(plan, find_environment(python, say=lambda text: click.echo(text, err=True)))
    print_findings(found.findings)
    refuse_difference(found, plan)
    told = f"tokens         {found.summary}; the longest has {found.longest}"
    return Reply(value=msgspec.structs.replace(prepared, parity=found), show=lambda: click.echo(told))


@command.command(name="merge")
@click.argument("adapter", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--output", "-o", type=_FOLDER, required=True, help="New folder of the merged checkpoint.")
@click.option("--model", "-m", metavar="BASE", help="Base checkpoint; default: as the adapter's card says.")
@click.option("--python", type=click.Path(path_type=Path), help="Interpreter that has llamafactory.")
@replies()
def merge_command(adapter: Path, output: Path, model: str | None, python: Path | None) -> Reply[ExaminedCheckpoint]:
    """Merge a LoRA ADAPTER into its base, then check and repair the checkpoint.

    \b
    egocross-eval train merge runs/animal/model --output runs/animal-merged
    """
    from egocross_eval.training.environment import find_environment
    from egocross_eval.training.merging import merge

    def say(text: str) -> None:
        click.echo(text, err=True)

    merge(adapter, output, find_environment(python, say=say), base=model, say=say)
    click.echo(f"merged checkpoint: {output}")
    return _examine(output, model, repair=True, answer=True, python=python)


@command.command(name="doctor")
@click.argument("checkpoint", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--model", "-m", metavar="BASE", help="Base checkpoint; default: as the card says.")
@click.option(
    "--repair/--no-repair", default=False, help="Put right what differs; the old file is kept as NAME.before."
)
@click.option("--answer/--no-answer", default=True, help="Load it and answer one question.")
@click.option("--python", type=click.Path(path_type=Path), help="Interpreter that has transformers.")
@replies()
def doctor_command(
    checkpoint: Path, model: str | None, repair: bool, answer: bool, python: Path | None
) -> Reply[ExaminedCheckpoint]:
    """Check a CHECKPOINT against its base (tokenizer, positions, template, processor, generation, precision, weights).

    \b
    egocross-eval train doctor runs/all/model --repair
    """
    return _examine(checkpoint, model, repair=repair, answer=answer, python=python)


def _examine(
    checkpoint: Path, base: str | None, *, repair: bool, answer: bool, python: Path | None
) -> Reply[ExaminedCheckpoint]:
    from egocross_eval.cli.show.train_report import ExaminedCheckpoint
    from egocross_eval.training.answer_check import try_answer
    from egocross_eval.training.checkpoint_doctor import examine

    diagnoses = examine(checkpoint, base, repair=repair)
    for diagnosis in diagnoses:
        click.echo(f"{diagnosis.status:9}{diagnosis.part:18}{diagnosis.message}")
    broken = any(diagnosis.status == "broken" for diagnosis in diagnoses)
    said = try_answer(checkpoint, python) if answer and not broken else ""
    found = ExaminedCheckpoint(checkpoint=checkpoint, diagnoses=diagnoses, answer=said)
    told = f"{'fine':9}{'answer':18}{said}"
    return Reply(value=found, show=lambda: click.echo(told) if said else None, code=int(broken))


@command.command(name="checkpoints")
@click.argument("output", type=click.Path(exists=True, file_okay=False, path_type=Path))
@options_of_settings(DataOptions, only=("data",))
@click.option("--engine", type=click.Choice(["hf", "vllm"]), default="hf", show_default=True, help="What answers.")
@replies()
def checkpoints_command(output: Path, data: Path | None, engine: Literal["hf", "vllm"]) -> Reply[list[Look]]:
    """Ask base and every checkpoint of the training in OUTPUT what it held out, and name the best.

    \b
    egocross-eval train --recipe lora-small --holdout 0.25 --model ./base --data ROOT --output runs/small
    egocross-eval train checkpoints runs/small --data ROOT
    """
    from egocross_eval.cli.verbs.experiment import evaluate_with_bar
    from egocross_eval.contracts.registry import registry
    from egocross_eval.model_adapters.spec import build_adapter, parse_spec
    from egocross_eval.training.checkpoint_comparison import compare_checkpoints, looks_table

    def check(spec: str) -> None:
        build_adapter(parse_spec(spec), registry()).close()

    looks = compare_checkpoints(output, data, evaluate_with_bar, engine, check)
    return Reply(value=looks, show=lambda: click.echo(looks_table(looks)))


@command.command(name="recipes")
@click.argument("name", required=False)
@replies()
def recipes_command(name: str | None) -> Reply[list[RecipeEntry] | Recipe]:
    """List the recipes, or show the one called NAME with what it changes of the published values.

    \b
    egocross-eval train recipes lora
    """
    from egocross_eval.cli.show.train_report import RecipeEntry
    from egocross_eval.training.recipes import load_recipe, recipe_names

    if name is None:
        entries = [RecipeEntry(name=one, description=load_recipe(one).description) for one in recipe_names()]
        told = "\n".join(f"{entry.name:16}{entry.description}" for entry in entries)
        return Reply(value=entries, show=lambda: click.echo(told))
    recipe = load_recipe(name)
    return Reply(value=recipe, show=lambda: _show_recipe(recipe))


def _show_recipe(recipe: Recipe) -> None:
    import yaml

    click.echo(recipe.description)
    for text in recipe.deviations:
        click.echo(f"deviation: {text}")
    click.echo(f"launch: {recipe.launch.gpus} GPUs, DeepSpeed {recipe.launch.deepspeed}")
    click.echo(yaml.safe_dump(recipe.arguments, sort_keys=False), nl=False)


@command.command(name="environment")
@click.option("--python", type=click.Path(path_type=Path), help="Interpreter to look at.")
@replies()
def environment_command(python: Path | None) -> Reply[TrainingEnvironment]:
    """Build the training environment where it's not there yet, and show what it holds.

    \b
    egocross-eval train environment
    """
    from egocross_eval.training.environment import find_environment

    environment = find_environment(python, say=lambda text: click.echo(text, err=True))
    lines = [f"{environment.python} ({environment.origin})"]
    lines += [f"  {package:14}{version}" for package, version in environment.versions.items()]
    return Reply(value=environment, show=lambda: click.echo("\n".join(lines)))
