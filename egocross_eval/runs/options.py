"""What a user says of a run: the options of the command line, the fields of a configuration file, the keywords of
Python. All are made from the structs here and in `settings`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec

from egocross_eval.contracts.task import DataOptions
from egocross_eval.errors import UsageError, did_you_mean, warn_caller
from egocross_eval.prompts.shots import ShotSetting
from egocross_eval.schema import Strategy
from egocross_eval.settings import (
    Checked,
    GenerationSettings,
    JudgeSettings,
    Option,
    PromptSettings,
    joined_paths,
    option,
    options_of,
)


class RunOptions(Checked, frozen=True, kw_only=True):
    """Everything that the command line and `evaluate` have in common."""

    tasks: Annotated[str, option("Names and globs, comma-separated. See 'egocross-eval tasks'.", metavar="NAMES")] = (
        "all"
    )
    data: DataOptions = DataOptions()
    prompt: PromptSettings = PromptSettings()
    generation: GenerationSettings = GenerationSettings()
    judging: JudgeSettings = JudgeSettings()
    method: Annotated[
        str,
        option(
            "How each question is asked: once, rotate, sample:N, verify, pairwise, ... See 'egocross-eval methods'; "
            "default: the benchmark's.",
            metavar="NAME[:key=value,...]",
        ),
    ] = ""
    strategy: Annotated[
        str,
        option(
            "Ask questions by their labels in different ways: a strategy of the benchmark, or a YAML file. Options "
            "that are given beside it count before what it says.",
            metavar="NAME|FILE.yaml",
        ),
    ] = ""
    rules: Strategy | None = None
    """A strategy as it is, e.g. of an earlier run, in place of its name."""
    given: tuple[str, ...] = ()
    """Options that were given by name, also those that have their default value."""
    shots: Annotated[
        str,
        option(
            "Show N examples of the same kind before each question, as earlier turns; with feedback on their answers, "
            "or without their frames; ':covered' asks questions that no example suits without.",
            metavar="N[:feedback|:text][:covered]",
        ),
    ] = ""
    ids: Annotated[str, option("Ask only these questions: ids or question_ids, comma-separated.", metavar="ID,...")] = (
        ""
    )
    limit: Annotated[int | None, option("Ask only N questions, drawn by the seed over all.", metavar="N", ge=1)] = None
    shard: Annotated[
        str, option("Ask only the Kth of N parts of the questions; 'merge' puts the parts together.", metavar="K/N")
    ] = ""
    by_cluster: Annotated[
        bool, option("Ask cluster by cluster, e.g. video by video, in random order: for 'compare --live'.")
    ] = False
    stop_against: Annotated[
        Path | None,
        option(
            "Stop once one of five planned looks shows a difference from this run; asks cluster by cluster.",
            metavar="RUN",
        ),
    ] = None
    name: Annotated[
        str, option("What tables and the run's folder are called by; default: the model.", metavar="TEXT")
    ] = ""
    cache: Annotated[bool, option("Use the response cache shared by all runs.")] = True
    track: Annotated[
        tuple[str, ...],
        option(
            "Follows the run in a tracker: trackio:PROJECT, wandb:PROJECT, mlflow:URI or swanlab:PROJECT; may be "
            "repeated.",
            metavar="NAME:PLACE[,key=value]",
        ),
    ] = ()
    judge: Annotated[
        tuple[str, ...],
        option("Judges free answers after the run: a model spec, or rules; may be repeated.", metavar="SPEC"),
    ] = ()

    def __post_init__(self) -> None:
        """Raises `UsageError` for an impossible value."""
        super().__post_init__()
        ShotSetting.parse(self.shots)


PARTS: dict[str, type[msgspec.Struct]] = {
    "data": DataOptions,
    "prompt": PromptSettings,
    "generation": GenerationSettings,
    "judging": JudgeSettings,
}
"""The parts of `RunOptions` by field, whose own fields are options too."""

RENAMED = {"votes": "method"}
"""Names of version 0.1 that are still understood, with a hint."""


def flat_options(*parts: type[msgspec.Struct]) -> dict[str, tuple[type[msgspec.Struct], Option]]:
    """Every option of the structs by its name, with the struct that holds it."""
    return {known.name: (part, known) for part in parts for known in options_of(part)}


def all_options() -> dict[str, tuple[type[msgspec.Struct], Option]]:
    """Every option of a run by its name, with the struct that holds it."""
    return flat_options(RunOptions, *PARTS.values())


def options_from(base: RunOptions | None = None, /, **keywords: Any) -> RunOptions:
    """The options that flat keywords mean (`frames="uniform:8"`, `timestamps=True`), others as in `base`.

    Raises `UsageError` for an unknown name, with a suggestion, and for an impossible value.
    """
    known = all_options()
    base = base or RunOptions()
    changed: dict[type[msgspec.Struct], dict[str, Any]] = {}
    for given, value in keywords.items():
        name = RENAMED.get(given, given)
        if name != given:
            warn_caller(f"{given!r} is called {name!r} now")
        if name not in known:
            raise UsageError(f"unknown option {given!r}{did_you_mean(given, known)}; known: {', '.join(known)}")
        part, found = known[name]
        if found.joined and isinstance(value, list | tuple):
            value = joined_paths(value)
        if isinstance(value, str) and "Path" in str(found.type):
            value = Path(value)
        if found.type is str and isinstance(value, int) and not isinstance(value, bool):
            value = str(value)  # as YAML has `shots: 2`
        if found.repeatable and isinstance(value, str | list):
            value = (value,) if isinstance(value, str) else tuple(value)
        changed.setdefault(part, {})[found.field] = value
    changed.setdefault(RunOptions, {})["given"] = tuple(sorted({*base.given, *keywords}))
    parts = {
        field: msgspec.structs.replace(getattr(base, field), **changed[part])
        for field, part in PARTS.items()
        if part in changed
    }
    return msgspec.structs.replace(base, **parts, **changed.get(RunOptions, {}))
