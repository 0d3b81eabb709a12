"""EgoCross as a task of Inspect, `inspect eval egocross_eval/egocross`: found by inspect-ai through its entry points.

Prompts are rendered, and answers are read and graded, as in every run here; asking is Inspect's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    Content,
    ContentImage,
    ContentReasoning,
    ContentText,
    GenerateConfig,
    ModelOutput,
)
from inspect_ai.scorer import Score, Scorer, Target, accuracy, grouped, mean, scorer, stderr
from inspect_ai.solver import TaskState, generate
from rich.markup import escape

from egocross_eval import schema
from egocross_eval.contracts.registry import registry
from egocross_eval.errors import DataError, EgoCrossError, UsageError
from egocross_eval.interop.exporting.inspect_log import data_address
from egocross_eval.interop.inspect_scores import inspect_score
from egocross_eval.methods.once import Once
from egocross_eval.reading.response import read_response
from egocross_eval.runs.decide import make_sample
from egocross_eval.runs.options import options_from
from egocross_eval.runs.plan import RunPlan, plan_run

_KINDS = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}


@task  # type: ignore[untyped-decorator]
def egocross(
    tasks: str = "all",
    data: str | None = None,
    split: str = "",
    questions: str | None = None,
    answers: str | None = None,
    style: str = "",
    frames: str = "all",
    timestamps: bool = False,
    max_pixels: int | None = None,
    ids: str = "",
    limit: int | None = None,
    max_new_tokens: int = 1024,
    temperature: float = 0.0,
    seed: int = 0,
) -> Task:
    """EgoCross: questions on egocentric video, asked as `egocross-eval` asks them; options as there (`-T name=value`).

    Metrics: micro accuracy, its standard error clustered by source video, each domain, and the macro mean.
    """
    given = {name: value for name, value in locals().items() if value is not None}
    if not style:
        del given["style"]
    try:
        plan = plan_run(options_from(**given), registry())
        _check(plan)
    except EgoCrossError as error:
        raise _told(error) from error
    return Task(
        dataset=MemoryDataset([_sample(plan, question) for question in plan.questions], name=plan.benchmark.title),
        solver=generate(),
        scorer=letter(),
        config=GenerateConfig(max_tokens=max_new_tokens, temperature=temperature, seed=seed),
        metadata={"settings": msgspec.to_builtins(plan.settings)},
    )


def _told(error: EgoCrossError) -> Exception:
    """As Inspect tells its users what's wrong: in words, without a traceback. It's not of its public interface."""
    try:
        from inspect_ai._util.error import PrerequisiteError
    except ImportError:
        return error
    told: Exception = PrerequisiteError(escape(str(error)))
    return told


def _check(plan: RunPlan) -> None:
    free = [question.key for question in plan.questions if not question.options]
    if free:
        raise UsageError(f"Inspect's task asks questions with options, and {free[0]} has none; choose other tasks")
    if plan.no_frames and plan.settings.values()["frames"] != ("none",):
        raise DataError(f"{plan.no_frames}, or ask without them: -T frames=none")


def _sample(plan: RunPlan, question: schema.Question) -> Sample:
    prompt = plan.approach(question).renderer.render(question, plan.root)
    return Sample(
        id=question.key,
        input=[_message(message, prompt.max_pixels) for message in prompt.messages],
        choices=list(question.options.values()),
        target=question.target or "",
        metadata={
            "question_id": question.key,
            "part": plan.benchmark.record().part(question),
            "cluster": question.cluster or question.key,
            "question": msgspec.json.encode(question).decode(),
            "grader": plan.settings.grader,
        },
    )


def _message(message: schema.Message, max_pixels: int | None) -> ChatMessage:
    return _KINDS[message.role](content=list(_parts(message, max_pixels)))


def _parts(message: schema.Message, max_pixels: int | None) -> Iterator[Content]:
    for part in message.parts:
        if isinstance(part, schema.TextPart):
            yield ContentText(text=part.text)
        else:
            assert isinstance(part, schema.ImagePart), "frames are shown as images"
            # As a path Inspect reads it when it's asked for; a budget has us scale it before.
            yield ContentImage(image=data_address(part.path, max_pixels) if max_pixels else part.path)


@scorer(  # type: ignore[untyped-decorator]
    metrics=[accuracy(), stderr(cluster="cluster"), grouped(mean(), "part", all="groups", all_label="macro")]
)
def letter() -> Scorer:
    """Reads the letter by our rules, and grades it."""

    async def score(state: TaskState, target: Target) -> Score:
        return inspect_score(sample_of(state.metadata, state.output))

    return score


def sample_of(metadata: dict[str, Any], output: ModelOutput) -> schema.Sample:
    """The sample that an output makes."""
    question = msgspec.json.decode(metadata["question"], type=schema.Question)
    filtered = output.stop_reason == "content_filter"
    failure = schema.Failure(kind=schema.FILTERED, message="withheld by a content filter") if filtered else None
    response = schema.Response(
        key=question.key,
        text=None if filtered else output.completion,
        reasoning=None if filtered else _reasoning(output),
        failure=failure,
        finish_reason="length" if output.stop_reason == "max_tokens" else output.stop_reason,
    )
    reading = read_response(response, question.options, tuple(question.options))
    answer = schema.Answer(ask=schema.Ask(), sent=schema.Sent(), response=response, reading=reading)
    decision = Once().step(question.without_target(), [answer])
    assert isinstance(decision, schema.Decision)
    return make_sample(registry().grader(metadata["grader"]), question, [answer], decision)


def _reasoning(output: ModelOutput) -> str | None:
    content = output.message.content
    parts = content if isinstance(content, list) else []
    return "\n".join(part.reasoning for part in parts if isinstance(part, ContentReasoning)) or None
