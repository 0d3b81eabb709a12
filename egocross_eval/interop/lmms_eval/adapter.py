"""`lmms:NAME,key=value`: any model class of lmms-eval's answers our requests."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from typing import Any, Protocol

import msgspec

from egocross_eval.contracts.model import Capabilities, ModelAdapter
from egocross_eval.errors import UsageError
from egocross_eval.interop.lmms_eval.clients import client
from egocross_eval.interop.lmms_eval.environment import Environment, lmms_eval_environment
from egocross_eval.interop.lmms_eval.known_models import check_model, check_model_there
from egocross_eval.interop.lmms_eval.options import LmmsOptions
from egocross_eval.interop.lmms_eval.session import ModelOrder
from egocross_eval.schema import Request, Response

_LOADED_BY = ("pretrained", "model")
"""Arguments by which lmms-eval's classes name a checkpoint."""


class _Session(Protocol):
    def details(self) -> dict[str, Any]: ...

    def answer(self, requests: list[Request]) -> list[Response]: ...

    def close(self) -> None: ...


def build(target: str, options: LmmsOptions) -> ModelAdapter:
    """The adapter of an `lmms:` spec.

    Raises `UsageError` for an environment that lacks lmms-eval, a name that it doesn't have, and a client of a server
    without its package or key.
    """
    if not target:
        raise UsageError("lmms: names no model; write lmms:NAME, e.g. lmms:qwen3_vl,pretrained=./checkpoint")
    return LmmsAdapter(target, options)


class LmmsAdapter(ModelAdapter):
    """A class of lmms-eval's, in this process or in another environment's.

    Requests are handed over in chunks, since its interface takes whole lists; within one the class makes its own
    batches. The classes scale frames by their own rules.
    """

    def __init__(self, name: str, options: LmmsOptions) -> None:
        self._options = options
        self._environment: Environment = lmms_eval_environment(options.python, named_by="python=")
        self._order = ModelOrder(
            name=name, arguments=options.arguments, batch_size=options.batch_size, device=options.device
        )
        if options.python:
            check_model_there(name, self._environment.python)
        else:
            check_model(name)
        asked = client(name)
        # Nothing is won by more at once, and what is told of a failure is this question's.
        self._chunk = 1 if asked is not None and asked.one_by_one else options.chunk
        self._session: _Session | None = None

    def capabilities(self) -> Capabilities:
        """Frames as images, answers as text."""
        return Capabilities()

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        """One response for each request, chunk by chunk.

        Failures: lmms-eval's own (`request_failed`, `budget_exceeded`, `no_response`), `out_of_memory`, `engine`.
        """
        while chunk := list(itertools.islice(requests, self._chunk)):
            self._session = self._session or self._started()
            yield from self._session.answer(chunk)

    def fingerprint(self) -> str | None:
        """Of the class, its arguments, lmms-eval's version and the checkpoint.

        None where no checkpoint is named, and for clients of a server, of whose model the name alone is known.
        """
        weights = None if client(self._order.name) is not None else self._weights()
        if weights is None:
            return None
        parts = [self._environment.version, self._order, weights]
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()

    def details(self) -> dict[str, Any]:
        """lmms-eval's version, and once it's loaded the class and the system text that it adds."""
        own = {"lmms_eval": self._environment.version}
        return own | (self._session.details() if self._session is not None else {})

    def close(self) -> None:
        """Frees the model, or ends its process."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _started(self) -> _Session:
        if self._options.python:
            from egocross_eval.interop.lmms_eval.remote import RemoteSession

            return RemoteSession(self._environment.python, self._order)
        from egocross_eval.interop.lmms_eval.session import Session

        return Session(self._order)

    def _weights(self) -> str | None:
        """Hash of the checkpoint's files, or its commit on the Hub."""
        from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
        from egocross_eval.model_adapters.checkpoints.identity import fingerprint

        named = next((self._order.arguments[key] for key in _LOADED_BY if key in self._order.arguments), "")
        if not named or "/" not in named:
            return None
        return fingerprint(Checkpoint(named, scheme="lmms"), None, after=[])
