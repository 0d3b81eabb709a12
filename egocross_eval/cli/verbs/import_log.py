"""`egocross-eval import LOG --from TOOL`: another tool's log as a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from egocross_eval.command_options import made_of, options_of_settings
from egocross_eval.contracts.task import DataOptions
from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from egocross_eval.cli.show.import_report import ImportedRun


class KnownTool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool whose logs can be imported."""

    name: str
    description: str


@click.command(name="import")
@click.argument("log", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--from", "tool", default="auto", metavar="TOOL", help="Whose log it is; default: told from the file.")
@click.option("--output", "-o", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Run folder.")
@click.option("--tasks", "-t", default="", metavar="NAMES", help="What was asked; default: as the log says, or all.")
@options_of_settings(DataOptions)
@click.option("--map", "names", type=click.Path(path_type=Path), help="JSON: question_ids by the tool's own names.")
@click.option("--in-order", is_flag=True, help="The tool asked all questions in the order of their ids.")
@click.option("--name", default="", metavar="TEXT", help="What tables call the run; default: the model.")
@replies()
def command(
    log: Path | None,
    tool: str,
    output: Path | None,
    tasks: str,
    names: Path | None,
    in_order: bool,
    name: str,
    **data: Any,
) -> Reply[list[KnownTool] | ImportedRun]:
    """Make a run of LOG, a file or folder of another tool; without it, list the tools whose logs are known.

    Answers are joined to questions by question_id, and letters are read anew by our rules. What the tool read is kept
    beside, and differences are shown. Exit code 1 where an answer is missing or failed.

    \b
    egocross-eval import
    egocross-eval import logs/20261125_120000_results.json --data ROOT --output runs/imported
    """
    from egocross_eval.api import default_output
    from egocross_eval.cli.show.import_report import imported_run, print_import
    from egocross_eval.cli.show.terminal import described
    from egocross_eval.contracts.registry import registry
    from egocross_eval.interop.importing.runs import ImportOptions, import_run
    from egocross_eval.model_adapters.spec import ModelSpec
    from egocross_eval.runs.options import RunOptions

    if log is None:
        tools = [KnownTool(name=one.name, description=one.description) for one in registry().importers.values()]
        told = described((tool.name, tool.description) for tool in tools)
        return Reply(value=tools, show=lambda: click.echo(told))
    options = ImportOptions(
        tool=tool, tasks=tasks, data=made_of(DataOptions, data), names=names, in_order=in_order, name=name
    )
    output = output or default_output(ModelSpec(scheme="imported", target=name or log.stem), RunOptions())
    done = import_run(log, output, options)
    return Reply(value=imported_run(done), show=lambda: print_import(done), code=0 if done.is_complete else 1)
