"""A plugin for tests that run in several processes: an engine with latency, and with faults where they're asked for."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from egocross_eval import AdapterType, Capabilities, ModelAdapter, Request, Response, hookimpl


class SimulatedOptions(msgspec.Struct, frozen=True, kw_only=True):
    seconds: float = 0.0
    """Latency of an answer."""
    hurry: str = ""
    """There is none any more once there is such a file."""
    meet: int = 0
    """Nothing is answered before so many processes ..."""
    at: str = ""
    """... have come to this folder."""
    window: int = 1
    """Requests that are drawn before any is answered."""
    poison: str = ""
    """The process is killed by questions whose key ends so."""
    stuck: str = ""
    """Such a question is worked on for ever."""
    breaks: str = ""
    """The engine raises at such a question."""
    reads: bool = False
    """Answers by the bytes of the frames."""
    weights: str = "same"
    """`own` ones are other in every process."""


class SimulatedAdapter(ModelAdapter):
    def __init__(self, options: SimulatedOptions) -> None:
        self._options = options

    def capabilities(self) -> Capabilities:
        return Capabilities(needs_content=self._options.reads)

    def fingerprint(self) -> str:
        return f"simulated-{os.getpid() if self._options.weights == 'own' else 0}"

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        waiting: deque[Request] = deque()
        for request in requests:
            waiting.append(request)
            if len(waiting) == self._options.window:
                while waiting:
                    yield self._answer(waiting.popleft())
        while waiting:
            yield self._answer(waiting.popleft())

    def _answer(self, request: Request) -> Response:
        options = self._options
        begun = time.monotonic()
        self._meet()
        if options.poison and request.key.endswith(options.poison):
            os.kill(os.getpid(), signal.SIGKILL)
        if options.breaks and request.key.endswith(options.breaks):
            raise RuntimeError("the engine is out of order")
        while options.stuck and request.key.endswith(options.stuck):
            time.sleep(0.1)
        if not (options.hurry and Path(options.hurry).exists()):
            time.sleep(options.seconds)
        content = [Path(path).read_bytes() for path in request.prompt.frame_paths()] if options.reads else []
        digest = hashlib.sha256(b"".join([request.key.encode(), *content])).digest()
        label = request.choices[digest[0] % len(request.choices)]
        return Response(key=request.key, text=label, seconds=time.monotonic() - begun, input_tokens=10, output_tokens=1)

    def _meet(self) -> None:
        if self._options.meet:
            folder = Path(self._options.at)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / str(os.getpid())).touch()
            while len(list(folder.iterdir())) < self._options.meet:
                time.sleep(0.05)


def build(target: str, options: SimulatedOptions) -> ModelAdapter:
    return SimulatedAdapter(options)


@hookimpl
def egocross_model_adapters() -> Iterable[AdapterType]:
    return [
        AdapterType(scheme="simulated", description="an engine with latency", factory=build, options=SimulatedOptions)
    ]
