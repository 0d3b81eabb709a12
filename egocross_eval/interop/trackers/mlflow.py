"""MLflow: a tracking server; `--track mlflow:URI`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from egocross_eval.contracts.event import Event
from egocross_eval.errors import UsageError
from egocross_eval.interop.trackers.following import COLUMNS, Identity, follow
from egocross_eval.interop.trackers.installed import library, needed_target
from egocross_eval.interop.trackers.options import MlflowOptions
from egocross_eval.reachable import reachable

TAG = "egocross.run"
"""Names the run on the server, so that it's found again."""

_LONGEST = 500
"""Most characters of a parameter on every store."""

_PATIENCE = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "10", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
"""What is set unless the user did: a server that's gone would hold up a run for minutes."""


def build(target: str, options: MlflowOptions) -> Callable[[Event], None]:
    """Follows a run on a server.

    Raises `UsageError` where mlflow isn't installed, and for a place that it doesn't take or that doesn't let us in.
    """
    uri = needed_target("mlflow", target, "URI")
    address = urlsplit(uri)
    if address.username or address.password:
        raise UsageError(
            "--track mlflow: an address with user or password in it; set MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
        )
    for name, value in _PATIENCE.items():
        os.environ.setdefault(name, value)
    mlflow = library("mlflow")
    if address.scheme in ("http", "https") and not reachable(uri):
        raise UsageError(f"--track mlflow: no server answers at {uri}")
    try:
        client = _Mlflow(mlflow, uri, options.experiment)
        client.look_up()
    except Exception as error:  # of MLflow, of the database's driver, of what reads credentials
        why = next(iter(str(error).splitlines()), type(error).__name__)[:_LONGEST]
        raise UsageError(
            f"--track mlflow: {uri} can't be used: {why}; name a server (http://HOST:5000) whose credentials are set, "
            "or a database (sqlite:///runs.db)"
        ) from error
    return follow(client)


class _Mlflow:
    def __init__(self, mlflow: Any, uri: str, experiment: str) -> None:
        self._mlflow, self._client = mlflow, mlflow.MlflowClient(tracking_uri=uri)
        self._experiment = experiment
        self._id = ""
        self._step = 0

    def look_up(self) -> None:
        """Asks for the experiment, which needs no more than that the place takes us."""
        self._client.get_experiment_by_name(self._experiment)

    def begin(self, run: Identity) -> None:
        experiment = self._experiment_id()
        found = self._client.search_runs([experiment], filter_string=f"tags.`{TAG}` = '{run.id}'", max_results=1)
        if found:
            self._id = found[0].info.run_id
            self._client.update_run(self._id, status="RUNNING")
            return
        self._id = self._client.create_run(experiment, run_name=run.name, tags={TAG: run.id}).info.run_id
        parameters = [self._mlflow.entities.Param(key, text[:_LONGEST]) for key, text in run.settings.items()]
        self._client.log_batch(self._id, params=parameters)

    def _experiment_id(self) -> str:
        found = self._client.get_experiment_by_name(self._experiment)
        return str(found.experiment_id if found else self._client.create_experiment(self._experiment))

    def log(self, figures: Mapping[str, float], step: int) -> None:
        self._step = step
        now = int(time.time() * 1000)
        metrics = [self._mlflow.entities.Metric(name, value, now, step) for name, value in figures.items()]
        self._client.log_batch(self._id, metrics=metrics)

    def summary(self, figures: Mapping[str, float]) -> None:
        self.log({_allowed(name): value for name, value in figures.items()}, self._step)

    def table(self, rows: Sequence[Sequence[Any]]) -> None:
        columns = {name: [row[place] for row in rows] for place, name in enumerate(COLUMNS)}
        self._client.log_table(self._id, columns, "samples.json")

    def files(self, paths: Sequence[Path]) -> None:
        for path in paths:
            self._client.log_artifact(self._id, str(path), "run")

    def end(self) -> None:
        self._client.set_terminated(self._id, "FINISHED")


def _allowed(name: str) -> str:
    """MLflow's names of metrics hold letters, digits and `_-. :/`."""
    return "".join(letter if letter.isalnum() or letter in "_-. :/" else "-" for letter in name)
