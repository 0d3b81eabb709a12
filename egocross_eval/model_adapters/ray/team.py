"""The replicas of a run: started, checked, replaced when they die, joined by more when nodes come."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from egocross_eval.counted import counted
from egocross_eval.errors import RunError, UsageError
from egocross_eval.model_adapters.ray.cluster import Cluster
from egocross_eval.model_adapters.ray.options import RayOptions
from egocross_eval.model_adapters.ray.replica import Report
from egocross_eval.version import __version__

BARREN = 3
"""So many deaths for each replica, without an answer in between, end the run: they die of what they load."""

GROWS_EVERY = 5.0
"""Seconds from one look for new nodes to the next."""


class Member:
    """A replica as the driver knows it."""

    def __init__(self, name: str, actor: Any, call: Any) -> None:
        self.name = name
        self.actor = actor
        self.call: Any = call
        """Reference to what it was asked last; None: it is free."""
        self.ready = False
        """It was checked."""
        self.node = ""
        self.report = Report()
        self.heard = time.monotonic()

    @property
    def label(self) -> str:
        """Its name and node."""
        return f"replica {self.name} on {self.node}" if self.node else f"replica {self.name}"


class Team:
    """Starts replicas of an inner adapter and keeps their number."""

    def __init__(
        self,
        cluster: Cluster,
        options: RayOptions,
        spec: str,
        fingerprint: Callable[[], str | None],
        frame: str,
        size: int,
    ) -> None:
        """`frame` is the path of one that all nodes must see, of `size` bytes; empty: there is none.

        Raises `UsageError` where the replicas that are asked for don't fit the cluster.
        """
        self._cluster, self._options, self._spec = cluster, options, spec
        self._fingerprint, self._frame, self._size = fingerprint, frame, size
        self._worker = _worker_class(cluster.ray)
        self._started = 0
        self._barren = 0
        self._grown = time.monotonic()
        self.members: list[Member] = []
        self.nodes: dict[str, int] = {}
        """Replicas that were ready, by node."""
        cluster.check_room()
        for _ in range(options.replicas or max(1, cluster.room())):
            self._start()

    def tend(self) -> None:
        """Adds replicas where nodes joined, if their number isn't given."""
        if self._options.replicas or time.monotonic() - self._grown < GROWS_EVERY:
            return
        self._grown = time.monotonic()
        for _ in range(self._cluster.room() - len(self.members)):
            self._start()

    def admit(self, member: Member, facts: dict[str, Any]) -> None:
        """Takes a replica that says what it has. Raises `UsageError`, naming its node, where it can't be used."""
        member.node = facts["node"]
        fault = facts["error"] or self._fault(facts)
        if fault:
            raise UsageError(f"ray: node {member.node}: {fault}")
        member.ready = True
        self.nodes[member.node] = self.nodes.get(member.node, 0) + 1

    def _fault(self, facts: dict[str, Any]) -> str:
        if not facts["sees_frames"] and not self._options.ship_frames:
            return (
                f"it doesn't see the frames ({self._frame}); put the data where it sees them under the same path, "
                "or add ship_frames=true"
            )
        here = self._fingerprint()
        if facts["fingerprint"] != here:
            return (
                f"the model there is another one (fingerprint {str(facts['fingerprint'])[:12]}, here {str(here)[:12]})"
            )
        return ""

    def heard(self, member: Member, report: Report) -> None:
        """Notes a report. Raises `UsageError` or `RunError` where the engine broke."""
        member.report, member.heard = report, time.monotonic()
        if report.responses:
            self._barren = 0
        if report.error:
            kind = UsageError if report.usage else RunError
            raise kind(f"{member.label}: {report.error}")

    def replace(self, member: Member, why: str) -> None:
        """Starts another in place of a dead one. Raises `RunError` where they die and nothing is answered."""
        self._barren += 1
        if self._barren >= BARREN * len(self.members):
            raise RunError(f"ray: {self._barren} replicas died, and nothing was answered meanwhile; the last: {why}")
        self.members.remove(member)
        self._dismiss(member)
        self._start()

    def waits_for(self) -> str:
        """What is waited for, the longest first."""
        placed = [member for member in self.members if member.ready]
        texts = []
        if len(placed) < len(self.members):
            texts.append(
                f"{len(self.members) - len(placed)} of {counted(len(self.members), 'replica')} to be placed and loaded"
            )
        busy = sorted((one for one in placed if one.report.oldest), key=_waited, reverse=True)
        texts += [f"{one.label}: {one.report.oldest} for {_waited(one):.0f} s" for one in busy[:3]]
        return "; ".join(texts)

    def details(self) -> dict[str, Any]:
        """What the inner adapter of a replica says of itself; empty where none answers."""
        for member in self.members:
            if member.ready:
                try:
                    found: dict[str, Any] = self._cluster.ray.get(member.actor.details.remote(), timeout=10)
                except self._cluster.ray.exceptions.RayError:
                    continue
                return found
        return {}

    def close(self) -> None:
        """Ends all replicas; those that can say so free their model first."""
        ray = self._cluster.ray
        calls = [member.actor.close.remote() for member in self.members if member.ready]
        if calls:
            ray.wait(calls, num_returns=len(calls), timeout=5)
        for member in self.members:
            self._dismiss(member)

    def _start(self) -> None:
        name = str(self._started)
        self._started += 1
        resources = {"num_cpus": self._options.cpus, "num_gpus": self._options.gpus}
        actor = self._worker.options(max_restarts=0, max_task_retries=0, **resources).remote(self._spec, __version__)
        self.members.append(Member(name, actor, actor.facts.remote(self._frame, self._size)))

    def _dismiss(self, member: Member) -> None:
        # It may be alive and out of reach: what it answers now must not count.
        self._cluster.ray.kill(member.actor)


def _waited(member: Member) -> float:
    return member.report.oldest_seconds + time.monotonic() - member.heard


def _worker_class(ray: Any) -> Any:
    """The actor's class, which travels as code."""
    from egocross_eval.model_adapters.ray import worker

    ray.cloudpickle.register_pickle_by_value(worker)
    return ray.remote(worker.Worker)
