"""How each question of a run is asked: with which renderer, method, settings and model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from egocross_eval.contracts.faults import guarded
from egocross_eval.contracts.method import Method
from egocross_eval.contracts.registry import Registry
from egocross_eval.contracts.style import PromptStyle
from egocross_eval.contracts.task import Benchmark, Questions
from egocross_eval.counted import agreed, counted
from egocross_eval.errors import DataError, UsageError
from egocross_eval.frames.roots import DataRoot
from egocross_eval.methods.select import build_method, method_name
from egocross_eval.prompts.renderer import Renderer
from egocross_eval.prompts.shots import Shots, ShotSetting
from egocross_eval.prompts.templates import TEMPLATE_SUFFIXES, style_of, template_hash, template_style
from egocross_eval.runs.options import RunOptions
from egocross_eval.runs.shots import (
    Cell,
    Cover,
    alike_notes,
    choose_shots,
    common_frames,
    cover,
    load_examples,
    refuse_leaks,
    shot_notes,
)
from egocross_eval.runs.strategy import Treatment, given_options, strategy_said, treatment
from egocross_eval.runs.times import refuse_video
from egocross_eval.schema import Question, Strategy, Way


class Approach(msgspec.Struct, frozen=True, kw_only=True):
    """How a question is asked."""

    options: RunOptions
    """As for these questions: the strategy's settings are among them."""
    renderer: Renderer
    method: Method
    model: str = ""
    """Spec of the model that a strategy names; empty: the run's."""
    style_hash: str = ""
    """Hash of the template, in a file or in a strategy; empty for a named style."""
    sources: dict[str, int] = {}
    """By each setting that a strategy made, the number of its rule."""

    def most_requests(self, shown: Question) -> int | None:
        """As the method says it of a question as it is shown. Raises `RunError` where its code breaks."""
        with guarded("methods", method_name(self.options.method), f"to count requests of {shown.key}"):
            return self.method.most_requests(shown)

    def way(self) -> Way:
        """What a run's record says of it."""
        options, style = self.options, self.renderer.style.name
        if "text" in self.sources:
            style = style.rpartition(":")[0]  # a strategy is the same wherever its rules stand in the file
        return Way(
            prompt=msgspec.structs.replace(options.prompt, style=style),
            style_hash=self.style_hash,
            generation=options.generation,
            method=options.method,
            shots=options.shots,
            model=self.model,
        )


class Approaches(msgspec.Struct, frozen=True, kw_only=True):
    """The approach to each question, by the labels that the strategy goes by."""

    labels: tuple[str, ...]
    by_values: Mapping[tuple[str, ...], Approach]

    def of(self, question: Question) -> Approach:
        """The approach to a question of the run."""
        return self.by_values[tuple(question.label(name) for name in self.labels)]

    def groups(self, questions: Sequence[Question]) -> list[tuple[Approach, list[Question]]]:
        """The questions by approach, in the order of the first of each."""
        found: dict[int, tuple[Approach, list[Question]]] = {}
        for question in questions:
            approach = self.of(question)
            found.setdefault(id(approach), (approach, []))[1].append(question)
        return list(found.values())

    def models(self) -> list[str]:
        """Specs of the models that the strategy names."""
        return list(dict.fromkeys(one.model for one in self.by_values.values() if one.model))


def resolve_style(name: str, registry: Registry) -> tuple[PromptStyle, str]:
    """The style of a name or of a template file, and the file's hash (empty for a name)."""
    if name.endswith(TEMPLATE_SUFFIXES):
        return template_style(Path(name))
    return registry.prompt_style(name), ""


class Planner:
    """Makes the approaches of a run, and keeps what it reads and notices on the way."""

    def __init__(
        self, benchmark: Benchmark, options: RunOptions, base: RunOptions, strategy: Strategy | None, registry: Registry
    ) -> None:
        self._benchmark = benchmark
        self._base = base
        self._strategy = strategy
        self._registry = registry
        self.given = given_options(options)
        """What a strategy can't change."""
        self.style, self.style_hash = resolve_style(base.prompt.style, registry)
        """The run's own style, where no rule says otherwise."""
        self.files: tuple[Path, ...] = ()
        self.notes: list[str] = []
        self._examples: Questions | None = None
        self._covers: dict[ShotSetting, dict[Cell, Cover]] = {}

    def approaches(
        self,
        questions: Sequence[Question],
        root: DataRoot | None,
        data: Path | None,
        everything: Callable[[], Sequence[Question]],
    ) -> Approaches:
        """The approach to each question; examples lie in `data`, and `everything` gives all questions of the split.

        Raises `UsageError` for what can't work.
        """
        rules = self._strategy.rules if self._strategy is not None else ()
        labels = tuple(dict.fromkeys(name for rule in rules for name in rule.match))
        treatments: dict[tuple[str, ...], Treatment] = {}
        asked: dict[_Kind, list[Question]] = {}
        for question in questions:
            values = tuple(question.label(name) for name in labels)
            if values not in treatments:
                treatments[values] = treatment(self._base, self._strategy, question.labels, self.given)
            asked.setdefault(_kind(treatments[values]), []).append(question)
        made: dict[_Kind, Approach] = {}
        for found in treatments.values():
            if _kind(found) not in made:
                made[_kind(found)] = self._approach(found, asked[_kind(found)], data)
        if root is not None:
            self._refuse_leaks(treatments.values(), made, asked, everything, root)
        for setting, covers in self._covers.items():
            self.notes += shot_notes(setting, covers, self._benchmark)
        return Approaches(labels=labels, by_values={values: made[_kind(t)] for values, t in treatments.items()})

    def _refuse_leaks(
        self,
        treatments: Iterable[Treatment],
        made: Mapping[_Kind, Approach],
        asked: Mapping[_Kind, Sequence[Question]],
        everything: Callable[[], Sequence[Question]],
        root: DataRoot,
    ) -> None:
        """Looks at the examples of all approaches at once: each look is at every question of the split."""
        shown = {kind: shots for kind, approach in made.items() if (shots := approach.renderer.shots) is not None}
        common = common_frames([(shots, asked[kind]) for kind, shots in shown.items()], everything, root)
        for found in treatments if common.told else ():
            if (kind := _kind(found)) in shown:
                with self._blamed(found, "shots"):
                    refuse_leaks(shown[kind], asked[kind], common.told)
        self.notes += alike_notes(common.alike, {question.key for kind in shown for question in asked[kind]})

    def _approach(self, found: Treatment, questions: Sequence[Question], data: Path | None) -> Approach:
        options = found.options
        style, style_hash = self._style(found)
        with self._blamed(found, "shots"):
            shots = self._shots(options, questions, data)
        renderer = Renderer(style=style, settings=options.prompt, seed=options.generation.seed, shots=shots)
        _check_questions(questions, options, renderer, words=bool(style_hash))
        with self._blamed(found, "method"):
            method = build_method(options.method, self._registry)
            self.notes += _checked_method(method, options, questions)
        return Approach(
            options=options,
            renderer=renderer,
            method=method,
            model=found.model,
            style_hash=style_hash,
            sources=found.sources,
        )

    @contextmanager
    def _blamed(self, found: Treatment, setting: str) -> Iterator[None]:
        """What is wrong with a setting names the rule that made it."""
        try:
            yield
        except (UsageError, DataError) as error:
            if self._strategy is None or setting not in found.sources:
                raise
            rule = self._strategy.rules[found.sources[setting]]
            where = f"{strategy_said(self._base, self._strategy)}, line {rule.line}"
            raise type(error)(f"{where}: {error}") from error

    def _style(self, found: Treatment) -> tuple[PromptStyle, str]:
        """The style, and the hash of its template as `resolve_style` has it."""
        if found.text and self._strategy is not None:
            rule = self._strategy.rules[found.sources["text"]]
            where = f"{strategy_said(self._base, self._strategy)}, the text of the rule in line {rule.line}"
            return style_of(found.text, where, name=f"{self._strategy.name}:{rule.line}"), template_hash(found.text)
        if "style" in found.sources:
            return self._registry.prompt_style(found.options.prompt.style), ""
        return self.style, self.style_hash

    def _shots(self, options: RunOptions, questions: Sequence[Question], data: Path | None) -> Shots | None:
        """The examples before these questions; None where none are wanted."""
        setting = ShotSetting.parse(options.shots)
        if not setting.count:
            return None
        if self._examples is None:
            self._examples = load_examples(self._benchmark, data, self._registry, setting)
            self.files = self._examples.files
        missing = self._examples.no_frames
        if missing and setting.form != "text" and options.prompt.frames != "none":
            raise DataError(
                f"--shots {options.shots}: {missing}, or show the examples' text alone: --shots {setting.count}:text"
            )
        shots = choose_shots(self._examples, questions, self._benchmark, setting, options.generation.seed)
        self._keep(setting, cover(shots, questions))
        return shots

    def _keep(self, setting: ShotSetting, found: Mapping[Cell, Cover]) -> None:
        """Keeps how well examples cover questions, those of all approaches with that setting together."""
        known = self._covers.setdefault(setting, {})
        for cell, (fewest, without) in found.items():
            before = known.get(cell, Cover(fewest, 0))
            known[cell] = Cover(min(fewest, before.fewest), without + before.without)


_Kind = tuple[tuple[str, int], ...]


def _kind(found: Treatment) -> _Kind:
    """Questions of equal kind are asked alike."""
    return tuple(found.sources.items())


def _check_questions(questions: Sequence[Question], options: RunOptions, renderer: Renderer, *, words: bool) -> None:
    """Refuses what can't be asked of these questions."""
    mode = options.generation.answer_mode
    without = sum(not question.options for question in questions)
    if mode != "generate" and without:
        raise UsageError(
            f"--answer {mode}: {without} of {counted(len(questions), 'question')} "
            f"{agreed(without, 'has', 'have')} no options to choose among; "
            "use --answer generate"
        )
    refuse_video(questions, renderer)
    for question in questions if words else ():
        renderer.words(question)


def _checked_method(method: Method, options: RunOptions, questions: Sequence[Question]) -> Sequence[str]:
    """Refuses a method that these questions or settings don't suit; what is to be said of how it asks the others."""
    without = sum(not question.options for question in questions)
    if "options" in method.needs and without:
        raise UsageError(
            f"--method {options.method}: {without} of {counted(len(questions), 'question')} "
            f"{agreed(without, 'has', 'have')} no options, which it needs; "
            "use --method once"
        )
    if "images" in method.needs and options.prompt.media == "video":
        raise UsageError(f"--method {options.method}: needs frames as separate images; use --media images")
    with guarded("methods", method_name(options.method), "to check the questions"):
        asked = [question.without_target() for question in questions]
        method.check(options.generation, asked)
        return [f"--method {options.method}: {note}" for note in method.notes(asked)]
