"""Records of Every Eval Ever 0.3.0: an aggregate file, and a line for each question beside it."""

from __future__ import annotations

import hashlib
import time
import uuid
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from egocross_eval.counted import counted
from egocross_eval.errors import UsageError
from egocross_eval.files import write_file
from egocross_eval.interop.exporting.forms import (
    MADE_BY,
    asked_text,
    benchmark_of,
    filled_folder,
    json_bytes,
    json_lines,
    option_list,
    output_text,
    settings_text,
)
from egocross_eval.version import __version__

if TYPE_CHECKING:
    from egocross_eval.contracts.exporter import ExportedRun
    from egocross_eval.interop.exporting.options import EveryEvalEverOptions
    from egocross_eval.schema import Cost, Figure, Sample

FORM = "0.3.0"
"""Version of the form."""

_WEIGHTS = ("hf", "vllm")
"""Engines whose models are `developer/name` on the Hub, or folders."""


def export(run: ExportedRun, path: Path, options: EveryEvalEverOptions) -> str:
    """Writes `data/<benchmark>/<developer>/<model>/<uuid>.json` and its `<uuid>_samples.jsonl` into a folder.

    Raises `UsageError` where no right answer is known, or the model's id isn't.
    """
    if run.results.micro is None:
        raise UsageError(f"{run.name} has no figures: no right answer is known; 'score' takes right answers")
    record = _Record(run, options)
    place = f"data/{run.record.benchmark.name}/{record.model}"
    lines = json_lines(record.sample(sample) for sample in run.samples)
    samples = f"{place}/{record.uuid}_samples.jsonl"
    with filled_folder(path) as scratch:
        (scratch / place).mkdir(parents=True)
        write_file(scratch / samples, lines)
        aggregate = json_bytes(record.aggregate(samples, hashlib.sha256(lines).hexdigest()))
        write_file(scratch / place / f"{record.uuid}.json", aggregate)
    return f"wrote {path}: {counted(len(run.samples), 'sample')} of {record.model}"


class _Record:
    """A run in the form's words."""

    def __init__(self, run: ExportedRun, options: EveryEvalEverOptions) -> None:
        self._run, self._options = run, options
        self.model = options.model or _model_id(run)
        self.uuid = str(_uuid(run))
        self._id = f"{run.record.benchmark.name}/{self.model.replace('/', '_')}/{self.uuid}"

    def aggregate(self, samples: str, checksum: str) -> dict[str, Any]:
        """The aggregate file; `samples` is where the lines lie."""
        run, options = self._run, self._options
        return {
            "schema_version": FORM,
            "evaluation_id": self._id,
            "evaluation_timestamp": str(datetime.fromisoformat(run.record.created_at).timestamp()),
            "retrieved_timestamp": str(time.time()),
            "source_metadata": {
                "source_name": MADE_BY,
                "source_type": "evaluation_run",
                "source_organization_name": options.organization,
                "evaluator_relationship": options.relationship,
            },
            "eval_library": {"name": "egocross-eval", "version": __version__},
            "model_info": {
                "name": run.record.model.name,
                "id": self.model,
                "developer": self.model.partition("/")[0],
                "inference_engine": {"name": run.record.model.spec.partition(":")[0]},
                "additional_details": {
                    "deployment_type": options.deployment,
                    "model_availability": options.availability,
                    "spec": run.record.model.spec,
                    "fingerprint": run.record.model.fingerprint,
                },
            },
            "evaluation_results": [self._result(name, figure) for name, figure in _figures(run).items()],
            "detailed_evaluation_results": {
                "format": "jsonl",
                "file_path": samples,
                "hash_algorithm": "sha256",
                "checksum": checksum,
                "total_rows": len(run.samples),
            },
        }

    def _result(self, name: str, figure: Figure) -> dict[str, Any]:
        run = self._run
        # What a strategy sets otherwise for some questions has no one value: the settings' text says both.
        asked = {name: values[0] for name, values in run.record.settings.values().items() if len(values) == 1}
        names = {"temperature": "temperature", "top_p": "top_p", "max_new_tokens": "max_tokens"}
        details = {outcome: str(count) for outcome, count in run.results.counts.items()} if name == "micro" else {}
        return {
            "evaluation_result_id": self._result_id(name),
            "evaluation_name": f"{run.record.benchmark.name}/{name}",
            "source_data": _source(run, figure.n),
            "metric_config": {
                "metric_id": "accuracy",
                "metric_name": "Accuracy",
                "metric_kind": "accuracy",
                "metric_unit": "proportion",
                "lower_is_better": False,
                "score_type": "continuous",
                "min_score": 0.0,
                "max_score": 1.0,
            },
            "score_details": {
                "score": figure.accuracy,
                "details": {"right": str(figure.right), **details},
                "uncertainty": {
                    "confidence_interval": {
                        "lower": figure.low,
                        "upper": figure.high,
                        "confidence_level": 0.95,
                        "method": figure.interval,
                    },
                    "num_samples": figure.n,
                },
            },
            "generation_config": {
                "generation_args": {named: asked[name] for name, named in names.items() if name in asked},
                "additional_details": {"settings": settings_text(run)},
            },
        }

    def _result_id(self, name: str) -> str:
        return f"{self._id}#{name}"

    def sample(self, sample: Sample) -> dict[str, Any]:
        """The line of a question."""
        question, prediction = sample.question, sample.grade.prediction
        traces = [answer.response.reasoning for answer in sample.answers if answer.response.reasoning]
        references = [question.target] if question.target is not None else []
        return {
            "schema_version": FORM,
            "evaluation_id": self._id,
            "model_id": self.model,
            "evaluation_name": f"{self._run.record.benchmark.name}/micro",
            "evaluation_result_id": self._result_id("micro"),
            "sample_id": sample.key,
            "interaction_type": "single_turn",
            "input": {"raw": asked_text(sample), "reference": references, "choices": option_list(sample) or None},
            "output": {
                "raw": [output_text(answer) for answer in sample.answers],
                **({"reasoning_trace": traces} if traces else {}),
            },
            "answer_attribution": [
                {
                    "turn_idx": 0,
                    "source": "output.raw",
                    "extracted_value": prediction or "",
                    "extraction_method": sample.decision.rule or f"none: {sample.decision.reason or sample.outcome}",
                    "is_terminal": True,
                }
            ],
            "evaluation": {"score": sample.grade.credit, "is_correct": sample.outcome == "right"},
            **_costs(sample.cost),
            "error": f"{sample.failure.kind}: {sample.failure.message}" if sample.failure else None,
            "metadata": {"outcome": sample.outcome, "cluster": question.cluster, **question.labels},
        }


def _figures(run: ExportedRun) -> dict[str, Figure]:
    results = run.results
    parts = results.groups.get(run.record.benchmark.macro, {})
    found = {"micro": results.micro, "macro": results.macro, **parts}
    return {name: figure for name, figure in found.items() if figure is not None}


def _costs(cost: Cost) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if cost.input_tokens is not None or cost.output_tokens is not None:
        sent, made = cost.input_tokens or 0, cost.output_tokens or 0
        found["token_usage"] = {"input_tokens": sent, "output_tokens": made, "total_tokens": sent + made}
    if cost.seconds is not None:
        found["performance"] = {"latency_ms": 1000 * cost.seconds}
    return found


def _source(run: ExportedRun, count: int) -> dict[str, Any]:
    dataset = benchmark_of(run).hub_dataset
    named = {"dataset_name": run.record.benchmark.title, "samples_number": count}
    if not dataset:
        return {**named, "source_type": "other"}
    return {**named, "source_type": "hf_dataset", "hf_repo": dataset, "hf_split": run.record.settings.split}


def _model_id(run: ExportedRun) -> str:
    """`developer/name` of a model of the Hub. Raises `UsageError` for others: nothing is guessed of who made them."""
    scheme, _, rest = run.record.model.spec.partition(":")
    target = rest.partition(",")[0]
    if scheme in _WEIGHTS and target.count("/") == 1 and not target.startswith((".", "~", "/")):
        return target
    raise UsageError(f"who made {run.record.model.name} isn't known: give its id by model=DEVELOPER/NAME")


def _uuid(run: ExportedRun) -> uuid.UUID:
    """The same for the same samples, in the form of a random one."""
    seed = hashlib.sha256(f"{run.record.created_at}{run.results.samples_hash}".encode()).digest()
    return uuid.UUID(bytes=seed[:16], version=4)
