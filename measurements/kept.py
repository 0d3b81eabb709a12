"""An adapter whose engine outlives the runs that are measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from egocross_eval.contracts.model import Capabilities, ModelAdapter
from egocross_eval.schema import Request, Response


class Kept(ModelAdapter):
    """Asks `inner`, which `evaluate` closes at the end of a run if it's handed over itself."""

    def __init__(self, inner: ModelAdapter) -> None:
        self.inner = inner

    def capabilities(self) -> Capabilities:
        return self.inner.capabilities()

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        return self.inner.generate(requests)

    def details(self) -> dict[str, Any]:
        return self.inner.details()
