"""`egocross-eval judge RUN --judge SPEC`: a pass over the answers of a run that are on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from egocross_eval.command_options import made_of, options_of_settings
from egocross_eval.contracts.task import DataOptions
from egocross_eval.replies import Reply, replies
from egocross_eval.settings import JudgeSettings

if TYPE_CHECKING:
    from egocross_eval.cli.show.judgings import JudgedRun


@click.command(name="judge")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="RUN")
@click.option(
    "--judge",
    "judges",
    multiple=True,
    metavar="SPEC",
    help="A model spec (see 'egocross-eval models'), or rules, which asks no model; may be repeated.  [required]",
)
@options_of_settings(JudgeSettings, DataOptions)
@click.option("--cache/--no-cache", default=True, show_default=True, help="Use the response cache.")
@click.option(
    "--audit",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder of audits: also the accuracy if the judge errs here as it did there (Rogan and Gladen).",
)
@click.option("--cells", is_flag=True, help="Also by groupings of several labels (dataset and question type).")
@replies()
def command(
    run: Path, judges: tuple[str, ...], cache: bool, audit: Path | None, cells: bool, **given: Any
) -> Reply[list[JudgedRun]]:
    """Judge the free answers of RUN by each judge. The model isn't asked again.

    A judging is a folder below RUN, append-only: the same command goes on with it, and asks only what is new.

    \b
    egocross-eval judge RUN --judge openai:gpt-4.1
    egocross-eval judge RUN --judge rules --judge vllm:Qwen/Qwen3-8B --judge-answer choose
    egocross-eval judge RUN --judge openai:qwen-max --prematch substring --judge-temperature 0.01

    Exit codes: 0 all judged, 1 some aren't, 2 wrong usage, 130 interrupted.
    """
    from egocross_eval.api import judge
    from egocross_eval.cli.show.judgings import JudgeReporter, judged_run, print_agreement, print_judgings
    from egocross_eval.leaderboard.targets import targets_of_run
    from egocross_eval.runs.store import RunFolder

    record = RunFolder(run).record()
    targets = targets_of_run(record, made_of(DataOptions, given))
    settings = {name: given[name] for name in given if name in _SETTINGS}
    reporter = JudgeReporter()
    made = judge(run, judges, targets=targets, cache=cache, on_event=reporter, **settings)
    reporter.print_summaries(made)

    def show() -> None:
        print_judgings(made, cells=cells, audits=audit)
        if len(made) > 1:
            print_agreement(made, run)

    found = [judged_run(one, audit) for one in made]
    return Reply(value=found, show=show, code=0 if all(one.results.complete for one in made) else 1)


_SETTINGS = frozenset(JudgeSettings.__struct_fields__)
