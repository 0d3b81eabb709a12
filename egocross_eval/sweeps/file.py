"""The YAML file of a sweep."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from egocross_eval.contracts.registry import registry
from egocross_eval.documents import Place, read_place, read_yaml
from egocross_eval.errors import UsageError, did_you_mean
from egocross_eval.files import slug
from egocross_eval.methods.select import build_method
from egocross_eval.model_adapters.spec import ModelSpec
from egocross_eval.prompts.templates import TEMPLATE_SUFFIXES
from egocross_eval.runs.options import RunOptions, all_options, options_from
from egocross_eval.runs.strategy import find_strategy, written
from egocross_eval.sweeps.models import swept_models
from egocross_eval.sweeps.planned import PlannedRun
from egocross_eval.tasks.select import common_benchmark, select_tasks

FILES = (*TEMPLATE_SUFFIXES, ".yaml", ".yml")
"""Endings by which the value of an option is known to be a file."""

_NOT_HERE = ("name", "stop_against")
"""Options that make no sense for many runs at once."""


class SweepFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is written in the file."""

    models: list[str]
    """Model specs; `*`, `?` and `[...]` in a path make a pattern of checkpoints."""
    output: str = ""
    """Folder of the run folders; default: the file's name without its ending, beside it."""
    at_once: int = 1
    """How many runs go on at the same time, each in a process of its own."""
    options: dict[str, Any] = {}
    """Options of every run, by the names of the command line."""
    settings: dict[str, dict[str, Any] | None] = {}
    """Options by a name: every model is run with each of them."""
    vary: dict[str, list[Any]] = {}
    """Values by option: every model is run with every combination of them, under each setting."""


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """A sweep, planned."""

    output: Path
    runs: tuple[PlannedRun, ...]
    at_once: int = 1


def read_sweep(path: Path, output: Path | None = None) -> Sweep:
    """Reads the file; paths in it are relative to its folder. `output` overrides the file's.

    Raises `DataError` for what can't be read and `UsageError` for unknown names and impossible values, naming file and
    place.
    """
    return planned_sweep(*read_content(path, SweepFile, "sweep file"), output)


_File = TypeVar("_File", bound=SweepFile)


def read_content(path: Path, kind: type[_File], what: str) -> tuple[_File, Place]:
    """What is written in a file of this kind. Raises as `read_sweep`."""
    raw = read_yaml(path, dict[str, Any], what=what)
    place = read_place(path, what)
    known = kind.__struct_fields__
    for key in raw:
        if key not in known:
            hint = did_you_mean(str(key), known)
            raise UsageError(f"{place.at(key)}: unknown field {key!r}{hint}; known: {', '.join(known)}")
    if not raw.get("models"):
        raise UsageError(f"{place.at()}: there are no 'models', a list of model specs")
    content = read_yaml(path, kind, what=what)
    if content.at_once < 1:
        raise UsageError(f"{place.at('at_once')}: at_once is {content.at_once}, at least 1")
    return content, place


def planned_sweep(content: SweepFile, place: Place, output: Path | None) -> Sweep:
    """The runs that a file means. Raises as `read_sweep`."""
    path = place.path
    base = path.resolve().parent
    folder = output or base / (content.output or path.stem)
    models = [
        (model, place.at("models", number))
        for number, text in enumerate(content.models)
        for model in _models(text, place.at("models", number), base)
    ]
    variants = list(_variants(content, place, base))
    runs = [
        PlannedRun(
            name=(
                name := "-".join(
                    [slug(model.folder_name), *(slug(f"{key} {value}".strip()) for key, value in setting.items())]
                )
            ),
            model=model.typed,
            options=options,
            folder=folder / name,
            setting=setting,
            model_at=model_at,
            way_at=way_at,
        )
        for model, model_at in models
        for setting, options, way_at in variants
    ]
    _refuse_shared_names(place, runs)
    return Sweep(output=folder, runs=tuple(runs), at_once=content.at_once)


def _models(text: str, where: str, base: Path) -> list[ModelSpec]:
    try:
        return swept_models([text], base)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error


def _variants(content: SweepFile, place: Place, base: Path) -> Iterator[tuple[dict[str, str], RunOptions, str]]:
    """Each way in which every model is asked: what tells it from the others, its options, and where it stands."""
    common = _options(RunOptions(), content.options, place, ("options",), base)
    empty = [name for name, values in content.vary.items() if not values]
    if empty:
        raise UsageError(f"{place.at('vary')}: vary.{empty[0]} has no value")
    for name, setting in (content.settings or {"": None}).items():
        if twice := set(setting or ()) & set(content.vary):
            where = place.at("settings", name)
            raise UsageError(f"{where}: {min(twice)!r} stands in vary and in settings.{name}: which is it to be?")
        named = _options(common, setting or {}, place, ("settings", name), base)
        for values in itertools.product(*content.vary.values()):
            varied = dict(zip(content.vary, values, strict=True))
            said = {key: _text(value) for key, value in varied.items()}
            keys = ("settings", name) if name else ("vary",) if varied else ("options",)
            told = {name: ""} if name else {}
            options = _options(named, varied, place, ("vary",), base)
            owners = ((("vary",), varied), (("settings", name), setting or {}), (("options",), content.options))
            _check_strategy(options, place, next((at for at, given in owners if "strategy" in given), ()))
            yield told | said, options, f"{place.at(*keys)}: {'.'.join(keys)}"


def _options(
    start: RunOptions, given: Mapping[str, Any], place: Place, keys: tuple[str | int, ...], base: Path
) -> RunOptions:
    for name, value in given.items():
        try:
            if name in _NOT_HERE:
                raise UsageError(f"{name!r} is of one run alone; leave it out")
            start = options_from(start, **{name: _seen_from(name, value, base)})
        except UsageError as error:
            raise UsageError(f"{place.at(*keys, name)}: {'.'.join(map(str, keys))}: {error}") from error
    for name in given:
        try:
            _refuse_unknown(name, start)
        except UsageError as error:
            raise UsageError(f"{place.at(*keys, name)}: {'.'.join(map(str, keys))}: {error}") from error
    return start


def _refuse_unknown(option: str, options: RunOptions) -> None:
    """Raises `UsageError` where an option names what no plugin has."""
    known = registry()
    if option == "tasks":
        select_tasks(options.tasks, known)
    elif option == "method" and options.method:
        build_method(options.method, known)
    elif option == "style" and not options.prompt.style.endswith(TEMPLATE_SUFFIXES):
        known.prompt_style(options.prompt.style)


def _check_strategy(options: RunOptions, place: Place, keys: tuple[str | int, ...]) -> None:
    """Raises `UsageError` for a strategy that the benchmark of a way doesn't have, or that has a mistake; `keys` lead
    to where it's named."""
    if not options.strategy:
        return
    try:
        find_strategy(options.strategy, common_benchmark(select_tasks(options.tasks, registry())), registry())
    except UsageError as error:
        raise UsageError(f"{place.at(*keys, 'strategy')}: {'.'.join(map(str, keys))}: {error}") from error


def _seen_from(name: str, value: Any, base: Path) -> Any:
    """The value, lists of names as the command line has them, and paths as seen from the file's folder."""
    if name in ("tasks", "ids") and isinstance(value, list):
        return ",".join(str(item) for item in value)
    if name == "method" and isinstance(value, dict):
        return written(value)
    known = all_options().get(name)
    if isinstance(value, str) and known is not None and "Path" in str(known[1].type):
        return base / value
    return str(base / value) if isinstance(value, str) and value.endswith(FILES) else value


def _text(value: Any) -> str:
    """A value as names and tables show it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return Path(value).stem if isinstance(value, str) and value.endswith(FILES) else str(value)


def _refuse_shared_names(place: Place, runs: list[PlannedRun]) -> None:
    seen: dict[str, PlannedRun] = {}
    for run in runs:
        if run.name in seen:
            raise UsageError(
                f"{place.at()}: {seen[run.name].model} and {run.model} would share the folder {run.name}; "
                "give one of them a name: SPEC,name=TEXT"
            )
        seen[run.name] = run
