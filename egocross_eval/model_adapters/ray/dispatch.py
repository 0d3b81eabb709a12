"""Which replica is asked what: batches of questions about the same frames, and what becomes of those that are lost."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from egocross_eval.schema import Failure, Request, Response

MOST = 8
"""Requests of a batch, all about the same frames."""

DEATHS = 3
"""A request at whose hands so many replicas died is a failure."""


class Dispatch:
    """The requests of one round. Each is with one replica at most, and answered once."""

    def __init__(self, requests: Iterator[Request]) -> None:
        self._requests = requests
        self._next: Request | None = None
        self._drawn_up = False
        self._returned: deque[Request] = deque()
        """Those of dead replicas, to be asked before others."""
        self._suspects: deque[Request] = deque()
        """Returned ones that one more death would condemn: asked alone, so that none is condemned for another."""
        self._out: dict[str, dict[str, Request]] = {}
        """What each replica was given and has not answered, by key."""
        self._deaths: dict[str, int] = {}

    def hand_out(self, replica: str, wanted: int) -> tuple[list[Request], bool]:
        """Requests for a replica that wants so many more, at least whole batches, and whether it gets no more for now.

        A replica that has a suspect gets nothing else until that is answered, and so knows that nothing will come.
        """
        out = self._out.setdefault(replica, {})
        if any(self._deaths.get(key, 0) >= DEATHS - 1 for key in out):
            return [], True
        if self._suspects and not out and wanted:
            suspect = self._suspects.popleft()
            out[suspect.key] = suspect
            return [suspect], True
        given: list[Request] = []
        while len(given) < wanted and (batch := self._batch()):
            given += batch
        out.update((request.key, request) for request in given)
        return given, not given and self._nothing_left()

    def answered(self, replica: str, key: str) -> bool:
        """Notes an answer. False where the replica had no such request: it is not to be taken."""
        known = self._out.get(replica, {}).pop(key, None) is not None
        if known:
            self._deaths.pop(key, None)
        return known

    def died(self, replica: str, why: str) -> list[Response]:
        """Takes back what a dead replica had; responses for those that are given up."""
        failed = []
        for key, request in self._out.pop(replica, {}).items():
            deaths = self._deaths[key] = self._deaths.get(key, 0) + 1
            if deaths >= DEATHS:
                message = f"{deaths} replicas died while they had this question; the last: {why}"
                failed.append(Response(key=key, failure=Failure(kind="replica_died", message=message, retryable=True)))
            elif deaths == DEATHS - 1:
                self._suspects.append(request)
            else:
                self._returned.append(request)
        return failed

    def unanswered(self, replica: str) -> list[Response]:
        """Failures for what a replica was given and came to its end without answering."""
        message = "the adapter ended without an answer to this question"
        failure = Failure(kind="no_response", message=message, retryable=True)
        return [Response(key=key, failure=failure) for key in self._out.pop(replica, {})]

    def out(self, replica: str) -> int:
        """Requests that a replica has not answered."""
        return len(self._out.get(replica, {}))

    @property
    def done(self) -> bool:
        """Everything that was drawn is answered, and nothing is left to draw."""
        return self._nothing_left() and not self._suspects and not any(self._out.values())

    def _nothing_left(self) -> bool:
        if not self._returned and self._next is None and not self._drawn_up:
            self._next = next(self._requests, None)
            self._drawn_up = self._next is None
        return not self._returned and self._next is None

    def _batch(self) -> list[Request]:
        """The next requests about the same frames; one where there are no frames, as nothing is shared."""
        batch: list[Request] = []
        while len(batch) < MOST and not self._nothing_left():
            request = self._returned[0] if self._returned else self._next
            assert request is not None
            if batch and not _share_frames(batch[0], request):
                break
            if self._returned:
                self._returned.popleft()
            else:
                self._next = None
            batch.append(request)
        return batch


def _share_frames(one: Request, other: Request) -> bool:
    frames = one.prompt.frame_paths()
    return bool(frames) and frames == other.prompt.frame_paths()
