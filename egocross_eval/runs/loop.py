"""The loop: draws requests from questions, hands them to the adapter, and keeps each answer the moment it exists."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from egocross_eval.contracts.model import ModelAdapter
from egocross_eval.errors import DataError, EgoCrossError, RunError
from egocross_eval.grading.letter import judge_outcome
from egocross_eval.runs.cache import ResponseCache
from egocross_eval.runs.plan import RunPlan, utc_now
from egocross_eval.runs.requests import build_request, sent
from egocross_eval.runs.store import RunFolder, SampleWriter
from egocross_eval.runs.votes import Ballot, ballots, cast, read_prediction, rotated, summed_response
from egocross_eval.schema import Failure, Question, Request, Response, RunRecord, Sample, Sent, Vote

Observer = Callable[[Sample], None]


class _Asked(NamedTuple):
    """A question of which not all answers are there."""

    question: Question
    request: Request
    expected: int
    votes: list[Vote]


class Runner:
    """One run of one model into one folder. `execute` may be called once."""

    def __init__(
        self,
        plan: RunPlan,
        adapter: ModelAdapter,
        record: RunRecord,
        folder: RunFolder,
        *,
        cache: ResponseCache | None,
        on_sample: Observer,
    ) -> None:
        self._plan = plan
        self._adapter = adapter
        self._record = record
        self._folder = folder
        self._cache = cache
        self._on_sample = on_sample
        self._open: dict[str, tuple[str, Ballot, Request]] = {}
        self._asked: dict[str, _Asked] = {}
        # Adapters may draw requests from another thread than the one that takes their responses.
        self._lock = threading.Lock()

    def execute(self, pending: list[Question]) -> None:
        """Asks the pending questions; every one of them has a sample afterwards.

        Raises `RunError` where the adapter raises or breaks its contract, and lets KeyboardInterrupt through; what was
        answered before is kept.
        """
        with SampleWriter(self._folder) as writer:
            self._writer = writer
            requests = self._requests(pending)
            responses = self._adapter.generate(requests)
            try:
                for response in responses:
                    self._take(response)
            except EgoCrossError:
                raise
            except (Exception, SystemExit) as error:
                raise RunError(
                    f"the adapter of {self._record.model.spec} failed: {error}\n{traceback.format_exc()}"
                ) from error
            finally:
                close = getattr(responses, "close", None)
                if close is not None:
                    close()
            # An adapter may stop drawing early; what it never drew is drawn here, so that nothing goes missing.
            for request in requests:
                self._fail(request.key, "no_response", "the adapter ended without asking for this question")
            for key in list(self._open):
                self._fail(key, "no_response", "the adapter ended without an answer to this question")

    def _fail(self, key: str, kind: str, message: str) -> None:
        self._take(Response(key=key, failure=Failure(kind=kind, message=message, retryable=True)))

    def _requests(self, pending: list[Question]) -> Iterator[Request]:
        """Renders lazily. A question that can't be rendered, or whose answers are cached, never reaches the adapter."""
        settings = self._plan.settings
        for question in pending:
            asked = ballots(settings.votes, question, settings.generation.seed)
            try:
                requests = [self._request(question, ballot) for ballot in asked]
            except DataError as error:
                self._keep_unsent(question, error)
                continue
            with self._lock:
                self._asked[question.question_id] = _Asked(question, requests[0], len(requests), [])
                self._open.update(
                    (request.key, (question.question_id, ballot, request))
                    for request, ballot in zip(requests, asked, strict=True)
                )
            for request in requests:
                cached = self._cache.get(request) if self._cache else None
                if cached is not None:
                    self._take(cached)
                else:
                    yield request

    def _request(self, question: Question, ballot: Ballot) -> Request:
        plan = self._plan
        shown = rotated(question, ballot.rotation) if ballot.rotation else question
        request = build_request(
            shown,
            plan.renderer.render(shown, plan.root),
            msgspec.structs.replace(plan.settings.generation, seed=ballot.seed),
            split=plan.settings.split,
            read_frames=self._adapter.capabilities().needs_content,
        )
        return msgspec.structs.replace(request, key=request.key + ballot.name)

    def _keep_unsent(self, question: Question, error: DataError) -> None:
        """The sample of a question that could not be made into a request (a missing frame, say)."""
        response = Response(key=question.question_id, failure=Failure(kind="frame", message=str(error)))
        self._keep(question, Sent(messages=(), frames=(), content_hash=""), response)

    def _take(self, response: Response) -> None:
        with self._lock:
            opened = self._open.pop(response.key, None)
        if opened is None:
            raise RunError(
                f"the adapter of {self._record.model.spec} answered {response.key!r}, "
                f"which was not asked or had its answer"
            )
        question_id, ballot, request = opened
        if response.text is None and response.scores is None and response.failure is None:
            failure = Failure(kind="no_response", message="the adapter gave neither text nor scores", retryable=True)
            response = msgspec.structs.replace(response, failure=failure)
        if self._cache is not None and not response.cached:
            self._cache.put(request, response)
        asked = self._asked[question_id]
        if not self._plan.settings.votes:
            del self._asked[question_id]
            self._keep(asked.question, sent(request), response)
            return
        with self._lock:
            asked.votes.append(cast(asked.question, ballot, response))
            complete = len(asked.votes) == asked.expected
        if complete:
            del self._asked[question_id]
            votes = tuple(sorted(asked.votes, key=lambda vote: vote.key))
            self._keep(asked.question, sent(asked.request), summed_response(question_id, votes), votes)

    def _keep(self, question: Question, what: Sent, response: Response, votes: tuple[Vote, ...] = ()) -> None:
        prediction = read_prediction(question, response, votes)
        sample = Sample(
            key=question.question_id,
            question=question,
            sent=what,
            response=response,
            prediction=prediction,
            outcome=judge_outcome(question, response, prediction),
            finished_at=utc_now(),
            votes=votes,
        )
        with self._lock:
            self._writer.write(sample)
            self._on_sample(sample)
