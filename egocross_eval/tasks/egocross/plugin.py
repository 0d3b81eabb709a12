"""EgoCross as a plugin: its tasks and forms, the published checkpoints, and what guessing by position knows."""

from __future__ import annotations

from collections.abc import Iterable

from egocross_eval.contracts.exporter import Exporter
from egocross_eval.contracts.hooks import hookimpl
from egocross_eval.contracts.model import AdapterType
from egocross_eval.contracts.task import Task
from egocross_eval.tasks.egocross import position_prior, published_models, submission, tasks


@hookimpl
def egocross_tasks() -> Iterable[Task]:
    """Domains and groups of EgoCross."""
    return tasks.egocross_tasks()


@hookimpl
def egocross_model_adapters() -> Iterable[AdapterType]:
    """The published checkpoints, and the baseline that knows the support examples' letters."""
    return (
        AdapterType(
            scheme="routed:published",
            description="the published checkpoint of each domain, or with /DOMAIN one of them for every question",
            factory=published_models.build,
            options=published_models.PublishedOptions,
            target="",
            takes_paths=False,
            example="routed:published,engine=vllm",
        ),
        AdapterType(
            scheme="baseline:position",
            description="answers without looking: the letter that is most often right among the support examples",
            factory=position_prior.build,
            options=position_prior.PositionOptions,
            target="",
            takes_paths=False,
            example="baseline:position,support=support/train.json",
        ),
    )


@hookimpl
def egocross_exporters() -> Iterable[Exporter]:
    """The challenge's submission."""
    return (
        Exporter(
            name="submission",
            description="submission.zip for the challenge, validated",
            export=submission.export,
            options=submission.SubmissionOptions,
            default="submission.zip",
            benchmarks=(tasks.EGOCROSS.name,),
        ),
    )
