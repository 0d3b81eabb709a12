"""A training before it's started: examples, dataset, configuration, checks and estimates."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.contracts.registry import Registry
from egocross_eval.errors import DataError, UsageError
from egocross_eval.model_adapters.hf.checkpoint import Checkpoint
from egocross_eval.prompts.renderer import Renderer, prompt_text
from egocross_eval.prompts.selection import FrameSelection
from egocross_eval.runs.plan import resolve_style
from egocross_eval.training import checks
from egocross_eval.training.card import Evaluation
from egocross_eval.training.dataset import (
    NAME,
    Curriculum,
    FrameCopies,
    Rendered,
    as_item,
    check_style,
    ordered,
    render_examples,
    write_dataset,
    write_holdout,
)
from egocross_eval.training.examples import Examples, Split, read_examples
from egocross_eval.training.launching import configuration, zero_config
from egocross_eval.training.recipes import Launch, Recipe, load_recipe, read_overrides, with_changes
from egocross_eval.training.sizing import processor_limits, read_config
from egocross_eval.training.steps import ModelSize, model_size, optimizer_steps

CONFIG_NAME = "config.yaml"
"""LLaMA-Factory's configuration in the output folder."""

LEAST_PIXELS = 32 * 32
"""LLaMA-Factory's own default of `image_min_pixels`: one token of Qwen3-VL."""

CHARACTERS_PER_TOKEN = 3.5
"""A cautious figure for English text with option letters."""


class TrainOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line, experiments and Python callers choose."""

    model: str
    data: Path
    output: Path
    questions_file: Path | None = None
    domains: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    """Names of tasks that examples must belong to; all where empty."""
    recipe: str = "lora"
    changes: tuple[str, ...] = ()
    """`key=value` pairs, as of `--set`."""
    style: str = "letter"
    frames: str = "all"
    timestamps: bool = False
    max_pixels: int | None = None
    """Pixel budget of each frame; None: the recipe's `image_max_pixels`."""
    split: Split = Split()
    drop_wrong_clips: bool = False
    limit: int | None = None
    curriculum: Curriculum = Curriculum()
    gpus: int | None = None
    """GPUs of each node; None: the recipe's number, 0: the CPU."""
    deepspeed: str | None = None
    nodes: int = 1
    rank: int = 0
    address: str = "127.0.0.1:29500"


class TrainPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything decided, nothing written or trained yet."""

    options: TrainOptions
    recipe: Recipe
    launch: Launch
    checkpoint: Checkpoint
    renderer: Renderer
    evaluation: Evaluation
    examples: Examples
    trained: tuple[Rendered, ...]
    """The dataset in its order, all passes."""
    findings: tuple[checks.Finding, ...]
    lengths: tuple[tuple[str, int], ...]
    """Question and estimated tokens, each example once."""
    size: ModelSize | None

    @property
    def steps(self) -> int:
        """Optimizer steps in all."""
        return optimizer_steps(len(self.trained), self.recipe.arguments, self.launch.workers)

    @property
    def config(self) -> dict[str, Any]:
        """LLaMA-Factory's configuration."""
        return configuration(
            self.recipe, self.launch, model=self.checkpoint.source, output=self.options.output.resolve()
        )

    @property
    def errors(self) -> list[checks.Finding]:
        """Findings that stop the training."""
        return [finding for finding in self.findings if finding.level == "error"]


def plan_training(options: TrainOptions, registry: Registry) -> TrainPlan:
    """Reads and checks the examples and settles the configuration.

    Raises `UsageError` for unknown names and impossible values and `DataError` for malformed data; what the checks
    find is in `findings`.
    """
    recipe, launch = _recipe(options)
    checkpoint = Checkpoint(options.model)
    style, style_hash = resolve_style(options.style, registry)
    budget = int(recipe.arguments["image_max_pixels"]) if "image_max_pixels" in recipe.arguments else None
    renderer = Renderer(
        style=style,
        selection=FrameSelection.parse(options.frames),
        timestamps=options.timestamps,
        max_pixels=budget,
    )
    check_style(style.name, renderer)
    examples = _examples(options, registry)
    trained = tuple(render_examples(ordered(examples.train, options.curriculum), renderer, examples.root))
    once = trained[: len(examples.train)]
    paths = [example.prompt.frame_paths() for example in once]
    questions = [example.question for example in once]
    findings = checks.check_frames(questions, paths)
    lengths: tuple[tuple[str, int], ...] = ()
    if not findings:
        lengths = _lengths(once, checkpoint, renderer)
        findings += checks.check_tokens(lengths, int(recipe.arguments.get("cutoff_len", 2048)))
    findings += checks.check_letters([example.question for example in trained])
    findings += checks.check_clips(examples)
    findings += checks.check_leaks(examples.train, paths, examples.root.path)
    config = checkpoint.config
    return TrainPlan(
        options=options,
        recipe=recipe,
        launch=launch,
        checkpoint=checkpoint,
        renderer=renderer,
        evaluation=Evaluation(
            style=style.name,
            style_hash=style_hash,
            frames=options.frames,
            timestamps=options.timestamps,
            max_pixels=budget,
        ),
        examples=examples,
        trained=trained,
        findings=tuple(findings),
        lengths=lengths,
        size=model_size(config) if "hidden_size" in (config.get("text_config") or config) else None,
    )


def _recipe(options: TrainOptions) -> tuple[Recipe, Launch]:
    recipe = load_recipe(options.recipe)
    changes = read_overrides(options.changes)
    if options.max_pixels is not None:
        if changes.get("image_max_pixels", options.max_pixels) != options.max_pixels:
            raise UsageError(
                f"--max-pixels {options.max_pixels} and --set image_max_pixels={changes['image_max_pixels']} "
                f"contradict each other: they are the same limit; name it once"
            )
        changes["image_max_pixels"] = options.max_pixels
        least = recipe.arguments.get("image_min_pixels")
        if isinstance(least, int) and least > options.max_pixels and "image_min_pixels" not in changes:
            changes["image_min_pixels"] = min(LEAST_PIXELS, options.max_pixels)
    launch = recipe.launch
    gpus = launch.gpus if options.gpus is None else options.gpus
    if gpus < 0 or options.nodes < 1:
        raise UsageError(f"--gpus {gpus} must be 0 or more, --nodes {options.nodes} 1 or more")
    deepspeed = options.deepspeed or ("none" if gpus == 0 else launch.deepspeed)
    launch = msgspec.convert(
        {
            "gpus": gpus,
            "deepspeed": deepspeed,
            "nodes": options.nodes,
            "rank": options.rank,
            "address": options.address,
        },
        Launch,
    )
    return with_changes(recipe, changes), launch


def _examples(options: TrainOptions, registry: Registry) -> Examples:
    examples = read_examples(
        options.data,
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
    source = DataSource(root=options.data, split="support", questions_file=options.questions_file)
    chosen = {question.question_id for question in load_questions(tasks, source).questions}
    train = tuple(question for question in examples.train if question.question_id in chosen)
    held = tuple(question for question in examples.holdout if question.question_id in chosen)
    if not train:
        raise DataError(f"{examples.files[0]} has no example of {', '.join(options.tasks)}")
    return msgspec.structs.replace(examples, train=train, holdout=held)


def _lengths(once: Sequence[Rendered], checkpoint: Checkpoint, renderer: Renderer) -> tuple[tuple[str, int], ...]:
    """Estimated tokens of each example: exact for its frames, by characters for its text."""
    limits = processor_limits(checkpoint)
    from egocross_eval.model_adapters.hf.media import read_size

    sizes: dict[str, int] = {}
    found = []
    for example in once:
        tokens = sum(len(text) for _, text in prompt_text(example.prompt)) / CHARACTERS_PER_TOKEN + 16
        for path in example.prompt.frame_paths():
            if path not in sizes:
                sizes[path] = (
                    0 if limits is None else limits.tokens(limits.asked(read_size(path), renderer.max_pixels)) + 2
                )
            tokens += sizes[path]
        found.append((example.question.question_id, int(tokens)))
    return tuple(found)


def identity(plan: TrainPlan) -> str:
    """Hash of everything that decides what is learnt: a folder made with another one is never gone on with."""
    parts = [
        plan.checkpoint.source,
        {k: v for k, v in plan.recipe.arguments.items() if not k.startswith(("save_", "logging_", "plot_"))},
        [plan.launch.gpus * plan.launch.nodes, plan.launch.deepspeed],
        msgspec.to_builtins(plan.evaluation),
        [
            [example.question.question_id, list(example.question.options.values()), example.answer]
            for example in plan.trained
        ],
    ]
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What `write_files` wrote."""

    config: Path
    hashes: dict[str, str]
    """SHA-256 of the files read and of the dataset."""
    copied: int
    """Frames of which a scaled copy was made."""
    holdout: Path | None


def write_files(plan: TrainPlan) -> Written:
    """Writes dataset, held-out examples, DeepSpeed's file and LLaMA-Factory's configuration below the output."""
    import json

    import yaml

    output = plan.options.output.resolve()
    data = output / "data"
    arguments = plan.recipe.arguments
    frames = FrameCopies(
        data / "frames",
        processor_limits(plan.checkpoint),
        plan.renderer.max_pixels,
        (int(arguments.get("image_min_pixels", 32 * 32)), int(arguments.get("image_max_pixels", 768 * 768))),
    )
    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in plan.examples.files}
    hashes |= write_dataset(data, {NAME: [as_item(example, frames) for example in plan.trained]})
    held = plan.examples.holdout
    holdout = write_holdout(data, held, plan.examples.files) if held else None
    if plan.launch.deepspeed != "none":
        text = json.dumps(zero_config(plan.launch.deepspeed), indent=2)
        (output / f"{plan.launch.deepspeed}.json").write_text(text + "\n", encoding="utf-8")
    config = output / CONFIG_NAME
    config.write_text(yaml.safe_dump(plan.config, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return Written(config=config, hashes=hashes, copied=frames.copied, holdout=holdout)


def base_revision(checkpoint: Checkpoint) -> str:
    """Commit of a base on the Hub, or the hash of a folder."""
    if checkpoint.folder is None:
        return checkpoint.commit or ""
    from egocross_eval.model_adapters.hf.identity import folder_hash

    return folder_hash(checkpoint.folder)


__all__ = [
    "CONFIG_NAME",
    "TrainOptions",
    "TrainPlan",
    "Written",
    "base_revision",
    "identity",
    "plan_training",
    "read_config",
    "write_files",
]
