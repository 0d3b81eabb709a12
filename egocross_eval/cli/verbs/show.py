"""`egocross-eval show QUESTION`: exactly what would be sent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from egocross_eval.command_options import only_given, options_of_settings, renamed
from egocross_eval.contracts.task import DataOptions
from egocross_eval.replies import Reply, replies
from egocross_eval.runs.options import RunOptions
from egocross_eval.settings import GenerationSettings, PromptSettings

if TYPE_CHECKING:
    from egocross_eval.cli.show.approach import Shown


@click.command(name="show")
@click.argument("question")
@click.option("--tasks", "-t", default="all", show_default=True, help="Which tasks the question is looked for in.")
@options_of_settings(RunOptions, only=("method", "shots", "strategy"))
@options_of_settings(DataOptions, PromptSettings, GenerationSettings)
@click.option("--draw/--no-draw", default=None, help="Draw the frames in the terminal; default: on a terminal.")
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.png",
    help="Write a contact sheet of the frames.",
)
@renamed("--to", "--output")
@replies()
@renamed("--json", "--format", value="json")
def command(question: str, draw: bool | None, output: Path | None, **settings: Any) -> Reply[Shown]:
    """Print and draw what would be sent for QUESTION (its id or question_id): messages, frames, times and sizes.

    \b
    egocross-eval show 387 --data ROOT --timestamps
    egocross-eval show 5 --split demo --output frames.png
    """
    import sys

    import msgspec

    from egocross_eval.cli.show.approach import shown
    from egocross_eval.cli.show.drawing import contact_sheet
    from egocross_eval.contracts.registry import registry
    from egocross_eval.errors import DataError
    from egocross_eval.runs.options import options_from
    from egocross_eval.runs.plan import plan_run
    from egocross_eval.tasks.select import load_questions, of_another_benchmark, select_tasks

    registered = registry()
    tasks = select_tasks(settings["tasks"], registered)
    options = options_from(**{**only_given(settings), "tasks": settings["tasks"]})
    try:
        questions = load_questions(tasks, options.data.source()).questions
    except DataError as error:
        raise DataError(f"{error}{of_another_benchmark([question], tasks, registered)}") from error
    by_name = {name: q for q in questions for name in (str(q.id), q.key)}
    if question not in by_name:
        raise unknown_question(question, by_name, of_another_benchmark([question], tasks, registered))
    found = by_name[question]
    # Alone: what can't be asked of the others is no matter here.
    alone = str(found.id) if "," in found.key else found.key
    plan = plan_run(msgspec.structs.replace(options, ids=alone), registered)
    made = shown(plan, next(q for q in plan.questions if q.key == found.key))
    if output is not None:
        contact_sheet(made, output)
        click.echo(f"wrote {output}", err=True)
    drawn = draw or (draw is None and sys.stdout.isatty() and output is None)
    return Reply(value=made, show=lambda: _show(made, draw=drawn))


def _show(made: Shown, *, draw: bool) -> None:
    from egocross_eval.cli.show.approach import approach_lines
    from egocross_eval.cli.show.drawing import draw_frames, frame_table
    from egocross_eval.cli.show.terminal import wrapped
    from egocross_eval.prompts.renderer import prompt_text

    found = made.question
    labels = [value or f"{name.replace('_', ' ')} unknown" for name, value in found.labels.items()]
    click.echo(wrapped(f"{found.key}  ({', '.join([f'id {found.id}', *labels])})"))
    if found.target is not None:
        option = found.options.get(found.target)
        click.echo(f"answer: {found.target}" + (f": {option}" if option is not None else ""))
    for line in approach_lines(made):
        click.echo(wrapped(line))
    for role, text in prompt_text(made):
        click.echo(f"\n[{role}]\n{text}")
    click.echo()
    click.echo(frame_table(made.frames_sent))
    if draw:
        draw_frames(made)


def unknown_question(name: str, known: dict[str, Any], elsewhere: str) -> Exception:
    """The error for a question that isn't there, without listing hundreds of names."""
    from egocross_eval.errors import UsageError, did_you_mean

    return UsageError(
        f"no question {name!r} in this split{did_you_mean(name, known)}; give an id or a question_id{elsewhere}"
    )
