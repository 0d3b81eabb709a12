"""The probe runs of an audit: the same model and settings with one thing changed, and the baselines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from egocross_eval.contracts.task import DataOptions
from egocross_eval.errors import UsageError
from egocross_eval.runs.options import RunOptions, options_from
from egocross_eval.schema import Question, RunRecord


def audit_folder(run: Path) -> Path:
    """Where the probes of a run lie: beside its folder."""
    run = run.resolve()
    return run.with_name(f"{run.name}-audit")


def options_of(record: RunRecord, **changed: Any) -> RunOptions:
    """The options that a run was made with, some of them changed.

    Raises `UsageError` for a run with a template file (the file isn't kept, only its hash), and for one that was made
    of others.
    """
    settings = record.settings
    if record.combined is not None:
        parts = ", ".join(part.name for part in record.combined.parts)
        raise UsageError(f"the run was made of others, and no model was asked for it: take one of these: {parts}")
    if settings.style_hash and "style" not in changed:
        raise UsageError(f"the run used the template {settings.prompt.style}: give its path with --style")
    base = RunOptions(
        tasks=",".join(settings.tasks),
        data=DataOptions(data=Path(record.data_root) if record.data_root else None, split=settings.split),
        prompt=settings.prompt,
        generation=settings.generation,
        method=settings.method,
        shots=settings.shots,
        rules=settings.strategy,
        given=settings.given,
        limit=settings.limit,
    )
    return options_from(base, **changed)


def probe_plans(
    record: RunRecord, questions: Sequence[Question], *, prior: str = "", **changed: Any
) -> dict[str, tuple[str, RunOptions]]:
    """Model spec and options of each probe, by its name.

    `prior` is the spec of a baseline that knows where right answers stand, empty where the benchmark has none. The
    priors are left out where no question of the run has options, the rotated probe where one has none or the run is
    rotated itself, and the shuffled one where times are shown, which would give the order away.
    """
    with_options = sum(1 for question in questions if question.options)
    model, asked = record.model.spec, record.settings.values()
    blind = {**changed, "frames": "none", "timestamps": False, "media": "images", "shuffled": False}
    plans = {"blind": (model, options_of(record, **blind))}
    if with_options:
        plans["longest"] = ("baseline:longest", options_of(record, **{**changed, "method": "once"}))
    if prior and with_options:
        plans["position"] = (prior, options_of(record, **{**changed, "method": "once"}))
    if asked["method"] != ("rotate",) and with_options == len(questions):
        plans["rotate"] = (model, options_of(record, **{**changed, "method": "rotate"}))
    timed = any(asked["timestamps"]) or asked["media"] != ("images",)
    if not timed and asked["frames"] != ("none",):
        plans["shuffled"] = (model, options_of(record, **{**changed, "shuffled": True}))
    return plans
