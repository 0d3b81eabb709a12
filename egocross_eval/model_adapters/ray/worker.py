"""What Ray starts on a node. It is sent as code, for a node may lack the package or have another version of it: then it
says so, with the node's name, in place of dying."""

from __future__ import annotations

import os
import platform
from typing import Any


class Worker:
    """An actor around a `Replica`."""

    def __init__(self, spec: str, version: str) -> None:
        self._node = platform.node()
        self._replica: Any = None
        self._clips: Any = None
        self._error = ""
        try:
            self._build(spec, version)
        except Exception as error:
            # Whatever is wrong here is told to the driver, which names the node.
            self._error = self._error or f"{error}" or repr(error)

    def _build(self, spec: str, version: str) -> None:
        try:
            from egocross_eval.version import __version__ as here
        except ImportError:
            self._error = f"egocross-eval is not installed there; install version {version}"
            return
        if here != version:
            self._error = f"egocross-eval {here} is installed there, and {version} here; install the same version"
            return
        from egocross_eval.model_adapters.ray.clips import ClipFolder
        from egocross_eval.model_adapters.ray.replica import Replica

        self._replica = Replica(spec)
        self._clips = ClipFolder()

    def facts(self, frame: str, size: int) -> dict[str, Any]:
        """Where it runs and what it has: its node, the model's fingerprint, whether it sees a frame of that size."""
        there = os.stat(frame).st_size if frame and os.path.isfile(frame) else -1  # noqa: PTH113, PTH116 - no package
        return {
            "node": self._node,
            "pid": os.getpid(),
            "error": self._error,
            "sees_frames": not frame or there == size,
            "fingerprint": self._replica.fingerprint() if self._replica is not None and not self._error else None,
        }

    def details(self) -> dict[str, Any]:
        """The inner adapter's."""
        details: dict[str, Any] = self._replica.details()
        return details

    def exchange(self, requests: bytes, ended: bool, clips: list[Any]) -> bytes:
        """See `Replica.exchange`; `clips` are references to frames that come with the requests."""
        if clips:
            import ray

            requests = self._clips.take(requests, ray.get(clips))
        report: bytes = self._replica.exchange(requests, ended)
        return self._clips.release(report) if self._clips.used else report

    def close(self) -> None:
        """Frees the model and what was written."""
        if self._replica is not None:
            self._replica.close()
            self._clips.remove()
