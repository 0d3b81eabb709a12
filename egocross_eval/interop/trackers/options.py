"""Options of trackers, `--track NAME:PLACE,key=value`."""

from __future__ import annotations

from typing import Literal

import msgspec


class ModeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Of those that can keep a run until it's sent."""

    mode: Literal["", "online", "offline"] = ""
    """Empty: as the tracker's environment says."""


class MlflowOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Of MLflow."""

    experiment: str = "egocross"
    """Name of the experiment, made where it isn't there."""
