"""Is a model adapter one? It is asked requests that it should answer, and such that it can't."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from egocross_eval.api import Run, evaluate
from egocross_eval.contracts.event import Answered, Event
from egocross_eval.contracts.model import AdapterType, Capabilities, ModelAdapter
from egocross_eval.contracts.registry import registry
from egocross_eval.counted import counted
from egocross_eval.errors import RunError, UsageError
from egocross_eval.model_adapters.spec import build_adapter, parse_spec
from egocross_eval.schema import Failure, ImagePart, Request, Response
from egocross_eval.settings import AnswerMode, GenerationSettings
from egocross_eval.testing.contract import BrokenContractError, Check, Contract, NotPromised, Tried
from egocross_eval.testing.material import data_root, finite, requests

_ENGINES = ("torch", "transformers", "vllm", "tensorflow", "jax", "openai", "anthropic", "google.genai", "ray")
_LOOK_AHEAD = 20_000
"""Requests that nobody may draw before the first answer: more than any batch has."""

_MEASURED = (
    "input_tokens",
    "output_tokens",
    "reused_tokens",
    "seconds",
    "first_token_seconds",
    "token_seconds",
    "attempts",
)
"""Fields of a response that are counts or times."""

_ONE_EACH = "yields exactly one response for each"
_RESPONSE = "What an adapter yields for a request"
_COUNTS = "Counts and times are finite and not negative."
_CAN = "What an adapter can do."
_LAZY = "draws requests lazily, with a bounded look-ahead"
_FAILURE = "A request that fails becomes a response with a `Failure`; the others go on."
_RESUMED = "all that was yielded before is kept"
_SCORES = "Can compare the log-probabilities of the labels to choose among (choose mode)."
_CONSTRAINED = "Can decode so that nothing but one of the labels comes out (constrained mode)."
_IDENTITY = "Identity of the weights and answer-relevant options"
_IMPORTS = "imports its engine here and not"
_OPTIONS = "keys are refused with a suggestion"


def adapter_checks(kind: AdapterType, spec: str) -> Iterator[Check]:
    """The checks of an adapter type; `spec` names a model of it that answers."""
    contract = Contract(f"adapter {kind.scheme}", "model")
    tried: Tried = {
        "imports no engine before it is used": (_IMPORTS, _imports_nothing),
        "refuses options that it doesn't know": (_OPTIONS, _refuses_options),
        "answers each request once": (_ONE_EACH, _answers_each_once),
        "answers nothing where nothing is asked": (_ONE_EACH, _answers_nothing),
        "draws requests lazily": (_LAZY, _draws_lazily),
        "goes on after a frame that can't be read": (_FAILURE, _survives_a_frame),
        "gives the scores that it promises": (_SCORES, partial(_keeps_mode, mode="choose")),
        "holds to the labels as it promises": (_CONSTRAINED, partial(_keeps_mode, mode="constrained")),
        "has a fingerprint that stays": (_IDENTITY, _keeps_fingerprint),
        "is killed and goes on": (_RESUMED, _is_resumed),
    }
    return contract.checks(tried, kind, spec)


@contextmanager
def _built(spec: str) -> Iterator[ModelAdapter]:
    adapter = build_adapter(parse_spec(spec), registry())
    try:
        yield adapter
    finally:
        adapter.close()


@contextmanager
def _asked(
    contract: Contract, spec: str, mode: AnswerMode, choices: tuple[str, ...] = ()
) -> Iterator[tuple[ModelAdapter, list[Request]]]:
    with _built(spec) as adapter, data_root() as root:
        contract.require_type(adapter.capabilities(), Capabilities, _CAN)
        settings = GenerationSettings(answer_mode=mode, max_new_tokens=16)
        yield adapter, requests(root, settings, frames=adapter.capabilities().images, choices=choices)


def _imports_nothing(contract: Contract, kind: AdapterType, spec: str) -> None:
    module = kind.factory.__module__
    path = f"import sys; sys.path[:] = {sys.path!r}; import {module}"
    code = f"{path}; print(*[name for name in {_ENGINES!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    contract.require(done.returncode == 0, _IMPORTS, f"importing {module} fails: {done.stderr[-500:]}")
    contract.require(not done.stdout.split(), _IMPORTS, f"importing {module} imports {done.stdout.strip()}")


def _refuses_options(contract: Contract, kind: AdapterType, spec: str) -> None:
    if kind.options is None:
        raise NotPromised("its factory checks the options itself")
    if kind.passed_on is not None:
        raise NotPromised("it passes unknown options on")
    try:
        with _built(f"{spec},no_such_option_=1"):
            pass
    except UsageError:
        return
    contract.require(False, _OPTIONS, "an unknown option is taken in silence")


def _checked(contract: Contract, asked: Sequence[Request], answered: Sequence[Response]) -> None:
    for response in answered:
        contract.require_type(response, Response, _RESPONSE)
        measured = {name: getattr(response, name) for name in _MEASURED}
        bad = {name: value for name, value in measured.items() if not _is_measured(value)}
        contract.require(not bad, _COUNTS, f"the response to {response.key} has {bad}")
    wanted, got = [request.key for request in asked], [response.key for response in answered]
    missing, extra = sorted(set(wanted) - set(got)), sorted(set(got) - set(wanted))
    twice = sorted({key for key in got if got.count(key) > 1})
    contract.require(
        not (missing or extra or twice),
        _ONE_EACH,
        f"{counted(len(asked), 'request')}, {counted(len(answered), 'response')} (missing {missing}, unasked "
        f"{extra}, twice {twice})",
    )
    for response in answered:
        given = [response.text is not None, response.scores is not None, response.failure is not None]
        contract.require(
            sum(given) == 1, _FAILURE, f"the response to {response.key} has {sum(given)} of text, scores and failure"
        )


def _is_measured(value: float | None) -> bool:
    return value is None or (math.isfinite(value) and value >= 0)


def _answers_each_once(contract: Contract, kind: AdapterType, spec: str) -> None:
    with _asked(contract, spec, "generate") as (adapter, asked):
        answered = list(adapter.generate(iter(asked)))
    _checked(contract, asked, answered)
    plain = next(response for response in answered if response.key == asked[0].key)
    _refuse_outage(spec, plain.failure)
    contract.require(plain.failure is None, _ONE_EACH, f"the plainest question fails: {plain.failure}")


def _refuse_outage(spec: str, failure: Failure | None) -> None:
    """A failure that is over later says nothing of the adapter: raises `UsageError` naming it."""
    if failure is not None and failure.retryable:
        raise UsageError(
            f"{spec} doesn't answer, so it can't be checked: {failure.kind}: {failure.message}. Start what it asks (a "
            "server, say), or name a model that answers: specs={...}"
        )


def _answers_nothing(contract: Contract, kind: AdapterType, spec: str) -> None:
    with _built(spec) as adapter:
        answered = list(adapter.generate(iter(())))
    contract.require(not answered, _ONE_EACH, f"{counted(len(answered), 'response')} to no request")


def _draws_lazily(contract: Contract, kind: AdapterType, spec: str) -> None:
    drawn = 0

    def endless(first: Request) -> Iterator[Request]:
        nonlocal drawn
        for drawn in itertools.count(1):
            contract.require(drawn < _LOOK_AHEAD, _LAZY, f"{drawn} requests are drawn and none is answered")
            yield msgspec.structs.replace(first, key=f"q{drawn}")

    with _asked(contract, spec, "generate") as (adapter, asked):
        answers = adapter.generate(endless(asked[0]))
        next(iter(answers))
        close = getattr(answers, "close", None)
        if close is not None:
            close()


def _survives_a_frame(contract: Contract, kind: AdapterType, spec: str) -> None:
    with _asked(contract, spec, "generate") as (adapter, asked):
        can = adapter.capabilities()
        if not (can.needs_content and can.images):
            raise NotPromised("it looks at no frame")
        broken = _without_frame(asked[0])
        answered = list(adapter.generate(iter([broken, asked[1]])))
    _checked(contract, [broken, asked[1]], answered)
    failures = {response.key: response.failure for response in answered}
    _refuse_outage(spec, failures[asked[1].key])
    contract.require(failures[broken.key] is not None, _FAILURE, "a frame that isn't there is no failure")
    contract.require(failures[asked[1].key] is None, _FAILURE, f"the next one fails too: {failures[asked[1].key]}")


def _without_frame(request: Request) -> Request:
    messages = tuple(
        msgspec.structs.replace(
            message,
            parts=tuple(
                msgspec.structs.replace(part, path=f"{part.path}.gone") if isinstance(part, ImagePart) else part
                for part in message.parts
            ),
        )
        for message in request.prompt.messages
    )
    return msgspec.structs.replace(
        request, prompt=msgspec.structs.replace(request.prompt, messages=messages), frame_hashes=()
    )


def _keeps_mode(contract: Contract, kind: AdapterType, spec: str, *, mode: AnswerMode) -> None:
    for choices in ((), ("yes", "no")):
        with _asked(contract, spec, mode, choices) as (adapter, asked):
            can = adapter.capabilities()
            if not (can.scores if mode == "choose" else can.constrained):
                raise NotPromised(f"it has no mode {mode}")
            answered = list(adapter.generate(iter(asked[:3])))
        _checked(contract, asked[:3], answered)
        labels = {request.key: set(request.choices) for request in asked}
        for response in answered:
            if response.failure is None:
                _check_mode(contract, response, labels[response.key], mode)


def _check_mode(contract: Contract, response: Response, labels: set[str], mode: AnswerMode) -> None:
    if mode == "constrained":
        contract.require((response.text or "").strip() in labels, _CONSTRAINED, f"{response.text!r} is no label")
        return
    scores = response.scores or {}
    # A server that tells only its likeliest tokens may leave some out.
    some = bool(scores) and set(scores) <= labels
    contract.require(some, _SCORES, f"scores for {sorted(scores)} of {sorted(labels)}")
    contract.require(finite(scores), _SCORES, f"scores that are no numbers: {scores}")


def _keeps_fingerprint(contract: Contract, kind: AdapterType, spec: str) -> None:
    with _built(spec) as one, _built(spec) as other:
        prints = one.fingerprint(), other.fingerprint()
    contract.require(
        all(found is None or isinstance(found, str) for found in prints), _IDENTITY, f"{prints[0]!r} is no text"
    )
    if prints[0] is None:
        raise NotPromised("it has no fingerprint, so its answers aren't cached")
    contract.require(prints[0] == prints[1], _IDENTITY, f"two models of one spec have {prints[0]!r} and {prints[1]!r}")


def _is_resumed(contract: Contract, kind: AdapterType, spec: str) -> None:
    """A run is interrupted after three answers and made again: nothing is lost, and no answer is asked for twice.
    Questions that failed are asked again, as they should be."""
    with TemporaryDirectory(prefix="egocross-conformance-") as folder:
        kept: list[str] = []

        def kill(event: Event) -> None:
            if isinstance(event, Answered) and event.sample.failure is None:
                kept.append(event.sample.key)
                if len(kept) == 3:
                    raise KeyboardInterrupt

        try:
            failed = _failures(contract, _run(contract, spec, Path(folder), kill))
        except KeyboardInterrupt:
            failed = []
        for failure in failed:
            _refuse_outage(spec, failure)
        contract.require(not failed, _ONE_EACH, f"{len(failed)} of 8 questions fail, e.g. with {failed[:1]}")
        contract.require(len(kept) == 3, _RESUMED, "the run went on after it was interrupted")
        run = _run(contract, spec, Path(folder), kill)
        _failures(contract, run)
        contract.require(len(set(kept)) == len(kept), _RESUMED, f"asked again after the kill: {kept}")
        contract.require(len(run.samples) == 8, _RESUMED, f"{len(run.samples)} of 8 questions are in the run")


def _failures(contract: Contract, run: Run) -> list[Failure]:
    """Failures of a run that the adapter gave itself; those that stand for what it didn't give break its contract."""
    found = {sample.key: sample.failure for sample in run.samples if sample.failure is not None}
    lost = [key for key, failure in found.items() if failure.kind == "no_response"]
    said = f"{len(lost)} of 8 questions of the demo benchmark got no response, e.g. {', '.join(lost[:1])}"
    contract.require(not lost, _ONE_EACH, said)
    return list(found.values())


def _run(contract: Contract, spec: str, folder: Path, on_event: Callable[[Event], None]) -> Run:
    with _built(spec) as adapter:
        frames = "all" if adapter.capabilities().images else "none"
    try:
        return evaluate(
            spec, split="demo", limit=8, frames=frames, max_new_tokens=16, cache=False, output=folder, on_event=on_event
        )
    except RunError as error:
        # What the adapter raised, or what came of an answer that is none.
        found, *_ = str(error).splitlines()
        raise BrokenContractError(f"{contract.part}: {found}", contract.place(_ONE_EACH), _ONE_EACH) from error
