"""A whole experiment: train an expert per domain, evaluate base and experts, compare, and join them by a routed model.

Every step leaves its result in the experiment's folder and is left out where it's there: an interrupted experiment goes
on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from egocross_eval.errors import UsageError, unknown
from egocross_eval.tasks.egocross.catalogue import DOMAINS
from egocross_eval.training.dataset import Curriculum
from egocross_eval.training.examples import Split
from egocross_eval.training.plan import TrainOptions

Say = Callable[[str], None]


class TrainingPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the experts are trained; the names are those of `egocross-eval train`."""

    recipe: str = "lora"
    set: dict[str, Any] = {}
    questions: str | None = None
    style: str = "letter"
    frames: str = "all"
    timestamps: bool = False
    max_pixels: int | None = None
    holdout: float = 0.0
    seed: int = 0
    passes: int = 1
    shuffle_options: tuple[float, float] | None = None
    drop_wrong_clips: bool = False
    gpus: int | None = None
    deepspeed: str | None = None
    merge: bool = False
    """Whether LoRA adapters are merged and evaluated as checkpoints."""


class EvaluationPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the models are asked."""

    on: Literal["testbed", "holdout"] = "testbed"
    tasks: str = "all"
    answer: Literal["generate", "choose"] = "generate"
    engine: Literal["hf", "vllm"] = "hf"
    options: dict[str, str] = {}
    """Options of the model spec, e.g. `batch_size: "8"`."""
    limit: int | None = None


class Experiment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The YAML file."""

    model: str
    """The base: a folder or a name on the Hub."""
    data: str
    output: str
    domains: tuple[str, ...] = tuple(DOMAINS)
    train: TrainingPart = TrainingPart()
    evaluate: EvaluationPart = EvaluationPart()


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What an experiment left."""

    experts: dict[str, Path]
    """Adapter or checkpoint by domain."""
    routed: Path
    leaderboard: Path
    comparison: Path


def read_experiment(path: Path) -> Experiment:
    """Reads the file; paths in it are relative to its folder. Raises `UsageError` naming file and field."""
    try:
        found = msgspec.yaml.decode(path.read_bytes(), type=Experiment)
    except OSError as error:
        raise UsageError(f"experiment file {path}: {error.strerror or error}") from error
    except msgspec.DecodeError as error:
        raise UsageError(f"experiment file {path}: {error}") from error
    for domain in found.domains:
        if domain not in DOMAINS:
            raise unknown("domain", domain, DOMAINS)
    if found.evaluate.on == "holdout" and not found.train.holdout:
        raise UsageError(f"experiment file {path}: to evaluate on the holdout, set train.holdout, e.g. 0.3")
    base = path.resolve().parent
    model = found.model
    if (base / model).is_dir():
        model = str((base / model).resolve())
    return msgspec.structs.replace(
        found, model=model, data=str((base / found.data).resolve()), output=str((base / found.output).resolve())
    )


def train_options(experiment: Experiment, domain: str) -> TrainOptions:
    """The training of one domain's expert."""
    part = experiment.train
    start, end = part.shuffle_options or (0.0, 0.0)
    if part.shuffle_options is not None:
        end = max(end, 1e-9)
    return TrainOptions(
        model=experiment.model,
        data=Path(experiment.data),
        output=Path(experiment.output) / "experts" / domain,
        questions_file=Path(experiment.data) / part.questions if part.questions else None,
        domains=(domain,),
        recipe=part.recipe,
        changes=tuple(f"{key}={value}" for key, value in part.set.items()),
        style=part.style,
        frames=part.frames,
        timestamps=part.timestamps,
        max_pixels=part.max_pixels,
        split=Split(holdout=part.holdout, seed=part.seed),
        drop_wrong_clips=part.drop_wrong_clips,
        curriculum=Curriculum(passes=part.passes, sort_until=start, shuffle_from=end, seed=part.seed),
        gpus=part.gpus,
        deepspeed=part.deepspeed,
    )


def conduct(
    experiment: Experiment,
    train_one: Callable[[TrainOptions], Path],
    merge_one: Callable[[Path, Path], Path],
    evaluate_one: Callable[[str, Path, Mapping[str, Any]], None],
    say: Say,
) -> Made:
    """Carries the experiment out; the three functions train, merge and run, each resuming by itself.

    `evaluate_one` gets a model spec, the run folder and the fields of `RunOptions`.
    """
    output = Path(experiment.output)
    experts: dict[str, Path] = {}
    for domain in experiment.domains:
        say(f"training the expert of {domain}")
        experts[domain] = train_one(train_options(experiment, domain))
        if experiment.train.merge and (experts[domain] / "adapter_config.json").is_file():
            merged = output / "experts" / domain / "merged"
            if not (merged / "config.json").is_file():
                say(f"merging the expert of {domain}")
                merge_one(experts[domain], merged)
            experts[domain] = merged
    routed = _write_routes(experiment, experts)
    runs = output / "runs"
    specs = {"base": expert_spec(experiment, None), **{d: expert_spec(experiment, p) for d, p in experts.items()}}
    specs["routed"] = f"routed:{routed},name=routed experts"
    chosen = (
        [name for name in specs if name in ("base", "routed")] if experiment.evaluate.on == "testbed" else list(specs)
    )
    done: dict[str, list[Path]] = {"base": [], "tuned": []}
    for domain, settings in _asked(experiment).items():
        for name in chosen:
            if name in experiment.domains and name != domain:
                continue
            if name == "routed" and experiment.evaluate.on == "holdout":
                continue
            folder = runs / (name if domain == "all" else f"{name}-on-{domain}")
            say(f"evaluating {name}" + ("" if domain == "all" else f" on {domain}"))
            evaluate_one(specs[name], folder, settings)
            done["base" if name == "base" else "tuned"].append(folder)
    leaderboard, comparison = _report(output, done)
    return Made(experts=experts, routed=routed, leaderboard=leaderboard, comparison=comparison)


def expert_spec(experiment: Experiment, model: Path | None) -> str:
    """The model spec of the base (None) or of an expert, adapter or checkpoint."""
    part = experiment.evaluate
    options = dict(part.options)
    target = experiment.model
    if model is not None and (model / "adapter_config.json").is_file():
        options["lora"] = str(model)
    elif model is not None:
        target = str(model)
    return ",".join([f"{part.engine}:{target}", *(f"{key}={value}" for key, value in options.items())])


def _write_routes(experiment: Experiment, experts: Mapping[str, Path]) -> Path:
    import yaml

    path = Path(experiment.output) / "routed.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    routes = {
        "by": "domain",
        "models": {domain: expert_spec(experiment, model) for domain, model in experts.items()},
        "default": expert_spec(experiment, None),
    }
    path.write_text(yaml.safe_dump(routes, sort_keys=False), encoding="utf-8")
    return path


def _asked(experiment: Experiment) -> dict[str, dict[str, Any]]:
    """Run options by part of the questions: the testbed at once, held-out examples domain by domain."""
    part, shown = experiment.evaluate, experiment.train
    settings: dict[str, Any] = {
        "data": Path(experiment.data),
        "tasks": part.tasks,
        "answer": part.answer,
        "limit": part.limit,
        "style": shown.style,
        "frames": shown.frames,
        "timestamps": shown.timestamps,
        "max_pixels": budget(experiment),
    }
    if part.on == "testbed":
        return {"all": settings}
    return {
        domain: {
            **settings,
            "split": "support",
            "questions_file": Path(experiment.output) / "experts" / domain / "data" / "holdout.json",
        }
        for domain in experiment.domains
    }


def budget(experiment: Experiment) -> int | None:
    """Pixels of a frame in training, which evaluation keeps to."""
    from egocross_eval.training.recipes import load_recipe

    if experiment.train.max_pixels is not None:
        return experiment.train.max_pixels
    arguments = {**load_recipe(experiment.train.recipe).arguments, **experiment.train.set}
    found = arguments.get("image_max_pixels")
    return int(found) if found is not None else None


def _report(output: Path, done: Mapping[str, list[Path]]) -> tuple[Path, Path]:
    """The leaderboard of all runs, and each tuned run against the base on the same questions."""
    from egocross_eval.leaderboard.collect import rows_from
    from egocross_eval.leaderboard.comparison_table import comparisons_markdown
    from egocross_eval.leaderboard.files import replace_file
    from egocross_eval.leaderboard.render import render
    from egocross_eval.runs.store import RunFolder
    from egocross_eval.scoring.comparison import ComparedRun, compare_all

    leaderboard, comparison = output / "leaderboard.md", output / "comparison.md"
    rows = rows_from([*done["base"], *done["tuned"]], relative_to=output)
    replace_file(leaderboard, render(rows, "md", intervals="half-width").encode())
    texts = []
    for base in done["base"]:
        first = RunFolder(base)
        mates = [
            path for path in done["tuned"] if RunFolder(path).record().questions_hash == first.record().questions_hash
        ]
        runs = [
            ComparedRun(label=path.name, record=RunFolder(path).record(), samples=tuple(RunFolder(path).samples()))
            for path in (base, *mates)
        ]
        if mates:
            texts.append(comparisons_markdown(compare_all(runs)))
    replace_file(comparison, "\n".join(texts).encode())
    return leaderboard, comparison
