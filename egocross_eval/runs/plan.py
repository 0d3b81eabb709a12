"""A run before anything is asked: which questions, how they're worded, by which model, and whether that can work."""

from __future__ import annotations

import hashlib
import os
import random
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from egocross_eval import __version__
from egocross_eval.contracts.model import ModelAdapter
from egocross_eval.contracts.registry import Registry
from egocross_eval.contracts.style import PromptStyle
from egocross_eval.contracts.task import DataSource, Questions
from egocross_eval.errors import DataError, UsageError
from egocross_eval.frames.roots import DataRoot
from egocross_eval.model_adapters.spec import ModelSpec, adapter_type
from egocross_eval.prompts.renderer import Renderer
from egocross_eval.prompts.selection import FrameSelection
from egocross_eval.prompts.styles import TEMPLATE_SUFFIXES, template_style
from egocross_eval.runs.votes import check_votes
from egocross_eval.schema import (
    SCHEMA_VERSION,
    AnswerMode,
    GenerationSettings,
    Media,
    ModelRecord,
    Question,
    RunRecord,
    RunSettings,
)
from egocross_eval.tasks.select import load_questions, select_tasks

DATA_VARIABLE = "EGOCROSS_DATA"


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line and `evaluate` have in common."""

    tasks: str = "all"
    split: str = "testbed"
    data: Path | None = None
    questions_file: Path | None = None
    answers_file: Path | None = None
    style: str = "letter"
    frames: str = "all"
    shuffled: bool = False
    media: Media = "images"
    timestamps: bool = False
    max_pixels: int | None = None
    answer: AnswerMode = "generate"
    max_new_tokens: int = 1024
    temperature: float = 0.0
    top_p: float = 1.0
    limit: int | None = None
    seed: int = 0
    votes: str = ""
    cache: bool = True

    def source(self) -> DataSource:
        """Where the data lie; the demo split without a root is written to the user's cache at first use.

        Raises `DataError` where no root is given or it isn't a folder.
        """
        root = self.data or (Path(os.environ[DATA_VARIABLE]) if os.environ.get(DATA_VARIABLE) else None)
        if self.split == "demo" and self.data is None:
            from egocross_eval.tasks.egocross.demo.cache import demo_root

            root = demo_root()
        if root is None:
            raise DataError(
                f"no data root: pass --data ROOT or set {DATA_VARIABLE} to the folder that holds egocross_testbed/ "
                f"(without the data, try --split demo)"
            )
        if not root.is_dir():
            raise DataError(f"the data root {root} is not a folder")
        return DataSource(
            root=root, split=self.split, questions_file=self.questions_file, answers_file=self.answers_file
        )


class RunPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything decided, nothing asked yet."""

    questions: tuple[Question, ...]
    root: DataRoot
    renderer: Renderer
    settings: RunSettings
    data_hashes: dict[str, str]
    warnings: tuple[str, ...]

    def record(self, spec: ModelSpec, adapter: ModelAdapter, registry: Registry) -> RunRecord:
        """`run.json` for this plan and model."""
        fingerprint = adapter.fingerprint()
        known = spec.scheme in registry.model_adapters  # not so for an adapter that a program made itself
        neutral = adapter_type(spec, registry).neutral_options if known else frozenset()
        return RunRecord(
            schema_version=SCHEMA_VERSION,
            model=ModelRecord(
                spec=spec.text,
                identity=spec.without(neutral),
                fingerprint=fingerprint or "",
                name=spec.display_name,
                details=adapter.details(),
            ),
            settings=self.settings,
            data_root=str(self.root.path),
            data_hashes=self.data_hashes,
            question_count=len(self.questions),
            questions_hash=questions_hash(self.questions),
            created_at=utc_now(),
            versions=_versions(),
            plugins={p.distribution: p.version for p in registry.plugins if p.error is None},
        )


def utc_now() -> str:
    """The time as samples and records carry it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _versions() -> dict[str, str]:
    import platform

    return {"egocross-eval": __version__, "python": platform.python_version()}


def questions_hash(questions: tuple[Question, ...]) -> str:
    """SHA-256 of the questions without what is known of their answers."""
    digest = hashlib.sha256()
    encoder = msgspec.msgpack.Encoder()
    for question in questions:
        asked = msgspec.structs.replace(question, answer=None, answer_text=None, detailed_answer=None)
        digest.update(encoder.encode(asked))
    return digest.hexdigest()


def resolve_style(name: str, registry: Registry) -> tuple[PromptStyle, str]:
    """The style of a name or of a template file, and the file's hash (empty for a name)."""
    if name.endswith(TEMPLATE_SUFFIXES):
        return template_style(Path(name))
    return registry.prompt_style(name), ""


def _limited(questions: tuple[Question, ...], limit: int | None, seed: int) -> tuple[Question, ...]:
    """`limit` questions drawn by the seed over all of them, so that a small run sees every domain; order is kept."""
    if limit is None or limit >= len(questions):
        return questions
    if limit < 1:
        raise UsageError(f"--limit {limit}: at least 1")
    # Not for secrets: a repeatable draw.
    chosen = sorted(random.Random(seed).sample(range(len(questions)), limit))  # noqa: S311
    return tuple(questions[index] for index in chosen)


def plan_run(options: RunOptions, registry: Registry) -> RunPlan:
    """Loads the questions and settles how they are asked.

    Raises `UsageError` for unknown names and impossible values, `DataError` for missing data.
    """
    tasks = select_tasks(options.tasks, registry)
    if options.max_pixels is not None and options.max_pixels < 1:
        raise UsageError(f"--max-pixels {options.max_pixels}: at least 1")
    if options.max_new_tokens < 1:
        raise UsageError(f"--max-new-tokens {options.max_new_tokens}: at least 1")
    if options.temperature < 0 or not 0 < options.top_p <= 1:
        raise UsageError(f"--temperature {options.temperature} must be 0 or more, --top-p {options.top_p} in (0, 1]")
    generation = GenerationSettings(
        answer_mode=options.answer,
        max_new_tokens=options.max_new_tokens,
        temperature=options.temperature,
        top_p=options.top_p,
        seed=options.seed,
    )
    check_votes(options.votes, generation)
    if options.shuffled and (options.timestamps or options.media == "video"):
        raise UsageError(
            "shuffled frames can't carry their times: use neither --timestamps nor --media video with them"
        )
    style, style_hash = resolve_style(options.style, registry)
    selection = FrameSelection.parse(options.frames)
    renderer = Renderer(
        style=style,
        selection=selection,
        media=options.media,
        timestamps=options.timestamps,
        max_pixels=options.max_pixels,
        shuffle_seed=options.seed if options.shuffled else None,
    )
    loaded: Questions = load_questions(tasks, options.source())
    questions = _limited(loaded.questions, options.limit, options.seed)
    for question in questions:
        renderer.check(question)
        if style_hash:
            renderer.words(question)
    return RunPlan(
        questions=questions,
        root=DataRoot(loaded.root),
        renderer=renderer,
        settings=RunSettings(
            tasks=tuple(task.name for task in tasks),
            split=options.split,
            style=style.name,
            style_hash=style_hash,
            frames=options.frames,
            shuffled=options.shuffled,
            media=options.media,
            timestamps=options.timestamps,
            max_pixels=options.max_pixels,
            generation=generation,
            limit=options.limit,
            seed=options.seed,
            votes=options.votes,
        ),
        data_hashes={path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in loaded.files},
        warnings=loaded.warnings,
    )


def check_capabilities(plan: RunPlan, adapter: ModelAdapter, scheme: str) -> None:
    """Refuses, before anything is asked, what the adapter can't do."""
    can = adapter.capabilities()
    if plan.settings.generation.answer_mode == "choose" and not can.scores:
        raise UsageError(f"{scheme}: can't compare log-probabilities here; use --answer generate")
    if plan.settings.generation.answer_mode == "constrained" and not can.constrained:
        other = "choose or generate" if can.scores else "generate"
        raise UsageError(f"{scheme}: can't constrain decoding to the letters here; use --answer {other}")
    if plan.settings.frames == "none" or not can.needs_content:
        return
    if plan.settings.media == "video" and not can.video:
        raise UsageError(
            f"{scheme}: takes no video here; use --media images, or an option of `egocross-eval models show {scheme}`"
        )
    if plan.settings.media == "images" and not can.images:
        raise UsageError(f"{scheme}: takes no images; use --media video, or --frames none for the blind baseline")
    if can.max_images is not None and plan.settings.media == "images":
        most = max((len(plan.renderer.selection.apply(question.frames)) for question in plan.questions), default=0)
        if most > can.max_images:
            raise UsageError(
                f"{scheme}: takes at most {can.max_images} images, and a question has {most} frames; "
                f"use --frames uniform:{can.max_images}"
            )
