"""What a served model sees of a frame, which its server doesn't say: worked out here, checked by its counts."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from egocross_eval.errors import EgoCrossError
from egocross_eval.model_adapters.json_option import json_object
from egocross_eval.model_adapters.vllm.engine_options import trusted
from egocross_eval.model_adapters.vllm.media import processor_settings
from egocross_eval.schema import Response

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
    from egocross_eval.model_adapters.checkpoints.preparation import Preparer
    from egocross_eval.schema import Request

LOOKED_AT = 64
"""Requests with frames whose lengths are worked out. It takes a few milliseconds of each."""

_TOLD = "mm_processor_kwargs"

MELTED = 2
"""Tokens a frame by which a length may differ: some processors melt marks of neighbours."""


class SeenFrames:
    """Compares a run's first requests, planned as the other adapters plan them, with the server's counts.

    Where the checkpoint's processor can't be loaded here, or the server counts otherwise, nothing is told.
    """

    def __init__(self, checkpoint: Checkpoint, engine_options: Mapping[str, str]) -> None:
        """Loads the checkpoint's processor, which takes seconds."""
        self._preparer = _preparer(checkpoint, engine_options)
        self._planned: dict[str, tuple[int, int]] = {}
        """By key: tokens, and by how many they may differ."""
        self._left = LOOKED_AT
        self._agree: bool | None = None
        self._lock = threading.Lock()

    def looked_at(self, requests: Iterator[Request]) -> Iterator[Request]:
        """The requests as they come."""
        for request in requests:
            self._plan(request)
            yield request

    def heard(self, response: Response) -> None:
        """Compares a response's number of tokens with what was planned."""
        with self._lock:
            planned = self._planned.pop(response.key, None)
        if planned is not None and response.failure is None and response.input_tokens is not None:
            tokens, allowed = planned
            self._agree = self._agree is not False and abs(tokens - response.input_tokens) <= allowed

    def details(self) -> dict[str, int]:
        """`frame_pixels` and `frame_tokens` of the frames looked at; empty where the server counts otherwise."""
        return self._preparer.frames_seen() if self._preparer is not None and self._agree else {}

    def _plan(self, request: Request) -> None:
        frames = len(request.prompt.frame_paths())
        if self._preparer is None or not self._left or not frames:
            return
        self._left -= 1
        with contextlib.suppress(EgoCrossError):
            item = self._preparer.plan(request)
            if not isinstance(item, Response):
                with self._lock:
                    self._planned[request.key] = (item.tokens, MELTED * frames)


def _preparer(checkpoint: Checkpoint, engine_options: Mapping[str, str]) -> Preparer | None:
    from egocross_eval.model_adapters.checkpoints.preparation import Preparer
    from egocross_eval.model_adapters.checkpoints.processor import load_processor

    with contextlib.suppress(EgoCrossError):
        processor = load_processor(checkpoint, trust_remote_code=trusted(engine_options))
        told = json_object("vllm-server", _TOLD, engine_options.get(_TOLD, ""), example="{}")
        return Preparer(processor, None, settings=processor_settings(told), together=False)
    return None
