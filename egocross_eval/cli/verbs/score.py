"""`egocross-eval score`: a run, or any predictions file, against answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from egocross_eval.cli.options import data_options

if TYPE_CHECKING:
    from egocross_eval.schema import Question, Results
    from egocross_eval.tasks.egocross.answers_file import AnswerRecord


@click.command(name="score")
@click.argument("what", type=click.Path(exists=True, path_type=Path), metavar="RUN|PREDICTIONS")
@data_options
@click.option(
    "--tasks", "-t", default="all", show_default=True, help="For a predictions file: which questions it's for."
)
@click.option("--cells", is_flag=True, help="Also the 25 (dataset, question type) cells.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def command(what: Path, tasks: str, cells: bool, as_json: bool, **where: Any) -> int:
    """Score RUN again, or score a PREDICTIONS file (list or dict, .json or submission.zip), against answers.

    A run's outputs are read again with the present extraction rules. Answers come from --answers, or from the answers
    file below the data root.

    \b
    egocross-eval score runs/my-run --answers egocross_testbed_answers.json
    egocross-eval score predictions.json --data ROOT
    """
    import msgspec

    from egocross_eval.cli.show.figures import figures_table
    from egocross_eval.runs.store import RECORD_FILE

    results = _score_run(what, where) if (what / RECORD_FILE).is_file() else _score_file(what, tasks, where)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(results), indent=2))
    else:
        groups = ("domain", "category", "question_type", "dataset")
        click.echo(figures_table(results, (*groups, "cell") if cells else groups))
    return 0 if results.complete else 1


def _score_run(path: Path, where: dict[str, Any]) -> Results:
    from egocross_eval.runs.session import finish, rescore
    from egocross_eval.runs.store import RunFolder

    folder = RunFolder(path)
    answers = _answers_for_run(folder.record().settings.split, where)
    if where["answers_file"] is not None:
        _check_answers(where["answers_file"], answers, folder.questions())
    changed = rescore(folder, answers)
    click.echo(f"{path}: {changed} samples changed", err=True)
    return finish(folder)


def _answers_for_run(split: str, where: dict[str, Any]) -> dict[str, AnswerRecord]:
    """Right answers by question_id; empty where none are given: the run's own stay."""
    from egocross_eval.errors import DataError
    from egocross_eval.runs.plan import RunOptions
    from egocross_eval.runs.session import known_answers
    from egocross_eval.tasks.egocross.answers_file import read_answers
    from egocross_eval.tasks.egocross.splits import read_split

    if where["answers_file"] is not None and where["data"] is None and where["questions_file"] is None:
        return read_answers(where["answers_file"])
    try:
        source = RunOptions(**{**where, "split": split}).source()
    except DataError:
        if where["data"] is not None:
            raise
        return {}
    return known_answers(read_split(source).questions)


def _check_answers(path: Path, answers: dict[str, AnswerRecord], questions: list[Question]) -> None:
    """Refuses a file that answers none of the questions; says so where it answers only some, or contradicts itself."""
    from egocross_eval.errors import DataError

    known = [question for question in questions if question.question_id in answers]
    if not known:
        raise DataError(f"{path} answers none of the run's {len(questions)} questions: their question_ids are others")
    if len(known) < len(questions):
        click.echo(
            f"note: {path} answers {len(known)} of {len(questions)} questions; the others stay as they were", err=True
        )
    odd = [
        question.question_id
        for question in known
        if (text := answers[question.question_id].answer_text) in question.options.values()
        and text != question.options.get(answers[question.question_id].correct_option_letter)
    ]
    if odd:
        click.echo(
            f"note: {path}: the answer_text of {len(odd)} questions is another option than their letter, which counts "
            f"(e.g. {odd[0]})",
            err=True,
        )


def _score_file(path: Path, tasks: str, where: dict[str, Any]) -> Results:
    from egocross_eval.contracts.registry import registry
    from egocross_eval.errors import DataError, UsageError
    from egocross_eval.runs.plan import RunOptions
    from egocross_eval.scoring.predictions_file import score_predictions
    from egocross_eval.tasks.select import load_questions, select_tasks

    if path.is_dir():
        raise UsageError(f"{path} is neither a run folder (it has no run.json) nor a predictions file")
    questions = load_questions(select_tasks(tasks, registry()), RunOptions(**where).source()).questions
    if all(question.answer is None for question in questions):
        given = where["answers_file"]
        remedy = f"{given} answers none of them" if given else "pass --answers egocross_testbed_answers.json"
        raise DataError(f"the right answers of these questions are not known here: {remedy}")
    results, report = score_predictions(questions, path)
    for line in report.lines():
        click.echo(f"note: {line}", err=True)
    return results
