"""A run before anything is asked: which questions, how they're asked, by which model, and whether that can work."""

from __future__ import annotations

import functools
import hashlib
import random
from collections.abc import Sequence

import msgspec

from egocross_eval.contracts.grader import Grader
from egocross_eval.contracts.model import Capabilities, ModelAdapter
from egocross_eval.contracts.registry import Registry
from egocross_eval.contracts.task import Benchmark
from egocross_eval.counted import counted
from egocross_eval.errors import DataError, UsageError, did_you_mean
from egocross_eval.frames.roots import DataRoot
from egocross_eval.model_adapters.routed import RuledAdapter, built
from egocross_eval.model_adapters.spec import ModelSpec, adapter_type, asked_of, build_adapter, carried, parse_spec
from egocross_eval.prompts.shots import ShotSetting
from egocross_eval.runs.approaches import Approach, Approaches, Planner
from egocross_eval.runs.bodies import largest_body
from egocross_eval.runs.decide import decide, make_sample, utc_now
from egocross_eval.runs.options import RunOptions
from egocross_eval.runs.requests import request_labels
from egocross_eval.runs.shards import shard_of
from egocross_eval.runs.store import questions_hash
from egocross_eval.runs.strategy import check_rules, find_strategy, strategy_said
from egocross_eval.runs.times import times_left_off
from egocross_eval.runs.unused_words import unused_words
from egocross_eval.schema import (
    SCHEMA_VERSION,
    Answer,
    Ask,
    Decision,
    ModelRecord,
    Question,
    RunRecord,
    RunSettings,
    Sample,
    ShardRecord,
    Strategy,
)
from egocross_eval.settings import PromptSettings
from egocross_eval.tasks.select import common_benchmark, load_questions, select_tasks, with_split
from egocross_eval.version import __version__


class RunPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything decided, nothing asked yet."""

    benchmark: Benchmark
    questions: tuple[Question, ...]
    root: DataRoot | None
    approaches: Approaches
    grader: Grader
    settings: RunSettings
    data_hashes: dict[str, str]
    warnings: tuple[str, ...]
    no_frames: str = ""
    """As the task has it."""
    untimed: dict[str, int] = {}
    """As `RunRecord` has it."""
    shard: ShardRecord | None = None

    def approach(self, question: Question) -> Approach:
        """How a question of the run is asked."""
        return self.approaches.of(question)

    def step(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        """What to ask next about a question, or the decision."""
        approach = self.approach(question)
        return decide(approach.method, approach.options.method, question, answers)

    def sample(self, question: Question, answers: Sequence[Answer], decision: Decision) -> Sample:
        """The sample of a question that is decided, or of which an ask failed."""
        return make_sample(self.grader, question, answers, decision)

    def is_settled(self, question: Question) -> bool:
        """Whether a question needs no ask at all: never so where answers are wanted."""
        return False

    def record(self, spec: ModelSpec, adapter: ModelAdapter, registry: Registry) -> RunRecord:
        """`run.json` for this plan and model."""
        known = spec.scheme in registry.model_adapters  # not so for an adapter that a program made itself
        model = carried(spec, registry) if known else spec
        neutral = adapter_type(model, registry).neutral_options if known else frozenset()
        with asked_of(spec, registry):
            fingerprint, details = adapter.fingerprint() or "", adapter.details()
        return RunRecord(
            schema_version=SCHEMA_VERSION,
            benchmark=self.benchmark.record(),
            model=ModelRecord(
                spec=spec.text,
                identity=model.without(neutral),
                fingerprint=fingerprint,
                name=model.display_name,
                details=details,
            ),
            settings=self.settings,
            data_root=str(self.root.path) if self.root else "",
            data_hashes=self.data_hashes,
            question_count=len(self.questions),
            questions_hash=questions_hash(self.questions),
            created_at=utc_now(),
            versions=run_versions(),
            plugins={p.distribution: p.version for p in registry.plugins if p.error is None},
            shard=self.shard,
            untimed=self.untimed,
        )


def run_versions() -> dict[str, str]:
    """Versions that a run's record names."""
    import platform

    return {"egocross-eval": __version__, "python": platform.python_version()}


def style_name(settings: PromptSettings, benchmark: Benchmark) -> str:
    """The style that is meant: the benchmark's own where the settings say no other than the general default."""
    return (benchmark.style if settings.style == PromptSettings().style else "") or settings.style


def _named(questions: tuple[Question, ...], ids: str) -> tuple[Question, ...]:
    """The questions that a comma-separated list of ids and question_ids names, all where it's empty."""
    wanted = {name for name in (piece.strip() for piece in ids.split(",")) if name}
    if not wanted:
        return questions
    known = {name for question in questions for name in (str(question.id), question.key)}
    for name in sorted(wanted - known):
        raise UsageError(f"--ids: no question {name!r} among those of the tasks{did_you_mean(name, known)}")
    return tuple(question for question in questions if {str(question.id), question.key} & wanted)


def limited(questions: Sequence[Question], limit: int | None, seed: int) -> tuple[Question, ...]:
    """`limit` questions drawn by the seed over all of them, so that a small run sees every group; order is kept."""
    if limit is None or limit >= len(questions):
        return tuple(questions)
    # Not for secrets: a repeatable draw.
    chosen = sorted(random.Random(seed).sample(range(len(questions)), limit))  # noqa: S311
    return tuple(questions[index] for index in chosen)


def plan_run(options: RunOptions, registry: Registry) -> RunPlan:
    """Loads the questions and settles how they are asked.

    Raises `UsageError` for unknown names and impossible values, `DataError` for missing data.
    """
    tasks = select_tasks(options.tasks, registry)
    benchmark = common_benchmark(tasks)
    source = with_split(options.data.source(), benchmark)
    strategy = options.rules or (find_strategy(options.strategy, benchmark, registry) if options.strategy else None)
    base = msgspec.structs.replace(
        options,
        method=options.method or benchmark.method,
        prompt=msgspec.structs.replace(options.prompt, style=style_name(options.prompt, benchmark)),
    )
    planner = Planner(benchmark, options, base, strategy, registry)
    grader = registry.grader(benchmark.grader)
    loaded = load_questions(tasks, source)
    questions = limited(_named(loaded.questions, options.ids), options.limit, options.generation.seed)
    root = DataRoot(loaded.root) if loaded.root is not None else None
    notes: list[str] = []

    @functools.cache
    def everything() -> Sequence[Question]:
        same = [task for task in registry.tasks.values() if task.benchmark.name == benchmark.name]
        return load_questions(same, source).questions

    if strategy is not None:
        notes = check_rules(strategy, base, planner.given, questions, everything())
    approaches = planner.approaches(questions, root, loaded.data or loaded.root or source.root, everything)
    untimed, times = times_left_off((one.renderer, group) for one, group in approaches.groups(questions))
    notes += unused_words(approaches.groups(questions), strategy, style_given="style" in planner.given)
    ways = dict.fromkeys(one.way() for one, _ in approaches.groups(questions)) if strategy is not None else ()
    shard = None
    if options.shard:
        questions, shard = shard_of(questions, options.shard, questions_hash(questions))
    files = (*loaded.files, *planner.files)
    return RunPlan(
        benchmark=benchmark,
        questions=questions,
        root=root,
        approaches=approaches,
        grader=grader,
        settings=RunSettings(
            tasks=tuple(task.name for task in tasks),
            split=source.split,
            prompt=msgspec.structs.replace(options.prompt, style=planner.style.name),
            style_hash=planner.style_hash,
            generation=options.generation,
            method=base.method,
            shots=options.shots,
            strategy=strategy,
            ways=tuple(ways),
            given=tuple(sorted(planner.given)) if strategy is not None else (),
            grader=benchmark.grader,
            limit=options.limit,
            shard=options.shard,
        ),
        shard=shard,
        data_hashes={path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
        warnings=(*loaded.warnings, *notes, *planner.notes, *times),
        untimed=untimed,
        no_frames=loaded.no_frames,
    )


def adapter_for(plan: RunPlan, spec: ModelSpec, registry: Registry) -> ModelAdapter:
    """The adapter of a model, or one that also sends questions to the models that the plan's strategy names."""
    strategy = plan.settings.strategy
    if strategy is None or not plan.approaches.models():
        return build_adapter(spec, registry)
    by_values = {
        values: msgspec.structs.replace(parse_spec(one.model), file=_rule_of(one, strategy))
        for values, one in plan.approaches.by_values.items()
        if one.model
    }
    return RuledAdapter(spec, plan.approaches.labels, by_values, built)


def _rule_of(approach: Approach, strategy: Strategy) -> str:
    """Where a strategy names the model."""
    return f"{strategy_said(approach.options, strategy)}, line {strategy.rules[approach.sources['model']].line}"


def check_model(plan: RunPlan, spec: ModelSpec, registry: Registry) -> Capabilities:
    """What a model can do; refuses one that can't be built, or can't do what the plan asks for, before anything is
    loaded."""
    adapter = adapter_for(plan, spec, registry)
    try:
        check_capabilities(plan, adapter, spec, registry)
        with asked_of(spec, registry):
            can = adapter.capabilities()
        return can
    finally:
        with asked_of(spec, registry):
            adapter.close()


def check_capabilities(plan: RunPlan, adapter: ModelAdapter, spec: ModelSpec, registry: Registry) -> None:
    """Refuses, before anything is asked, what the adapter can't do. Raises `RunError` where its code breaks."""
    with asked_of(spec, registry):
        _check_abilities(plan, adapter, spec.text)


def _check_abilities(plan: RunPlan, adapter: ModelAdapter, scheme: str) -> None:
    adapter.check_labels(request_labels(question, plan.settings.split) for question in plan.questions)
    can = adapter.capabilities()
    asked_with_frames = False
    for approach, questions in plan.approaches.groups(plan.questions):
        _check_answers(approach, can, scheme)
        _check_choices(approach, questions[0], adapter, scheme)
        shown = max((approach.renderer.frames_shown(question) for question in questions), default=0)
        if shown and can.needs_content:
            if plan.no_frames:
                raise DataError(f"{plan.no_frames}, or ask without them: --frames none")
            _check_frames(approach, can, scheme, shown)
            asked_with_frames = True
    if asked_with_frames and can.max_body is not None:
        _check_bodies(plan, can, scheme)


def _check_answers(approach: Approach, can: Capabilities, scheme: str) -> None:
    mode = approach.options.generation.answer_mode
    if mode == "choose" and not can.scores:
        raise UsageError(f"{scheme}: can't compare log-probabilities here; use --answer generate")
    if mode == "constrained" and not can.constrained:
        other = "choose or generate" if can.scores else "generate"
        raise UsageError(f"{scheme}: can't constrain decoding to the labels here; use --answer {other}")
    if "scores" in approach.method.needs and not can.scores:
        raise UsageError(
            f"{scheme}: can't compare log-probabilities here, which --method {approach.options.method} needs; "
            f"use another method or model"
        )


def _check_choices(approach: Approach, question: Question, adapter: ModelAdapter, scheme: str) -> None:
    """Refuses labels that the method compares in its first round and the model can't tell by a token each."""
    if approach.model or "scores" not in approach.method.needs:
        return
    step = decide(approach.method, approach.options.method, approach.renderer.as_shown(question), ())
    asks = () if isinstance(step, Decision) else step
    compared = dict.fromkeys(label for ask in asks if ask.answer_mode == "choose" for label in ask.choices or ())
    if untold := adapter.untold_choices(tuple(compared)):
        raise UsageError(
            f"{scheme}: the tokenizer has no single token for {' and '.join(map(repr, untold))}, whose "
            f"log-probabilities --method {approach.options.method} compares; let it ask for letters where it takes its "
            "replies (verify:say=Y/N), or use another method"
        )


def _check_frames(approach: Approach, can: Capabilities, scheme: str, shown: int) -> None:
    media = approach.options.prompt.media
    if media == "video" and not can.video:
        raise UsageError(
            f"{scheme}: takes no video here; use --media images, or an option of "
            f"'egocross-eval models show {scheme.partition(':')[0]}'"
        )
    if media == "images" and not can.images:
        raise UsageError(f"{scheme}: takes no images; use --media video, or --frames none for the blind baseline")
    if can.max_images is not None and media == "images" and shown > can.max_images:
        clips = 1 + ShotSetting.parse(approach.options.shots).count
        raise UsageError(
            f"{scheme}: takes at most {can.max_images} images, and a question has {counted(shown, 'frame')}"
            f"{' with its examples' if clips > 1 else ''}; use --frames uniform:{max(1, can.max_images // clips)}"
        )


def _check_bodies(plan: RunPlan, can: Capabilities, scheme: str) -> None:
    """Refuses questions whose frames, as they would be sent, are more than a request may hold."""
    assert can.max_body is not None
    largest = largest_body(plan, jpeg=can.jpeg, above=can.max_body)
    if largest.size > can.max_body:
        raise UsageError(
            f"{scheme}: takes at most {can.max_body / 1e6:.0f} MB in a request, and question {largest.question} has "
            f"{largest.size / 1e6:.0f} MB; use --max-pixels N, --frames uniform:N, or jpeg=true for PNG frames"
        )
