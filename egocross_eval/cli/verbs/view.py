"""`egocross-eval view RUN`: the answers of a run in the terminal."""

from __future__ import annotations

import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

import click

from egocross_eval.errors import UsageError, did_you_mean, unknown

if TYPE_CHECKING:
    from rich.text import Text

    from egocross_eval.schema import Sample

_COLOURS = {"right": "green", "wrong": "red", "not_parsed": "yellow", "errored": "magenta", "unscored": "cyan"}


@click.command(name="view")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--right", "outcomes", flag_value="right", multiple=True, help="Only right answers.")
@click.option("--wrong", "outcomes", flag_value="wrong", multiple=True, help="Only wrong answers.")
@click.option("--not-parsed", "outcomes", flag_value="not_parsed", multiple=True, help="Only what was not parsed.")
@click.option("--errored", "outcomes", flag_value="errored", multiple=True, help="Only failures.")
@click.option("--domain", metavar="GLOB", help="Only these domains.")
@click.option("--dataset", metavar="GLOB", help="Only these source datasets.")
@click.option("--type", "question_type", metavar="GLOB", help="Only these question types, e.g. '*localization'.")
@click.option("--id", "ids", multiple=True, metavar="ID", help="Only this question (id or question_id); repeatable.")
@click.option("--search", metavar="TEXT", help="Only where question, options or output contain TEXT.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many.")
@click.option("--frames/--no-frames", help="Draw the frames (from the run's data root).")
def command(
    run: Path,
    outcomes: tuple[str, ...],
    domain: str | None,
    dataset: str | None,
    question_type: str | None,
    ids: tuple[str, ...],
    search: str | None,
    limit: int,
    frames: bool,
) -> None:
    """Look at the answers of RUN: question, options, what the model said with the evidence marked, right or wrong.

    \b
    egocross-eval view runs/my-model --wrong --domain surgery --type '*counting'
    """
    from rich.console import Console

    from egocross_eval.runs.store import RunFolder

    folder = RunFolder(run)
    record = folder.record()
    samples = folder.samples()
    _check_known("domain", domain, {sample.question.domain for sample in samples})
    _check_known("dataset", dataset, {sample.question.dataset for sample in samples})
    _check_known("question type", question_type, {sample.question.question_type for sample in samples})
    names = {name for sample in samples for name in (str(sample.question.id), sample.question.question_id)}
    for wanted in ids:
        if wanted not in names:
            raise UsageError(f"the run has no question {wanted!r}{did_you_mean(wanted, names)}")
    found = [
        sample
        for sample in samples
        if (not outcomes or sample.outcome in outcomes)
        and _matches(sample.question.domain, domain)
        and _matches(sample.question.dataset, dataset)
        and _matches(sample.question.question_type, question_type)
        and (not ids or str(sample.question.id) in ids or sample.question.question_id in ids)
        and (not search or search.lower() in _searchable(sample))
    ]
    console = Console(highlight=False)
    for sample in found[:limit]:
        _print_sample(console, sample, Path(record.data_root) if frames else None)
    shown = min(limit, len(found))
    console.print(f"{shown} of {len(found)} answers shown" + (" (--limit shows more)" if shown < len(found) else ""))


def _check_known(what: str, pattern: str | None, values: set[str]) -> None:
    if pattern is not None and not any(_matches(value, pattern) for value in values):
        raise unknown(what, pattern, values)


def _matches(value: str, pattern: str | None) -> bool:
    return pattern is None or fnmatch.fnmatch(value.lower(), pattern.lower())


def _searchable(sample: Sample) -> str:
    question = sample.question
    return "\n".join([question.text, *question.options.values(), sample.response.text or ""]).lower()


def _print_sample(console: object, sample: Sample, root: Path | None) -> None:
    from rich.console import Console, Group
    from rich.panel import Panel
    from rich.text import Text

    question, prediction = sample.question, sample.prediction
    colour = _COLOURS[sample.outcome]
    body = [Text(question.text), Text()]
    for letter, text in question.options.items():
        mark = ("✓" if letter in question.accepted_letters() else " ") + ("→" if letter == prediction.letter else " ")
        body.append(Text(f"{mark} {letter}: {text}", style="bold" if letter == prediction.letter else ""))
    body.append(Text())
    body.append(_said(sample))
    verdict = sample.outcome.replace("_", " ")
    how = f"rule {prediction.rule}" if prediction.letter else f"no letter: {prediction.reason}"
    title = Text(f"{question.id}  {question.question_id}", style="bold")
    subtitle = Text(f"{verdict} · {how} · {len(sample.sent.frames)} frames", style=colour)
    if not isinstance(console, Console):
        raise TypeError("a rich console is needed")
    console.print(Panel(Group(*body), title=title, subtitle=subtitle, border_style=colour, title_align="left"))
    if root is not None:
        _draw(sample, root)


def _said(sample: Sample) -> Text:
    """The raw output with the evidence marked; scores, votes or the failure where there's no text."""
    from rich.text import Text

    response = sample.response
    if response.failure is not None:
        return Text(f"failed ({response.failure.kind}): {response.failure.message}", style="magenta")
    if sample.votes:
        lines = [f"options moved by {v.rotation}: {v.shown or '-'} = {v.letter or 'no letter'}" for v in sample.votes]
        return Text("\n".join(lines))
    if response.scores is not None:
        return Text("  ".join(f"{letter} {score:.3f}" for letter, score in response.scores.items()))
    text = Text(response.text or "(empty output)")
    if sample.prediction.span is not None:
        text.stylize("reverse", *sample.prediction.span)
    return text


def _draw(sample: Sample, root: Path) -> None:
    from egocross_eval.cli.show.drawing import draw_frames
    from egocross_eval.frames.roots import DataRoot
    from egocross_eval.schema import Frame, ImagePart, Message, Prompt

    below = DataRoot(root)
    parts = tuple(
        ImagePart(frame=Frame(name=sent.name, time=sent.time), path=str(below.resolve(sent.name)))
        for sent in sample.sent.frames
    )
    draw_frames(Prompt(messages=(Message(role="user", parts=parts),), style=""))
