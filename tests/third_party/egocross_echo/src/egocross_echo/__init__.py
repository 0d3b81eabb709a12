"""One model adapter and one task, the smallest that are of use."""

from collections.abc import Iterable, Iterator

import msgspec

from egocross_eval import (
    EGOCROSS,
    AdapterType,
    Capabilities,
    DataSource,
    ModelAdapter,
    Questions,
    Request,
    Response,
    Task,
    TextPart,
    hookimpl,
    read_egocross,
)


def last_text(request: Request) -> str:
    return [part.text for part in request.prompt.messages[-1].parts if isinstance(part, TextPart)][-1]


class EchoAdapter(ModelAdapter):
    """Answers with the option that has the most words in common with the question."""

    def capabilities(self) -> Capabilities:
        return Capabilities(needs_content=False)

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for request in requests:
            words = set(last_text(request).lower().split("\n")[0].split())
            best = max(request.options, key=lambda letter: len(words & set(request.options[letter].lower().split())))
            yield Response(key=request.key, text=f"The answer is {best}.")


def build(target: str, options: dict[str, str]) -> ModelAdapter:
    return EchoAdapter()


def load_short_clips(source: DataSource) -> Questions:
    everything = read_egocross(source)
    short = tuple(question for question in everything.questions if len(question.frames) <= 5)
    return msgspec.structs.replace(everything, questions=short)


@hookimpl
def egocross_model_adapters() -> Iterable[AdapterType]:
    return [AdapterType(scheme="echo", description="repeats the question's words", factory=build, example="echo:words")]


@hookimpl
def egocross_tasks() -> Iterable[Task]:
    return [
        Task(
            name="short-clips",
            benchmark=EGOCROSS,
            description="questions on clips of at most five frames",
            load=load_short_clips,
        )
    ]
