"""The YAML file of a choice: that of a sweep, whose runs are the ways to choose among."""

from __future__ import annotations

from pathlib import Path

import msgspec

from egocross_eval.contracts.registry import Registry
from egocross_eval.contracts.task import Benchmark
from egocross_eval.documents import Place
from egocross_eval.errors import UsageError, did_you_mean, unknown
from egocross_eval.prompts.shots import ShotSetting
from egocross_eval.runs.options import RunOptions, all_options
from egocross_eval.runs.strategy import SETTINGS, find_strategy
from egocross_eval.schema.run_settings import COVERED
from egocross_eval.sweeps.file import Sweep, SweepFile, planned_sweep, read_content
from egocross_eval.sweeps.planned import PlannedRun
from egocross_eval.tasks.select import common_benchmark, select_tasks

ASKED = ("strategy", *(name for name in SETTINGS if name in all_options()))
"""Options in which ways to ask may differ: a strategy file can say them."""


class TuneFile(SweepFile, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is written in the file."""

    by: str = ""
    """Grouping that may get a way of its own for each group; default: the benchmark's macro axis."""


class Tuning(msgspec.Struct, frozen=True, kw_only=True):
    """A choice, planned."""

    sweep: Sweep
    benchmark: Benchmark
    judge: str
    """Rules that answers in free words are marked by; empty where the run's own grades count."""
    by: str
    """Name of a grouping; empty: one way for all questions."""
    labels: tuple[str, ...]
    """What tables call the ways, in the order of the runs. The first is what the others are compared with."""
    place: Place
    """The file."""


def read_tuning(path: Path, output: Path | None, registry: Registry) -> Tuning:
    """Reads the file; `output` overrides its folder.

    Raises `DataError` for what can't be read and `UsageError` for unknown names, impossible values, options in which
    ways to ask can't differ, and questions that results are reported on; all with file and place.
    """
    content, place = read_content(path, TuneFile, "tune file")
    _refuse_other_options(content, place)
    sweep = planned_sweep(content, place, output)
    if len(sweep.runs) < 2:
        raise UsageError(f"{place.at()}: there is one way to ask alone; name several by 'settings' or 'vary'")
    benchmark = _benchmark(sweep, place, registry)
    judge = _judge(sweep, benchmark, place, registry)
    runs = tuple(
        msgspec.structs.replace(
            run, options=_where_covered(_on_examples(run.options, benchmark, place), benchmark, registry)
        )
        for run in sweep.runs
    )
    return Tuning(
        sweep=msgspec.structs.replace(sweep, runs=runs),
        benchmark=benchmark,
        judge=judge,
        by=_grouping(content.by, benchmark, place),
        labels=_labels(runs),
        place=place,
    )


def _refuse_other_options(content: TuneFile, place: Place) -> None:
    settings = [(("settings", name), setting or {}) for name, setting in content.settings.items()]
    for keys, given in [*settings, (("vary",), content.vary)]:
        for name in given:
            if name.replace("-", "_") not in ASKED:
                raise UsageError(
                    f"{place.at(*keys, name)}: {'.'.join(keys)}: ways to ask can't differ in {name!r}"
                    f"{did_you_mean(name, ASKED)}; what holds for all of them stands under 'options', and they can "
                    f"differ in: {', '.join(ASKED)}"
                )


def _benchmark(sweep: Sweep, place: Place, registry: Registry) -> Benchmark:
    """The benchmark of all runs: their options differ in nothing that decides it."""
    try:
        return common_benchmark(select_tasks(sweep.runs[0].options.tasks, registry))
    except UsageError as error:
        raise UsageError(f"{place.at('options', 'tasks')}: {error}") from error


def _where_covered(options: RunOptions, benchmark: Benchmark, registry: Registry) -> RunOptions:
    """The options with examples before those questions alone that some suit: few do where examples are asked about."""
    if ShotSetting.parse(options.shots).count:
        options = msgspec.structs.replace(options, shots=_covered(options.shots))
    strategy = find_strategy(options.strategy, benchmark, registry) if options.strategy else None
    if strategy is None or not any("shots" in rule.settings for rule in strategy.rules):
        return options
    rules = tuple(
        msgspec.structs.replace(rule, settings={**rule.settings, "shots": _covered(rule.settings["shots"])})
        if "shots" in rule.settings
        else rule
        for rule in strategy.rules
    )
    return msgspec.structs.replace(options, rules=msgspec.structs.replace(strategy, rules=rules))


def _covered(shots: str) -> str:
    setting = ShotSetting.parse(shots)
    return f"{shots}:{COVERED}" if setting.count and not setting.covered else shots


def _on_examples(options: RunOptions, benchmark: Benchmark, place: Place) -> RunOptions:
    """The options with the split of the examples where none is named."""
    data, training = options.data, benchmark.training
    if data.questions_file is not None:
        return options
    if not data.split and training is not None:
        return msgspec.structs.replace(options, data=msgspec.structs.replace(data, split=training.examples))
    split = data.split or benchmark.splits[0]
    if training is not None and split == training.tested:
        raise UsageError(
            f"{place.at('options', 'split')}: {split!r} is the split that results are reported on; a choice made on it "
            f"would report its own luck. Choose on 'split: {training.examples}', or on labelled questions of your own: "
            "'questions: FILE'"
        )
    return options


def _judge(sweep: Sweep, benchmark: Benchmark, place: Place, registry: Registry) -> str:
    """What marks the answers of all runs, where they have no grades of their own.

    A model as judge is refused: its errors would be chosen by as well.
    """
    given = sweep.runs[0].options.judge
    rules = [
        name for name, grader in registry.graders.items() if not (grader.asks or grader.waits) and name != "letter"
    ]
    if not given and not registry.grader(benchmark.grader).waits:
        return ""
    if len(given) == 1 and given[0] in rules:
        return given[0]
    said = (
        f"{', '.join(given)} can't be chosen by"
        if given
        else f"answers to {benchmark.title} have no grade of their own"
    )
    raise UsageError(
        f"{place.at('options', 'judge')}: {said}; have them marked by one set of rules, whose marks are the same for "
        "all ways to ask: 'judge: rules' under 'options'"
    )


def _grouping(name: str, benchmark: Benchmark, place: Place) -> str:
    names = [grouping.name for grouping in benchmark.groupings]
    if name and name not in names:
        raise UsageError(f"{place.at('by')}: {unknown('grouping for by', name, names)}")
    return name or benchmark.macro


def _labels(runs: tuple[PlannedRun, ...]) -> tuple[str, ...]:
    """What tells the runs apart: their settings, and their models where there are several."""
    several = len({run.model for run in runs}) > 1
    said = [" ".join(f"{key} {value}".strip() for key, value in run.setting.items()) or "as it is" for run in runs]
    return tuple(run.name if several else text for run, text in zip(runs, said, strict=True))
