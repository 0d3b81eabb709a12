"""What other people's tools bring, as a plugin. Modules are imported when they are used."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.contracts.event import Event
from egocross_eval.contracts.exporter import ExportedRun, Exporter
from egocross_eval.contracts.hooks import hookimpl
from egocross_eval.contracts.importer import ForeignRun, Importer
from egocross_eval.contracts.model import AdapterType, ModelAdapter
from egocross_eval.contracts.tracker import TrackerType
from egocross_eval.interop.exporting import options as exporting
from egocross_eval.interop.lmms_eval.options import LmmsOptions
from egocross_eval.interop.trackers.options import MlflowOptions, ModeOptions


def _importer(name: str, module: str, description: str) -> Importer:
    """The importer whose functions are those of one of this package's modules, imported when they are called."""

    def recognises(path: Path) -> bool:
        return bool(_module(module).recognises(path))

    def read(path: Path) -> ForeignRun:
        found: ForeignRun = _module(module).read(path)
        return found

    return Importer(name=name, description=description, recognises=recognises, read=read)


def _exporter(
    name: str, module: str, description: str, *, default: str, options: type[msgspec.Struct] | None = None
) -> Exporter:
    """The exporter that the function `export` of one of this package's modules is, or the one that `module:name`
    names, imported when it's called."""
    home, _, function = module.partition(":")

    def export(run: ExportedRun, path: Path, given: Any) -> str:
        return str(getattr(_module(home), function or "export")(run, path, given))

    return Exporter(name=name, description=description, export=export, options=options, default=default)


def _tracker(name: str, description: str, options: type[msgspec.Struct] | None = None) -> TrackerType:
    """The tracker whose function `build` is that of the module of its name, imported when a run names it."""

    def build(place: str, given: Any) -> Callable[[Event], None]:
        found: Callable[[Event], None] = _module(f"trackers.{name}").build(place, given)
        return found

    return TrackerType(name=name, description=description, build=build, options=options)


def _module(name: str) -> Any:
    return importlib.import_module(f"{__package__}.{name}")


def _lmms(target: str, options: LmmsOptions) -> ModelAdapter:
    adapter: ModelAdapter = _module("lmms_eval.adapter").build(target, options)
    return adapter


@hookimpl
def egocross_model_adapters() -> Iterable[AdapterType]:
    """Models of lmms-eval."""
    return (
        AdapterType(
            scheme="lmms",
            description="any model class of lmms-eval, in this environment or another",
            factory=_lmms,
            options=LmmsOptions,
            target="NAME",
            example="lmms:qwen3_vl,pretrained=./checkpoint,python=./lmms-env/bin/python",
            takes_paths=False,
        ),
    )


@hookimpl
def egocross_importers() -> Iterable[Importer]:
    """Logs of lmms-eval, Inspect, VLMEvalKit and lm-eval, and predictions files."""
    return (
        _importer("lmms-eval", "lmms_eval.log_files", "results and sample logs of lmms-eval, of our tasks or of any"),
        _importer("inspect", "inspect_log", "a log of Inspect, .eval or .json"),
        _importer("vlmevalkit", "vlmevalkit_log", "a predictions table of VLMEvalKit, .tsv, .json or .xlsx"),
        _importer("lm-eval", "lm_eval_log", "results and sample logs of lm-eval"),
        _importer("predictions", "predictions_log", "a predictions file, as the challenge's: letters by question"),
    )


@hookimpl
def egocross_exporters() -> Iterable[Exporter]:
    """Forms of the Hub, Inspect, lm-eval, Every Eval Ever, Parquet and `datasets`."""
    return (
        _exporter(
            "hub",
            "exporting.hub",
            "results on the Hugging Face Hub, and the pull request with them to a model's repository",
            options=exporting.HubOptions,
            default="hub",
        ),
        _exporter(
            "inspect",
            "exporting.inspect_log",
            "a log for inspect view, with frames",
            options=exporting.InspectOptions,
            default="inspect",
        ),
        _exporter(
            "every-eval-ever",
            "exporting.every_eval_ever",
            "records of Every Eval Ever",
            options=exporting.EveryEvalEverOptions,
            default="every-eval-ever",
        ),
        _exporter("lm-eval", "exporting.lm_eval_results", "results and samples of lm-eval", default="lm-eval"),
        _exporter("parquet", "exporting.tables:export_parquet", "a row for each question", default="samples.parquet"),
        _exporter(
            "dataset",
            "exporting.tables:export_dataset",
            "a folder for datasets.load_from_disk, with frames",
            options=exporting.DatasetOptions,
            default="dataset",
        ),
    )


@hookimpl
def egocross_trackers() -> Iterable[TrackerType]:
    """Trackio, Weights & Biases, MLflow and SwanLab."""
    return (
        _tracker("trackio", "trackio:PROJECT, a database on this machine, or a Space"),
        _tracker("wandb", "wandb:[ENTITY/]PROJECT, Weights & Biases", ModeOptions),
        _tracker("mlflow", "mlflow:URI, an MLflow server", MlflowOptions),
        _tracker("swanlab", "swanlab:[WORKSPACE/]PROJECT, SwanLab", ModeOptions),
    )
