"""`egocross-eval view RUN`: the answers of a run in the terminal."""

from __future__ import annotations

import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

import click

from egocross_eval.command_options import renamed
from egocross_eval.errors import UsageError, did_you_mean, unknown

if TYPE_CHECKING:
    from rich.text import Text

    from egocross_eval.schema import Answer, Question, Sample

_COLOURS = {"right": "green", "wrong": "red", "not_parsed": "yellow", "errored": "magenta", "unscored": "cyan"}


@click.command(name="view")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--right", "outcomes", flag_value="right", multiple=True, help="Only right answers.")
@click.option("--wrong", "outcomes", flag_value="wrong", multiple=True, help="Only wrong answers.")
@click.option("--not-parsed", "outcomes", flag_value="not_parsed", multiple=True, help="Only what was not parsed.")
@click.option("--errored", "outcomes", flag_value="errored", multiple=True, help="Only failures.")
@click.option(
    "--label", "labels", multiple=True, metavar="NAME=GLOB", help="Only where a label matches, e.g. domain=surgery."
)
@click.option("--domain", metavar="GLOB", help="The same as --label domain=GLOB.")
@click.option("--dataset", metavar="GLOB", help="The same as --label dataset=GLOB.")
@click.option("--type", "question_type", metavar="GLOB", help="The same as --label question_type=GLOB.")
@click.option("--id", "ids", multiple=True, metavar="ID", help="Only this question (id or question_id); repeatable.")
@click.option("--search", metavar="TEXT", help="Only where question, options or output contain TEXT.")
@click.option("--most", type=click.IntRange(min=1), default=20, show_default=True, help="Show at most so many.")
@renamed("--limit", "--most")
@click.option("--frames/--no-frames", help="Draw the frames (from the run's data root).")
def command(
    run: Path,
    outcomes: tuple[str, ...],
    labels: tuple[str, ...],
    domain: str | None,
    dataset: str | None,
    question_type: str | None,
    ids: tuple[str, ...],
    search: str | None,
    most: int,
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
    given = {"domain": domain, "dataset": dataset, "question_type": question_type}
    wanted_labels = {name: pattern for name, pattern in given.items() if pattern is not None} | _patterns(labels)
    for name, pattern in wanted_labels.items():
        _check_known(name.replace("_", " "), pattern, {sample.question.label(name) for sample in samples})
    names = {name for sample in samples for name in (str(sample.question.id), sample.key)}
    for wanted in ids:
        if wanted not in names:
            raise UsageError(f"the run has no question {wanted!r}{did_you_mean(wanted, names)}")
    found = [
        sample
        for sample in samples
        if (not outcomes or sample.outcome in outcomes)
        and all(_matches(sample.question.label(name), pattern) for name, pattern in wanted_labels.items())
        and (not ids or str(sample.question.id) in ids or sample.key in ids)
        and (not search or search.lower() in _searchable(sample))
    ]
    console = Console(highlight=False)
    for sample in found[:most]:
        _print_sample(console, sample, Path(record.data_root) if frames else None)
    shown = min(most, len(found))
    console.print(f"{shown} of {len(found)} answers shown" + (" (--most N shows more)" if shown < len(found) else ""))


def _patterns(texts: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    if any(not equals for _, equals, _ in pairs):
        raise UsageError(f"--label {' '.join(texts)}: write NAME=GLOB, e.g. domain=surgery")
    return {name: pattern for name, _, pattern in pairs}


def _check_known(what: str, pattern: str, values: set[str]) -> None:
    if not any(_matches(value, pattern) for value in values):
        raise unknown(what, pattern, values)


def _matches(value: str, pattern: str) -> bool:
    return fnmatch.fnmatch(value.lower(), pattern.lower())


def _searchable(sample: Sample) -> str:
    question = sample.question
    return "\n".join(
        [question.text, *question.options.values(), *(answer.response.text or "" for answer in sample.answers)]
    ).lower()


def _print_sample(console: object, sample: Sample, root: Path | None) -> None:
    from rich.console import Console, Group
    from rich.panel import Panel
    from rich.text import Text

    question, decision = sample.question, sample.decision
    colour = _COLOURS[sample.outcome]
    body = [Text(question.text), Text()]
    for letter, text in question.options.items():
        mark = ("✓" if letter in question.accepted() else " ") + ("→" if letter == decision.label else " ")
        body.append(Text(f"{mark} {letter}: {text}", style="bold" if letter == decision.label else ""))
    body.append(Text())
    body.append(_said(sample))
    verdict = sample.outcome.replace("_", " ")
    if question.target is not None and not question.options:
        body.append(Text(f"target: {question.target}"))
    read = f"{sample.grade.prediction} by {decision.rule}"
    how = read if sample.grade.prediction else f"nothing read: {sample.grade.reason or decision.reason}"
    title = Text(f"{question.id}  {question.key}", style="bold")
    subtitle = Text(f"{verdict} · {how} · {len(sample.answers[0].sent.frames)} frames", style=colour)
    if not isinstance(console, Console):
        raise TypeError("a rich console is needed")
    console.print(Panel(Group(*body), title=title, subtitle=subtitle, border_style=colour, title_align="left"))
    if root is not None:
        _draw(sample, root)


def _said(sample: Sample) -> Text:
    """The raw output with the evidence marked; scores, votes or the failure where there's no text."""
    from rich.text import Text

    failure = sample.failure
    if failure is not None:
        return Text(f"failed ({failure.kind}): {failure.message}", style="magenta")
    if len(sample.answers) > 1:
        return Text("\n".join(_line(answer, sample.question) for answer in sample.answers))
    (answer,) = sample.answers
    response = answer.response
    if response.scores is not None:
        return Text("  ".join(f"{letter} {score:.3f}" for letter, score in response.scores.items()))
    text = Text(response.text or "(empty output)")
    if answer.reading.span is not None:
        text.stylize("reverse", *answer.reading.span)
    return text


def _line(answer: Answer, question: Question) -> str:
    """One of several answers: the ask, and what was read of it."""
    options = question.options if answer.ask.options is None else answer.ask.options
    label = answer.reading.label
    read = f"{label}: {options.get(label, label)}" if label else answer.reading.reason or "nothing read"
    return f"{answer.ask.name}: {read}"


def _draw(sample: Sample, root: Path) -> None:
    from egocross_eval.cli.show.drawing import draw_frames
    from egocross_eval.frames.roots import DataRoot
    from egocross_eval.schema import Frame, ImagePart, Message, Prompt

    below = DataRoot(root)
    parts = tuple(
        ImagePart(frame=Frame(name=sent.name, time=sent.time), path=str(below.resolve(sent.name)))
        for sent in sample.answers[0].sent.frames
    )
    draw_frames(Prompt(messages=(Message(role="user", parts=parts),), style=""))
