"""`egocross-eval audit RUN...`: how much of a score survives without looking."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from egocross_eval.command_options import renamed
from egocross_eval.counted import counted
from egocross_eval.errors import DataError, UsageError
from egocross_eval.replies import Reply, replies

if TYPE_CHECKING:
    from egocross_eval.scoring.audit import Audit
    from egocross_eval.scoring.rotations import Rotations

_WHAT = {
    "blind": "the same model without frames",
    "position": "the commonest letter of the support set",
    "longest": "the longest option",
    "rotate": "evidence summed over all rotations of the options",
    "shuffled": "frames in random order",
}


@click.command(name="audit")
@click.argument("runs", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--run/--no-run", "run_missing", default=True, show_default=True, help="Run the probes that are missing.")
@click.option("--foreign", is_flag=True, help="Ask the model that a run of others names, with the options it names.")
@click.option("--style", help="The template file, for runs that were made with one.")
@click.option(
    "--data",
    multiple=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="ROOT",
    help="Data root; default: that of the run. Repeatable, where the parts lie apart.",
)
@click.option("--support", type=click.Path(dir_okay=False, path_type=Path), help="train.json for the position prior.")
@replies()
@renamed("--json", "--format", value="json")
def command(
    runs: tuple[Path, ...],
    run_missing: bool,
    foreign: bool,
    style: str | None,
    data: tuple[Path, ...],
    support: Path | None,
) -> Reply[list[Audit]]:
    """Compare each of RUNS with probes that take something away: its frames, their order, the place of the options; and
    with two priors that look at nothing. Probes that are missing are run first, into RUN-audit beside the run's folder.

    \b
    egocross-eval audit runs/my-model
    """
    changed: dict[str, object] = {
        name: value for name, value in (("style", style), ("data", data or None)) if value is not None
    }
    told: set[str] = set()
    audits = [_audit_one(path, changed, support, run_missing, foreign, told) for path in runs]
    return Reply(
        value=audits,
        show=lambda: click.echo("\n\n".join(_table(found) for found in audits)),
        code=0 if all(found.accuracy is not None for found in audits) else 1,
    )


def _audit_one(
    path: Path, changed: dict[str, object], support: Path | None, run_missing: bool, foreign: bool, told: set[str]
) -> Audit:
    """`told` are the notes that were shown already."""
    from egocross_eval.api import run
    from egocross_eval.cli.show.reporter import Reporter
    from egocross_eval.contracts.registry import registry
    from egocross_eval.leaderboard.believed import is_finished
    from egocross_eval.runs.own import is_own
    from egocross_eval.runs.probes import audit_folder, probe_plans
    from egocross_eval.runs.store import RunFolder
    from egocross_eval.scoring.audit import audit
    from egocross_eval.scoring.comparison import ComparedRun

    record, samples = RunFolder(path).record(), tuple(RunFolder(path).samples())
    questions = [sample.question for sample in samples]
    prior = registry().benchmark(record.benchmark.name).prior_model
    if prior and support is not None:
        prior += f",support={support}"
    probes = {}
    for name, (model, options) in probe_plans(record, questions, prior=prior, **changed).items():
        place = audit_folder(path) / name
        folder = RunFolder(place)
        if not is_finished(folder):
            if not run_missing:
                click.echo(f"note: no probe {name!r} in {place}", err=True)
                continue
            if not foreign and not is_own(record):
                raise UsageError(
                    f"{path} wasn't made here (or the cache was emptied), and its probes would ask "
                    f"{record.model.spec!r} with data below {record.data_root!r}: if both are right, add --foreign"
                )
            click.echo(f"probe {name} ({_WHAT[name]}): {place}", err=True)
            try:
                run(options, model, output=place, on_event=Reporter(name, told))
            except DataError as error:
                raise DataError(f"{error}; if the run's files lie in several folders, name each by --data") from error
        label = f"{name} ({_WHAT[name]})"
        probes[name] = ComparedRun(label=label, record=folder.record(), samples=tuple(folder.samples()))
    own = ComparedRun(label=record.model.name, record=record, samples=samples)
    return audit(own, probes)


def _table(found: Audit) -> str:
    from egocross_eval.cli.show.terminal import fitted_table, wrapped

    if found.accuracy is None:
        return f"{found.run}: no score: no question has both an answer of the run and a known right one"
    rows = [[found.run, f"{found.accuracy:.2%}", "", "", ""]]
    for name, comparison in found.probes.items():
        look = comparison.micro
        rows.append(
            [
                f"{name}: {_WHAT[name]}",
                f"{look.first:.2%}",
                f"{look.difference:+.1%}",
                f"{look.low:+.1%} to {look.high:+.1%}",
                "too few" if look.p is None else f"{look.p:.2g}",
            ]
        )
    headers = ["", "accuracy", "run minus probe", "95 % interval", "p"]
    lines = [fitted_table(rows, headers, right="lrrrr"), ""]
    if found.sees is not None:
        sees = found.sees
        lines.append(
            f"Sees the answer on {sees.share:.1%} of the questions (95 % interval {sees.low:.1%} to {sees.high:.1%}), "
            "if seeing adds to what it guesses without frames."
        )
    if found.rotations is not None:
        lines += _rotation_lines(found.rotations)
    return "\n".join([lines[0], *map(wrapped, lines[1:])])


def _rotation_lines(found: Rotations) -> list[str]:
    shares = ", ".join(f"{place.letter} {place.share:.1%}" for place in found.places)
    right = ", ".join(
        f"{place.letter} {place.accuracy:.1%} ({place.low:.1%} to {place.high:.1%})" for place in found.places
    )
    return [
        f"Rotations: the same option in all of them on {found.same_option} of "
        f"{counted(found.asked, 'question')}, the same place "
        f"on {found.same_place} ({found.same_place / found.asked:.1%}; guessing: {found.same_place_by_chance:.1%}).",
        f"Answers by letter: {shares}; {found.distance:.1%} would have to move for an even use (p {found.p:.2g}).",
        f"Accuracy where the right option stands at: {right}.",
    ]
