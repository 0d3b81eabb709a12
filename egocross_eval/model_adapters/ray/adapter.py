"""`ray:INNER`: any other adapter, many times over, on the machines of a Ray cluster.

The driver keeps the plan, the cache, the order and the run folder: it is the only writer. Replicas are actors that
build the inner adapter; they are handed batches of questions about the same frames when they have room, and their
responses come back in exchanges. What a dead replica had is asked elsewhere.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.contracts.model import Capabilities, ModelAdapter
from egocross_eval.contracts.registry import registry
from egocross_eval.errors import RunError, UsageError
from egocross_eval.model_adapters.ray.clips import ClipShipper
from egocross_eval.model_adapters.ray.cluster import Cluster, load_ray
from egocross_eval.model_adapters.ray.dispatch import Dispatch
from egocross_eval.model_adapters.ray.options import RayOptions
from egocross_eval.model_adapters.ray.replica import LEAST_AHEAD, Report
from egocross_eval.model_adapters.ray.team import Member, Team
from egocross_eval.model_adapters.spec import PATHS, ModelSpec, adapter_type, build_adapter, parse_spec
from egocross_eval.schema import Request, Response

TICK = 1.0
"""Seconds after which the driver looks round though nobody said anything."""


class RayAdapter(ModelAdapter):
    """Replicas of an inner adapter."""

    def __init__(self, spec: ModelSpec, options: RayOptions) -> None:
        load_ray()
        self._inner = build_adapter(spec, registry())
        self._spec = _seen_from_everywhere(spec)
        self._options = options
        self._cluster: Cluster | None = None
        self._team: Team | None = None
        self._shipper: ClipShipper | None = None

    def capabilities(self) -> Capabilities:
        """The inner adapter's."""
        return self._inner.capabilities()

    def check_labels(self, labels: Iterable[Mapping[str, str]]) -> None:
        """As the inner adapter does."""
        self._inner.check_labels(labels)

    def untold_choices(self, choices: Sequence[str]) -> Sequence[str]:
        """As the inner adapter says."""
        return self._inner.untold_choices(choices)

    def fingerprint(self) -> str | None:
        """The inner adapter's; that of every replica must be the same."""
        return self._inner.fingerprint()

    def details(self) -> dict[str, Any]:
        """The inner adapter's, once a replica is there from that; and where the replicas were."""
        if self._team is None:
            return self._inner.details()
        found = self._team.details() or self._inner.details()
        return found | {"replicas_by_node": dict(self._team.nodes)}

    def waits_for(self) -> str:
        """The replicas that are still to come, and what others work on for longest."""
        return self._team.waits_for() if self._team is not None else "a Ray cluster"

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        """One response for each request.

        Failures: those of the inner adapter, and `replica_died` for a request that three replicas died of. Raises
        `UsageError` where the cluster has no room or a node lacks something, `RunError` where an engine breaks.
        """
        first = next(requests, None)
        if first is None:
            return
        team = self._team or self._started(first)
        dispatch = Dispatch(_chain(first, requests))
        while not dispatch.done:
            for member in team.members:
                if member.ready and member.call is None:
                    self._exchange(member, dispatch)
            calls = {member.call: member for member in team.members if member.call is not None}
            for call in self._came_back(list(calls)):
                yield from self._take(calls[call], team, dispatch)
            team.tend()

    def _started(self, first: Request) -> Team:
        self._cluster = Cluster(self._options)
        frame = next(iter(first.prompt.frame_paths()), "") if self.capabilities().needs_content else ""
        size = os.stat(frame).st_size if frame and Path(frame).is_file() else 0  # noqa: PTH116
        self._team = Team(
            self._cluster, self._options, self._spec.typed, self._inner.fingerprint, frame if size else "", size
        )
        if self._options.ship_frames:
            self._shipper = ClipShipper(self._cluster.ray.put)
        return self._team

    def _exchange(self, member: Member, dispatch: Dispatch) -> None:
        """Gives a free replica what it wants, or waits for what it works on."""
        idle = not dispatch.out(member.name)
        given, ended = dispatch.hand_out(member.name, member.report.wanted or (LEAST_AHEAD if idle else 0))
        if not given and idle:
            return
        clips = self._shipper.references(given) if self._shipper is not None else []
        member.call = member.actor.exchange.remote(msgspec.msgpack.encode(given), ended, clips)

    def _came_back(self, calls: list[Any]) -> list[Any]:
        """Those of the calls that came back: at least one, unless all take longer than `TICK`."""
        assert self._cluster is not None
        if not calls:
            time.sleep(TICK)
            return []
        ray = self._cluster.ray
        done, rest = ray.wait(calls, num_returns=1, timeout=TICK)
        return [*done, *(ray.wait(rest, num_returns=len(rest), timeout=0)[0] if rest else ())]

    def _take(self, member: Member, team: Team, dispatch: Dispatch) -> Iterator[Response]:
        """What came of a call: a new replica's facts, or responses, or its death."""
        assert self._cluster is not None
        ray, call, member.call = self._cluster.ray, member.call, None
        try:
            result = ray.get(call)
        except ray.exceptions.RayTaskError as error:
            raise RunError(f"ray: {member.label}: {error}") from error
        except ray.exceptions.RayError as error:
            why = str(error).strip().splitlines()[0]
            yield from dispatch.died(member.name, f"{member.label}: {why}")
            team.replace(member, why)
            return
        if not member.ready:
            team.admit(member, result)
            return
        report = msgspec.msgpack.decode(result, type=Report)
        for response in report.responses:
            if dispatch.answered(member.name, response.key):
                yield msgspec.structs.replace(response, replica=f"{member.node}/{member.name}")
        team.heard(member, report)
        if report.idle:
            yield from dispatch.unanswered(member.name)

    def close(self) -> None:
        """Ends the replicas, and the cluster if it is our own."""
        try:
            if self._team is not None:
                self._team.close()
        finally:
            if self._cluster is not None:
                self._cluster.close()
            self._inner.close()


def _chain(first: Request, rest: Iterator[Request]) -> Iterator[Request]:
    yield first
    yield from rest


def _seen_from_everywhere(spec: ModelSpec) -> ModelSpec:
    """The spec with absolute paths: replicas start in other folders."""

    def absolute(value: str) -> str:
        return os.path.abspath(value) if value and Path(value).exists() else value  # noqa: PTH100 - a link keeps its name

    options = {key: absolute(value) if key in PATHS else value for key, value in spec.options.items()}
    takes_paths = adapter_type(spec, registry()).takes_paths
    return msgspec.structs.replace(spec, target=absolute(spec.target) if takes_paths else spec.target, options=options)


def build(target: str, options: RayOptions) -> ModelAdapter:
    """The replicas of the inner adapter that `target` and the options passed on name."""
    try:
        spec = parse_spec(target)
    except UsageError as error:
        raise UsageError(f"ray:{target}: what stands behind ray: must be a model spec itself ({error})") from error
    if spec.options and not spec.file:
        raise UsageError(
            f"ray:{target}: options of the inner model stand behind it, as in ray:hf:./checkpoint,lora=./a"
        )
    if spec.scheme == "ray":
        raise UsageError(f"ray:{target}: replicas of replicas make no sense; write ray once")
    return RayAdapter(msgspec.structs.replace(spec, options=spec.options | options.inner), options)
