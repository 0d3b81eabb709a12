"""The choice as a strategy file, for `--strategy`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from egocross_eval.contracts.registry import Registry
from egocross_eval.contracts.task import Benchmark
from egocross_eval.documents import read_text, yaml_text
from egocross_eval.prompts.templates import TEMPLATE_SUFFIXES
from egocross_eval.runs.options import PARTS, RunOptions, all_options
from egocross_eval.runs.strategy import SETTINGS, find_strategy
from egocross_eval.settings import PromptSettings
from egocross_eval.sweeps.planned import PlannedRun

Match = Mapping[str, Sequence[str]]


class _Rule(NamedTuple):
    match: Match
    settings: dict[str, Any]


def strategy_yaml(
    common: PlannedRun,
    others: Sequence[tuple[Match, PlannedRun]],
    benchmark: Benchmark,
    registry: Registry,
    *,
    description: str,
    models: bool,
) -> str:
    """The YAML of a strategy that asks as `common` does, and questions that match otherwise as another run does.

    With `models` the rules name the runs' models too.
    """
    rules = _rules(common, benchmark, registry, models)
    used = {name for rule in rules for name in rule.settings}
    for match, run in others:
        own = _rules(run, benchmark, registry, models)
        always = {name for rule in own if not rule.match for name in rule.settings}
        # What the common way sets and this one doesn't goes back to what holds without it.
        back = {name: _default(name, benchmark) for name in sorted(_undone(used) - always - {"model"})}
        rules += [_Rule(match, back)] if back else []
        rules += [narrowed for rule in own if (narrowed := _narrowed(rule, match)) is not None]
    content = {"description": description, "rules": [_written(rule) for rule in rules] or [{}]}
    return yaml_text(content)


def _rules(run: PlannedRun, benchmark: Benchmark, registry: Registry, models: bool) -> list[_Rule]:
    """The rules that ask as a run does: those of its strategy, and then what is given beside it."""
    options = run.options
    strategy = options.rules or (find_strategy(options.strategy, benchmark, registry) if options.strategy else None)
    found = [_Rule(rule.match, dict(rule.settings)) for rule in strategy.rules] if strategy is not None else []
    given = {name: _value(options, name) for name in SETTINGS if name in options.given and name in all_options()}
    style = given.get("style")
    if isinstance(style, str) and style.endswith(TEMPLATE_SUFFIXES):
        del given["style"]
        given["text"] = read_text(Path(style), what="prompt template")
    if models:
        given["model"] = run.model
    return [*found, *([_Rule({}, given)] if given else [])]


def _value(options: RunOptions, name: str) -> Any:
    """An option's value as YAML has it."""
    struct, known = all_options()[name]
    field = next((field for field, part in PARTS.items() if part is struct), "")
    return msgspec.to_builtins(getattr(getattr(options, field) if field else options, known.field))


def _undone(used: set[str]) -> set[str]:
    """Settings that undo others: a style takes the place of a template."""
    return {"style" if name == "text" else name for name in used}


def _default(name: str, benchmark: Benchmark) -> Any:
    if name == "method":
        return benchmark.method
    if name == "style":
        return benchmark.style or PromptSettings().style
    return "0" if name == "shots" else _value(RunOptions(), name)


def _narrowed(rule: _Rule, match: Match) -> _Rule | None:
    """The rule for what matches too; None where nothing does."""
    joined: dict[str, Sequence[str]] = dict(rule.match)
    for label, values in match.items():
        kept = [value for value in values if label not in rule.match or value in rule.match[label]]
        if not kept:
            return None
        joined[label] = kept
    return _Rule(joined, rule.settings)


def _written(rule: _Rule) -> dict[str, Any]:
    match = {label: values[0] if len(values) == 1 else list(values) for label, values in rule.match.items()}
    return ({"for": match} if match else {}) | rule.settings
