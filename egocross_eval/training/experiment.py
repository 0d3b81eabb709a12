"""A whole experiment: train an expert per domain, evaluate base and experts, compare, and join them by a routed model.

Every step leaves its result in the experiment's folder and is left out where it's there: an interrupted experiment goes
on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.files import write_file
from egocross_eval.training.environment import Say
from egocross_eval.training.experiment_file import Experiment, budget, train_options
from egocross_eval.training.options import TrainOptions


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What an experiment left."""

    experts: dict[str, Path]
    """Adapter or checkpoint by domain."""
    routed: Path
    leaderboard: Path
    comparison: Path


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
        [name for name in specs if name in ("base", "routed")]
        if experiment.evaluate.split == "testbed"
        else list(specs)
    )
    done: dict[str, list[Path]] = {"base": [], "tuned": []}
    for domain, settings in _asked(experiment).items():
        for name in chosen:
            if name in experiment.domains and name != domain:
                continue
            if name == "routed" and experiment.evaluate.split == "holdout":
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
    write_file(path, yaml.safe_dump(routes, sort_keys=False))
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
    if part.split == "testbed":
        return {"all": settings}
    return {
        domain: {
            **settings,
            "split": "support",
            "questions_file": Path(experiment.output) / "experts" / domain / "data" / "holdout.json",
        }
        for domain in experiment.domains
    }


def _report(output: Path, done: Mapping[str, list[Path]]) -> tuple[Path, Path]:
    """The leaderboard of all runs, and each tuned run against the base on the same questions."""
    from egocross_eval.leaderboard.collect import rows_from
    from egocross_eval.leaderboard.comparison_table import comparisons_markdown
    from egocross_eval.leaderboard.render import render
    from egocross_eval.runs.store import RunFolder
    from egocross_eval.scoring.comparison import ComparedRun, compare_all

    leaderboard, comparison = output / "leaderboard.md", output / "comparison.md"
    rows = rows_from([*done["base"], *done["tuned"]], relative_to=output)
    write_file(leaderboard, render(rows, "md", intervals="half-width").encode())
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
    write_file(comparison, "\n".join(texts).encode())
    return leaderboard, comparison
