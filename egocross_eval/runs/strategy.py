"""Strategy files: how questions are asked, by their labels, with the last rule that matches counting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from egocross_eval.contracts.registry import Registry
from egocross_eval.contracts.task import Benchmark
from egocross_eval.documents import YAML_LARGEST, decode_yaml, read_text, yaml_lines
from egocross_eval.errors import UsageError, did_you_mean
from egocross_eval.methods.select import build_method
from egocross_eval.model_adapters.spec import adapter_type, parse_spec
from egocross_eval.prompts.templates import TEMPLATE_SUFFIXES, style_of
from egocross_eval.runs.options import RunOptions, flat_options, options_from
from egocross_eval.schema import Question, Rule, Strategy
from egocross_eval.settings import GenerationSettings, PromptSettings

SUFFIXES = (".yaml", ".yml")

OWN = ("text", "method", "shots", "model")
"""Settings of rules beside those of prompts and generation."""

SETTINGS = (*flat_options(PromptSettings, GenerationSettings), *OWN)
"""What a rule can set."""

_FOR = "for"

_NAMED = 20
"""Most rules that are named by their lines."""


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The YAML of a strategy."""

    rules: list[dict[str, Any]]
    description: str = ""


class Treatment(NamedTuple):
    """How a question is asked."""

    options: RunOptions
    text: str
    """A prompt template; empty: the options' style."""
    model: str
    """A model spec; empty: the run's model."""
    sources: dict[str, int]
    """By what a rule set, the number of that rule."""


def find_strategy(text: str, benchmark: Benchmark, registry: Registry) -> Strategy:
    """The strategy of a file, or the one of that name that comes with the benchmark.

    Raises `UsageError` for an unknown name, and for what is wrong in the file, with its line.
    """
    if text.endswith(SUFFIXES):
        return read_strategy(Path(text), registry)
    known = named_strategies(benchmark)
    if text not in known:
        raise UsageError(
            f"--strategy: {benchmark.title} has no strategy {text!r}{did_you_mean(text, known)}; known: "
            f"{', '.join(known) or 'none'}; or name a file that ends in .yaml"
        )
    return read_strategy(known[text], registry)


def named_strategies(benchmark: Benchmark) -> dict[str, Path]:
    """The files of the strategies that come with a benchmark, by name."""
    folder = benchmark.strategies
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))} if folder is not None else {}


def read_strategy(path: Path, registry: Registry) -> Strategy:
    """The strategy of a YAML file, every setting checked; a `UsageError` names file and line."""
    where = f"strategy {path}"
    text = read_text(path, what="strategy", limit=YAML_LARGEST)
    content = decode_yaml(text, _File, where)
    lines = yaml_lines(text)
    rules = [_rule(raw, number, lines, path, registry) for number, raw in enumerate(content.rules)]
    return Strategy(name=path.stem, rules=tuple(rules), description=" ".join(content.description.split()))


def _rule(
    raw: dict[str, Any], number: int, lines: Mapping[tuple[str | int, ...], int], path: Path, registry: Registry
) -> Rule:
    def place(*keys: str | int) -> str:
        return f"strategy {path}, line {lines.get(('rules', number, *keys), 0)}"

    settings: dict[str, Any] = {}
    spelt: dict[str, str] = {}
    for key, value in raw.items():
        name = key.replace("-", "_")
        if name == _FOR:
            continue
        if name in spelt:
            raise UsageError(f"{place(key)}: {key!r} is there twice, first as {spelt[name]!r}")
        spelt[name] = key
        if name not in SETTINGS:
            known = (_FOR, *SETTINGS)
            raise UsageError(
                f"{place(key)}: unknown setting {key!r}{did_you_mean(name, known)}; known: {', '.join(known)}"
            )
        if {"style", "text"} <= spelt.keys():
            raise UsageError(f"{place(key)}: 'style' and 'text' both say which words are shown; leave one of them out")
        if name == "style" and str(value).endswith(TEMPLATE_SUFFIXES):
            name, value = "text", read_text(path.parent / str(value), what=f"{place(key)}: prompt template")
        settings[name] = written(value) if name in ("method", "shots") else value
        try:
            _check(name, settings[name], registry)
        except UsageError as error:
            raise UsageError(f"{place(key)}: {error}") from error
    return Rule(match=_match(raw.get(_FOR, {}), place), settings=settings, line=lines[("rules", number)])


def _match(raw: Any, place: Any) -> dict[str, tuple[str, ...]]:
    """By label, the values that a rule is for; each is a text or a list of them."""
    if not isinstance(raw, dict) or not all(isinstance(v, str | list) for v in raw.values()):
        raise UsageError(f"{place(_FOR)}: 'for' is a mapping from labels to values, e.g. for: {{domain: surgery}}")
    return {label: (values,) if isinstance(values, str) else tuple(map(str, values)) for label, values in raw.items()}


def written(value: Any) -> str:
    """A method or number of shots as options have it; `{name: verify, chunks: 4}` is `verify,chunks=4`."""
    if not isinstance(value, dict):
        return str(value)
    pieces = [str(value.get("name", ""))]
    pieces += [f"{key}={option}" for key, option in value.items() if key != "name"]
    return ",".join(piece.replace(",", "\\,") for piece in pieces)


def _check(name: str, value: Any, registry: Registry) -> None:
    """Raises `UsageError` for a value that the setting can't have."""
    if name == "text":
        if not isinstance(value, str):
            raise UsageError("text is a prompt template, with {{ frames }}, {{ question }} and {{ option_block }}")
        style_of(value, "its template", name="text")
    elif name == "model":
        adapter_type(parse_spec(str(value)), registry)
    elif name == "method":
        build_method(value, registry)
    else:
        options_from(**{name: value})
        if name == "style":
            registry.prompt_style(value)


def given_options(options: RunOptions) -> frozenset[str]:
    """Options that count before what a strategy says: those that were given by name or aren't at their default."""
    plain = RunOptions()
    names = {
        known.name
        for part, default in ((options.prompt, plain.prompt), (options.generation, plain.generation), (options, plain))
        for name, (struct, known) in flat_options(type(part)).items()
        if name in SETTINGS and getattr(part, known.field) != getattr(default, known.field)
    }
    given = names | ({*options.given} & {*SETTINGS})
    # A template of the rules is a style too.
    return frozenset(given | {"text"} if "style" in given else given)


def treatment(
    options: RunOptions, strategy: Strategy | None, labels: Mapping[str, str], given: frozenset[str]
) -> Treatment:
    """How questions with these labels are asked; what is `given` no rule changes.

    Raises `UsageError` for settings that don't go together."""
    if strategy is None:
        return Treatment(options, "", "", {})
    sources = {
        name: number for number, rule in enumerate(strategy.rules) if rule.matches(labels) for name in rule.settings
    }
    sources = {name: number for name, number in sources.items() if name not in given}
    # A style and a template are two ways to say the same.
    if {"style", "text"} <= sources.keys():
        del sources["style" if sources["text"] >= sources["style"] else "text"]
    values = {name: strategy.rules[number].settings[name] for name, number in sources.items()}
    text, model = str(values.pop("text", "")), str(values.pop("model", ""))
    try:
        changed = options_from(options, **values)
    except UsageError as error:
        lines = sorted({strategy.rules[number].line for number in sources.values()})
        where = f"{strategy_said(options, strategy)}, {_rules(lines)}, for {_said(labels)}"
        raise UsageError(f"{where}: {error}") from error
    return Treatment(msgspec.structs.replace(changed, given=options.given), text, model, sources)


def strategy_said(options: RunOptions, strategy: Strategy) -> str:
    """What messages call the strategy of a run: by its file, where it's from one."""
    return f"strategy {options.strategy or strategy.name}"


def _said(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in labels.items() if value) or "questions without labels"


def check_rules(
    strategy: Strategy,
    options: RunOptions,
    given: frozenset[str],
    questions: Sequence[Question],
    everything: Sequence[Question],
) -> list[str]:
    """What a user must know of rules that have no effect on these questions.

    Raises `UsageError` for a label or value that nothing in the benchmark's split has, with a suggestion.
    """
    known: dict[str, set[str]] = {}
    for question in everything:
        for label, value in question.labels.items():
            known.setdefault(label, set()).add(value)
    said = strategy_said(options, strategy)
    for rule in strategy.rules:
        _check_match(rule, known, f"{said}, line {rule.line}")
    seen = {tuple(question.labels.items()): question.labels for question in questions}.values()
    counting = {number for labels in seen for number in treatment(options, strategy, labels, given).sources.values()}
    silent = [rule for number, rule in enumerate(strategy.rules) if number not in counting]
    asleep = [rule.line for rule in silent if not any(rule.matches(labels) for labels in seen)]
    hidden = [rule.line for rule in silent if rule.settings and rule.line not in asleep]
    # A rule for nothing in particular that sets nothing says that all is asked as the run's options have it.
    empty = [rule.line for rule in silent if rule.match and not rule.settings and rule.line not in asleep]
    notes = []
    if asleep:
        notes.append(f"strategy {strategy.name}: no question of this run matches {_rules(asleep)}")
    if hidden:
        notes.append(f"strategy {strategy.name}: later rules or given options hide all of {_rules(hidden)}")
    if empty:
        notes.append(f"strategy {strategy.name}: nothing is set by {_rules(empty)}")
    return notes


def _check_match(rule: Rule, known: Mapping[str, set[str]], where: str) -> None:
    for label, values in rule.match.items():
        if label not in known:
            raise UsageError(f"{where}: unknown label {label!r}{did_you_mean(label, known)}; known: {', '.join(known)}")
        for value in values:
            if value not in known[label]:
                names = sorted(filter(None, known[label]))
                near = did_you_mean(value, names) or f"; known: {', '.join(names)}"
                raise UsageError(f"{where}: no question has the {label} {value!r}{near}")


def _rules(lines: Iterable[int]) -> str:
    numbers = [str(line) for line in lines]
    more = f" and {len(numbers) - _NAMED:,} more" if len(numbers) > _NAMED else ""
    several = "s" if len(numbers) > 1 else ""
    return f"the rule{several} in line{several} {', '.join(numbers[:_NAMED])}{more}"
