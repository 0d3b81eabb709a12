"""`egocross-eval judge audit --judge SPEC`: measures judges before they are believed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from egocross_eval.command_options import made_of, options_of_settings
from egocross_eval.contracts.task import DataOptions
from egocross_eval.counted import points
from egocross_eval.replies import Reply, replies
from egocross_eval.settings import GenerationSettings, JudgeSettings

if TYPE_CHECKING:
    from egocross_eval.scoring.judge_audit import JudgeAudit, Rate


@click.command(name="audit")
@click.option("--judge", "judges", multiple=True, metavar="SPEC", help="As for judging; may be repeated.  [required]")
@click.option("--tasks", "-t", default="open", show_default=True, help="Whose questions the controls are made of.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="So many questions, drawn by the seed over all; some 15 asks for each.",
)
@click.option(
    "--repeats",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="How often some answers are judged again.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="For the draws.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("audits"),
    show_default=True,
    help="Folder for one folder for each judge; the same command goes on with them.",
)
@options_of_settings(JudgeSettings, DataOptions)
@click.option("--cache/--no-cache", default=True, show_default=True, help="Use the response cache.")
@replies()
def command(
    judges: tuple[str, ...],
    tasks: str,
    limit: int,
    repeats: int,
    seed: int,
    output: Path,
    cache: bool,
    **given: Any,
) -> Reply[list[JudgeAudit]]:
    """Measure judges on answers whose verdict is known, made from the right answers by rules.

    The judge is asked about all of them: --prematch is none unless it's given. Says how many right answers it takes for
    right, how many wrong ones for wrong, and what it makes of orders to give full marks, of refusals, hedges, long
    answers and the order in which it's shown things.

    \b
    egocross-eval judge audit --judge rules --judge openai:gpt-4.1 --split demo
    egocross-eval judge audit --judge vllm:Qwen/Qwen3-8B --data ROOT --limit 50
    """
    from egocross_eval.auditing import audit_judge, check_audit
    from egocross_eval.cli.show.judgings import JudgeReporter
    from egocross_eval.contracts.registry import registry
    from egocross_eval.judging import check_questions, ready_judges
    from egocross_eval.runs.options import RunOptions
    from egocross_eval.runs.plan import plan_run

    settings = made_of(JudgeSettings, given)
    if click.get_current_context().get_parameter_source("prematch") is click.core.ParameterSource.DEFAULT:
        settings = msgspec.structs.replace(settings, prematch="none")
    options = RunOptions(
        tasks=tasks, limit=limit, data=made_of(DataOptions, given), generation=GenerationSettings(seed=seed)
    )
    plan = plan_run(options, registry())
    check_audit(plan.questions)
    ready = ready_judges(judges, settings, registry())
    try:
        for judge in ready:
            check_questions(judge.grader, plan.questions)
        found = [
            audit_judge(
                judge,
                plan,
                output / judge.folder,
                registry(),
                repeats=repeats,
                tell=JudgeReporter(),
                use_cache=cache,
            )
            for judge in ready
        ]
    finally:
        for judge in ready:
            judge.close()
    return Reply(
        value=found,
        show=lambda: click.echo("\n".join(map(_text, found))),
        code=int(any(one.errored or one.not_judged for one in found)),
    )


def _text(found: JudgeAudit) -> str:
    from egocross_eval.auditing import expected
    from egocross_eval.cli.show.terminal import fitted_table, wrapped
    from egocross_eval.grading.controls import KINDS

    rows = [[KINDS[name].title, expected(name), *_cells(rate)] for name, rate in found.kinds.items()]
    for title, rate in (
        ("all right answers: sensitivity", found.sensitivity),
        ("all wrong: specificity", found.specificity),
    ):
        if rate is not None:
            rows.append([title, "", *_cells(rate)])
    table = fitted_table(rows, ["answers", "are", "judged so", "95 % interval", "n"], right="llrrr")
    return "\n".join([f"\n{found.judge}\n", table, "", *map(wrapped, _lines(found))])


def _cells(rate: Rate) -> list[str]:
    return [f"{rate.value:.1%}", f"{rate.low:.1%} to {rate.high:.1%}", str(rate.n)]


def _lines(found: JudgeAudit) -> list[str]:
    """What doesn't depend on the answers, in sentences."""
    lines = []
    if found.order is not None and found.order_changes is not None:
        lines.append(
            f"Order: with the answer before the reference marks change by {_signed(found.order)}; "
            f"{found.order_changes.value:.1%} of the verdicts change."
        )
    for what, rate in (("right", found.length_right), ("wrong", found.length_wrong)):
        if rate is not None:
            more = f"{points(rate.value)} points ({points(rate.low)} to {points(rate.high)})"
            lines.append(f"Length: a long {what} answer is judged right more often by {more}.")
    if found.consistency is not None:
        same = f"{found.consistency.value:.1%} ({found.consistency.low:.1%} to {found.consistency.high:.1%})"
        lines.append(f"Asked again it gives the same verdict on {same}; marks differ by {found.spread or 0:.2f}.")
    if found.not_judged or found.errored:
        lines.append(f"Not judged: {found.not_judged}; failed: {found.errored}. They are in no figure.")
    return lines


def _signed(rate: Rate) -> str:
    return f"{rate.value:+.2f} ({rate.low:+.2f} to {rate.high:+.2f})"
