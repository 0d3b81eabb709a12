"""A whole experiment: train an expert per domain, evaluate base and experts, compare, and join them by a routed model.

Every step leaves its result in the experiment's folder and is left out where it's there: an interrupted experiment goes
on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.documents import yaml_text
from egocross_eval.files import write_file
from egocross_eval.model_adapters.spec import ModelSpec
from egocross_eval.runs.options import options_from
from egocross_eval.settings import GenerationSettings, options_of
from egocross_eval.sweeps.planned import PlannedRun
from egocross_eval.training.environment import Say
from egocross_eval.training.experiment_file import Experiment, Expert, budget, experts_of, train_options
from egocross_eval.training.experiment_report import Asked, write_reports
from egocross_eval.training.options import TrainOptions


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What an experiment left."""

    experts: dict[str, Path]
    """Adapter or checkpoint by the name of its expert: the domain, with fold and seed where there are several."""
    routed: Path | None
    """The file that joins the experts; None where a domain has several."""
    reports: tuple[Path, ...]
    """The leaderboard, the comparison with the base, and for several experts a domain their mean and spread."""


def conduct(
    experiment: Experiment,
    train_one: Callable[[TrainOptions], Path],
    merge_one: Callable[[Path, Path], Path],
    evaluate_all: Callable[[Sequence[PlannedRun]], object],
    say: Say,
) -> Made:
    """Carries the experiment out; the functions train, merge and make the runs, each going on where it was."""
    trained: dict[str, Path] = {}
    for expert in experts_of(experiment):
        say(f"training the expert of {expert.name}")
        model = train_one(train_options(experiment, expert))
        trained[expert.name] = _merged(experiment, expert, model, merge_one, say)
    several = len(trained) > len(experiment.domains)
    routed = None if several else _write_routes(experiment, trained)
    planned = {run.folder.name: (run, asked) for run, asked in _planned(experiment, trained, routed)}
    evaluate_all([run for run, _ in planned.values()])
    reports = write_reports(Path(experiment.output), [asked for _, asked in planned.values()], spread=several)
    return Made(experts=trained, routed=routed, reports=reports)


def _planned(
    experiment: Experiment, trained: Mapping[str, Path], routed: Path | None
) -> Iterator[tuple[PlannedRun, Asked]]:
    """The runs of base and experts, and what each is in the reports; those of a base are there again for each seed."""

    def plan(
        spec: str, name: str, settings: Mapping[str, Any], domain: str = "", repeat: int | None = None
    ) -> tuple[PlannedRun, Asked]:
        folder = Path(experiment.output) / "runs" / name
        run = PlannedRun(name=name, model=spec, options=options_from(**settings), folder=folder)
        return run, Asked(folder=folder, domain=domain, repeat=repeat)

    base = expert_spec(experiment, None)
    if experiment.evaluate.split == "testbed":
        yield plan(base, "base", run_options(experiment))
        joined = ModelSpec(scheme="routed", target=str(routed), name="routed experts").typed
        yield plan(joined, "routed", run_options(experiment), repeat=0)
        return
    for expert in experts_of(experiment):
        settings = run_options(experiment, expert)
        yield plan(base, f"base-on-{expert.part}", settings, expert.domain)
        spec = expert_spec(experiment, trained[expert.name])
        yield plan(spec, f"{expert.name}-on-{expert.part}", settings, expert.domain, expert.repeat)


def _merged(
    experiment: Experiment, expert: Expert, model: Path, merge_one: Callable[[Path, Path], Path], say: Say
) -> Path:
    """The model to evaluate: an adapter is merged where the experiment says so, unless that is done already."""
    if not experiment.train.merge or not (model / "adapter_config.json").is_file():
        return model
    merged = Path(experiment.output) / "experts" / expert.name / "merged"
    if not (merged / "config.json").is_file():
        say(f"merging the expert of {expert.name}")
        merge_one(model, merged)
    return merged


def expert_spec(experiment: Experiment, model: Path | None) -> str:
    """The model spec of the base (None) or of an expert, adapter or checkpoint."""
    part = experiment.evaluate
    options = dict(part.options)
    target = experiment.model
    if model is not None and (model / "adapter_config.json").is_file():
        options["lora"] = str(model)
    elif model is not None:
        target = str(model)
    return ModelSpec(scheme=part.engine, target=target, options=options).typed


def _write_routes(experiment: Experiment, experts: Mapping[str, Path]) -> Path:
    path = Path(experiment.output) / "routed.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    routes = {
        "by": "domain",
        "models": {domain: expert_spec(experiment, model) for domain, model in experts.items()},
        "default": expert_spec(experiment, None),
    }
    write_file(path, yaml_text(routes))
    return path


def run_options(experiment: Experiment, expert: Expert | None = None) -> dict[str, Any]:
    """How models are asked, as fields of `RunOptions`: the testbed, or what was held out for an expert."""
    part = experiment.evaluate
    shown = msgspec.structs.replace(experiment.train.prompt, max_pixels=budget(experiment))
    generation = {known.name: getattr(part.generation, known.field) for known in options_of(GenerationSettings)}
    settings: dict[str, Any] = {
        "data": experiment.root,
        "tasks": part.tasks,
        "method": part.method,
        "limit": part.limit,
        **msgspec.structs.asdict(shown),
        **generation,
    }
    if expert is None:
        return settings
    first = msgspec.structs.replace(expert, repeat=0)
    held_out = Path(experiment.output) / "experts" / first.name / "data" / "holdout.json"
    return {**settings, "split": "support", "questions": held_out}
