"""Options of `ray:`."""

from __future__ import annotations

from typing import Annotated

import msgspec

from egocross_eval.contracts.model import NEUTRAL, PASSED_ON


class RayOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What is no option here is one of the inner adapter."""

    replicas: Annotated[
        int,
        msgspec.Meta(ge=0, description="how many; 0: as many as GPUs (gpus=) or processors (cpus=) allow, also later"),
        NEUTRAL,
    ] = 0
    gpus: Annotated[float, msgspec.Meta(ge=0, description="GPUs of a replica, parts allowed"), NEUTRAL] = 0.0
    cpus: Annotated[float, msgspec.Meta(gt=0, description="processors of a replica, parts allowed"), NEUTRAL] = 1.0
    address: Annotated[
        str,
        msgspec.Meta(description="HOST:PORT of a running cluster, or auto for the one on this machine; default: own"),
        NEUTRAL,
    ] = ""
    ship_frames: Annotated[
        bool,
        msgspec.Meta(description="send each clip's frames to nodes that don't see the data root, once"),
        NEUTRAL,
    ] = False
    inner: Annotated[dict[str, str], msgspec.Meta(description="options of the inner adapter"), NEUTRAL, PASSED_ON] = {}
