"""`egocross-eval score`: a run, or any predictions file, against answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from egocross_eval.command_options import made_of, options_of_settings, renamed
from egocross_eval.contracts.task import DataOptions
from egocross_eval.counted import counted
from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from egocross_eval.contracts.task import Target
    from egocross_eval.schema import BenchmarkRecord, Question, Results


@click.command(name="score")
@click.argument("what", type=click.Path(exists=True, path_type=Path), metavar="RUN|PREDICTIONS")
@options_of_settings(DataOptions)
@click.option(
    "--tasks", "-t", default="all", show_default=True, help="For a predictions file: which questions it's for."
)
@click.option(
    "--judge-threshold",
    type=click.FloatRange(min=0, max=5, min_open=True),
    default=4.0,
    show_default=True,
    help="For a file of free answers with marks: the least mark that counts as right.",
)
@click.option("--cells", is_flag=True, help="Also by groupings of several labels (dataset and question type).")
@replies()
@renamed("--json", "--format", value="json")
def command(what: Path, tasks: str, judge_threshold: float, cells: bool, **where: Any) -> Reply[Results]:
    """Score RUN again, or score a PREDICTIONS file (list or dict, .json or submission.zip), against answers.

    A run's outputs are read again with the present extraction rules. Answers come from --answers, or from the answers
    file below the data root.

    \b
    egocross-eval score runs/my-run --answers egocross_testbed_answers.json
    egocross-eval score predictions.json --data ROOT
    """
    from egocross_eval.runs.store import RECORD_FILE

    data = made_of(DataOptions, where)
    if (what / RECORD_FILE).is_file():
        results, benchmark = _score_run(what, data)
    else:
        results, benchmark = _score_file(what, tasks, data, judge_threshold)
    return Reply(value=results, show=lambda: _show(results, benchmark, cells), code=0 if results.complete else 1)


def _show(results: Results, benchmark: BenchmarkRecord, cells: bool) -> None:
    from egocross_eval.cli.show.figures import figures_table

    click.echo(figures_table(results, benchmark, combined=cells))
    if results.judge is not None and results.judge.mean_mark is not None:
        click.echo(f"mean mark: {results.judge.mean_mark:.2f} of 5")


def _score_run(path: Path, data: DataOptions) -> tuple[Results, BenchmarkRecord]:
    from egocross_eval.contracts.registry import registry
    from egocross_eval.leaderboard.derived import derive, grade_again
    from egocross_eval.leaderboard.targets import targets_of_run
    from egocross_eval.runs.store import RunFolder

    folder = RunFolder(path)
    record = folder.record()
    targets = targets_of_run(record, data)
    if data.answers_file is not None:
        _check_targets(data.answers_file, targets, folder.questions())
    changed = grade_again(folder, targets, registry())
    click.echo(f"{path}: {counted(changed, 'sample')} changed", err=True)
    return derive(folder, registry()), record.benchmark


def _check_targets(path: Path, targets: Mapping[str, Target], questions: Sequence[Question]) -> None:
    """Refuses a file that answers none of the questions; says so where it answers only some, or contradicts itself."""
    from egocross_eval.errors import DataError

    known = [question for question in questions if question.key in targets]
    if not known:
        raise DataError(
            f"{path} answers none of the run's {counted(len(questions), 'question')}: their question_ids are others"
        )
    if len(known) < len(questions):
        click.echo(
            f"note: {path} answers {len(known)} of {counted(len(questions), 'question')}; the others stay as they were",
            err=True,
        )
    odd = [question.key for question in known if _contradicts_itself(question, targets[question.key])]
    if odd:
        click.echo(
            f"note: {path}: the answer_text of {counted(len(odd), 'question')} is another option than the "
            "letter, which counts "
            f"(e.g. {odd[0]})",
            err=True,
        )


def _contradicts_itself(question: Question, target: Target) -> bool:
    right = question.options.get(target.target)
    return any(text in question.options.values() and text != right for text in target.references.values())


def _score_file(path: Path, tasks: str, data: DataOptions, threshold: float) -> tuple[Results, BenchmarkRecord]:
    from egocross_eval.contracts.registry import registry
    from egocross_eval.errors import DataError, UsageError
    from egocross_eval.interop.predictions_log import predictions_here
    from egocross_eval.scoring.predictions_file import read_predictions, score_predictions
    from egocross_eval.tasks.select import (
        common_benchmark,
        load_questions,
        of_another_benchmark,
        select_tasks,
        with_split,
    )

    if path.is_dir():
        from egocross_eval.runs.store import runs_within

        held = runs_within(path)
        raise UsageError(f"{path} is neither a run folder (it has no run.json) nor a predictions file{held}")
    known = registry()
    chosen = select_tasks(tasks, known)
    benchmark = common_benchmark(chosen)
    try:
        questions = load_questions(chosen, data.source()).questions
    except DataError as error:
        names = {entry.name for entry in read_predictions(path)}
        raise DataError(f"{error}{of_another_benchmark(names, chosen, known)}") from error
    if all(question.target is None for question in questions):
        given = data.answers_file
        entries = read_predictions(path)
        own = {name for question in questions for name in (question.key, str(question.id))}
        if entries and not any(entry.name in own for entry in entries):
            split = with_split(data.source(), benchmark).split
            raise DataError(
                f"{path}: none of its entries ({len(entries)}) is of the split {split}, e.g. "
                f"{entries[0].name!r}: name the split of its questions by --split"
            )
        remedy = f"{given} answers none of them" if given else "pass --answers FILE"
        raise DataError(f"the right answers of these questions are not known here: {remedy}")
    grader = known.grader(benchmark.grader)
    entries, told = predictions_here(path, questions)
    results, report = score_predictions(questions, entries, benchmark.record(), grader, threshold=threshold)
    for line in (*told.lines(), *report.lines()):
        click.echo(f"note: {line}", err=True)
    return results, benchmark.record()
