"""Weights & Biases; `--track wandb:PROJECT`, with `mode=offline` for what is sent later by `wandb sync`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from egocross_eval.contracts.event import Event
from egocross_eval.errors import UsageError
from egocross_eval.interop.trackers.following import COLUMNS, Identity, follow
from egocross_eval.interop.trackers.installed import has_login, library, needed_target, refuse_unreachable
from egocross_eval.interop.trackers.options import ModeOptions


def build(target: str, options: ModeOptions) -> Callable[[Event], None]:
    """Follows a run in `[ENTITY/]PROJECT`.

    Raises `UsageError` where wandb isn't installed, nobody is logged in, or its server can't be reached.
    """
    # Its own reports of errors hold paths of this machine.
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    wandb = library("wandb")
    entity, _, project = needed_target("wandb", target, "[ENTITY/]PROJECT").rpartition("/")
    mode = options.mode or os.environ.get("WANDB_MODE", "online")
    if mode == "online":
        server = str(wandb.setup().settings.base_url)
        if not os.environ.get("WANDB_API_KEY") and not has_login(urlsplit(server).hostname or ""):
            raise UsageError(
                "--track wandb: nobody is logged in; run 'wandb login', set WANDB_API_KEY, or use mode=offline"
            )
        refuse_unreachable("wandb", server)
    return follow(_Wandb(wandb, entity, project, mode))


class _Wandb:
    def __init__(self, wandb: Any, entity: str, project: str, mode: str) -> None:
        self._wandb, self._entity, self._project, self._mode = wandb, entity, project, mode
        self._run: Any = None

    def begin(self, run: Identity) -> None:
        self._run = self._wandb.init(
            entity=self._entity or None,
            project=self._project,
            id=run.id,
            name=run.name,
            resume="allow",
            config=run.settings,
            mode=self._mode,
            # What stands on the command line or in the environment may hold what's nobody's business.
            settings=self._wandb.Settings(
                console="off", save_code=False, silent=True, x_disable_machine_info=True, disable_git=True
            ),
        )

    def log(self, figures: Mapping[str, float], step: int) -> None:
        self._run.log({"answered": step, **figures})

    def summary(self, figures: Mapping[str, float]) -> None:
        self._run.summary.update(dict(figures))

    def table(self, rows: Sequence[Sequence[Any]]) -> None:
        self._run.log({"samples": self._wandb.Table(columns=list(COLUMNS), data=[list(row) for row in rows])})

    def files(self, paths: Sequence[Path]) -> None:
        artifact = self._wandb.Artifact(f"run-{self._run.id}", type="run")
        for path in paths:
            artifact.add_file(str(path))
        self._run.log_artifact(artifact)

    def end(self) -> None:
        self._run.finish()
