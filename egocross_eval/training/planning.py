"""A training before it's started: examples, dataset, configuration, checks and estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from egocross_eval.contracts.registry import Registry
from egocross_eval.errors import DataError, UsageError
from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
from egocross_eval.prompts.length import text_tokens
from egocross_eval.prompts.renderer import Renderer, prompt_text
from egocross_eval.runs.approaches import resolve_style
from egocross_eval.settings import PromptSettings
from egocross_eval.training.argument_numbers import RANGES
from egocross_eval.training.curriculum import ordered
from egocross_eval.training.dataset import (
    Rendered,
    check_style,
    render_examples,
)
from egocross_eval.training.estimates import ModelSize, model_size, optimizer_steps
from egocross_eval.training.example_checks import (
    Finding,
    check_clips,
    check_frames,
    check_letters,
    check_times,
    check_tokens,
)
from egocross_eval.training.examples import Examples, read_examples, trainable
from egocross_eval.training.frame_sizes import processor_limits
from egocross_eval.training.launching import check_address, settle_launch
from egocross_eval.training.options import TrainOptions
from egocross_eval.training.recipes import Launch, Recipe, load_recipe, with_changes
from egocross_eval.training.testbed_leaks import check_leaks
from egocross_eval.training.trainer_arguments import check_numbers, read_overrides, refuse_risky
from egocross_eval.training.trainer_config import configuration
from egocross_eval.training.traps import check_traps

LEAST_PIXELS = 32 * 32
"""LLaMA-Factory's own default of `image_min_pixels`: one token of Qwen3-VL."""

TRAINER_SEED = 42
"""LLaMA-Factory's own default: `--seed 0` leaves it, and another seed gives other adapters and another order."""


class TrainPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything decided, nothing written or trained yet."""

    options: TrainOptions
    recipe: Recipe
    launch: Launch
    checkpoint: Checkpoint
    renderer: Renderer
    style_hash: str
    """Hash of the user's template file; empty for a named style."""
    examples: Examples
    trained: tuple[Rendered, ...]
    """The dataset in its order, all passes."""
    findings: tuple[Finding, ...]
    lengths: tuple[tuple[str, int], ...]
    """Question and estimated tokens, each example once."""
    size: ModelSize | None

    @property
    def prompt(self) -> PromptSettings:
        """How questions are shown, in training and in the evaluation that matches."""
        return self.renderer.settings

    @property
    def steps(self) -> int:
        """Optimizer steps in all."""
        return optimizer_steps(len(self.trained), self.recipe.arguments, self.launch.workers)

    @property
    def longest(self) -> int:
        """Estimated tokens of the longest example; 0 where they aren't known."""
        return max((tokens for _, tokens in self.lengths), default=0)

    @property
    def config(self) -> dict[str, Any]:
        """LLaMA-Factory's configuration."""
        return configuration(
            self.recipe, self.launch, model=self.checkpoint.source, output=self.options.output.resolve()
        )

    @property
    def errors(self) -> list[Finding]:
        """Findings that stop the training."""
        return [finding for finding in self.findings if finding.level == "error"]


def plan_training(options: TrainOptions, registry: Registry) -> TrainPlan:
    """Reads and checks the examples and settles the configuration.

    Raises `UsageError` for unknown names and impossible values and `DataError` for malformed data; what the checks
    find is in `findings`.
    """
    recipe, launch = settle_recipe(options)
    checkpoint = Checkpoint(options.model)
    check_traps(recipe.arguments, str(checkpoint.config.get("model_type", "")))
    style, style_hash = resolve_style(options.prompt.style, registry)
    budget = int(recipe.arguments["image_max_pixels"]) if "image_max_pixels" in recipe.arguments else None
    shown = msgspec.structs.replace(options.prompt, style=style.name, max_pixels=budget)
    renderer = Renderer(style=style, settings=shown)
    check_style(style.name, renderer)
    examples = _examples(options, registry)
    trained = tuple(render_examples(ordered(examples.train, options.curriculum), renderer, examples.root))
    once = trained[: len(examples.train)]
    paths = [example.prompt.frame_paths() for example in once]
    findings = check_frames([example.question for example in once], paths)
    lengths: tuple[tuple[str, int], ...] = ()
    if not findings:
        lengths = estimate_lengths(once, checkpoint, renderer)
        findings += check_tokens(lengths, int(recipe.arguments.get("cutoff_len", 2048)))
    findings += check_letters([example.question for example in trained])
    findings += check_clips(examples)
    findings += check_times(examples.train, shown)
    findings += check_leaks(
        examples.train, paths, examples.data or examples.root.path, trainable(registry, options.tasks)
    )
    findings += check_address(launch)
    config = checkpoint.config
    return TrainPlan(
        options=options,
        recipe=recipe,
        launch=launch,
        checkpoint=checkpoint,
        renderer=renderer,
        style_hash=style_hash,
        examples=examples,
        trained=trained,
        findings=tuple(findings),
        lengths=lengths,
        size=model_size(config) if "hidden_size" in (config.get("text_config") or config) else None,
    )


def settle_recipe(options: TrainOptions) -> tuple[Recipe, Launch]:
    """The recipe with all changes, and on what it is launched. Raises `UsageError` for impossible values."""
    recipe = load_recipe(options.recipe)
    source, changes = f"recipe {options.recipe}", read_overrides(options.changes)
    refuse_risky(recipe.arguments, source, typed=changes)
    kept = {name: value for name, value in recipe.arguments.items() if name not in changes}
    check_numbers(kept, source)
    check_numbers(changes, "--set")
    changes |= _pixel_limits({**kept, **changes}, changes, options.prompt.max_pixels)
    if options.curriculum.passes > 1 or options.curriculum.reorders:
        # LLaMA-Factory deals all passes out at random otherwise.
        changes.setdefault("disable_shuffling", True)
    if "seed" not in recipe.arguments:
        changes.setdefault("seed", _trainer_seed(options.curriculum.seed))
    return with_changes(recipe, changes), settle_launch(options, recipe.launch)


def _trainer_seed(seed: int) -> int:
    if not RANGES["seed"].holds(TRAINER_SEED + seed):
        raise UsageError(f"--seed {seed}: the trainer's is {TRAINER_SEED} more, which must be {RANGES['seed']}")
    return TRAINER_SEED + seed


def _pixel_limits(arguments: Mapping[str, Any], changes: Mapping[str, Any], budget: int | None) -> dict[str, int]:
    """What `--max-pixels` changes of the arguments. Raises `UsageError` for limits that contradict each other."""
    found = {} if budget is None else {"image_max_pixels": budget}
    if budget is not None and changes.get("image_max_pixels", budget) != budget:
        raise UsageError(
            f"--max-pixels {budget} and --set image_max_pixels={changes['image_max_pixels']} contradict each "
            f"other: they are the same limit; name it once"
        )
    least, most = arguments.get("image_min_pixels"), budget or arguments.get("image_max_pixels")
    if least is None or most is None or least <= most:
        return found
    if "image_min_pixels" in changes:
        raise UsageError(f"--set: image_min_pixels={least} is above the pixels that a frame may have, {most}")
    return {**found, "image_min_pixels": min(LEAST_PIXELS, int(most))}


def _examples(options: TrainOptions, registry: Registry) -> Examples:
    benchmark = trainable(registry, options.tasks)
    examples = read_examples(
        options.data,
        benchmark=benchmark,
        questions_file=options.questions_file,
        domains=options.domains,
        split=options.split,
        leave_out_wrong_clips=options.drop_wrong_clips,
        limit=options.limit,
    )
    if not options.tasks:
        return examples
    from egocross_eval.contracts.task import DataSource
    from egocross_eval.tasks.select import load_questions, select_tasks

    tasks = select_tasks(",".join(options.tasks), registry)
    assert benchmark.training is not None
    source = DataSource(root=options.data, split=benchmark.training.examples, questions_file=options.questions_file)
    chosen = {question.key for question in load_questions(tasks, source).questions}
    train = tuple(question for question in examples.train if question.key in chosen)
    held = tuple(question for question in examples.holdout if question.key in chosen)
    if not train:
        raise DataError(f"{examples.files[0]} has no example of {', '.join(options.tasks)}")
    return msgspec.structs.replace(examples, train=train, holdout=held)


def estimate_lengths(
    once: Sequence[Rendered], checkpoint: Checkpoint, renderer: Renderer
) -> tuple[tuple[str, int], ...]:
    """Estimated tokens of each example: exact for its frames, by characters for its text."""
    limits = processor_limits(checkpoint)
    from egocross_eval.model_adapters.checkpoints.decoding import read_size

    sizes: dict[str, int] = {}
    found = []
    for example in once:
        tokens = text_tokens(sum(len(text) for _, text in prompt_text(example.prompt))) + 16
        for path in example.prompt.frame_paths():
            if path not in sizes:
                sizes[path] = (
                    0
                    if limits is None
                    else limits.tokens(limits.asked(read_size(path), renderer.settings.max_pixels)) + 2
                )
            tokens += sizes[path]
        found.append((example.question.key, int(tokens)))
    return tuple(found)
