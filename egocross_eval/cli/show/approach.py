"""How a question is asked, in words: its rules of the strategy, and every setting that is not at its default."""

from __future__ import annotations

from collections.abc import Iterator

from egocross_eval.runs.decide import decide
from egocross_eval.runs.options import RunOptions, flat_options
from egocross_eval.runs.plan import RunPlan
from egocross_eval.runs.strategy import SETTINGS
from egocross_eval.schema import Decision, Prompt, Question


def first_prompt(plan: RunPlan, question: Question) -> Prompt:
    """The prompt of the method's first ask."""
    approach = plan.approach(question)
    step = decide(approach.method, approach.options.method, approach.renderer.as_shown(question), ())
    asks = [] if isinstance(step, Decision) else step
    return approach.renderer.render(question, plan.root, *asks[:1])


def approach_lines(plan: RunPlan, question: Question) -> Iterator[str]:
    """One line for the strategy and its rules, one for the settings, one for the number of requests."""
    approach, strategy = plan.approach(question), plan.settings.strategy
    if strategy is not None:
        lines = [f"line {rule.line}" for rule in strategy.rules if rule.matches(question.labels)]
        yield f"strategy: {strategy}, {', '.join(lines) or 'no rule'}"
    said = list(_settings(plan, question))
    if said:
        yield f"settings: {', '.join(said)}"
    shown = approach.renderer.as_shown(question)
    step = decide(approach.method, approach.options.method, shown, ())
    first = 1 if isinstance(step, Decision) else len(step)
    most = approach.most_requests(shown)
    if most is None or most > 1:
        yield f"requests: {first} in the first round, {'more may follow' if most is None else f'at most {most} in all'}"


def _settings(plan: RunPlan, question: Question) -> Iterator[str]:
    """Settings that aren't at their default, with the line of the rule that made them."""
    approach, strategy = plan.approach(question), plan.settings.strategy
    sources = approach.sources if strategy is not None else {}

    def source(name: str) -> str:
        return f" (line {strategy.rules[sources[name]].line})" if strategy is not None and name in sources else ""

    plain = RunOptions(method=plan.benchmark.method)
    for part in ("prompt", "generation", ""):
        own, default = (getattr(o, part) if part else o for o in (approach.options, plain))
        for name, (_, known) in flat_options(type(own)).items():
            value = getattr(own, known.field)
            if name in SETTINGS and value != getattr(default, known.field):
                yield f"{name} {value}{source(name)}"
    if approach.model:
        yield f"model {approach.model}{source('model')}"
    if "text" in sources:
        yield f"words of {approach.renderer.style.name}{source('text')}"
