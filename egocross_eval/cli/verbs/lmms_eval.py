"""`egocross-eval lmms-eval`: the benchmark as lmms-eval's tasks, written or run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from egocross_eval.command_options import made_of, options_of_settings
from egocross_eval.contracts.task import DataOptions
from egocross_eval.replies import Reply, replies
from egocross_eval.settings import GenerationSettings, PromptSettings

if TYPE_CHECKING:
    from egocross_eval.cli.show.import_report import ImportedRun

F = TypeVar("F", bound=Callable[..., Any])

_OUTPUT = "Run folder, with lmms-eval's own files within; default: a new one below runs/."


class TaskFolder(msgspec.Struct, frozen=True, kw_only=True):
    """Tasks that were written for lmms-eval."""

    folder: Path
    """For its --include_path."""
    group: str
    """For its --tasks."""


@click.group(name="lmms-eval", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """The benchmark inside lmms-eval: questions, true times, prompts and letters as in every run.

    \b
    egocross-eval lmms-eval run --split demo --model qwen3_vl --model_args pretrained=./checkpoint
    lmms-eval --include_path "$(egocross-eval lmms-eval path --split demo)" --tasks egocross --model qwen3_vl
    """


def _asking(function: F) -> F:
    """The options that say which questions are asked, and how."""
    for decorate in (
        click.option("--limit", type=click.IntRange(1), metavar="N", help="Ask only N questions, drawn by the seed."),
        click.option("--ids", default="", metavar="ID,...", help="Ask only these questions: ids or question_ids."),
        click.option("--only", default="all", metavar="NAMES", help="Ask only questions of these tasks of ours."),
        options_of_settings(DataOptions, PromptSettings, GenerationSettings),
    ):
        function = decorate(function)
    return function


def _written(settings: dict[str, Any]) -> Path:
    from egocross_eval.contracts.registry import registry
    from egocross_eval.interop.lmms_eval.task_folder import write_tasks
    from egocross_eval.runs.options import options_from

    only = settings["only"]
    chosen = {name: value for name, value in settings.items() if name != "only"}
    return write_tasks(options_from(tasks=only, **chosen), registry())


@command.command()
@_asking
@replies()
def path(**settings: Any) -> Reply[TaskFolder]:
    """Write the tasks and print their folder, for lmms-eval's --include_path.

    The folder is in the cache, under a hash of questions and settings; the same command prints the same folder. The
    environment of lmms-eval needs this package too.

    \b
    lmms-eval --include_path "$(egocross-eval lmms-eval path --data ROOT --timestamps)" --tasks egocross --model MODEL
    """
    folder = _written(settings)
    return Reply(value=TaskFolder(folder=folder, group=_group_of(folder)), show=lambda: click.echo(folder))


@command.command(context_settings={"ignore_unknown_options": True})
@click.option("--tasks", "-t", default="", metavar="NAMES", help="Tasks of the folder; default: the whole group.")
@click.option("--output", "-o", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help=_OUTPUT)
@click.option(
    "--python", type=click.Path(path_type=Path), help="Interpreter of lmms-eval's environment; default: this."
)
@_asking
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@replies()
def run(
    tasks: str, output: Path | None, python: Path | None, arguments: tuple[str, ...], **settings: Any
) -> Reply[ImportedRun]:
    """Run lmms-eval over the tasks, and make a run of its log.

    What isn't an option here is handed to lmms-eval as it stands, and so is all behind --. Exit code 1 where an answer
    is missing or failed.

    \b
    egocross-eval lmms-eval run --data ROOT --timestamps --output runs/qwen \\
        --model qwen3_vl --model_args pretrained=./checkpoint --batch_size 1
    """
    from egocross_eval.api import default_output
    from egocross_eval.cli.show.import_report import imported_run, print_import
    from egocross_eval.interop.importing.runs import ImportOptions, import_run
    from egocross_eval.interop.importing.writing import refuse_used
    from egocross_eval.interop.lmms_eval.environment import lmms_eval_environment
    from egocross_eval.interop.lmms_eval.known_models import check_model_there
    from egocross_eval.interop.lmms_eval.process import LOGS, check_arguments, named_model, run_lmms_eval
    from egocross_eval.interop.lmms_eval.task_folder import check_names
    from egocross_eval.model_adapters.spec import ModelSpec
    from egocross_eval.runs.options import RunOptions

    check_arguments(arguments)
    environment = lmms_eval_environment(python or "")
    if model := named_model(arguments):
        check_model_there(model, environment.python)
    output = output or default_output(ModelSpec(scheme="lmms-eval", target=tasks or "all"), RunOptions())
    refuse_used(output, but=(LOGS,))
    folder = _written(settings)
    names = tasks or _group_of(folder)
    check_names(folder, names)
    click.echo(f"lmms-eval {environment.version} runs {names} of {folder}", err=True)
    results = run_lmms_eval(environment, folder, names, arguments, output / LOGS, sys.stdout)
    data = made_of(DataOptions, settings)
    done = import_run(results, output, ImportOptions(tool="lmms-eval", data=data, version=environment.version))

    def show() -> None:
        print_import(done)
        click.echo(f"lmms-eval's own files: {results.parent}")

    return Reply(value=imported_run(done, results.parent), show=show, code=0 if done.is_complete else 1)


def _group_of(folder: Path) -> str:
    return folder.name.rpartition("-")[0]
