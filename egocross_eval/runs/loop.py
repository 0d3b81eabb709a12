"""The loop: asks what methods want to know, round by round, and keeps each answer the moment it exists."""

from __future__ import annotations

import math
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from egocross_eval.contracts.faults import origin
from egocross_eval.contracts.model import ModelAdapter
from egocross_eval.contracts.registry import registry
from egocross_eval.errors import DataError, EgoCrossError, RunError
from egocross_eval.reading.response import read_response
from egocross_eval.runs.activity import OpenNow
from egocross_eval.runs.approaches import Approach
from egocross_eval.runs.cache import ResponseCache
from egocross_eval.runs.plan import RunPlan
from egocross_eval.runs.requests import RequestMaker, request_key
from egocross_eval.runs.store import SampleWriter
from egocross_eval.schema import Answer, Ask, Decision, Failure, Question, Request, Response, Sample, Sent

_Observer = Callable[[Sample], None]

MOST_ASKS = 10_000
"""For one question: a method that wants more never decides."""


class _Asked:
    """A question that is not decided yet."""

    __slots__ = ("answers", "approach", "earlier", "names", "question", "shown", "waiting")

    def __init__(self, question: Question, approach: Approach, earlier: Sequence[Answer]) -> None:
        self.question = question
        self.approach = approach
        self.shown = approach.renderer.as_shown(question)
        """The question as the method sees it."""
        self.names: list[str] = []
        """Of all asks so far, in the order asked."""
        self.answers: dict[str, Answer] = {}
        self.earlier = {answer.ask.name: answer for answer in earlier if not answer.response.failed}
        """Answers that an earlier process got, by the name of their ask."""
        self.waiting = 0
        """Asks of this round without an answer."""

    def in_order(self) -> list[Answer]:
        return [self.answers[name] for name in self.names if name in self.answers]


class _Open(msgspec.Struct, frozen=True):
    """An ask whose answer is awaited; without a request if it could not be made into one."""

    asked: _Asked
    ask: Ask
    request: Request | None
    sent: Sent = Sent()
    since: float = 0.0
    """When the adapter drew it, by the system's clock."""


class Loop:
    """One run of one model into one folder. `run` may be called once."""

    def __init__(
        self,
        plan: RunPlan,
        adapter: ModelAdapter,
        writer: SampleWriter,
        *,
        model: str,
        cache: ResponseCache | None,
        on_sample: _Observer,
    ) -> None:
        self._plan = plan
        self._adapter = adapter
        self._writer = writer
        self._model = model
        self._cache = cache
        self._on_sample = on_sample
        # The adapter may draw requests in a thread of its own: these are all that drawing touches.
        self._fresh: deque[Question] = deque()
        """Questions of which nothing was asked yet."""
        self._ready: deque[tuple[_Asked, Ask]] = deque()
        """What became askable by an answer, or is left of a round."""
        self._unsent: deque[tuple[_Asked, Ask, Failure]] = deque()
        self._open: dict[str, _Open] = {}
        self._drawn_up = False
        self._maker = RequestMaker(plan)

    def run(self, pending: Sequence[Question], earlier: Mapping[str, Sequence[Answer]]) -> None:
        """Asks the pending questions; every one of them has a sample afterwards.

        `earlier` are answers of an earlier process by the question's key: they are not asked again. Raises `RunError`
        where the adapter raises or breaks its contract, and lets KeyboardInterrupt through; what was answered before
        is kept.
        """
        for question in pending:
            if question.key in earlier or self._plan.is_settled(question):
                asked = self._asked(question, earlier.get(question.key, ()))
                self._ready.extend((asked, ask) for ask in self._advance(asked))
            else:
                self._fresh.append(question)
        while self._fresh or self._ready:
            if self._cache is not None and self._cache.knows_model():
                self._settle(self._cache)
            if self._fresh or self._ready:
                self._ask_round()

    def open_now(self) -> OpenNow:
        """The requests whose answer is awaited; asked from another thread."""
        try:
            # A dict keeps the order in which they were drawn.
            key, oldest = next(iter(self._open.items()))
        except (StopIteration, RuntimeError):  # none, or it changed at this instant
            return OpenNow(0, "", None)
        return OpenNow(len(self._open), key, datetime.fromtimestamp(oldest.since, UTC))

    def _settle(self, cache: ResponseCache) -> None:
        """Answers from the cache what it knows, also what that leads on to, before the adapter is asked."""
        unknown: list[tuple[_Asked, Ask]] = []
        while (drawn := self._draw()) is not None:
            opened = self._opened(*drawn)
            if opened is None or opened.request is None:
                continue
            found = cache.get(opened.request)
            if found is None:
                unknown.append(drawn)
            else:
                self._keep(opened, found)
        self._take_unsent()
        self._ready.extend(unknown)

    def _draw(self) -> tuple[_Asked, Ask] | None:
        """What to ask next; None where nothing is askable now. Touches no file and never waits."""
        if not self._ready and self._fresh:
            asked = self._asked(self._fresh.popleft(), ())
            self._ready.extend((asked, ask) for ask in self._new_asks(asked))
        return self._ready.popleft() if self._ready else None

    def _asked(self, question: Question, earlier: Sequence[Answer]) -> _Asked:
        return _Asked(question, self._plan.approach(question), earlier)

    def _new_asks(self, asked: _Asked) -> list[Ask]:
        """What the method wants to know next, less what an earlier process was answered; empty where it decides."""
        step = self._step(asked)
        if isinstance(step, Decision):
            if not asked.names and not self._plan.is_settled(asked.question):
                raise RunError(f"the method {asked.approach.options.method!r} decides without asking")
            return []
        _check_asks(asked.approach.options.method, asked.names, step)
        asked.names.extend(ask.name for ask in step)
        for ask in step:
            known = asked.earlier.pop(ask.name, None)
            if known is not None and known.ask == ask:
                asked.answers[ask.name] = known
        new = [ask for ask in step if ask.name not in asked.answers]
        asked.waiting = len(new)
        return new

    def _ask_round(self) -> None:
        self._drawn_up = False
        responses = self._adapter.generate(self._requests())
        try:
            for response in responses:
                self._take(response)
                self._take_unsent()
        except EgoCrossError:
            raise
        except (Exception, SystemExit) as error:
            plugin = origin("model_adapters", self._model.partition(":")[0], registry())
            message = f"the adapter of {self._model}{plugin} failed: {error}"
            raise RunError(f"{message}\n{traceback.format_exc()}") from error
        finally:
            close = getattr(responses, "close", None)
            if close is not None:
                close()
        self._take_unsent()
        for key in list(self._open):
            self._fail(key, "no_response", "the adapter ended without an answer to this question")
        if not self._drawn_up:
            # It stopped drawing early: nothing may go missing.
            while (drawn := self._draw()) is not None:
                failure = Failure(
                    kind="no_response", message="the adapter ended without asking for this question", retryable=True
                )
                self._keep_unsent(*drawn, failure)

    def _requests(self) -> Iterator[Request]:
        """Renders lazily and never waits: what becomes askable meanwhile joins, the rest makes the next round."""
        while (drawn := self._draw()) is not None:
            opened = self._opened(*drawn)
            if opened is not None and opened.request is not None:
                self._open[opened.request.key] = opened
                yield opened.request
        self._drawn_up = True

    def _opened(self, asked: _Asked, ask: Ask) -> _Open | None:
        """An ask with its request; one that can't be made into a request is put aside as a failure."""
        try:
            reads = self._adapter.capabilities().needs_content
            request, sent = self._maker.made(asked.question, ask, read_frames=reads)
        except DataError as error:
            self._unsent.append((asked, ask, Failure(kind="frame", message=str(error))))
            return None
        return _Open(asked, ask, request, sent, time.time())

    def _fail(self, key: str, kind: str, message: str) -> None:
        self._take(Response(key=key, failure=Failure(kind=kind, message=message, retryable=True)))

    def _take_unsent(self) -> None:
        while self._unsent:
            self._keep_unsent(*self._unsent.popleft())

    def _keep_unsent(self, asked: _Asked, ask: Ask, failure: Failure) -> None:
        response = Response(key=request_key(asked.question, ask), failure=failure)
        self._keep(_Open(asked, ask, None), response)

    def _take(self, response: Response) -> None:
        opened = self._open.pop(response.key, None)
        if opened is None:
            raise RunError(
                f"the adapter of {self._model} answered {response.key!r}, which was not asked or had its answer"
            )
        response = _checked(response)
        if self._cache is not None and opened.request is not None:
            self._cache.put(opened.request, response)
        self._keep(opened, response)

    def _keep(self, opened: _Open, response: Response) -> None:
        """Files an answer; the question's sample is written if that decides it, the answer alone otherwise."""
        asked, ask = opened.asked, opened.ask
        options = asked.question.options if ask.options is None else ask.options
        answer = Answer(
            ask=ask,
            sent=opened.sent,
            response=response,
            reading=read_response(response, options, tuple(options) if ask.choices is None else ask.choices),
        )
        asked.answers[ask.name] = answer
        asked.waiting -= 1
        if asked.waiting or not self._finish(asked):
            self._writer.write_answer(asked.question.key, answer)
            if not asked.waiting:
                # About the same frames as what was answered: it goes before other questions.
                self._ready.extendleft((asked, ask) for ask in reversed(self._advance(asked)))

    def _finish(self, asked: _Asked) -> bool:
        """Writes the sample of a question whose round is answered, if an ask failed or the method decides."""
        answers = asked.in_order()
        failed = any(answer.response.failed for answer in answers)
        decision = Decision(reason="errored") if failed else self._step(asked)
        if not isinstance(decision, Decision):
            return False
        sample = self._plan.sample(asked.question, answers, decision)
        self._writer.write(sample)
        self._on_sample(sample)
        return True

    def _step(self, asked: _Asked) -> Sequence[Ask] | Decision:
        return self._plan.step(asked.shown, asked.in_order())

    def _advance(self, asked: _Asked) -> list[Ask]:
        """What the method wants to know next; empty where it decides by what is known, and the sample is written."""
        while not (new := self._new_asks(asked)):
            if self._finish(asked):
                break
        return new


def _check_asks(method: str, before: Sequence[str], asks: Sequence[Ask]) -> None:
    names = [ask.name for ask in asks]
    if not names:
        raise RunError(f"the method {method!r} neither asks nor decides")
    if len(set(names)) < len(names) or not set(names).isdisjoint(before) or any("#" in name for name in names):
        raise RunError(
            f"the method {method!r} names its asks {', '.join(names)}: "
            "each needs a name of its own, in no earlier round and without #"
        )
    if len(before) + len(names) > MOST_ASKS:
        raise RunError(f"the method {method!r} asked {MOST_ASKS} times about one question and doesn't decide")


def _checked(response: Response) -> Response:
    """The response, or a failure in its place where it says nothing or says what no engine may say."""
    failure = None
    if response.failure is not None:
        return response
    if response.text is None and response.scores is None:
        failure = Failure(kind="no_response", message="the adapter gave neither text nor scores", retryable=True)
    elif response.scores is not None and (bad := [k for k, v in response.scores.items() if not math.isfinite(v)]):
        failure = Failure(
            kind="bad_scores",
            message=f"the scores of {', '.join(bad)} are no finite numbers: NaN or infinite weights or activations; "
            f"try another dtype, e.g. bfloat16 or float32",
        )
    if failure is None:
        return response
    return msgspec.structs.replace(response, text=None, scores=None, failure=failure)
