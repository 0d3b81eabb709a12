"""`egocross-eval judge label RUN`: a person labels a drawn share of a run's answers, blind to every judge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from egocross_eval.counted import counted
from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egocross_eval.schema import Sample


class Labelling(msgspec.Struct, frozen=True, kw_only=True):
    """How far a labelling is."""

    drawn: int
    """Answers to label."""
    given: int
    """Labels given now."""
    left: int


@click.command(name="label")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="RUN")
@click.option("--draw", type=click.IntRange(min=1), default=120, show_default=True, help="How many answers to label.")
@click.option("--seed", type=int, default=0, show_default=True, help="For the draw; the same to go on with it.")
@click.option("--by", default="", metavar="NAME", help="Who labels; kept beside each label.")
@replies()
def command(run: Path, draw: int, seed: int, by: str) -> Reply[Labelling]:
    """Label a drawn share of RUN's answers: question, right answer and what the model said are shown, no judge's mark.

    Answers are drawn at random, each group of the macro average in proportion, so that any number of them corrects the
    judges' figures (see docs/openqa.md). Labels are kept as they are given; the same command goes on.

    \b
    egocross-eval judge label RUN --draw 120
    """
    from egocross_eval.errors import UsageError
    from egocross_eval.runs.labels import drawn, read_labels, verdict
    from egocross_eval.runs.store import RunFolder

    folder = RunFolder(run)
    record = folder.record()
    if record.judged is not None:
        raise UsageError(f"{run} is a judging; label its run: {run.resolve().parents[1]}")
    samples = drawn(folder.final_samples(), record.benchmark, seed)[:draw]
    if not samples:
        raise UsageError(f"{run} holds no answer in free words; ask the open tasks: --tasks open")
    unknown = next((sample for sample in samples if not sample.question.target), None)
    if unknown is not None:
        raise UsageError(
            f"the right answer to {unknown.key} isn't known here: egocross-eval score {run} --answers FILE"
        )
    labels = read_labels(run)
    left = [sample for sample in samples if verdict(labels.get(sample.key), sample) is None]
    click.echo(f"{len(samples) - len(left)} of {len(samples)} are labelled", err=True)
    given = _ask(run, left, by)
    click.echo(f"{counted(given, 'label')} given; {len(left) - given} of {len(samples)} are left", err=True)
    _derive_again(run)
    return Reply(value=Labelling(drawn=len(samples), given=given, left=len(left) - given))


def _ask(run: Path, left: Sequence[Sample], by: str) -> int:
    """Asks until all are labelled or the person stops; `b` goes back by one."""
    from egocross_eval.runs.labels import write_label

    given: set[str] = set()
    place = 0
    while place < len(left):
        _show(left[place], place + 1, len(left))
        said = click.prompt(
            "right?",
            type=click.Choice(["y", "n", "s", "b", "q"]),
            prompt_suffix=" y(es) n(o) s(kip) b(ack) q(uit): ",
            show_choices=False,
        )
        if said == "q":
            break
        if said == "b":
            place = max(0, place - 1)
            continue
        write_label(run, left[place], {"y": True, "n": False, "s": None}[said], by=by)
        given.discard(left[place].key)
        given |= {left[place].key} if said != "s" else set()
        place += 1
    return len(given)


def _show(sample: Sample, number: int, total: int) -> None:
    from egocross_eval.cli.show.terminal import wrapped
    from egocross_eval.grading.rubric import shortened
    from egocross_eval.visible import visible

    question = sample.question
    click.echo(f"\n--- {number} of {total} ---")
    click.echo(wrapped(f"Question: {visible(question.text)}"))
    click.echo(wrapped(f"Right answer: {visible(question.target or '')}"))
    for name, text in question.references.items():
        if text != question.target:
            click.echo(wrapped(f"{name.replace('_', ' ')}: {visible(text)}"))
    click.echo(wrapped(f"The model said: {visible(shortened(sample.decision.text or ''))}"))


def _derive_again(run: Path) -> None:
    """The judgings' figures with the labels that there are now."""
    from egocross_eval.api import load_run
    from egocross_eval.cli.show.judgings import print_correction
    from egocross_eval.contracts.registry import registry
    from egocross_eval.leaderboard.derived import derive

    for judging in load_run(run).judgings:
        derive(judging.folder, registry())
        click.echo(f"\njudged by {judging.record.judge_title}:")
        print_correction(judging.results)
