"""`egocross-eval view RUN [OTHER]`: the answers of a run, or of two, in the terminal."""

from __future__ import annotations

import fnmatch
import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from egocross_eval.command_options import frame_roots, renamed
from egocross_eval.counted import counted
from egocross_eval.errors import UsageError, did_you_mean, unknown
from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType
    from rich.text import Text

    from egocross_eval.cli.show.viewed import Viewed, ViewedQuestion
    from egocross_eval.schema import Answer, Question, Sample

_COLOURS = {
    "right": "green",
    "wrong": "red",
    "not_parsed": "yellow",
    "filtered": "yellow",
    "errored": "magenta",
    "unscored": "cyan",
}


@click.command(name="view")
@click.argument(
    "runs",
    nargs=-1,
    required=True,
    metavar="RUN [OTHER]",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.option("--right", "outcomes", flag_value="right", multiple=True, help="Only right answers.")
@click.option("--wrong", "outcomes", flag_value="wrong", multiple=True, help="Only wrong answers.")
@click.option("--not-parsed", "outcomes", flag_value="not_parsed", multiple=True, help="Only what was not parsed.")
@click.option("--filtered", "outcomes", flag_value="filtered", multiple=True, help="Only what a filter withheld.")
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
@click.option("--full", is_flag=True, help="Show long outputs whole.")
@click.option("--frames/--no-frames", help="Draw the frames.")
@frame_roots("that of the run")
@replies()
def command(
    runs: tuple[Path, ...],
    outcomes: tuple[str, ...],
    labels: tuple[str, ...],
    domain: str | None,
    dataset: str | None,
    question_type: str | None,
    ids: tuple[str, ...],
    search: str | None,
    most: int,
    full: bool,
    frames: bool,
    data: Path | None,
) -> Reply[Viewed]:
    """Look at the answers of RUN: question, options, what the model said with the evidence marked, right or wrong.

    With OTHER, what both said of the questions that one of them has right and the other hasn't; --wrong shows those
    that are wrong in RUN and right in OTHER.

    \b
    egocross-eval view runs/my-model --wrong --domain surgery --type '*counting'
    egocross-eval view runs/base runs/tuned --wrong
    """
    from egocross_eval.runs.judging import judged_samples
    from egocross_eval.runs.own import frames_root
    from egocross_eval.runs.store import RunFolder

    if len(runs) > 2:
        raise UsageError("view shows one run or two; 'egocross-eval site' shows many")
    folders = [RunFolder(run) for run in runs]
    records = [folder.record() for folder in folders]
    samples = [judged_samples(folder) for folder in folders]
    both = _paired(samples)
    given = {"domain": domain, "dataset": dataset, "question_type": question_type}
    patterns = {name: pattern for name, pattern in given.items() if pattern is not None} | _patterns(labels)
    _check_labels([sample.question for sample in samples[0]], patterns)
    _check_ids(both, ids)
    found = [one for one in both if _wanted(one, outcomes, patterns, ids, search)]
    if data is not None and not frames:
        raise UsageError("--data says where the frames are; add --frames to show them")
    root = frames_root(records[0], data, runs[0], samples[0]) if frames else None
    names = [record.title for record in records]
    if len(set(names)) < len(names):
        names = [folder.path.name for folder in folders]
    from egocross_eval.cli.show.viewed import Viewed

    viewed = Viewed(runs=names, found=len(found), questions=found[:most])
    return Reply(value=viewed, show=lambda: _show(viewed, root, full=full))


def _show(viewed: Viewed, root: Path | None, *, full: bool) -> None:
    from egocross_eval.visible import rich_console

    console = rich_console(highlight=False)
    paged = console.is_terminal and viewed.found > 1
    # Colours, no pause where all fits the screen, and nothing wiped at the end.
    os.environ.setdefault("LESS", "RFX")
    with console.pager(styles=True) if paged else nullcontext():
        for one in viewed.questions:
            _print(console, one, viewed.runs, full=full)
            if root is not None:
                _draw(one.first, root)
    shown = len(viewed.questions)
    console.print(
        f"{shown} of {viewed.found} answers shown" + (" (--most N shows more)" if shown < viewed.found else ""),
        soft_wrap=True,
    )


def _paired(runs: Sequence[Sequence[Sample]]) -> list[ViewedQuestion]:
    """What one run answered; of two, the questions that both did and only one has right."""
    from egocross_eval.cli.show.viewed import ViewedQuestion

    if len(runs) == 1:
        return [ViewedQuestion((sample,)) for sample in runs[0]]
    others = {sample.key: sample for sample in runs[1]}
    both = [ViewedQuestion((sample, others[sample.key])) for sample in runs[0] if sample.key in others]
    if not both:
        raise UsageError("the two runs have no question in common")
    return [one for one in both if len({sample.outcome == "right" for sample in one.samples}) == 2]


def _patterns(texts: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    if any(not equals for _, equals, _ in pairs):
        raise UsageError(f"--label {' '.join(texts)}: write NAME=GLOB, e.g. domain=surgery")
    return {name: pattern for name, _, pattern in pairs}


def _check_labels(questions: Sequence[Question], patterns: dict[str, str]) -> None:
    """Refuses a label that no question of the run has, and a pattern that matches none of its values."""
    known = {name for question in questions for name in question.labels}
    for name, pattern in patterns.items():
        if name not in known:
            raise unknown("label", name, known)
        values = {question.label(name) for question in questions}
        if not any(_matches(value, pattern) for value in values):
            raise unknown(name.replace("_", " "), pattern, filter(None, values))


def _check_ids(shown: Sequence[ViewedQuestion], ids: tuple[str, ...]) -> None:
    """Refuses an id that no question has."""
    known = {name for one in shown for name in (str(one.first.question.id), one.first.key)}
    for wanted in ids:
        if wanted not in known:
            raise UsageError(f"there is no question {wanted!r} to show{did_you_mean(wanted, known)}")


def _wanted(
    one: ViewedQuestion, outcomes: tuple[str, ...], patterns: dict[str, str], ids: tuple[str, ...], search: str | None
) -> bool:
    question = one.first.question
    return (
        (not outcomes or one.first.outcome in outcomes)
        and all(_matches(question.label(name), pattern) for name, pattern in patterns.items())
        and (not ids or str(question.id) in ids or one.first.key in ids)
        and (not search or any(search.lower() in _searchable(sample) for sample in one.samples))
    )


def _matches(value: str, pattern: str) -> bool:
    return fnmatch.fnmatch(value.lower(), pattern.lower())


def _searchable(sample: Sample) -> str:
    question = sample.question
    return "\n".join(
        [question.text, *question.options.values(), *(answer.response.text or "" for answer in sample.answers)]
    ).lower()


def _print(console: Console, one: ViewedQuestion, names: list[str], *, full: bool) -> None:
    """A panel with the question and, one below the other, what each run said."""
    from rich.console import Group
    from rich.panel import Panel
    from rich.rule import Rule
    from rich.text import Text

    question = one.first.question
    body: list[RenderableType] = [Text(question.text), Text()]
    chosen = {sample.decision.label for sample in one.samples} if len(one.samples) == 1 else set()
    for letter, text in question.options.items():
        mark = ("✓" if letter in question.accepted() else " ") + ("→" if letter in chosen else " ")
        body.append(Text(f"{mark} {letter}: {text}", style="bold" if letter in chosen else ""))
    if question.target is not None and not question.options:
        body.append(Text(f"target: {question.target}"))
    for name, sample in zip(names, one.samples, strict=True):
        colour = _COLOURS[sample.outcome]
        body.append(Rule(Text(f"{name}: {_verdict(sample)}"), style=colour) if len(names) > 1 else Text())
        body.append(_said(sample, full=full))
    colour = _COLOURS[one.first.outcome]
    title = Text(f"{question.id}  {question.key}", style="bold")
    subtitle = Text(f"{_verdict(one.first)} · {counted(len(one.first.answers[0].sent.frames), 'frame')}", style=colour)
    below = subtitle if len(names) == 1 else None
    console.print(Panel(Group(*body), title=title, subtitle=below, border_style=colour, title_align="left"))


def _verdict(sample: Sample) -> str:
    prediction, decision = sample.grade.prediction, sample.decision
    reason = sample.grade.reason or decision.reason
    read = f"{prediction} by {decision.rule}" if prediction else f"nothing read: {reason}"
    if sample.grade.mark is not None:
        read = f"mark {sample.grade.mark:g} of 5" + (f": {reason}" if reason else "")
    return f"{sample.outcome.replace('_', ' ')} · {read}"


def _said(sample: Sample, *, full: bool) -> Text:
    """The raw output with the evidence marked; scores, votes or the failure where there's no text."""
    from rich.text import Text

    from egocross_eval.cli.show.outputs import output_text

    failure = sample.failure
    if failure is not None:
        return Text(f"failed ({failure.kind}): {failure.message}", style="magenta")
    if len(sample.answers) > 1:
        return Text("\n".join(_line(answer, sample.question) for answer in sample.answers))
    (answer,) = sample.answers
    response = answer.response
    if response.scores is not None:
        return Text("  ".join(f"{letter} {score:.3f}" for letter, score in response.scores.items()))
    return output_text(response.text or "(empty output)", answer.reading.span, full=full)


def _line(answer: Answer, question: Question) -> str:
    """One of several answers: the ask, and what was read of it."""
    options = question.options if answer.ask.options is None else answer.ask.options
    label = answer.reading.label
    if label:
        read = f"{label}: {options.get(label, label)}"
    elif answer.reading.reason == "free_text":
        read = " ".join((answer.response.text or "").split()) or "(empty output)"
    else:
        read = answer.reading.reason or "nothing read"
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
