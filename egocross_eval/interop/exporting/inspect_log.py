"""A log of Inspect (inspect-ai), written by its own library: what was asked, with frames, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from egocross_eval.counted import counted
from egocross_eval.errors import MissingExtraError
from egocross_eval.frames.roots import DataRoot
from egocross_eval.frames.store import scaled_frame
from egocross_eval.interop.exporting.forms import MADE_BY, filled_folder, output_text, settings_text
from egocross_eval.interop.inspect_scores import inspect_score
from egocross_eval.runs.dataset import believed_root
from egocross_eval.version import __version__

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalResults, EvalSample, EvalStats
    from inspect_ai.model import ChatMessage, Content, ModelOutput

    from egocross_eval.contracts.exporter import ExportedRun
    from egocross_eval.interop.exporting.options import InspectOptions
    from egocross_eval.schema import Answer, Figure, Response, Sample, Sent

SCORER = "letter"

_IMAGE = "<image>"
_STOPS = {"stop": "stop", "length": "max_tokens", "content_filter": "content_filter"}
"""Inspect's words for why an output ended; others are `unknown`."""


def export(run: ExportedRun, path: Path, options: InspectOptions) -> str:
    """Writes `<created>_<benchmark>_<id>.eval` into a folder, as `inspect view` wants it.

    Frames are in it where their place is known. Raises `MissingExtraError` without inspect-ai.
    """
    try:
        from inspect_ai.log import write_eval_log
    except ImportError:
        raise MissingExtraError("inspect_ai", "inspect") from None
    given = Path(options.data) if options.data else None
    root = believed_root(run.record, given, run.samples) if options.frames else None
    log = _log(run, _Pictures(root, options.max_pixels))
    created = log.eval.created.replace(":", "-").replace(".", "-")
    with filled_folder(path) as scratch:
        write_eval_log(log, str(scratch / f"{created}_{log.eval.task}_{log.eval.eval_id}.eval"))
    frames = "with frames" if root else "without frames"
    return f"wrote {path}: {counted(len(run.samples), 'sample')}, {frames}; inspect view --log-dir {path}"


def _log(run: ExportedRun, pictures: _Pictures) -> EvalLog:
    from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalSpec

    record = run.record
    spec = EvalSpec(
        eval_id=run.results.samples_hash[:22],
        created=record.created_at,
        task=record.benchmark.name,
        dataset=EvalDataset(
            name=record.benchmark.title, samples=record.question_count, sample_ids=[one.key for one in run.samples]
        ),
        model=record.model.name,
        config=EvalConfig(),
        packages={"inspect_ai": version("inspect_ai"), "egocross_eval": __version__},
        metadata={"made_by": MADE_BY, "spec": record.model.spec, "settings": settings_text(run)},
    )
    samples = [_sample(sample, run, pictures) for sample in run.samples]
    return EvalLog(
        status="success" if run.results.complete else "error",
        eval=spec,
        results=_results(run),
        stats=_stats(run),
        error=None if run.results.complete else _error("not every question has an answer that could be scored"),
        samples=samples,
    )


def _error(message: str) -> Any:
    from inspect_ai._util.error import EvalError

    return EvalError(message=message, traceback="", traceback_ansi="")


def _stats(run: ExportedRun) -> EvalStats:
    from inspect_ai.log import EvalStats
    from inspect_ai.model import ModelUsage

    given, made = (run.results.tokens.get(name, 0) for name in ("input", "output"))
    usage = ModelUsage(input_tokens=given, output_tokens=made, total_tokens=given + made)
    began = run.record.created_at
    return EvalStats(
        started_at=began,
        completed_at=max((sample.finished_at for sample in run.samples), default=began),
        model_usage={run.record.model.name: usage} if given or made else {},
    )


def _results(run: ExportedRun) -> EvalResults:
    """Our figures, with their intervals; `total_samples` counts questions that have no answer too."""
    from inspect_ai.log import EvalMetric, EvalResults, EvalScore

    results = run.results
    parts = results.groups.get(run.record.benchmark.macro, {})
    figures: dict[str, Figure | None] = {"accuracy": results.micro, "macro": results.macro, **parts}
    values = {name: figure for name, figure in figures.items() if figure is not None}
    metrics = {
        name: EvalMetric(name=name, value=figure.accuracy, metadata={"low": figure.low, "high": figure.high})
        for name, figure in values.items()
    }
    unscored = results.counts.get("unscored", 0)
    answered = len(run.samples) - results.counts.get("errored", 0)
    score = EvalScore(
        name=SCORER,
        scorer=SCORER,
        scored_samples=answered - unscored,
        unscored_samples=unscored,
        metrics=metrics,
        metadata={"counts": results.counts},
    )
    return EvalResults(total_samples=run.record.question_count, completed_samples=answered, scores=[score])


def _sample(sample: Sample, run: ExportedRun, pictures: _Pictures) -> EvalSample:
    from inspect_ai.log import EvalSample
    from inspect_ai.model import ModelOutput

    question, failure = sample.question, sample.failure
    asked = [_asked(answer.sent, pictures if place == 0 else _NO_PICTURES) for place, answer in _numbered(sample)]
    outputs = [_output(answer, run.record.model.name) for answer in sample.answers]
    failed = sample.outcome == "errored"
    return EvalSample(
        id=sample.key,
        epoch=1,
        input=asked[0] if asked else question.text,
        choices=list(question.options.values()) or None,
        target=question.target or "",
        messages=[message for turn, output in zip(asked, outputs, strict=True) for message in _said(turn, output)],
        output=outputs[-1] if outputs else ModelOutput(model=run.record.model.name),
        scores=None if failed else {SCORER: inspect_score(sample)},
        metadata={"question_id": sample.key, "cluster": question.cluster, **question.labels},
        error=_error(f"{failure.kind}: {failure.message}") if failed and failure else None,
        total_time=sample.cost.seconds,
    )


def _numbered(sample: Sample) -> Iterator[tuple[int, Answer]]:
    return enumerate(sample.answers)


def _said(asked: Sequence[ChatMessage], output: ModelOutput) -> list[ChatMessage]:
    return [*asked, *(choice.message for choice in output.choices)]


def _asked(sent: Sent, pictures: _Pictures) -> list[ChatMessage]:
    """The prompt's messages, frames where they stood; before all words where a text has `<image>` of its own."""
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser

    kinds = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}
    frames = [frame.name for frame in sent.frames]
    in_place = sum(text.count(_IMAGE) for _, text in sent.messages) == len(frames)
    rest = iter(frames)
    messages = []
    for role, text in sent.messages:
        before = list(rest) if not in_place and role == "user" else []
        parts = [*pictures.of(before), *(_interleaved(text, rest, pictures) if in_place else _words(text))]
        messages.append(kinds[role](content=parts if len(parts) != 1 else text))
    return messages


def _interleaved(text: str, frames: Iterator[str], pictures: _Pictures) -> Iterator[Content]:
    first, *others = text.split(_IMAGE)
    yield from _words(first)
    for piece in others:
        yield from pictures.of([next(frames)])
        yield from _words(piece)


def _words(text: str) -> Iterator[Content]:
    from inspect_ai.model import ContentText

    if text:
        yield ContentText(text=text)


class _Pictures:
    """Frames as parts of a message: pictures where the data root is known, else their names."""

    def __init__(self, root: Path | None, max_pixels: int) -> None:
        self._root = DataRoot(root) if root is not None else None
        self._max_pixels = max_pixels or None

    def of(self, names: Sequence[str]) -> Iterator[Content]:
        from inspect_ai.model import ContentImage, ContentText

        for name in names:
            if self._root is None:
                yield ContentText(text=f"[{name}]")
            else:
                yield ContentImage(image=data_address(self._root.resolve_str(name), self._max_pixels))


_NO_PICTURES = _Pictures(None, 0)


def data_address(path: str, max_pixels: int | None) -> str:
    """A frame as a `data:` address, within a pixel budget. Raises `FrameError` for one that can't be read."""
    import pybase64

    content, kind = scaled_frame(path, max_pixels)
    return f"data:{kind};base64,{pybase64.b64encode(content).decode()}"


def _output(answer: Answer, model: str) -> ModelOutput:
    from inspect_ai.model import ChatCompletionChoice, ChatMessageAssistant, ModelOutput, ModelUsage

    response = answer.response
    if response.failure is not None:
        return ModelOutput(model=model, error=f"{response.failure.kind}: {response.failure.message}")
    message = ChatMessageAssistant(content=_content(answer), source="generate", model=model)
    tokens = (response.input_tokens or 0, response.output_tokens or 0)
    known = response.input_tokens is not None or response.output_tokens is not None
    return ModelOutput(
        model=model,
        choices=[ChatCompletionChoice(message=message, stop_reason=_stop(response))],
        usage=ModelUsage(input_tokens=tokens[0], output_tokens=tokens[1], total_tokens=sum(tokens)) if known else None,
        time=response.seconds,
    )


def _stop(response: Response) -> Any:
    return _STOPS.get(response.finish_reason or "", "unknown")


def _content(answer: Answer) -> str | list[Content]:
    from inspect_ai.model import ContentReasoning, ContentText

    text = output_text(answer)
    if answer.response.reasoning is None:
        return text
    return [ContentReasoning(reasoning=answer.response.reasoning), ContentText(text=text)]
