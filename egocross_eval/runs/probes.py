"""The probe runs of an audit: the same model and settings with one thing changed, and the baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from egocross_eval.errors import UsageError
from egocross_eval.runs.plan import RunOptions
from egocross_eval.runs.store import RunFolder
from egocross_eval.schema import RunRecord


def audit_folder(run: Path) -> Path:
    """Where the probes of a run lie: beside its folder."""
    run = run.resolve()
    return run.with_name(f"{run.name}-audit")


def options_of(record: RunRecord, **changed: Any) -> RunOptions:
    """The options that a run was made with, some of them changed.

    Raises `UsageError` for a run with a template file (the file isn't kept, only its hash).
    """
    settings, generation = record.settings, record.settings.generation
    if settings.style_hash and "style" not in changed:
        raise UsageError(f"the run used the template {settings.style}: give its path with --style")
    values: dict[str, Any] = {
        "tasks": ",".join(settings.tasks),
        "split": settings.split,
        "data": Path(record.data_root),
        "style": settings.style,
        "frames": settings.frames,
        "media": settings.media,
        "timestamps": settings.timestamps,
        "shuffled": settings.shuffled,
        "max_pixels": settings.max_pixels,
        "answer": generation.answer_mode,
        "max_new_tokens": generation.max_new_tokens,
        "temperature": generation.temperature,
        "top_p": generation.top_p,
        "limit": settings.limit,
        "seed": settings.seed,
        "votes": settings.votes,
    }
    return RunOptions(**{**values, **changed})


def probe_plans(record: RunRecord, *, support: Path | None = None, **changed: Any) -> dict[str, tuple[str, RunOptions]]:
    """Model spec and options of each probe, by its name.

    `support`: a train.json for the position prior, instead of the real support set's. The rotated probe is left out for
    a run that is rotated itself, and the shuffled one where times are shown, which would give the order away.
    """
    model = record.model.spec
    prior = f"baseline:position,support={support}" if support else "baseline:position"
    plans = {
        "blind": (model, options_of(record, **{**changed, "frames": "none", "timestamps": False, "media": "images"})),
        "position": (prior, options_of(record, **{**changed, "votes": ""})),
        "longest": ("baseline:longest", options_of(record, **{**changed, "votes": ""})),
    }
    if record.settings.votes != "rotate":
        plans["rotate"] = (model, options_of(record, **{**changed, "votes": "rotate"}))
    if not record.settings.timestamps and record.settings.media == "images" and record.settings.frames != "none":
        plans["shuffled"] = (model, options_of(record, **{**changed, "shuffled": True}))
    return plans


def finished(path: Path) -> bool:
    """True where a probe has been run to its end."""
    folder = RunFolder(path)
    return folder.exists() and folder.has_results() and folder.results().complete
