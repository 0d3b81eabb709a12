"""How a question is asked: its rules of the strategy, and every setting that is not at its default."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from egocross_eval.cli.show.drawing import SentFrame, sent_frames
from egocross_eval.runs.decide import decide
from egocross_eval.runs.options import RunOptions, flat_options
from egocross_eval.runs.plan import RunPlan
from egocross_eval.runs.strategy import SETTINGS
from egocross_eval.schema import Decision, Prompt, Question


class SettingMade(msgspec.Struct, frozen=True, kw_only=True):
    """A setting that isn't at its default."""

    name: str
    value: bool | int | float | str | None
    line: int | None = None
    """Of the strategy's rule that made it; None where none did."""


class Shown(Prompt, frozen=True, kw_only=True):
    """How a question is asked, and what is sent first."""

    question: Question
    frames_sent: tuple[SentFrame, ...]
    """Of all messages, in order."""
    method: str
    strategy: str
    """Its name and the beginning of its hash; empty where there's none."""
    rules: tuple[int, ...]
    """Lines of the strategy's rules that match the question."""
    settings: tuple[SettingMade, ...]
    first_requests: int
    """In the first round."""
    most_requests: int | None
    """In all rounds, at most; None where the method doesn't say."""


def shown(plan: RunPlan, question: Question) -> Shown:
    """How the question is asked, with the prompt of the method's first ask."""
    approach, strategy = plan.approach(question), plan.settings.strategy
    seen = approach.renderer.as_shown(question)
    step = decide(approach.method, approach.options.method, seen, ())
    asks = [] if isinstance(step, Decision) else step
    prompt = approach.renderer.render(question, plan.root, *asks[:1])
    rules = strategy.rules if strategy is not None else ()
    return Shown(
        messages=prompt.messages,
        style=prompt.style,
        max_pixels=prompt.max_pixels,
        question=question,
        frames_sent=sent_frames(prompt),
        method=approach.options.method,
        strategy=str(strategy or ""),
        rules=tuple(rule.line for rule in rules if rule.matches(question.labels)),
        settings=tuple(_settings(plan, question)),
        first_requests=1 if isinstance(step, Decision) else len(step),
        most_requests=approach.most_requests(seen),
    )


def approach_lines(found: Shown) -> Iterator[str]:
    """One line for the strategy and its rules, one for the settings, one for the number of requests."""
    if found.strategy:
        yield f"strategy: {found.strategy}, {', '.join(f'line {line}' for line in found.rules) or 'no rule'}"
    if found.settings:
        yield f"settings: {', '.join(_said(one) for one in found.settings)}"
    most = found.most_requests
    if most is None or most > 1:
        all_of_them = "more may follow" if most is None else f"at most {most} in all"
        yield f"requests: {found.first_requests} in the first round, {all_of_them}"


def _said(made: SettingMade) -> str:
    what = f"words of {made.value}" if made.name == "text" else f"{made.name} {made.value}"
    return what + (f" (line {made.line})" if made.line is not None else "")


def _settings(plan: RunPlan, question: Question) -> Iterator[SettingMade]:
    """Settings that aren't at their default, with the line of the rule that made them."""
    approach, strategy = plan.approach(question), plan.settings.strategy
    sources = approach.sources if strategy is not None else {}

    def made(name: str, value: object) -> SettingMade:
        line = strategy.rules[sources[name]].line if strategy is not None and name in sources else None
        plain = isinstance(value, bool | int | float | str) or value is None
        return SettingMade(name=name, value=value if plain else str(value), line=line)  # type: ignore[arg-type]

    plain = RunOptions(method=plan.benchmark.method)
    for part in ("prompt", "generation", ""):
        own, default = (getattr(o, part) if part else o for o in (approach.options, plain))
        for name, (_, known) in flat_options(type(own)).items():
            value = getattr(own, known.field)
            if name in SETTINGS and value != getattr(default, known.field):
                yield made(name, value)
    if approach.model:
        yield made("model", approach.model)
    if "text" in sources:
        yield made("text", approach.renderer.style.name)
