"""The YAML file of an experiment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from egocross_eval.contracts.registry import registry
from egocross_eval.documents import Place, explained, fault_keys, read_place, read_yaml
from egocross_eval.errors import DataError, UsageError, unknown
from egocross_eval.methods.select import build_method
from egocross_eval.model_adapters.spec import ModelSpec, adapter_type, refuse_untyped
from egocross_eval.settings import GenerationSettings, PromptSettings, joined_paths, options_of, parted_paths
from egocross_eval.tasks.select import select_tasks
from egocross_eval.training.curriculum import Curriculum
from egocross_eval.training.environment import Say
from egocross_eval.training.examples import Split, trainable
from egocross_eval.training.options import TrainOptions
from egocross_eval.training.recipes import recipe_names
from egocross_eval.training.trainer_arguments import check_numbers, read_overrides, refuse_risky


class TrainingPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the experts are trained; the names are those of `egocross-eval train`."""

    recipe: str = "lora"
    set: dict[str, Any] = {}
    questions: str | None = None
    prompt: PromptSettings = PromptSettings()
    """How questions are shown; its fields (`frames`, `timestamps` ...) stand beside the others in the file."""
    holdout: float = 0.0
    folds: int = 0
    """Every fold is held out once, by an expert of its own; 0: one expert a domain."""
    seed: int = 0
    seeds: int = 1
    """Experts trained alike, but for the trainer's seed and the orders of options: what they differ by is chance."""
    passes: int = 1
    shuffle_options: tuple[float, float] | None = None
    drop_wrong_clips: bool = False
    gpus: int | None = None
    deepspeed: str | None = None
    merge: bool = False
    """Whether LoRA adapters are merged and evaluated as checkpoints."""


class EvaluationPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the models are asked."""

    split: Literal["testbed", "holdout"] = "testbed"
    """The testbed, or the examples that training held out."""
    tasks: str = "all"
    generation: GenerationSettings = GenerationSettings()
    """How models answer; its fields (`answer`, `max_new_tokens` ...) stand beside the others in the file."""
    method: str = ""
    """How each question is asked; with `rotate` the results say whether position or content was learnt."""
    engine: Literal["hf", "vllm"] = "hf"
    options: dict[str, str] = {}
    """Options of the model spec, e.g. `batch_size: "8"`."""
    limit: int | None = None


class Experiment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The YAML file."""

    model: str
    """The base: a folder or a name on the Hub."""
    data: str | tuple[str, ...]
    """Data root, or a list of them; as read, they are joined as `DataSource.root` has them."""
    output: str
    domains: tuple[str, ...] = ()
    """Groups of the benchmark's macro axis; by default all."""
    train: TrainingPart = TrainingPart()
    evaluate: EvaluationPart = EvaluationPart()

    @property
    def root(self) -> Path:
        """Data root, or several as `DataSource.root` has them."""
        return joined_paths(_listed(self.data))


def read_experiment(path: Path, say: Say = lambda text: None) -> Experiment:
    """Reads the file; paths in it are relative to its folder. `say` is told of fields under an old name.

    Raises `DataError` for what can't be read and `UsageError` for what can't be done, naming file and field.
    """
    content = _with_split(read_yaml(path, dict[str, Any], what="experiment file"), path, say)
    place = read_place(path, "experiment file")
    content = _gathered(content, "train", TrainingPart, "prompt", place)
    content = _gathered(content, "evaluate", EvaluationPart, "generation", place)
    try:
        found = msgspec.convert(content, Experiment)
    except msgspec.ValidationError as error:
        raise DataError(f"{place.at(*fault_keys(error))}: {explained(error, Experiment)}") from error
    groups = trainable(registry()).groups()
    found = msgspec.structs.replace(found, domains=found.domains or groups)
    _check_names(found, groups, place)
    _check_split(found, place)
    refuse_risky(found.train.set, f"{place.at('train', 'set')}: train.set")
    _check_numbers(found, place)
    options = found.evaluate.options
    where = place.at("evaluate", "options")
    spec = ModelSpec(scheme=found.evaluate.engine, target=found.model, options=options, file=where)
    refuse_untyped(spec, adapter_type(spec, registry()))
    base = path.resolve().parent
    model = found.model
    if (base / model).is_dir():
        model = str((base / model).resolve())
    return msgspec.structs.replace(
        found,
        model=model,
        data=str(joined_paths((base / root).resolve() for root in _listed(found.data))),
        output=str((base / found.output).resolve()),
    )


def _listed(data: str | tuple[str, ...]) -> tuple[str, ...]:
    return (data,) if isinstance(data, str) else data


def _gathered(
    content: dict[str, Any], part: str, kind: type[msgspec.Struct], field: str, place: Place
) -> dict[str, Any]:
    """The content with the settings among the fields of `part` put into the one that holds them.

    Raises `UsageError` for a name that is neither, and for impossible settings, with their line.
    """
    written = content.get(part)
    if not isinstance(written, dict):
        return content
    holder = msgspec.structs.fields(kind)[kind.__struct_fields__.index(field)].type
    names = {known.name: known.field for known in options_of(holder)}
    settings, rest = {}, {}
    known = (*(name for name in kind.__struct_fields__ if name != field), *names)
    for name, value in written.items():
        if name not in (*known, field):
            raise unknown(f"field of {part}", name, known, place.at(part, name))
        if name in names:
            settings[names[name]] = value
            _check_setting(name, names[name], value, holder, f"{place.at(part, name)}: {part}")
        else:
            rest[name] = value
    inner = rest.get(field, {})
    if isinstance(inner, dict):
        settings = {**inner, **settings}
        _check_together(settings, holder, place.at(part))
        rest = {**rest, field: settings} if settings else rest
    return {**content, part: rest}


def _check_setting(name: str, field: str, value: Any, holder: type[msgspec.Struct], where: str) -> None:
    """Raises `UsageError` for a value that the setting of that name, which is that field of its struct, can't have."""
    try:
        msgspec.convert({field: value}, holder)
    except msgspec.ValidationError as error:
        raise DataError(f"{where}: {explained(error, holder).replace(repr(field), repr(name))}") from error
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error


def _check_together(settings: dict[str, Any], holder: type[msgspec.Struct], where: str) -> None:
    """Raises `UsageError` for settings that contradict each other; what no setting is, is found with the whole file."""
    try:
        msgspec.convert(settings, holder)
    except msgspec.ValidationError:
        return
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error


def _check_names(found: Experiment, groups: Sequence[str], place: Place) -> None:
    """Raises `UsageError` for names of what there isn't."""
    for number, domain in enumerate(found.domains):
        if domain not in groups:
            raise unknown("domain", domain, groups, place.at("domains", number))
    recipe = found.train.recipe
    if not recipe.endswith((".yaml", ".yml")) and recipe not in recipe_names():
        raise unknown("recipe", recipe, recipe_names(), place.at("train", "recipe"))
    try:
        select_tasks(found.evaluate.tasks, registry())
    except UsageError as error:
        raise UsageError(f"{place.at('evaluate', 'tasks')}: {error}") from error
    try:
        build_method(found.evaluate.method or "once", registry())
    except UsageError as error:
        raise UsageError(f"{place.at('evaluate', 'method')}: {error}") from error


def _check_split(found: Experiment, place: Place) -> None:
    part, several = found.train, found.train.folds or found.train.seeds > 1
    if part.seeds < 1:
        raise UsageError(f"{place.at('train', 'seeds')}: train.seeds is {part.seeds}, at least 1")
    if part.folds and part.holdout:
        raise UsageError(f"{place.at('train', 'holdout')}: train.folds and train.holdout exclude each other")
    if found.evaluate.split == "holdout" and not part.holdout and not part.folds:
        raise UsageError(
            f"{place.at('evaluate', 'split')}: to evaluate on the holdout, set train.holdout, e.g. 0.3, or folds"
        )
    if found.evaluate.split == "testbed" and several:
        raise UsageError(
            f"{place.at('train')}: train.folds and train.seeds make several experts of a domain, and the testbed is "
            f"not to choose among them; set evaluate.split: holdout"
        )


def _check_numbers(found: Experiment, place: Place) -> None:
    """Raises `UsageError` for numbers that no training has, and for questions that are none."""
    for name, value in found.train.set.items():
        where = f"{place.at('train', 'set', name)}: train.set"
        try:
            read = read_overrides([_change(name, value)])
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from error
        check_numbers(read, where)
    try:
        train_options(found, Expert(domain=found.domains[0], fold=1 if found.train.folds else 0))
    except UsageError as error:
        raise UsageError(f"{place.at('train')}: {error}") from error
    limit = found.evaluate.limit
    if limit is not None and limit < 1:
        raise UsageError(f"{place.at('evaluate', 'limit')}: evaluate.limit is {limit}, at least 1")


def _change(name: str, value: Any) -> str:
    """An entry of `train.set` as `--set` has it, so that what is in quotes is read alike."""
    return f"{name}={'null' if value is None else value}"


def _with_split(content: dict[str, Any], path: Path, say: Say) -> dict[str, Any]:
    """The content with `evaluate.split` for what version 0.1 called `on`."""
    part = content.get("evaluate")
    if not isinstance(part, dict) or "on" not in part:
        return content
    say(f"experiment file {path}: evaluate.on is called evaluate.split now")
    rest = {key: value for key, value in part.items() if key != "on"}
    return {**content, "evaluate": {"split": part["on"], **rest}}


class Expert(msgspec.Struct, frozen=True, kw_only=True):
    """One training of an experiment."""

    domain: str
    fold: int = 0
    """The fold that it's asked, from 1; 0: there are none."""
    repeat: int = 0
    """Which of the trainings that differ by the seed alone."""

    @property
    def part(self) -> str:
        """The held-out questions that it's asked, which those of other seeds share."""
        return f"{self.domain}-fold{self.fold}" if self.fold else self.domain

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.part}-seed{self.repeat}" if self.repeat else self.part


def experts_of(experiment: Experiment) -> list[Expert]:
    """All trainings: of each domain, all folds and seeds."""
    part = experiment.train
    return [
        Expert(domain=domain, fold=fold, repeat=repeat)
        for domain in experiment.domains
        for fold in (range(1, part.folds + 1) if part.folds else (0,))
        for repeat in range(part.seeds)
    ]


def train_options(experiment: Experiment, expert: Expert) -> TrainOptions:
    """The training of an expert. Seeds differ in all but what is held out."""
    part = experiment.train
    start, end = part.shuffle_options or (0.0, 0.0)
    if part.shuffle_options is not None:
        end = max(end, 1e-9)
    seed = part.seed + expert.repeat
    return TrainOptions(
        model=experiment.model,
        data=experiment.root,
        output=Path(experiment.output) / "experts" / expert.name,
        questions_file=_below(experiment.root, part.questions) if part.questions else None,
        domains=(expert.domain,),
        recipe=part.recipe,
        changes=tuple(_change(name, value) for name, value in part.set.items()),
        prompt=part.prompt,
        split=Split(holdout=part.holdout, folds=part.folds, fold=max(1, expert.fold), seed=part.seed),
        drop_wrong_clips=part.drop_wrong_clips,
        curriculum=Curriculum(passes=part.passes, sort_until=start, shuffle_from=end, seed=seed),
        gpus=part.gpus,
        deepspeed=part.deepspeed,
    )


def _below(data: Path, name: str) -> Path:
    """The file of that name below the first of the data roots that has it, or where it'd be below the first."""
    roots = parted_paths(data)
    return next((root / name for root in roots if (root / name).is_file()), roots[0] / name)


def budget(experiment: Experiment) -> int | None:
    """Pixels of a frame in training, which evaluation keeps to."""
    from egocross_eval.training.recipes import load_recipe

    if experiment.train.prompt.max_pixels is not None:
        return experiment.train.prompt.max_pixels
    changes = read_overrides([_change(name, value) for name, value in experiment.train.set.items()])
    arguments = {**load_recipe(experiment.train.recipe).arguments, **changes}
    found = arguments.get("image_max_pixels")
    return int(found) if found is not None else None
