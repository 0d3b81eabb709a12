"""The Python interface: `evaluate` a model, `load_run` a run folder."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

from egocross_eval.contracts.model import ModelAdapter
from egocross_eval.contracts.registry import Registry, registry
from egocross_eval.model_adapters.spec import ModelSpec, build_adapter, parse_spec
from egocross_eval.runs.plan import RunOptions, RunPlan, check_capabilities, plan_run
from egocross_eval.runs.session import Progress, Session, Silent, open_session, run_session
from egocross_eval.runs.store import RunFolder
from egocross_eval.schema import Results, RunRecord, Sample


class Run:
    """A run folder that was read or just made."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder

    @property
    def path(self) -> Path:
        """The run folder."""
        return self._folder.path

    @property
    def record(self) -> RunRecord:
        """What was run: model, settings, versions, data hashes."""
        return self._folder.record()

    @property
    def results(self) -> Results:
        """Figures with their intervals, and the counts."""
        return self._folder.results()

    @property
    def samples(self) -> list[Sample]:
        """Every answered question in the order of question ids."""
        return self._folder.samples()

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"


def load_run(path: Path | str) -> Run:
    """The run in a folder. Raises `UsageError` where there's none or it can't be read."""
    folder = RunFolder(path)
    folder.record()
    return Run(folder)


def evaluate(
    model: str | ModelAdapter,
    tasks: str = "all",
    *,
    output: Path | str | None = None,
    data: Path | str | None = None,
    options: RunOptions | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Run:
    """Runs a model over tasks and returns the run; an existing run in `output` with the same settings is resumed.

    Args:
        model: a model spec (`"hf:./checkpoint"`), or an adapter object of your own.
        tasks: comma-separated names and globs, as for `--tasks`.
        output: run folder; by default a new one below `runs/`.
        data: data root; by default the environment variable EGOCROSS_DATA.
        options: all settings at once; or give single ones (`frames="uniform:8"`, `timestamps=True`, ...: the fields of
            `egocross_eval.runs.plan.RunOptions`) as keywords, which override it.
        progress: what to tell how far the run is; nothing by default.

    Errors of single questions don't raise: look at `run.results.complete` and `run.results.counts`.

    Raises:
        UsageError: unknown names, impossible settings, a folder made with other settings.
        DataError: missing or malformed data files.
        RunError: the adapter broke; what was answered is kept in `output`.

    Example:
        >>> run = evaluate("baseline:constant,letter=B", split="demo")  # doctest: +SKIP
        >>> run.results.micro.accuracy  # doctest: +SKIP
    """
    import msgspec

    chosen = msgspec.structs.replace(options or RunOptions(), tasks=tasks, **settings)
    if data is not None:
        chosen = msgspec.structs.replace(chosen, data=Path(data))
    known = registry()
    plan = plan_run(chosen, known)
    spec, adapter = _model(model, known)
    path = Path(output) if output is not None else default_output(spec, chosen)
    try:
        session = prepare(plan, spec, adapter, known, path)
        run_session(session, known, progress or Silent(), use_cache=chosen.cache)
        return Run(session.folder)
    finally:
        adapter.close()


def _model(model: str | ModelAdapter, known: Registry) -> tuple[ModelSpec, ModelAdapter]:
    if isinstance(model, str):
        spec = parse_spec(model)
        return spec, build_adapter(spec, known)
    return ModelSpec(scheme="python", target=type(model).__name__), model


def prepare(plan: RunPlan, spec: ModelSpec, adapter: ModelAdapter, known: Registry, path: Path) -> Session:
    """A session for this plan and model, after checking that the model can do what is planned."""
    check_capabilities(plan, adapter, spec.text)
    return open_session(plan, adapter, plan.record(spec, adapter, known), path)


def default_output(spec: ModelSpec, options: RunOptions) -> Path:
    """`runs/<model>-<tasks>-<time>`, in letters that every file system takes."""
    time = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    base = Path("runs") / f"{slug(spec.display_name)}-{slug(options.tasks)}-{time}"
    path, number = base, 2
    while path.exists():
        path = base.with_name(f"{base.name}-{number}")
        number += 1
    return path


def slug(text: str) -> str:
    """A name for a file: letters, digits, dot, underscore and hyphen of `text`."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-.")[:80] or "run"
