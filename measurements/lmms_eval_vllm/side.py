"""One side of the comparison, in a process of its own: asks every question and writes what it took; see run.py."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import tree

from egocross_eval.contracts.model import Capabilities, ModelAdapter
from egocross_eval.runs.options import RunOptions, options_from
from egocross_eval.schema import Request, Response

MOST_TOKENS = 2
"""New tokens of an answer: a letter and the end."""


class Setting(msgspec.Struct, frozen=True):
    """One way to ask."""

    title: str
    model: str
    """`ours`, or a model name of lmms-eval."""
    task: str = "egocross_scaled"
    batch: int | None = 1
    """Questions that lmms-eval hands to the engine at once; None: all."""
    simple: bool = False
    answer: str = "generate"


SETTINGS = {
    "lmms-whole": Setting("lmms-eval `vllm`, defaults, frames as they are", "vllm", task="egocross_whole"),
    "lmms-whole-all": Setting(
        "lmms-eval `vllm`, all in one batch, frames as they are", "vllm", task="egocross_whole", batch=None
    ),
    "lmms-whole-simple-all": Setting(
        "lmms-eval `vllm`, force_simple, all in one batch, frames as they are",
        "vllm",
        task="egocross_whole",
        batch=None,
        simple=True,
    ),
    "lmms-default": Setting("lmms-eval `vllm`, defaults", "vllm"),
    "lmms-64": Setting("lmms-eval `vllm`, batch_size=64", "vllm", batch=64),
    "lmms-all": Setting("lmms-eval `vllm`, all in one batch", "vllm", batch=None),
    "lmms-generate-64": Setting("lmms-eval `vllm_generate`, batch_size=64", "vllm_generate", batch=64),
    "lmms-generate-all": Setting("lmms-eval `vllm_generate`, all in one batch", "vllm_generate", batch=None),
    "lmms-simple-all": Setting("lmms-eval `vllm`, force_simple, all in one batch", "vllm", batch=None, simple=True),
    "ours-generate": Setting("`vllm:`, generate", "ours"),
    "ours-choose": Setting("`vllm:`, choose", "ours", answer="choose"),
}


class Took(msgspec.Struct):
    """What a side took from its first question to its last answer, and what it answered by question."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_bytes: int = 0
    answers: dict[str, str] = {}


class Job(msgspec.Struct, frozen=True):
    """What run.py hands to a side."""

    setting: str
    checkpoint: Path
    data: Path
    split: str
    questions: int | None
    max_pixels: int
    result: Path

    def options(self, answer: Any) -> RunOptions:
        """The same questions for every side."""
        return options_from(
            data=self.data,
            split=self.split,
            limit=self.questions,
            max_pixels=self.max_pixels,
            answer=answer,
            max_new_tokens=MOST_TOKENS,
            cache=False,
        )


def timed(took: Took, work: Callable[[], Any]) -> Any:
    """Runs the work with its engine already up, and notes what it took."""
    cpu, started = tree.cpu_seconds(), time.perf_counter()
    found = work()
    took.seconds = time.perf_counter() - started
    took.cpu_seconds = tree.cpu_seconds() - cpu
    took.peak_bytes = tree.peak_bytes()
    return found


def engine_options(max_pixels: int) -> dict[str, Any]:
    """The engine as `vllm:` starts it for these questions, where lmms-eval's adapter passes it on."""
    size = {"shortest_edge": 1, "longest_edge": max_pixels}
    return {
        "enforce_eager": True,
        "dtype": "float32",
        "mm_processor_kwargs": {"images_kwargs": {"size": size}},
        "limit_mm_per_prompt": {"image": 999, "video": 0},
    }


def theirs(job: Job, setting: Setting, took: Took) -> None:
    """Asks by lmms-eval's `simple_evaluate`; the clock runs while its adapter answers (`generate_until`)."""
    from lmms_eval import evaluator, models
    from lmms_eval.tasks import TaskManager

    count = len(Path("questions.jsonl").read_bytes().splitlines())
    model = models.get_model(setting.model, setting.simple)(
        model=str(job.checkpoint),
        batch_size=setting.batch or count,
        max_new_tokens=MOST_TOKENS,
        **engine_options(job.max_pixels),
    )
    answer = model.generate_until
    model.generate_until = lambda requests: timed(took, lambda: answer(requests))
    tasks = TaskManager(include_path=str(Path(__file__).with_name("task")))
    found = evaluator.simple_evaluate(model=model, tasks=[setting.task], task_manager=tasks)
    for sample in found["samples"][setting.task]:
        took.answers[sample["doc"]["key"]] = sample["filtered_resps"][0]


class Started(ModelAdapter):
    """`vllm:` whose engine is up before the run begins and outlives it."""

    def __init__(self, inner: Any, first: Request) -> None:
        self.inner = inner
        inner._started(first)

    def capabilities(self) -> Capabilities:
        return self.inner.capabilities()

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        return self.inner.generate(requests)  # type: ignore[no-any-return]


def ours(job: Job, setting: Setting, took: Took) -> None:
    """Asks by `evaluate`; the clock runs from its call until the results are written."""
    from questions import planned

    from egocross_eval.api import evaluate
    from egocross_eval.contracts.registry import registry
    from egocross_eval.model_adapters.spec import build_adapter, parse_spec
    from egocross_eval.runs.requests import build_request

    options = job.options(setting.answer)
    plan = planned(options)
    question = plan.questions[0]
    prompt = plan.approach(question).renderer.render(question, plan.root)
    first = build_request(question, prompt, plan.settings.generation, split=job.split, read_frames=False)
    spec = parse_spec(f"vllm:{job.checkpoint},enforce_eager=true,dtype=float32")
    adapter = Started(build_adapter(spec, registry()), first)
    with tempfile.TemporaryDirectory() as folder:
        run = timed(took, lambda: evaluate(adapter, options=options, output=Path(folder) / "run"))
        for sample in run.samples:
            assert sample.answers[0].response.failure is None, sample.answers[0].response.failure
            took.answers[sample.key] = sample.answers[0].response.text or sample.decision.label or ""
    adapter.inner.close()


def main(job: Job) -> None:
    from egocross_eval.model_adapters.vllm.extras import set_environment

    set_environment()
    setting, took = SETTINGS[job.setting], Took()
    (ours if setting.model == "ours" else theirs)(job, setting, took)
    job.result.write_bytes(msgspec.json.encode(took))


if __name__ == "__main__":
    import sys

    main(msgspec.json.decode(sys.argv[1], type=Job, dec_hook=lambda kind, value: kind(value)))
